"""One Hyperscan pass over a text tells which patterns may match; RE2 then says where (decision 0003).

The prefilter may report more than RE2 finds, never less. Where the two dialects could differ in that direction, and where
Hyperscan cannot compile a pattern, the pattern counts as a hit in every text and RE2 alone decides.

>>> Prefilter([r"CLM-[0-9]{8}", r"[a-z]+@"]).hits(b"see CLM-12345678")
[0]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from threading import Lock

import hyperscan

_FLAGS = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY
_SAME_ESCAPES = frozenset("dDwWbBtnrfx")
"""Letters after a backslash that mean the same in both dialects. `\\s` is wider in Hyperscan, which is harmless, but its
complement is narrower; Unicode classes come from other versions of Unicode."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_FLAG_GROUP = re.compile(r"\(\?([a-zA-Z-]+)[:)]")


def same_meaning(pattern: str) -> bool:
    """True when Hyperscan surely reports every match that RE2 finds for `pattern`."""
    letters = {escaped for escaped in _ESCAPE.findall(pattern) if escaped.isalnum()}
    if "s" in letters and "[^" not in pattern:
        letters.discard("s")
    flags = "".join(_FLAG_GROUP.findall(pattern))
    return letters <= _SAME_ESCAPES and set(flags) <= set("ims") and "[:" not in pattern


class Prefilter:
    """A block-mode database over all patterns of a rule set."""

    def __init__(self, patterns: Sequence[str]) -> None:
        numbers = [number for number, pattern in enumerate(patterns) if same_meaning(pattern)]
        self._database = _compile(patterns, numbers)
        if self._database is None and numbers:
            numbers = [number for number in numbers if _compile(patterns, [number]) is not None]
            self._database = _compile(patterns, numbers)
        self.alone = sorted(set(range(len(patterns))) - set(numbers))
        """Patterns that RE2 must look for by itself."""
        self._lock = Lock()

    def hits(self, data: bytes) -> list[int]:
        """Numbers of the patterns that may match in `data` (UTF-8), in no order."""
        found = self.alone.copy()
        if self._database is not None and data:
            with self._lock:  # the database has one scratch space, and a scan lets other threads run
                self._database.scan(data, match_event_handler=_collect, context=found)
        return found


def _collect(number: int, _start: int, _end: int, _flags: int, found: list[int]) -> None:
    found.append(number)


def _compile(patterns: Sequence[str], numbers: Sequence[int]) -> hyperscan.Database | None:
    """A database of the numbered patterns; None for none, or when Hyperscan refuses one of them."""
    if not numbers:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=[patterns[number].encode() for number in numbers],
            ids=list(numbers),
            elements=len(numbers),
            flags=[_FLAGS] * len(numbers),
        )
    except hyperscan.error:
        return None
    return database
