"""The text as a reader sees it: compatibility forms folded, invisible characters gone.

Each character is mapped by itself (NFKC of one character, UAX 15; nothing for Default_Ignorable_Code_Point, UAX 44), so
that the visible form of a text is that of its pieces joined, however it was cut. Rules see the text as written and,
when it differs, its visible form as well.

>>> visible("AK\\u200bIA\\uff11")
'AKIA1'
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from functools import cache

IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties.txt)."""
INVISIBLE_RUN_MAX = 64
"""Longest run of invisible characters that a text may hold; a longer one serves to smuggle or to hide."""
EVEN_ASTRAL = ((0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF))
"""Beyond the BMP: mathematical letters, emoji, ideographs. Each maps to one character, mostly itself."""

_IGNORABLE_CODES = frozenset(code for first, last in IGNORABLE for code in range(first, last + 1))
_ignorable = "".join(f"{chr(first)}-{chr(last)}" for first, last in IGNORABLE)
INVISIBLE_RUN = re.compile(f"[{_ignorable}]{{{INVISIBLE_RUN_MAX + 1}}}")
"""A run that is too long."""


class _Mapping(dict[int, str]):
    def __missing__(self, code: int) -> str:
        mapped = "" if is_ignorable(code) else unicodedata.normalize("NFKC", chr(code))
        self[code] = mapped
        return mapped


_mapping = _Mapping()


def is_ignorable(code: int) -> bool:
    """True for a code point that leaves no mark."""
    return code in _IGNORABLE_CODES


@cache
def _classes() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What finds characters whose visible form may differ, and those that may become none or several."""
    bmp = (*range(0x80, 0xD800), *range(0xE000, 0x10000))
    codes = [code for code in bmp if _mapping[code] != chr(code)]
    uneven_astral, first = "", 0x10000
    for start, end in (*EVEN_ASTRAL, (0x110000, 0x110000)):
        uneven_astral += f"{chr(first)}-{chr(start - 1)}"
        first = end + 1
    return (
        re.compile("[" + "".join(map(chr, codes)) + "\U00010000-\U0010ffff]"),
        re.compile("[" + "".join(chr(code) for code in codes if len(_mapping[code]) != 1) + uneven_astral + "]"),
    )


def prepare() -> None:
    """Build the tables now, so that no request has to."""
    _classes()


def visible(text: str) -> str:
    """The visible form."""
    return text if text.isascii() else _classes()[0].sub(lambda found: _mapping[ord(found[0])], text)


def origins(text: str) -> array[int] | None:
    """For each character of the visible form the index in `text` it came from; None when that is its own index."""
    found = array("q")
    at = 0
    for uneven in _classes()[1].finditer(text):
        start = uneven.start()
        found.extend(range(at, start))
        found.extend([start] * len(_mapping[ord(uneven[0])]))
        at = start + 1
    if not at:
        return None
    found.extend(range(at, len(text)))
    return found
