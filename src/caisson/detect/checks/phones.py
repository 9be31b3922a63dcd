"""Telephone numbers, by the numbering plans of the countries (ITU-T E.164, libphonenumber).

A number with its country code counts when it is valid there. Without one, the North American form counts as it stands,
other forms when they begin with 0 and are grouped, or when the words before them speak of telephones.

>>> phone(Found("+44 20 7946 0958", "", "")), phone(Found("7946 0958", "invoice ", ""))
(1.0, None)
"""

from __future__ import annotations

import re
from functools import lru_cache

from phonenumbers import NumberParseException, is_valid_number, parse

from caisson.detect.checks.identifiers import digits, joined
from caisson.detect.rule import Found

CACHE_MAX = 4_096
"""Numbers whose validity is remembered; asking takes about 50 µs."""
_CONTEXT = re.compile(
    r"phone|\btel\b|tel[.:]|\bcall|mobile|\bcell|\bfax|contact|whatsapp|\bsms\b|\bdial|number is|text me|\bring\b"
    r"|telefon|\bdesk|registered|\bnum(?:ero|ber)\b",
    re.IGNORECASE,
)
_OTHER_NUMBER = re.compile(r"(?:version|\bv|\bip|order|invoice|claim|\bref|\bid|isbn|account|#)\W{0,3}$", re.IGNORECASE)
_OTHER_NUMBER_CHARACTERS = 16
_EXTENSION = re.compile(r"[ ,]{0,2}(?:x|ext\.?|#) {0,2}\d{1,6}$", re.IGNORECASE)
_LABELLED_DIGITS = range(6, 16)
_BARE_DIGITS = range(10, 12)
_BARE_PLANS = ("GB", "FR", "PH", "TR", "IT", "AU", "NG", "ZA", "KR", "JP", "IN")
"""Where a number begins with 0 at home and people write it in one piece."""
_TURKISH_MOBILE = re.compile(r"5\d{2}[ .-]\d{3}[ .-]\d{2}[ .-]\d{2}")
_JOINED = tuple("/.-_=:")
_NATIONAL_DIGITS = range(7, 16)
_GROUPED_DIGITS_MIN = 10
"""Shorter groups of digits are too often something else."""
_PLANS = ("US", "GB", "DE", "FR", "IN", "AU")
"""Whose national forms are tried in context."""
_NORTH_AMERICAN = re.compile(r"1?[2-9]\d{2}[2-9]\d{6}")
"""North American Numbering Plan: area code and exchange do not begin with 0 or 1."""
_NORTH_AMERICAN_FORM = re.compile(r"(?:1[ .-]?)?\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}")


def phone(found: Found) -> float | None:
    """See the module."""
    before, number = found.before, digits(found.value)
    if len(number) not in _NATIONAL_DIGITS or len(set(number)) < 3:
        return None
    if joined(before[-1:]) or before.endswith(_JOINED) or _OTHER_NUMBER.search(before[-_OTHER_NUMBER_CHARACTERS:]):
        return None
    if found.value.startswith(("+", "00")):
        return 1.0 if _valid("+" + number.lstrip("0"), None) else None
    american = _NORTH_AMERICAN.fullmatch(number) is not None
    if american and _NORTH_AMERICAN_FORM.fullmatch(found.value):
        return 0.9
    if _TURKISH_MOBILE.fullmatch(found.value):
        return 0.7
    if number == found.value and number[:2] == "09" and len(number) in _BARE_DIGITS:
        return 0.6 if any(_valid(number, region) for region in _BARE_PLANS) else None
    grouped = number.startswith("0") and number != found.value and len(number) >= _GROUPED_DIGITS_MIN
    if not grouped and _CONTEXT.search(before) is None:
        return None
    return 0.9 if american else 0.7 if any(_valid(number, region) for region in _PLANS) else None


def labelled_phone(found: Found) -> float | None:
    """A number with an extension, or beside a word that says what it is: any plan's, even one that does not exist."""
    value = _EXTENSION.sub("", found.value)
    number = digits(value)
    if len(number) not in _LABELLED_DIGITS or len(set(number)) < 3 or joined(found.before[-1:]):
        return None
    if (found.before.endswith(_JOINED) and not found.before.endswith((":", "-"))) or value.count(".") == 1:
        return None
    return 0.8 if number != value or len(number) >= _GROUPED_DIGITS_MIN else None


@lru_cache(maxsize=CACHE_MAX)
def _valid(number: str, region: str | None) -> bool:
    try:
        return bool(is_valid_number(parse(number, region)))
    except NumberParseException:
        return False
