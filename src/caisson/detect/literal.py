"""A character that every match of a pattern holds: where it is not, there is no match, and looking costs little.

>>> required(r"\\b[a-z]{1,9}@[a-z]{1,9}"), required("(?i)falcon"), required("cat|dog")
(b'@', b'', b'')
"""

from __future__ import annotations

from collections.abc import Iterator
from re import IGNORECASE, error
from re import _parser as parser  # type: ignore[attr-defined]  # nothing public tells the parts of a pattern
from typing import Any

from caisson.detect.prefilter import same_meaning

_COMMON = b" etaoinsrhldcumfpgwyb,.vk-'0123456789x/:jqz"
"""Characters of prose, the most common first. All others are rarer."""


def required(pattern: str) -> bytes:
    """The rarest such character of ASCII; empty when none is known.

    Python's parser reads RE2's syntax here. Patterns with anything that only RE2 knows are left out. What remains is
    read alike, but for a repeat such as `{,5}`, which RE2 takes literally; that yields nothing that a match could lack.
    """
    if not same_meaning(pattern):
        return b""
    try:
        parsed = parser.parse(pattern)
    except (error, OverflowError, RecursionError):
        return b""
    if parsed.state.flags & IGNORECASE:
        return b""
    rarest = max(_literals(parsed), key=_rarity, default=None)
    return b"" if rarest is None else bytes((rarest,))


def _literals(parsed: Any) -> Iterator[int]:
    for operation, argument in parsed:
        if operation is parser.LITERAL and argument < 0x80:
            yield argument
        elif operation is parser.SUBPATTERN and not argument[1] & IGNORECASE:
            yield from _literals(argument[3])
        elif operation is parser.MAX_REPEAT and argument[0]:
            yield from _literals(argument[2])


def _rarity(code: int) -> int:
    place = _COMMON.find(code)
    return len(_COMMON) if place < 0 else place
