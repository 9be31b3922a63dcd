"""A text is held for a rule without a span: what the rule has judged passes, a window at a time or all at once.

- Where windows end depends on the text alone: at the first sentence that ends WINDOW_CHARACTERS on, or at the cap. So
  the same passes, and the same is found, for every way of cutting the text.
- A finding of the block layer ends the text where it starts, or where the window does that was under way by then.
- A finding that only flags holds nothing.

>>> gate = Gate(lambda text, _: None, layer=BLOCK, windows=False)
>>> gate.take("One. ", final=False), gate.take("Two.", final=True)
([], ['One. Two.'])
"""

from __future__ import annotations

import re
from collections.abc import Callable

from caisson.detect.finding import Finding
from caisson.detect.scanner import BLOCK
from caisson.detect.stream import Hit

WINDOW_CHARACTERS, WINDOW_CHARACTERS_MAX = 256, 1_024
"""A window is at least that long and at most, but for the last."""
CONTEXT_CHARACTERS = 256
"""What a window is judged with of the text before."""
HELD_CHARACTERS_MAX = 1_048_576
"""A text that is held whole passes in parts of this size, which no answer within its token limit reaches."""
_END = re.compile("[.!?\u3002\uff01\uff1f][\"'\u201d\u00bb)]*\\s|\\n")

Judge = Callable[[str, int], Finding | None]
"""A window with its context, and how many characters that context is → the first finding that counts."""


class Gate:
    """See the module."""

    def __init__(self, judge: Judge, *, layer: int, windows: bool) -> None:
        """Args:
        judge: the rule.
        layer: what its findings do: BLOCK or FLAG.
        windows: whether sentences may leave before the text is complete.
        """
        self._judge = judge
        self._layer = layer
        self._windows = windows
        self._text = ""
        """What is held, behind its context."""
        self._context = 0
        self.blocked = False
        self.hits: list[Hit] = []

    def take(self, text: str, *, final: bool) -> list[str]:
        """Take the next piece; return what may pass, window by window. Nothing follows a final piece.

        Of a window that ends the text, its beginning is the last that passes.
        """
        if self.blocked:
            return []
        self._text += text
        passed: list[str] = []
        while not self.blocked and (end := self._end(final=final)):
            passed.append(self._window(end))
        if self._layer == BLOCK:
            return passed
        return [text] if text else []

    def forget(self) -> None:
        """The text ended before what was found here."""
        self.hits.clear()

    def _end(self, *, final: bool) -> int:
        """Where the window under way ends in the text held; 0 while nobody knows."""
        least, most = self._context + WINDOW_CHARACTERS, self._context + WINDOW_CHARACTERS_MAX
        if self._windows:
            found = _END.search(self._text, least)
            if found is not None and found.end() <= most:
                return found.end()
            if len(self._text) >= most:
                return most
        elif len(self._text) > HELD_CHARACTERS_MAX:
            return HELD_CHARACTERS_MAX
        return len(self._text) if final and len(self._text) > self._context else 0

    def _window(self, end: int) -> str:
        window, start = self._text[:end], self._context
        found = self._judge(window, start) if not self.hits else None
        if found is not None:
            self.blocked = self._layer == BLOCK
            at = max(found.start, start)
            self.hits.append(Hit(self._layer, found, at, found.end - at, self.blocked))
            if self.blocked:
                return window[start:at]
        kept = max(0, end - CONTEXT_CHARACTERS)
        self._text, self._context = self._text[kept:], end - kept
        return window[start:]
