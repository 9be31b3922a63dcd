"""A text in one of its forms, with the way back to characters of the original.

Engines count bytes of UTF-8, checks and clients count characters. For ASCII all three agree and cost nothing.
"""

from __future__ import annotations

from bisect import bisect_left

from caisson.detect.visible import origins, visible


class View:
    """One form of a text."""

    __slots__ = ("_byte", "_character", "_narrow", "_origin", "data", "plain", "text")

    def __init__(self, text: str, origin: list[int] | None = None) -> None:
        self.text = text
        self.data = text.encode(errors="replace")  # a lone surrogate counts as one byte that matches nothing special
        self._origin = origin
        self._narrow = len(self.data) == len(text)
        self.plain = self._narrow and origin is None
        """Offsets in `data`, in `text` and in the original are the same."""
        self._byte = self._character = 0

    def byte(self, character: int) -> int:
        """Offset in `data` of a character of `text`."""
        if self._narrow:
            return character
        if character < self._character:
            self._byte = self._character = 0
        self._byte += len(self.text[self._character : character].encode(errors="replace"))
        self._character = character
        return self._byte

    def character(self, byte: int) -> int:
        """The inverse of `byte`."""
        if self._narrow:
            return byte
        if byte < self._byte:
            self._byte = self._character = 0
        self._character += len(self.data[self._byte : byte].decode())
        self._byte = byte
        return self._character

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
