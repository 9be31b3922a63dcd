"""What carries each key of the system file: `up` (one machine), `synth` (AWS) or both, and who runs it in this version.

- A command refuses a file with a key that it should carry and does not run yet, by name. Nothing is parsed and ignored.
- `synth` writes templates zone by zone. A key that only a zone without templates reads waits for that zone: `synth`
  takes the file and lists the key as waiting. Keys that no command runs are refused all the same.
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
    waits: bool = False
    """Whether `synth` lists the key as waiting for its zone's templates instead of refusing it."""

    def concerns(self, carrier: Carrier) -> bool:
        """Whether the key says anything to the command."""
        return carrier in self.by

    def runs_on(self, carrier: Carrier, entry: str | None = None) -> bool:
        """Whether the command runs the key, or the mapping's entry."""
        return carrier in self.built and (entry is None or self.entries is None or entry in self.entries)


BOTH = Carried(by=("up", "synth"), built=("up",), waits=True)
"""For one machine and AWS; runs on one machine, and waits for the templates of the zone that reads it."""
DEPLOYED = Carried(by=("up", "synth"), built=("up", "synth"))
"""For one machine and AWS; both run it."""
SYNTH_FIRST = Carried(by=("up", "synth"), built=("synth",))
"""For one machine and AWS; so far only templates come from it."""
WAITING = Carried(by=("up", "synth"), built=(), waits=True)
"""For one machine and AWS; neither runs it yet, beside keys that templates come from."""
UP = Carried(by=("up",), built=("up",))
"""For one machine only, and runs."""
SYNTH = Carried(by=("synth",), built=("synth",))
"""For AWS only."""
LATER = Carried(by=("up", "synth"), built=())
"""For one machine and AWS; neither runs it yet."""


@dataclass(frozen=True, kw_only=True)
class Unbuilt:
    """A key in a file that a command does not run yet."""

    path: Path
    """From the root of the file: `("guardrails", "main", "topics")`."""
    carrier: Carrier
    waits: bool = False
    """Whether the command takes the file all the same and says that the key has no effect yet."""

    @property
    def key(self) -> str:
        """The path as people write it: `guardrails.main.topics`."""
        return dotted(self.path)

    @property
    def message(self) -> str:
        """What to do, without the position."""
        if self.waits:
            return f"{self.key!r} has no effect yet: the zone that reads it has no templates in this version"
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
    """The keys with something to say that `carrier` should carry and does not run yet, outermost only.

    Below a key that waits stand only those that are refused.
    """
    return tuple(
        Unbuilt(path=path, carrier=carrier, waits=waits) for path, waits in _unbuilt(system, carrier, (), False)
    )


def _unbuilt(model: BaseModel, carrier: Carrier, path: Path, waiting: bool) -> Iterator[tuple[Path, bool]]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if field.exclude or value is None or value == () or value == {}:
            continue
        mark, here = carried(field), (*path, field.alias or name)
        if not mark.concerns(carrier):
            continue
        if not mark.runs_on(carrier):
            waits = mark.waits and carrier == "synth"
            if not (waits and waiting):
                yield here, waits
            if waits:
                yield from _inside(value, carrier, here, True)
        elif mark.entries is not None:
            yield from (((*here, entry), False) for entry in value if not mark.runs_on(carrier, entry))
        else:
            yield from _inside(value, carrier, here, waiting)


def _inside(value: Any, carrier: Carrier, path: Path, waiting: bool) -> Iterator[tuple[Path, bool]]:
    if isinstance(value, BaseModel):
        yield from _unbuilt(value, carrier, path, waiting)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(item, carrier, (*path, key), waiting)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _inside(item, carrier, (*path, index), waiting)
