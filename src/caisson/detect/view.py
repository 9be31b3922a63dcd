"""A text in one of its forms, with the way back to characters of the original.

Engines count bytes of UTF-8, checks and clients count characters. For ASCII all three agree and cost nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate

from caisson.detect.visible import origins, visible

STRIDE = 256
"""Characters between two places whose offset in bytes is kept."""


class View:
    """One form of a text."""

    __slots__ = ("_narrow", "_offsets", "_origin", "data", "plain", "text")

    def __init__(self, text: str, origin: array[int] | None = None) -> None:
        self.text = text
        self.data = text.encode(errors="replace")  # a lone surrogate counts as one byte that matches nothing special
        self._origin = origin
        self._narrow = len(self.data) == len(text)
        self.plain = self._narrow and origin is None
        """Offsets in `data`, in `text` and in the original are the same."""
        self._offsets: list[int] | None = None

    def byte(self, character: int) -> int:
        """Offset in `data` of a character of `text`."""
        if self._narrow:
            return character
        mark = character // STRIDE
        return self._marks[mark] + len(self.text[mark * STRIDE : character].encode(errors="replace"))

    def character(self, byte: int) -> int:
        """The inverse of `byte`."""
        if self._narrow:
            return byte
        mark = bisect_right(self._marks, byte) - 1
        return mark * STRIDE + len(self.data[self._marks[mark] : byte].decode())

    @property
    def _marks(self) -> list[int]:
        """Offsets in `data` of every STRIDE-th character: rules ask in any order, and each answer costs the same."""
        if self._offsets is None:
            whole = range(0, len(self.text) - STRIDE + 1, STRIDE)
            sizes = (len(self.text[at : at + STRIDE].encode(errors="replace")) for at in whole)
            self._offsets = [0, *accumulate(sizes)]
        return self._offsets

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span in the original that characters `start` to `end` came from."""
        if self._origin is None:
            return start, end
        return self._origin[start], self._origin[end - 1] + 1

    def from_original(self, character: int) -> int:
        """First character that came from the original's `character` or a later one."""
        return character if self._origin is None else bisect_left(self._origin, character)

    def to_original(self, character: int) -> int:
        """Where `character` came from; one past the last origin for the end of the text."""
        origin = self._origin
        if origin is None:
            return character
        if character < len(origin):
            return origin[character]
        return origin[-1] + 1 if origin else 0


def views(text: str) -> tuple[View, ...]:
    """The text as written and, when it differs, as a reader sees it."""
    if text.isascii():
        return (View(text),)
    seen = visible(text)
    return (View(text),) if seen == text else (View(text), View(seen, origins(text)))
