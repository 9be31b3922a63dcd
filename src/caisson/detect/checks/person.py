"""What is said about a person in so many words, and the forms of what they carry.

>>> age(Found("38", "Patient is a ", "-")), age(Found("380", "Patient is a ", "-"))
(0.9, None)
"""

from __future__ import annotations

import re

from caisson.detect.checks.words import wordlike
from caisson.detect.rule import Found

AGE_YEARS_MAX = 120
_ADULT_YEARS_MIN = 5
"""`I am 2` seldom speaks of years."""
_NO_AGE = re.compile(r"^(?:%|°|:|/|\.|,\d)")
_THINGS = re.compile(
    r"(?:building|house|car|company|wine|whisky|tree|bottle|firm|server|policy)\b.{0,24}$", re.IGNORECASE
)
_NO_USERNAME = frozenset(
    """
    and the not required name password with for from string null none true false your username user login email here
    that this which should must can will has
    """.split()  # noqa: SIM905
)
_NAMED_DIRECTLY = re.compile(r"[:=\"'@] ?[\"']?$")
_UK_LICENCE = re.compile(r"[A-Z]{1,5}9{0,4}\d([0156])(\d)([0-3]\d)\d[A-Z][A-Z9][A-Z0-9][A-Z]{2}")
_PLATE_CONTEXT = re.compile(
    r"plate|\breg|licen|vehicle|\bcar\b|\bbike|kennzeichen|matr|targa|plaka|immatric", re.IGNORECASE
)
_DISTINCT_PLATE = re.compile(
    r"[A-Z]{2}\d{2} ?[A-Z]{3}|[A-Z]{2}\d{1,2}[A-Z]{1,3}\d{4}|[A-Z]{3}[ -]?\d{3}[A-Z]{2}", re.IGNORECASE
)
_TURKISH_PLATE = re.compile(r"\d{2} ?[A-Z]{1,3} ?\d{2,4}")
_TURKISH_DIGITS = {1: (4, 4), 2: (3, 4), 3: (2, 4)}
"""Letters to least and most digits; two of either are printed too."""


def number_alone(found: Found) -> float | None:
    """A number that its words name, not a part of a longer one."""
    return None if (found.after in ("-", "/", ".") and found.after != ".") or found.after == "%" else 0.8


def age(found: Found) -> float | None:
    """Years or months of a person."""
    years = int("".join(filter(str.isdigit, found.value)) or "999")
    return 0.9 if years <= AGE_YEARS_MAX and not _THINGS.search(found.before) else None


def age_in_words(found: Found) -> float | None:
    """A number after `aged`, `turned` or `I am`, and nothing after it that is counted."""
    if not _ADULT_YEARS_MIN <= int(found.value) <= AGE_YEARS_MAX or _NO_AGE.search(found.after):
        return None
    return 0.8


def username(found: Found) -> float | None:
    """A user name: no word of a sentence that speaks of user names."""
    value = found.value.lower()
    if value in _NO_USERNAME or found.after == "(":
        return None
    words = value.replace("-", "").replace("_", "").isalpha() and wordlike(value)
    return None if words and not _NAMED_DIRECTLY.search(found.before) else 0.8


def some_digits(found: Found) -> float | None:
    """At least four digits, as any number of a document has."""
    return 0.7 if sum(map(str.isdigit, found.value)) >= 4 else None


def driver_id(found: Found) -> float | None:
    """UK driving licence (DVLA: month of birth, five more for women), Korean and Italian ones by form."""
    value = found.value.upper()
    if "-" in value or value.startswith("U1"):
        return 0.8
    licence = _UK_LICENCE.fullmatch(value)
    if licence is None or len(value) != 16:
        return None
    month, day = int(licence[1] + licence[2]) % 50, int(licence[3])
    return 0.9 if 1 <= month <= 12 and 1 <= day <= 31 else None


def plate(found: Found) -> float | None:
    """A registration plate by its form, where no other text has it, or with words before."""
    value = found.value
    if found.before.endswith(("-", ":", "/", "_", ".")) or found.after in (":", "-", "/"):
        return None
    if _DISTINCT_PLATE.fullmatch(value):
        cased = value == value.upper() or _PLATE_CONTEXT.search(found.before) or found.before == ""
        return 0.8 if cased else None
    if _TURKISH_PLATE.fullmatch(value):
        letters, numerals = sum(map(str.isalpha, value)), sum(map(str.isdigit, value)) - 2
        least, most = _TURKISH_DIGITS[letters]
        fits = least <= numerals <= most or numerals == 2 or (letters == 1 and numerals == 3)
        return 0.7 if fits and (_PLATE_CONTEXT.search(found.before) or found.before == "") else None
    return 0.8 if value == value.upper() and "-" in value and _PLATE_CONTEXT.search(found.before) else None


def plate_in_words(found: Found) -> float | None:
    """A plate after its words: capitals and digits."""
    value = found.value
    return 0.8 if any(map(str.isdigit, value)) and value == value.upper() else None
