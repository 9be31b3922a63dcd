"""Whether a place in a text may lie inside a markup tag, as a browser would read it (WHATWG HTML, 13.2.5 tokenization).

Model text may be shown as HTML or Markdown; a value put into an attribute leaves the page with the request that the
attribute causes. Which `<` a renderer takes for a tag depends on comments, code spans and dialects, so every one of
them is followed at once: a place is outside only when no reading has it inside. After the start of an element whose
content is not markup, such as a script, nothing is outside any more.

>>> markup = Markup()
>>> markup.feed('<img src="https://example.com/?'), markup.inside
(None, True)
"""

from __future__ import annotations

import re
from enum import Enum, auto

_SPACE = " \t\n\r\f"
_RAW = re.compile(r"<(?:script|style|iframe|object|embed|svg|math|xmp|noscript|template)", re.IGNORECASE)
_RAW_CHARACTERS_MAX = 10


class _State(Enum):
    """States of the standard that differ in what may follow; `>` ends a tag in all but the quoted ones."""

    OPEN = auto()
    NAME = auto()
    BEFORE_ATTRIBUTE = auto()
    ATTRIBUTE = auto()
    AFTER_ATTRIBUTE = auto()
    BEFORE_VALUE = auto()
    DOUBLE = auto()
    SINGLE = auto()
    UNQUOTED = auto()


class Markup:
    """All readings of the text so far."""

    def __init__(self) -> None:
        self._states: set[_State] = set()
        self._raw = False
        self._recent = ""

    @property
    def inside(self) -> bool:
        """True when some reading is inside a tag, or a raw element began."""
        return self._raw or bool(self._states)

    def feed(self, text: str) -> None:
        """Read on."""
        if self._raw or not (self._states or self._recent or "<" in text):
            return
        recent = self._recent + text
        self._raw = _RAW.search(recent) is not None
        opened = recent.rfind("<", -_RAW_CHARACTERS_MAX)
        self._recent = recent[opened:] if opened >= 0 else ""
        at = 0
        while at < len(text) and not self._raw:
            if not self._states and (at := text.find("<", at)) < 0:
                return
            self._step(text[at])
            at += 1

    def _step(self, character: str) -> None:
        states = {after for state in self._states if (after := _after(state, character)) is not None}
        if character == "<":
            states.add(_State.OPEN)
        self._states = states


def _after(state: _State, character: str) -> _State | None:
    """The state after one more character; None once the tag has ended."""
    space = character in _SPACE
    if state is _State.DOUBLE or state is _State.SINGLE:
        return _State.BEFORE_ATTRIBUTE if character == ('"' if state is _State.DOUBLE else "'") else state
    if state is _State.OPEN:
        return _State.NAME if character.isascii() and (character.isalpha() or character in "/!?") else None
    if character == ">":
        return None
    if state is _State.NAME:
        return _State.BEFORE_ATTRIBUTE if space or character == "/" else state
    if state is _State.BEFORE_VALUE:
        return state if space else {'"': _State.DOUBLE, "'": _State.SINGLE}.get(character, _State.UNQUOTED)
    if state is _State.UNQUOTED:
        return _State.BEFORE_ATTRIBUTE if space else state
    if character == "=" and state is not _State.BEFORE_ATTRIBUTE:
        return _State.BEFORE_VALUE
    if character == "/":
        return _State.BEFORE_ATTRIBUTE
    if space:
        return _State.AFTER_ATTRIBUTE if state is _State.ATTRIBUTE else state
    return _State.ATTRIBUTE
