"""Checksums and shapes of identifiers of people and accounts (DAT-03).

>>> card("4111 1111 1111 1111", "", ""), card("4111 1111 1111 1112", "", "")
(1.0, None)
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import phonenumbers
from stdnum import bic, iban, luhn
from stdnum.ca import sin
from stdnum.gb import nhs
from stdnum.us import itin, rtn, ssn

from caisson.detect.rule import Check

PHONE_CACHE_MAX = 4_096
_PHONE_CONTEXT = re.compile(
    r"phone|\btel\b|tel[.:]|call|mobile|cell|\bfax|contact|whatsapp|\bsms\b|dial|reach|number is|text me", re.I
)
_NOT_PHONE = re.compile(r"(?:[vV]|version|ip|order|invoice|claim|ref|id|isbn|#)\W{0,3}$")
_SSN_CONTEXT = re.compile(r"\bssn|social.security|soc\.? ?sec|\bss#|tax.?payer", re.I)
_CARD_LENGTHS = range(13, 20)
_VIN_VALUES = {**{str(digit): digit for digit in range(10)}, **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
               **dict(zip("JKLMN", range(1, 6), strict=True)), "P": 7, "R": 9,
               **dict(zip("STUVWXYZ", range(2, 10), strict=True))}  # fmt: skip
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
"""ISO 3779 as applied by 49 CFR 565.15."""


def digits(value: str) -> str:
    """Only the digits."""
    return "".join(character for character in value if character.isdigit())


def compact(value: str) -> str:
    """Letters and digits, upper case."""
    return "".join(character for character in value if character.isalnum()).upper()


def context(words: str, check: Check | None = None) -> Check:
    """A check that wants one of `words` (an expression) before the value, and `check` too."""
    wanted = re.compile(words, re.IGNORECASE)

    def checked(value: str, before: str, after: str) -> float | None:
        if not wanted.search(before):
            return None
        return 0.9 if check is None else check(value, before, after)

    return checked


def card(value: str, before: str, after: str) -> float | None:
    """Payment card: ISO/IEC 7812 length, issuer digit and Luhn."""
    number = digits(value)
    if len(number) not in _CARD_LENGTHS or number[0] not in "23456" or len(set(number)) < 3 or after.isdigit():
        return None
    return 1.0 if luhn.is_valid(number) else None


def account(value: str, before: str, after: str) -> float | None:
    """IBAN: ISO 13616 country length and mod 97."""
    return 1.0 if iban.is_valid(value, check_country=False) else None


def swift(value: str, before: str, after: str) -> float | None:
    """BIC: ISO 9362, a country that exists, and a word that says so, because plain capitals look alike."""
    return 0.9 if bic.is_valid(value) and value[4:6] in phonenumbers.SUPPORTED_REGIONS else None


def us_ssn(value: str, before: str, after: str) -> float | None:
    """US social security number: separators or context, and no number that is never issued."""
    named = _SSN_CONTEXT.search(before) is not None
    if len(value) == 9 and not named:
        return None
    number = digits(value)
    if (
        after.isdigit()
        or number[:3] in ("000", "666")
        or number[0] == "9"
        or number[3:5] == "00"
        or number[5:] == "0000"
    ):
        return None
    if not named and not ssn.is_valid(f"{number[:3]}-{number[3:5]}-{number[5:]}"):
        return None
    return 1.0 if named else 0.8


def us_itin(value: str, before: str, after: str) -> float | None:
    """US individual taxpayer identification number."""
    return 0.9 if itin.is_valid(digits(value)) and (len(value) > 9 or re.search(r"itin|tax", before, re.I)) else None


def ca_sin(value: str, before: str, after: str) -> float | None:
    """Canadian social insurance number: Luhn, and context unless grouped."""
    return (
        0.9
        if sin.is_valid(digits(value)) and (len(value) > 9 or re.search(r"\bsin\b|social insurance", before, re.I))
        else None
    )


def uk_nhs(value: str, before: str, after: str) -> float | None:
    """NHS number: mod 11, and context unless grouped 3 3 4."""
    grouped = len(value) > 10
    return (
        0.9 if nhs.is_valid(digits(value)) and (grouped or re.search(r"\bnhs\b|health|patient", before, re.I)) else None
    )


def us_routing(value: str, before: str, after: str) -> float | None:
    """ABA routing transit number."""
    return 0.9 if rtn.is_valid(value) else None


def vin(value: str, before: str, after: str) -> float | None:
    """Vehicle identification number: check digit, or a word that says so where none is used."""
    number = value.upper()
    if number.isdigit() or number.isalpha():
        return None
    total = sum(_VIN_VALUES[character] * weight for character, weight in zip(number, _VIN_WEIGHTS, strict=True))
    if number[8] == "0123456789X"[total % 11]:
        return 1.0
    return 0.7 if re.search(r"\bvin\b|vehicle|chassis", before, re.I) else None


def ipv4(value: str, before: str, after: str) -> float | None:
    """IPv4 address (RFC 791), not part of a longer dotted number."""
    if after.isdigit() or before.endswith(".") or (_NOT_PHONE.search(before[-10:]) and before[-3:].lower() != "ip "):
        return None
    try:
        IPv4Address(value.partition("/")[0])
    except AddressValueError:
        return None
    return 0.9


def ipv6(value: str, before: str, after: str) -> float | None:
    """IPv6 address (RFC 4291) with at least two groups of digits, so that `::` and times of day are none."""
    if before.endswith(":") or after == ":" or len(digits(value)) + sum(c in "abcdefABCDEF" for c in value) < 3:
        return None
    try:
        IPv6Address(value.partition("%")[0])
    except AddressValueError:
        return None
    return 0.9 if "::" in value or value.count(":") == 7 else None


def mac(value: str, before: str, after: str) -> float | None:
    """MAC address (IEEE 802), not part of a longer chain such as a fingerprint."""
    chained = before.endswith((":", "-")) or after in (":", "-")
    return None if chained or len(set(value)) < 3 else 0.9


def email(value: str, before: str, after: str) -> float | None:
    """E-mail address (RFC 5321 lengths)."""
    local, _, domain = value.rpartition("@")
    if (
        ".." in local
        or local.startswith(".")
        or domain.startswith(("-", "."))
        or (before.endswith(":") and "//" in before[-64:])
    ):
        return None
    return 1.0


def phone(value: str, before: str, after: str) -> float | None:
    """Telephone number by the national numbering plans; without country code or context only the North American form."""
    if (
        after.isdigit()
        or _NOT_PHONE.search(before)
        or before[-1:] in ("/", ".", "-", "_", "=")
        or before[-1:].isalnum()
    ):
        return None
    number = digits(value)
    if not 7 <= len(number) <= 15 or len(set(number)) < 3:
        return None
    if value.startswith("+") or value.startswith("00"):
        return 1.0 if _possible("+" + number.lstrip("0"), None) else None
    named = _PHONE_CONTEXT.search(before) is not None
    if len(number) == 10 and number[0] in "23456789" and number[3] in "23456789" and (named or not value.isdigit()):
        return 0.9
    if (
        len(number) == 11
        and number[0] == "1"
        and number[1] in "23456789"
        and number[4] in "23456789"
        and not value.isdigit()
    ):
        return 0.9
    if named and any(_possible(number, region) for region in ("GB", "DE", "FR", "IN", "AU")):
        return 0.7
    return None


@lru_cache(maxsize=PHONE_CACHE_MAX)
def _possible(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
