"""How text reaches a terminal.

- Nothing that a model, a client or a file says is markup, and none of it moves the cursor: control characters, bidi
  overrides and invisible characters are shown as U+FFFD.
- A view fits the terminal. Into a pipe or a file it is as wide as it needs to be: nothing is cut for `grep`.
- Identifiers are shortened where there is no room; commands that take one take its beginning.

>>> plain("a\\x1b[2Jb")
'a\\ufffd[2Jb'
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

PIPE_COLUMNS = 240
"""Width where there is no terminal and COLUMNS says nothing."""
WIDE_COLUMNS = 140
"""From here on identifiers are shown whole."""
ID_CHARACTERS = 8
"""Hex digits of a shortened identifier: one in four billion."""

_HARMFUL = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidi
    "\ud800-\udfff\ufe00-\ufe0d\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef"  # surrogates, selectors, tags
)
_REPLACED, _BREAKS = re.compile(f"[{_HARMFUL}]"), re.compile("[\t\n]+")


def plain(value: object) -> str:
    """Text of several lines, harmless to a terminal."""
    return _REPLACED.sub("\ufffd", str(value))


def line(value: object) -> str:
    """Text of one line, harmless to a terminal."""
    return _BREAKS.sub(" ", plain(value))


def cell(value: object, style: str = "") -> Text:
    """One line of text that rich shows as it is."""
    from rich.text import Text

    return Text(line(value), style=style)


def console(*, errors: bool = False) -> Console:
    """The terminal, or a wide page where there is none."""
    from rich.console import Console

    made = Console(stderr=errors, highlight=False, emoji=False, markup=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = PIPE_COLUMNS
    return made


def short(identifier: str, width: int) -> str:
    """An identifier as a view of `width` columns shows it.

    >>> short("s-b8a8448b577ce5a271f10d0f", 80)
    's-b8a8448b'
    """
    prefix = identifier[:2] if identifier[1:2] == "-" else ""
    return identifier if width >= WIDE_COLUMNS else identifier[: len(prefix) + ID_CHARACTERS]


def begun_by(beginning: str, identifiers: Iterable[str]) -> list[str]:
    """Which identifiers are meant: those that start so, once each; the one that is the whole of it alone."""
    if len(beginning) < ID_CHARACTERS:
        return []
    found = list(dict.fromkeys(one for one in identifiers if one.startswith(beginning)))
    return [beginning] if beginning in found else found


class WordWrap:
    """Breaks text that arrives in pieces into lines, at spaces, without knowing what comes next.

    >>> wrap = WordWrap(10)
    >>> wrap.feed("a word is ") + wrap.feed("kept who") + wrap.feed("le") + wrap.flush()
    'a word is \\nkept whole'
    """

    def __init__(self, width: int) -> None:
        self._width = width
        """Columns of a line; 0: lines are left as they are."""
        self._column = 0
        self._word = ""

    def feed(self, text: str) -> str:
        """Take a piece; return what can be shown: all but the word that may go on."""
        from rich.cells import cell_len

        shown = []
        for character in plain(text.replace("\r", "")):
            if character.isspace():
                shown += [self._placed(), character]
                self._column = 0 if character == "\n" else self._column + 1
                continue
            self._word += character
            if cell_len(self._word) >= self._width:  # no line is longer, so this much of a word can be shown
                shown.append(self._placed())
        return "".join(shown)

    def flush(self) -> str:
        """The last word."""
        return self._placed()

    def _placed(self) -> str:
        from rich.cells import cell_len

        word, self._word = self._word, ""
        length = cell_len(word)
        breaks = bool(self._width and self._column and self._column + length > self._width)
        self._column = length if breaks else self._column + length
        return "\n" + word if breaks else word
