"""The longest text that a pattern can match.

>>> width_max(r"CLM-[0-9]{8}")
12
"""

from __future__ import annotations

from re import _parser as parser  # type: ignore[attr-defined]  # nothing public tells a width
from re import error

from caisson.errors import DeveloperError

WIDTH_CHARACTERS_MAX = 4_096
"""Widest pattern; a stream may hold that much text back for it."""


def width_max(pattern: str) -> int:
    """Characters of the longest match.

    Python's parser reads the few things that RE2 takes literally, such as `{,5}`, as shorter; the length of the pattern
    itself bounds those.

    Raises:
        DeveloperError: the pattern has no bound. `check` refuses such patterns of users with their position.
    """
    try:
        widest = int(parser.parse(pattern).getwidth()[1])
    except (error, OverflowError, RecursionError) as failure:
        raise DeveloperError(f"expected a pattern of bounded width, found {pattern!r}") from failure
    if widest > WIDTH_CHARACTERS_MAX:
        raise DeveloperError(f"expected a pattern of at most {WIDTH_CHARACTERS_MAX} characters, found {pattern!r}")
    return max(widest, len(pattern))
