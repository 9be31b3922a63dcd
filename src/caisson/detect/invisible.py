"""A stage that ends a text at a run of invisible characters too long to be honest.

Later stages may then rely on the bound: no two visible characters are further apart than INVISIBLE_RUN_MAX.

>>> stage = InvisibleRuns(lambda offset: None)
>>> stage.take("hi" + "\\u200b" * 100, final=True), stage.blocked
('hi', True)
"""

from __future__ import annotations

from collections.abc import Callable

from caisson.detect.visible import INVISIBLE_RUN, is_ignorable


class InvisibleRuns:
    """Holds back only the run at the end of what arrived."""

    def __init__(self, on_run: Callable[[int], None]) -> None:
        self._on_run = on_run
        self._held = ""
        self._passed = 0
        self._blocked = False

    @property
    def blocked(self) -> bool:
        """A run was too long."""
        return self._blocked

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""
        if self._blocked:
            return ""
        text, self._held = self._held + text, ""
        end = len(text)
        if not text.isascii():
            if (run := INVISIBLE_RUN.search(text)) is not None:
                self._blocked, end = True, run.start()
                self._on_run(self._passed + end)
            elif not final:
                while end and is_ignorable(ord(text[end - 1])):
                    end -= 1
                self._held = text[end:]
        self._passed += end
        return text[:end]
