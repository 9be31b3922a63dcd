"""What verification can find, named so that an operator knows what kind of hand was at work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ProblemKind = Literal[
    "edited", "missing", "reordered", "truncated", "replayed", "forged", "damaged", "incomplete"
]  # fmt: skip
"""edited: content is not what was hashed and signed. missing: something between others is gone. reordered: it stands
elsewhere. truncated: the log ends before a signed statement says it does. replayed: it is there twice. forged: a
signature, or what only its holder can make, is wrong. damaged: a channel delivered what nobody can read. incomplete: a
request has no response, or a response no request."""
KINDS: tuple[ProblemKind, ...] = (
    "edited", "missing", "reordered", "truncated", "replayed", "forged", "damaged", "incomplete",
)  # fmt: skip
PROBLEMS_MAX = 1_000
"""Problems told one by one; the others are counted."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, or a run of neighbours with the same thing wrong."""

    kind: ProblemKind
    where: str
    """What is numbered: `entry`, `checkpoint`, `runtime-0/0192… record`; or a place by name."""
    first: int | None = None
    last: int | None = None
    detail: str = ""

    @property
    def place(self) -> str:
        """Where, for people: `entries` are numbered from 0."""
        if self.first is None:
            return self.where
        return f"{self.where} {self.first}" if self.first == self.last else f"{self.where} {self.first} to {self.last}"


@dataclass(kw_only=True)
class Problems:
    """Collects problems; neighbours of one kind become one."""

    found: list[Problem] = field(default_factory=list)
    omitted: int = 0
    """Problems beyond `PROBLEMS_MAX`."""

    def add(
        self, kind: ProblemKind, where: str, number: int | None = None, *, to: int | None = None, detail: str
    ) -> None:
        """Note a problem at `where`, number `number` (up to `to`)."""
        newest = self.found[-1] if self.found else None
        end = number if to is None else to
        if (
            newest is not None
            and number is not None
            and (newest.kind, newest.where, newest.detail) == (kind, where, detail)
            and newest.last == number - 1
        ):
            self.found[-1] = Problem(kind=kind, where=where, first=newest.first, last=end, detail=detail)
        elif len(self.found) < PROBLEMS_MAX:
            self.found.append(Problem(kind=kind, where=where, first=number, last=end, detail=detail))
        else:
            self.omitted += 1
