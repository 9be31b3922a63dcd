"""A stage that ends a text at a run of invisible characters too long to be honest.

Later stages may then rely on the bound: no two visible characters are further apart than INVISIBLE_RUN_MAX.

>>> stage = InvisibleRuns()
>>> stage.take("hi" + "\\u200b" * 100, final=True), stage.blocked
('hi', True)
"""

from __future__ import annotations

from caisson.detect.finding import Finding
from caisson.detect.scanner import BLOCK
from caisson.detect.stream import Hit
from caisson.detect.visible import INVISIBLE_RUN, is_ignorable

RULE = "injection.invisible-run"


class InvisibleRuns:
    """Holds back only the run at the end of what arrived."""

    __slots__ = ("_held", "_passed", "blocked", "hits")

    def __init__(self) -> None:
        self._held = ""
        self._passed = 0
        self.blocked = False
        self.hits: list[Hit] = []

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""
        if self.blocked:
            return ""
        if not self._held and text.isascii():
            self._passed += len(text)
            return text
        text, self._held = self._held + text, ""
        end = len(text)
        if not text.isascii():
            if (run := INVISIBLE_RUN.search(text)) is not None:
                self.blocked, end = True, run.start()
                self._found(self._passed + end)
            elif not final:
                while end and is_ignorable(ord(text[end - 1])):
                    end -= 1
                self._held = text[end:]
        self._passed += end
        return text[:end]

    def source(self, at: int) -> int:
        """The same offset: nothing is replaced."""
        return at

    def _found(self, offset: int) -> None:
        finding = Finding(start=offset, end=offset, rule=RULE, type="PROMPT_ATTACK", score=1.0, version="1")
        self.hits.append(Hit(BLOCK, finding, offset, 0, True))
