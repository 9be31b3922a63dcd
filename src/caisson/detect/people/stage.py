"""Names and addresses as a stage that a text passes (`caisson.detect.stream`), cut anywhere.

- The text is held from the first word that may still belong to a finding; `reader.py` says how far that is.
- Findings of types that nobody asked for are let through as if they were not there.

>>> from caisson.detect.scanner import MASK
>>> people = People(recogniser(), {"NAME": MASK}, lambda finding, text: "[…]")
>>> [people.take("I am Peter Mil", final=False), people.take("ler.", final=True)]
['', 'I am […].']
"""

from __future__ import annotations

from collections.abc import Mapping

from caisson.detect.finding import Finding
from caisson.detect.people.find import Recogniser, recogniser
from caisson.detect.scanner import BLOCK, MASK
from caisson.detect.stream import Hit, Mask

__all__ = ["People", "recogniser"]


class People:
    """A stage (`caisson.detect.stream.Stage`)."""

    __slots__ = ("_dropped", "_layers", "_mask", "_out", "_reader", "_text", "blocked", "hits")

    def __init__(self, recogniser: Recogniser, layers: Mapping[str, int], mask: Mask) -> None:
        """`layers` has the types that are asked for, and what their findings do."""
        self._reader = recogniser.reader()
        self._layers = layers
        self._mask = mask
        self._text = ""
        """The text from `_dropped` on: what has not passed."""
        self._dropped = 0
        self._out = 0
        """Characters that came out."""
        self.blocked = False
        self.hits: list[Hit] = []

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""
        if self.blocked or not (text or final):
            return ""
        self._text += text
        found, settled = self._reader.take(text, final=final)
        pieces: list[str] = []
        for finding in found:
            layer = self._layers.get(finding.type)
            if layer is None:
                continue
            self._apply(layer, finding, pieces)
            if self.blocked:
                return "".join(pieces)
        self._pass(settled, pieces)
        return "".join(pieces)

    def source(self, at: int) -> int:
        """Offset in the text that came in of what stands at `at` in the text that came out."""
        origin = at
        for hit in self.hits:
            if hit.layer == MASK and hit.at <= at:
                inside = at < hit.at + hit.width
                origin = hit.finding.start if inside else at + hit.finding.end - hit.at - hit.width
        return origin

    def _apply(self, layer: int, finding: Finding, pieces: list[str]) -> None:
        at, width = self._out + finding.start - self._dropped, finding.end - finding.start
        if layer in (MASK, BLOCK):
            self._pass(finding.start, pieces)
        replacement = self._mask(finding, self._text[:width]) if layer == MASK else None
        if replacement is not None:
            pieces.append(replacement)
            self._text, self._dropped = self._text[width:], finding.end
            width = len(replacement)
            self._out += width
        elif layer == MASK:
            layer = BLOCK
        self.blocked = layer == BLOCK
        self.hits.append(Hit(layer, finding, at, width, self.blocked))

    def _pass(self, end: int, pieces: list[str]) -> None:
        count = end - self._dropped
        if count > 0:
            pieces.append(self._text[:count])
            self._text, self._dropped = self._text[count:], end
            self._out += count
