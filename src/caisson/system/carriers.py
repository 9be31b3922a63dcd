"""What carries each key of the system file: `up` (one machine), `synth` (AWS) or both, and who runs it in this version.

- A command refuses a file with a key that it should carry and does not run yet, by name. Nothing is parsed and ignored.
- A key of the other carrier is not refused: `aws` says nothing about one machine.
- A key that says nothing (an empty list or mapping) asks for nothing.

>>> LATER.runs_on("up"), SYNTH.concerns("up")
(False, False)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Carrier = Literal["up", "synth"]
Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Carried:
    """Marks a key of the schema, as metadata of its type."""

    by: tuple[Carrier, ...]
    """Which commands are to carry the key."""
    built: tuple[Carrier, ...]
    """Which of them run it in this version."""
    entries: frozenset[str] | None = None
    """Of a mapping: the only entries that `built` covers; None when it covers all."""

    def concerns(self, carrier: Carrier) -> bool:
        """Whether the key says anything to the command."""
        return carrier in self.by

    def runs_on(self, carrier: Carrier, entry: str | None = None) -> bool:
        """Whether the command runs the key, or the mapping's entry."""
        return carrier in self.built and (entry is None or self.entries is None or entry in self.entries)


BOTH = Carried(by=("up", "synth"), built=("up",))
"""For one machine and AWS; runs on one machine."""
UP = Carried(by=("up",), built=("up",))
"""For one machine only, and runs."""
SYNTH = Carried(by=("synth",), built=())
"""For AWS only; `synth` is not built."""
LATER = Carried(by=("up", "synth"), built=())
"""For one machine and AWS; neither runs it yet."""


@dataclass(frozen=True, kw_only=True)
class Unbuilt:
    """A key in a file that a command does not run yet."""

    path: Path
    """From the root of the file: `("guardrails", "main", "topics")`."""
    carrier: Carrier

    @property
    def key(self) -> str:
        """The path as people write it: `guardrails.main.topics`."""
        return dotted(self.path)

    @property
    def message(self) -> str:
        """What to do, without the position."""
        return f"expected only keys that `{self.carrier}` runs in this version, found {self.key!r}; leave it out"


def dotted(path: Sequence[str | int]) -> str:
    """`agents.claims.tasks`, `topics[0].name`."""
    text = ""
    for part in path:
        name = part if isinstance(part, str) and part.isprintable() else repr(part)
        text += f"[{part}]" if isinstance(part, int) else f".{name}" if text else name
    return text


def carried(field: FieldInfo) -> Carried:
    """The mark of a field.

    Raises:
        LookupError: a key of the schema does not say what carries it.
    """
    for mark in field.metadata:
        if isinstance(mark, Carried):
            return mark
    raise LookupError(f"expected a Carried mark on the key, found none on {field!r}")


def unbuilt(system: BaseModel, carrier: Carrier) -> tuple[Unbuilt, ...]:
    """The keys with something to say that `carrier` should carry and does not run yet, outermost only."""
    return tuple(Unbuilt(path=path, carrier=carrier) for path in _unbuilt(system, carrier, ()))


def _unbuilt(model: BaseModel, carrier: Carrier, path: Path) -> Iterator[Path]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if field.exclude or value is None or value == () or value == {}:
            continue
        mark, here = carried(field), (*path, field.alias or name)
        if not mark.concerns(carrier):
            continue
        if not mark.runs_on(carrier):
            yield here
        elif mark.entries is not None:
            yield from ((*here, entry) for entry in value if not mark.runs_on(carrier, entry))
        else:
            yield from _inside(value, carrier, here)


def _inside(value: Any, carrier: Carrier, path: Path) -> Iterator[Path]:
    if isinstance(value, BaseModel):
        yield from _unbuilt(value, carrier, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(item, carrier, (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _inside(item, carrier, (*path, index))
