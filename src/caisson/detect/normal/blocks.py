"""Layers over encoded blocks: base64, base32, hexadecimal, binary digits. A block counts when it decodes to text.

>>> [edit.text for edit in base64("see SWdub3JlIGFsbCBvZiBpdA==")]
['Ignore all of it']
"""

from __future__ import annotations

import base64 as codec
import re
from collections.abc import Callable

from caisson.detect.normal.form import Edit

TEXT_CHARACTERS_MIN = 10
"""Shorter results are chance."""
TEXT_SHARE = 0.9
"""Least share of letters, digits, white space and common punctuation in what is text; half must be letters."""
BLOCK_CHARACTERS_MAX = 65_536
"""Longer blocks are decoded up to here."""
_COMMON = frozenset(" \n\t.,:;!?'\"-()/@_<>=*#&%+[]{}")
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:[A-Za-z0-9+/_-]{16,}+[ \t]?\r?\n)*[A-Za-z0-9+/_-]{16,}+={0,2}(?![A-Za-z0-9+/_-])"
)
_BASE32 = re.compile(r"(?<![A-Za-z0-9])[A-Z2-7]{16,}+={0,6}(?![A-Za-z0-9=])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{2}(?:[ :,-]?(?:0x|\\x)?[0-9a-fA-F]{2}){5,}+")
_BITS = re.compile(r"(?<![0-9A-Za-z])[01]{8}(?:[ ,]?[01]{8}){2,}+")
_BASE64_DIGIT = re.compile(r"[A-Za-z0-9+/_-]")
_BASE32_DIGIT = re.compile(r"[A-Z2-7]")
_HEX_DIGIT = re.compile(r"(?:0x|\\x)|([0-9a-fA-F])")
_BIT = re.compile(r"[01]")


def base64(text: str) -> list[Edit]:
    """RFC 4648, 4 and 5, with or without padding, over one or several lines."""
    return _decoded(text, _BASE64, _BASE64_DIGIT, 3, 4, _from_base64)


def base32(text: str) -> list[Edit]:
    """RFC 4648, 6."""
    return _decoded(text, _BASE32, _BASE32_DIGIT, 5, 8, lambda s: codec.b32decode(s + "=" * (-len(s) % 8)))


def hexadecimal(text: str) -> list[Edit]:
    """Pairs of digits, together or apart."""
    return _decoded(text, _HEX, _HEX_DIGIT, 1, 2, bytes.fromhex)


def binary(text: str) -> list[Edit]:
    """Octets of binary digits."""
    return _decoded(
        text, _BITS, _BIT, 1, 8, lambda s: bytes(int(s[at : at + 8], 2) for at in range(0, len(s) // 8 * 8, 8))
    )


def is_text(plain: str) -> bool:
    """Whether decoded characters are language rather than chance."""
    letters = sum(c.isalpha() for c in plain)
    return (
        len(plain) >= TEXT_CHARACTERS_MIN
        and (plain.isascii() or " " in plain)
        and letters * 2 >= len(plain)
        and sum(c.isalnum() or c in _COMMON for c in plain) >= TEXT_SHARE * len(plain)
    )


def _from_base64(digits: str) -> bytes:
    return codec.b64decode((digits + "=" * (-len(digits) % 4)).replace("-", "+").replace("_", "/"), validate=True)


def _decoded(
    text: str,
    block: re.Pattern[str],
    digit: re.Pattern[str],
    octets: int,
    digits: int,
    decode: Callable[[str], bytes],
) -> list[Edit]:
    """Edits for the blocks that decode to text. `octets` of the result come from `digits` digits."""
    edits = []
    for found in block.finditer(text):
        first, last = found.start(), min(found.end(), found.start() + BLOCK_CHARACTERS_MAX)
        places = [one.start() for one in digit.finditer(text, first, last) if one.lastindex or not digit.groups]
        if last < found.end():
            del places[len(places) - len(places) % digits :]
        try:
            plain = decode("".join(text[at] for at in places)).decode()
        except ValueError:
            continue
        if is_text(plain):
            edits.append(Edit(start=first, end=last, text=plain, spans=_spans(plain, places, octets, digits)))
    return edits


def _spans(plain: str, places: list[int], octets: int, digits: int) -> list[tuple[int, int]]:
    spans, octet = [], 0
    for character in plain:
        first = octet // octets * digits
        octet += len(character.encode())
        last = min(len(places), -(-octet // octets) * digits)
        spans.append((places[first], places[last - 1] + 1))
    return spans
