"""What was read: stacks and their resources, policies of an organization, and what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from caisson.assurance.iam.place import step
from caisson.assurance.templates.place import Place, Problem
from caisson.assurance.templates.placeholder import placeholder
from caisson.assurance.templates.source import Source
from caisson.assurance.templates.values import (
    Applied,
    Choice,
    External,
    Parameter,
    Symbol,
    Unknown,
    Value,
    symbols,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """A resource of a stack. Identical only to itself."""

    stack: str
    """Key of its stack."""
    id: str
    """Logical id."""
    type: str
    """`AWS::EC2::VPC`."""
    properties: dict[str, Value]
    """Resolved; a property whose value is `AWS::NoValue` is gone."""
    place: Place
    ref: Value
    """What `Ref` returns."""
    arn: Value = None
    """Its ARN; None where this version cannot tell it."""
    condition: str = ""
    """The condition that it exists under, where the templates do not decide it. Empty: it exists."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """As written, not resolved."""
    source: Source = field(repr=False)

    @property
    def name(self) -> str:
        """`Stack/LogicalId`."""
        return f"{self.stack}/{self.id}"

    def at(self, *path: str | int) -> Place:
        """Where one of its properties stands. Indexes count as written, before `AWS::NoValue` takes away."""
        pointer = step(self.place.pointer, "Properties")
        for key in path:
            pointer = step(pointer, key)
        return self.source.place(pointer)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A template and where it is deployed."""

    key: str
    """Unique: its name in an output folder of CDK or Caisson, else its file."""
    name: Value
    """`AWS::StackName`."""
    file: str
    account: Value
    """Twelve digits; a symbol where the folder does not say."""
    region: Value
    resources: dict[str, Resource]
    """By logical id, without those whose condition is false."""
    outputs: dict[str, Value]


@dataclass(frozen=True, kw_only=True)
class OrganizationPolicy:
    """A policy of an organization that stands in a file by itself."""

    name: str
    kind: str
    """`SERVICE_CONTROL_POLICY`, `RESOURCE_CONTROL_POLICY`, or another type of Organizations."""
    content: Any
    """The document, numbers as `Number`."""
    targets: tuple[str, ...] | None
    """Ids of what it is attached to; None where nothing says it."""
    place: Place


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Everything in a folder."""

    stacks: tuple[Stack, ...]
    policies: tuple[OrganizationPolicy, ...] = ()
    problems: tuple[Problem, ...] = ()
    """What could not be read or resolved. A question that one of these touches is undetermined."""
    assumptions: tuple[Problem, ...] = ()
    """What was taken to be so and may be deployed otherwise: defaults of parameters, a common account."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """File to SHA-256."""

    def resources(self, *types: str) -> Iterator[Resource]:
        """Resources of the types, all where none is given."""
        for stack in self.stacks:
            yield from (one for one in stack.resources.values() if not types or one.type in types)

    def stack(self, key: str) -> Stack:
        """A stack by its key."""
        return self._stacks[key]

    def find(self, value: Value, near: str = "") -> Resource | None:
        """The resource that an id or ARN belongs to; None where the templates have no such.

        Stacks of which nobody says whose they are may make two of one name: the one in stack `near` is meant then.
        """
        found = self._index.get(value, ()) if isinstance(value, (str, Symbol)) else ()
        if not found and (written := placeholder(value)) is not None:
            found = self._index.get(written, ())
        return next((one for one in found if one.stack == near), found[0] if found else None)

    def unresolved(self) -> Iterator[tuple[str, Symbol]]:
        """Resource or output to each symbol in it that is no name AWS assigns."""
        for stack in self.stacks:
            held: list[tuple[str, Value]] = [(one.name, one.properties) for one in stack.resources.values()]
            held += [(f"{stack.key}/Outputs/{name}", value) for name, value in stack.outputs.items()]
            for name, value in held:
                for symbol in symbols(value):
                    if isinstance(symbol, (Parameter, External, Applied, Choice, Unknown)):
                        yield name, symbol

    @cached_property
    def _stacks(self) -> dict[str, Stack]:
        return {stack.key: stack for stack in self.stacks}

    @cached_property
    def _index(self) -> dict[Any, list[Resource]]:
        found: dict[Any, list[Resource]] = {}
        for one in self.resources():
            names = [value for value in (one.ref, one.arn) if isinstance(value, (str, Symbol)) and value != ""]
            names += [written for value in names if (written := placeholder(value)) is not None]
            for name in dict.fromkeys(names):
                found.setdefault(name, []).append(one)
        return found
