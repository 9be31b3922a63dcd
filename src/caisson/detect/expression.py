"""RE2 without the layers of its Python wrapper, which cost more than most searches.

>>> Expression("b+").spans(b"abba", 0)
[(1, 3)]
"""

from __future__ import annotations

from collections.abc import Callable

import re2

from caisson.detect.literal import required

_Search = Callable[[object, bytes, int, int], list[tuple[int, int]]]
_UNANCHORED = re2._Anchor.UNANCHORED
_NONE = [(-1, -1)]


class Expression:
    """A compiled pattern."""

    __slots__ = ("_required", "_search")

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False
        self._search: _Search = re2.compile(pattern.encode(), options)._regexp.Match
        self._required = required(pattern)

    def spans(self, data: bytes, start: int) -> list[tuple[int, int]]:
        """Spans in bytes of the leftmost match from `start` on and of its groups; they begin at -1 where there is none.

        What stands before `start` is context, as for `re`.
        """
        if self._required and data.find(self._required, start) < 0:
            return _NONE
        return self._search(_UNANCHORED, data, start, len(data))
