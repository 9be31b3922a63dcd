"""What a parser collects, bounded while it grows, and how it says that it cannot go on."""

from __future__ import annotations

from caisson.ports.extractor import TEXT_CHARACTERS_MAX, Unreadable


class UnreadableError(Exception):
    """The document has no text here."""

    def __init__(self, why: Unreadable) -> None:
        super().__init__(why.rule)
        self.why = why


class Text:
    """Text in pieces.

    >>> text = Text()
    >>> text.add("a")
    >>> text.line()
    >>> text.line()
    >>> text.add("b")
    >>> str(text)
    'a\\nb'
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._characters = 0

    def add(self, piece: str) -> None:
        """Append it.

        Raises:
            UnreadableError: there is too much.
        """
        self._characters += len(piece)
        if self._characters > TEXT_CHARACTERS_MAX:
            raise UnreadableError(Unreadable.TOO_MUCH_TEXT)
        if piece:
            self._pieces.append(piece)

    def line(self) -> None:
        """End the line, unless it is empty."""
        if self._pieces and not self._pieces[-1].endswith("\n"):
            self.add("\n")

    def __str__(self) -> str:
        return "".join(self._pieces)
