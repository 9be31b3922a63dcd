"""Checksums and shapes of identifiers of people and accounts (DAT-03).

>>> card(Found("4111 1111 1111 1111", "", "")), card(Found("4111 1111 1111 1112", "", ""))
(1.0, None)
"""

from __future__ import annotations

import re

from phonenumbers import SUPPORTED_REGIONS
from stdnum import bic, iban, luhn
from stdnum.ca import sin
from stdnum.gb import nhs, utr
from stdnum.us import rtn, ssn

from caisson.detect.rule import Check, Found

_CARD_DIGITS = range(12, 20)
_CARD_CONTEXT = re.compile(r"card", re.IGNORECASE)
_SSN_CONTEXT = re.compile(r"\bssn|social.security|soc\.? ?sec|\bss#|tax.?payer", re.IGNORECASE)
_ITIN_CONTEXT = re.compile(r"itin|tax", re.IGNORECASE)
_ITIN_GROUPS = {f"{group}" for group in (*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100))}
_SIN_CONTEXT = re.compile(r"\bsin\b|social insurance|\bnas\b", re.IGNORECASE)
_ROUTING_CONTEXT = re.compile(r"routing|\baba\b|\brtn\b|transit", re.IGNORECASE)
_NINO_NEVER = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}
_NHS_CONTEXT = re.compile(r"\bnhs\b|health|patient", re.IGNORECASE)
_TELEPHONE = re.compile(r"phone|tel|fax|call|mobile|cell", re.IGNORECASE)
_VIN_CONTEXT = re.compile(r"\bvin\b|vehicle|chassis", re.IGNORECASE)
_VIN_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
"""49 CFR 565.15."""


def digits(value: str) -> str:
    """Only the digits."""
    return "".join(filter(str.isdigit, value))


def compact(value: str) -> str:
    """Letters and digits, upper case."""
    return "".join(filter(str.isalnum, value)).upper()


def joined(neighbour: str) -> bool:
    """True for a neighbouring character that makes the value a part of a longer word."""
    return neighbour.isascii() and neighbour.isalnum()


def context(words: str, check: Check) -> Check:
    """`check`, when one of `words` (an expression) stands before the value."""
    wanted = re.compile(words, re.IGNORECASE)
    return lambda found: check(found) if wanted.search(found.before) else None


def card(found: Found) -> float | None:
    """Payment card: ISO/IEC 7812 length and Luhn; context for the rare twelve digits."""
    number = digits(found.value)
    if len(number) not in _CARD_DIGITS or len(set(number)) < 2:
        return None
    if len(number) == _CARD_DIGITS[0] and not _CARD_CONTEXT.search(found.before):
        return None
    return 1.0 if luhn.is_valid(number) else None


def account(found: Found) -> float | None:
    """IBAN: ISO 13616 country, length and mod 97; one case throughout."""
    value = found.value
    one_case = value in (value.upper(), value.lower())
    return 1.0 if one_case and iban.is_valid(value, check_country=False) else None


def swift(found: Found) -> float | None:
    """BIC: ISO 9362, in a country that exists."""
    return 0.9 if bic.is_valid(found.value) and found.value[4:6] in SUPPORTED_REGIONS else None


def us_ssn(found: Found) -> float | None:
    """US social security number: separators or context, and none that is never issued (20 CFR 422)."""
    named = _SSN_CONTEXT.search(found.before) is not None
    number = digits(found.value)
    if number == found.value and not named:
        return None
    if number[:3] in ("000", "666") or number[0] == "9" or number[3:5] == "00" or number[5:] == "0000":
        return None
    if named:
        return 1.0
    return 0.8 if ssn.is_valid(f"{number[:3]}-{number[3:5]}-{number[5:]}") else None


def us_itin(found: Found) -> float | None:
    """US individual taxpayer identification number: grouped, or context (IRM 3.21.263)."""
    number = digits(found.value)
    named = number != found.value or _ITIN_CONTEXT.search(found.before)
    return 0.9 if named and number[3:5] in _ITIN_GROUPS else None


def ca_sin(found: Found) -> float | None:
    """Canadian social insurance number: Luhn, and grouped or context."""
    number = digits(found.value)
    named = number != found.value or _SIN_CONTEXT.search(found.before)
    return 0.9 if named and sin.is_valid(number) else None


def uk_nhs(found: Found) -> float | None:
    """NHS number: mod 11, and grouped by spaces or context; a telephone number says that it is one."""
    number = digits(found.value)
    grouped = " " in found.value and "-" not in found.value and number[0] not in "01"
    if not _NHS_CONTEXT.search(found.before) and (not grouped or _TELEPHONE.search(found.before)):
        return None
    return 0.9 if nhs.is_valid(number) else None


def us_routing(found: Found) -> float | None:
    """ABA routing transit number: check digit, and context or the dashes of a cheque."""
    named = "-" in found.value or _ROUTING_CONTEXT.search(found.before)
    return 0.9 if named and rtn.is_valid(digits(found.value)) else None


def bank_account(found: Found) -> float | None:
    """A bank account's number has no check digit; a card's is a card."""
    number = digits(found.value)
    return None if len(set(number)) < 2 or (len(number) in _CARD_DIGITS and luhn.is_valid(number)) else 0.7


def uk_nino(found: Found) -> float | None:
    """UK national insurance number: prefixes that HMRC allocates (NIM39110)."""
    value = compact(found.value)
    if value[:2] in _NINO_NEVER or len(set(value[2:8])) < 2:
        return None
    return 0.9 if found.value == found.value.upper() or found.value == found.value.lower() else None


def uk_utr(found: Found) -> float | None:
    """UK unique taxpayer reference: check digit (HMRC)."""
    return 0.9 if utr.is_valid(digits(found.value)) else None


def vin(found: Found) -> float | None:
    """Vehicle identification number: check digit, or context where none is used (ISO 3779)."""
    number = found.value.upper()
    if number.isdigit() or number.isalpha():
        return None
    total = sum(_VIN_VALUES[character] * weight for character, weight in zip(number, _VIN_WEIGHTS, strict=True))
    if number[8] == "0123456789X"[total % 11]:
        return 1.0
    return 0.7 if _VIN_CONTEXT.search(found.before) else None
