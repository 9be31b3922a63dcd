"""Values after resolution: JSON, where what only AWS or a deployer knows is a `Symbol`.

A symbol's name is unique: two references to one thing are equal, references to different things are not. Text that
holds symbols is `Joined`, in a normal form: `!GetAtt Bucket.Arn` equals `!Sub arn:${AWS::Partition}:s3:::${Bucket}`.

>>> join(["a", join(["b", "c"])])
'abc'
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from caisson.assurance.iam.place import Number
from caisson.assurance.templates.place import Place

Value = Any
"""None, bool, str, `Number`, `Symbol`, or a list or dict of these."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Symbol:
    """A value that the templates do not tell. Equal by class and name."""

    name: str
    """Unique among all symbols of its class."""
    place: Place = field(default_factory=lambda: Place(file=""))
    """Where it was first met."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Symbol) and other.name == self.name

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.name))

    def __str__(self) -> str:
        return f"<{self.name}>"

    def never_holds(self, text: str) -> bool:
        """Whether the value surely has no such text in it."""
        return False


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference(Symbol):
    """What AWS assigns to a resource: its physical id, or an attribute."""

    stack: str
    """Key of the stack."""
    id: str
    """Logical id."""
    attribute: str
    """Empty for the physical id."""
    type: str
    """Type of the resource."""

    def never_holds(self, text: str) -> bool:
        """Physical ids are of letters, digits, hyphens, underscores, dots, versions of guardrails of digits."""
        if (self.type, self.attribute) == ("AWS::Bedrock::GuardrailVersion", "Version"):
            return not text.isdigit()
        return not self.attribute and any(not (one.isalnum() or one in "-_.") for one in text)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pseudo(Symbol):
    """Account, region or another pseudo parameter that is not known for a stack."""

    parameter: str
    """`AWS::AccountId`."""

    def never_holds(self, text: str) -> bool:
        """As for physical ids; of stack names and account numbers nothing more is known."""
        return self.parameter not in ("AWS::StackId", "AWS::NotificationARNs") and any(
            not (one.isalnum() or one in "-.") for one in text
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameter(Symbol):
    """A parameter that nobody gave a value for."""

    stack: str
    parameter: str
    declared: Mapping[str, Any]
    """As the template declares it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class External(Symbol):
    """A value from outside of the templates: an export that none of them has, or `{{resolve:…}}`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Applied(Symbol):
    """A function whose arguments are not all known."""

    function: str
    arguments: tuple[Value, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice(Symbol):
    """`Fn::If` on a condition that depends on what is not known."""

    condition: str
    yes: Value
    no: Value


@dataclass(frozen=True, kw_only=True, eq=False)
class Unknown(Symbol):
    """A value that this reader cannot resolve. It equals nothing but itself."""

    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Joined(Symbol):
    """Text with symbols in it, which do not stand alone."""

    parts: tuple[str | Symbol, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


class NoValue:
    """`AWS::NoValue`: takes away the property that it is the value of."""


NO_VALUE = NoValue()


def join(parts: Iterable[str | Symbol]) -> str | Symbol:
    """Text out of parts."""
    flat: list[str | Symbol] = []
    for part in parts:
        for one in part.parts if isinstance(part, Joined) else (part,):
            if isinstance(one, str) and flat and isinstance(flat[-1], str):
                flat[-1] = str(flat[-1]) + str(one)
            elif one != "":
                flat.append(str(one) if isinstance(one, str) else one)
    if not flat:
        return ""
    if len(flat) == 1:
        return flat[0]
    name = json.dumps([one if isinstance(one, str) else [type(one).__name__, one.name] for one in flat])
    place = next(one.place for one in flat if isinstance(one, Symbol))
    return Joined(name=name, parts=tuple(flat), place=place)


def text(value: Value) -> str | Symbol | None:
    """A scalar as CloudFormation writes it into text; None for what is no scalar.

    >>> text(True)
    'true'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, Symbol)):
        return value
    return None


def key_of(value: Value) -> str:
    """A name for any value, the same for equal ones."""
    if isinstance(value, Symbol):
        return f"{type(value).__name__}({value.name})"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{key_of(one)}" for key, one in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(key_of, value)) + "]"
    written = text(value)
    return json.dumps(written if written is not None else None)


def symbols(value: Value) -> Iterator[Symbol]:
    """Every symbol in a value, those inside of others too."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Symbol):
            yield found
            if isinstance(found, Joined):
                waiting += found.parts
            elif isinstance(found, Applied):
                waiting += found.arguments
            elif isinstance(found, Choice):
                waiting += (found.yes, found.no)
        elif isinstance(found, dict):
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def known(value: Value) -> bool:
    """Whether a value has no symbol in it."""
    return next(symbols(value), None) is None


def integer(value: Value) -> int | None:
    """A whole number, however it is written; None for anything else."""
    if isinstance(value, (str, Number)) and value.lstrip("-").isascii() and value.lstrip("-").isdigit():
        return int(value)
    return None


def boolean(value: Value) -> bool | None:
    """A boolean, however it is written; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return None
