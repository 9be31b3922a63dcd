"""Reads properties of resources for the network, and notes what it cannot read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from caisson.assurance.network.addresses import Block, block
from caisson.assurance.network.model import About, Doubt
from caisson.assurance.templates import Choice, Reference, Resource, Symbol, Templates, Value, placeholder
from caisson.assurance.templates.values import key_of, symbols


@dataclass(kw_only=True)
class Reading:
    """Templates while a network is made of them."""

    templates: Templates
    doubts: dict[Doubt, None] = field(default_factory=dict)

    def doubt(self, about: About, resource: Resource, message: str, *path: str | int, adds: bool = False) -> None:
        """Note that something is not known.

        Args:
            about: what kind of answer depends on it.
            resource: where it stands.
            message: what is not known.
            path: of the property.
            adds: whether it can only let more through.
        """
        place = resource.at(*path)
        self.doubts[Doubt(about=about, place=place, message=message, resource=resource.name, adds=adds)] = None

    def joins(self, about: About, resource: Resource, **ends: tuple[str, ...]) -> None:
        """Note which ends of something that joins two resources are none of the templates' own: it may join others.

        Args:
            about: what kind of answer depends on it.
            resource: what joins.
            ends: property to the types that it may name.
        """
        for name, types in ends.items():
            if at(resource, name) is not None and self.target(at(resource, name), *types) is None:
                self.doubt(about, resource, f"what it is joined to by {name} is not in the templates", name)

    def of(self, about: About, *types: str) -> Iterator[Resource]:
        """Resources of the types; one that exists under an undecided condition is a doubt, and taken to exist."""
        for resource in self.templates.resources(*types):
            if resource.condition:
                self.doubt(about, resource, f"whether it exists depends on {resource.condition}")
            yield resource

    def target(self, value: Value, *types: str) -> Resource | None:
        """The resource that a value names; None where it is none of the types, or of the templates."""
        found = self.templates.find(value)
        return found if found is not None and (not types or found.type in types) else None

    def id_of(self, value: Value, *types: str) -> str:
        """`Stack/LogicalId` of the resource that a value names; else a name for the value itself; empty for none."""
        if value is None:
            return ""
        found = self.target(value, *types)
        if found is not None:
            return found.name
        return value if isinstance(value, str) else key_of(value)

    def ids(self, about: About, resource: Resource, *path: str, types: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Ids of a list property. What is no list is a doubt."""
        value = at(resource, *path)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.doubt(about, resource, f"its {path[-1]} are not known", *path)
            return ()
        for index, one in enumerate(value):
            if self.target(one, *types) is None:
                self.doubt(about, resource, f"{_shown(one)} is not in the templates", *path, index)
        return tuple(self.id_of(one, *types) for one in value)

    def block(self, about: About, resource: Resource, *path: str) -> Block | None:
        """The block of a property; None where there is none, a doubt where it cannot be read."""
        value = at(resource, *path)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                return block(value)
            except ValueError:
                self.doubt(about, resource, f"expected a block of addresses, found {value!r}", *path)
                return None
        self.doubt(about, resource, f"its addresses are not known: {_shown(value)}", *path)
        return None

    def text(self, about: About, resource: Resource, *path: str, default: str = "") -> str:
        """A text property; a doubt where it is a symbol."""
        value = at(resource, *path)
        if value is None:
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return value
        self.doubt(about, resource, f"its {path[-1]} is not known: {_shown(value)}", *path)
        return default

    def flag(self, about: About, resource: Resource, *path: str, default: bool) -> bool:
        """A boolean property."""
        return self.text(about, resource, *path, default=str(default).lower()).lower() == "true"

    def account_of(self, resource: Resource) -> str:
        """The account of a resource, as text."""
        return placeholder(self.templates.stack(resource.stack).account) or "?"


def at(resource: Resource, *path: str) -> Any:
    """A property; None where the template does not say it."""
    found: Any = resource.properties
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def listed(value: Any) -> list[Any]:
    """A value that may be one or a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def block_of(value: Value) -> Block | None:
    """A block of addresses; None for what is none."""
    try:
        return block(value) if isinstance(value, str) else None
    except ValueError:
        return None


def reference_in(value: Value, type_: str, attribute: str) -> Reference | None:
    """A reference inside of functions: the endpoint of a firewall is split out of a list."""
    for one in symbols(value):
        if isinstance(one, Reference) and one.type == type_ and one.attribute == attribute:
            return one
    return None


def _shown(value: Value) -> str:
    if isinstance(value, Choice):
        return f"it depends on {value.condition}"
    return str(value)[:120] if isinstance(value, (str, Symbol)) else "no name"
