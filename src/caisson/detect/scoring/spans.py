"""Which findings and which labelled spans belong together: at least half of the characters.

A labelled span is found when findings of its type cover half of it; a finding is right when half of it is labelled. So
a street and a number labelled apart and found as one address count as two found and one right, and a finding that
swallows a whole sentence for a name in it is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

HALF = 0.5


class Span(NamedTuple):
    """A stretch of text with a type."""

    start: int
    end: int
    type: str


def covered(span: Span, others: Iterable[Span]) -> bool:
    """True when half of the span's characters are in one of the others.

    >>> covered(Span(0, 4, "NAME"), [Span(0, 1, "NAME"), Span(3, 9, "NAME")])
    True
    """
    characters: set[int] = set()
    for other in others:
        characters.update(range(max(span.start, other.start), min(span.end, other.end)))
    return len(characters) >= HALF * (span.end - span.start) > 0
