"""Text in, findings out: names and addresses of people.

The text is read in blocks that end between lines or sentences, so that any length takes time in proportion and bounded
memory; what is found near the end of a block is looked at again with what follows.

>>> [(f.type, f.start, f.end) for f in recogniser().find("I am Peter Miller.")]
[('NAME', 5, 17)]
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from caisson.detect.finding import Finding
from caisson.detect.people.artefact import SHA256, Weights, load
from caisson.detect.people.tagger import Tagger
from caisson.detect.people.words import split

BLOCK_CHARACTERS = 16_384
"""How much is looked at at once."""
BACK_CHARACTERS = 512
"""How much of a block is looked at again with the next: longer than any name or address."""
SCORE = 0.6
"""The chain says what is most likely, not how likely; a finding without a form is never certain."""
_TRIMMED = " \t\r\n,;:>-–(\"'"
_JOINING = frozenset("\n,.>-/#")
"""Marks that may stand within an address."""


class Recogniser:
    """Finds names and addresses. Not for several threads at once."""

    def __init__(self, weights: Weights) -> None:
        self._tagger = Tagger(weights)

    def find(self, text: str) -> list[Finding]:
        """Findings in the order of the text, none over another."""
        found: list[Finding] = []
        start = 0
        while start < len(text):
            end = min(len(text), start + BLOCK_CHARACTERS)
            cut = end if end == len(text) else _cut(text, end)
            found += [one for one in self._block(text, start, end) if one.start < cut]
            if found:
                cut = max(cut, found[-1].end)
            start = max(cut, start + 1)
        return found

    def _block(self, text: str, start: int, end: int) -> Iterator[Finding]:
        placed = list(split(text[start:end]))
        labels = self._tagger.tag([word for word, _, _ in placed])
        names = self._tagger.labels
        at = 0
        while at < len(placed):
            kind = names[labels[at]].partition("-")[2]
            if not kind:
                at += 1
                continue
            last = after = at
            while (after := after + 1) < len(placed):
                label = names[labels[after]]
                if label == f"I-{kind}" or (kind == "ADDRESS" and label == "B-ADDRESS" and after == last + 1):
                    last = after
                elif not (kind == "ADDRESS" and placed[after][0] in _JOINING and after - last <= 2):
                    break
            yield from _finding(text, start + placed[at][1], start + placed[last][2], kind)
            at = last + 1


def _cut(text: str, end: int) -> int:
    """Where the next block begins: a line's end, or a space, not far before `end`."""
    for mark in ("\n\n", "\n", ". ", " "):
        place = text.rfind(mark, end - BACK_CHARACTERS, end)
        if place > 0:
            return place + len(mark)
    return end


def _finding(text: str, start: int, end: int, kind: str) -> Iterator[Finding]:
    value = text[start:end]
    start += len(value) - len(value.lstrip(_TRIMMED))
    end -= len(value) - len(value.rstrip(_TRIMMED))
    if start < end and any(map(str.isalnum, text[start:end])):
        value = text[start:end]
        yield Finding(
            start=start,
            end=end,
            rule=f"people.{kind}",
            type=kind,
            score=SCORE,
            version=SHA256[:8],
            normal=" ".join(value.split()).casefold(),
        )


@cache
def recogniser() -> Recogniser:
    """The recogniser that ships."""
    return Recogniser(load())
