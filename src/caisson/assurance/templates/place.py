"""Where something stands in a template, and what is wrong there.

>>> str(Place(file="vpc.yaml", pointer="/Resources/Vpc", line=4))
'vpc.yaml:4: /Resources/Vpc'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from caisson.assurance.iam.place import step
from caisson.errors import OperatorError


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A value in a file."""

    file: str
    """Path below the folder that was read."""
    pointer: str = ""
    """JSON pointer (RFC 6901); empty for the whole."""
    line: int = 0
    """Line from 1; 0 where it is not known, which is so for JSON."""

    def __str__(self) -> str:
        head = f"{self.file}:{self.line}" if self.line else self.file
        return f"{head}: {self.pointer or '/'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is wrong, or that nobody can know."""

    place: Place
    message: str
    """`expected …, found …`, or what is not known."""

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class TemplateError(OperatorError):
    """A template cannot be read, or CloudFormation would not take it. `str()` is one problem a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Flaw(Exception):  # noqa: N818  (carries one problem to the reader that collects them)
    """What CloudFormation would refuse."""

    def __init__(self, place: Place, message: str) -> None:
        self.problem = Problem(place=place, message=message)
        super().__init__(str(self.problem))


__all__ = ["Flaw", "Place", "Problem", "TemplateError", "step"]
