"""Text in, findings out: names and addresses of people.

>>> [(f.type, f.start, f.end) for f in recogniser().find("I am Peter Miller.")]
[('NAME', 5, 17)]
"""

from __future__ import annotations

from functools import cache

from caisson.detect.finding import Finding
from caisson.detect.people.reader import Reader
from caisson.detect.people.tagger import Tagger
from caisson.detect.people.weights import Weights, shipped

SLICE_CHARACTERS = 16_384
"""How much is looked at at once."""


class Recogniser:
    """Finds names and addresses. Not for several threads at once."""

    def __init__(self, weights: Weights) -> None:
        self._tagger = Tagger(weights)

    def reader(self) -> Reader:
        """For one text that comes in pieces."""
        return Reader(self._tagger)

    def find(self, text: str) -> list[Finding]:
        """Findings in the order of the text, none over another."""
        reader, found = self.reader(), list[Finding]()
        for start in range(0, len(text), SLICE_CHARACTERS):
            piece = text[start : start + SLICE_CHARACTERS]
            found += reader.take(piece, final=start + SLICE_CHARACTERS >= len(text))[0]
        return found


@cache
def recogniser() -> Recogniser:
    """The recogniser that ships.

    Raises:
        AlteredModelError: its weights are missing or are not those of this version.
    """
    return Recogniser(shipped())
