"""Check digits of national identifiers.

>>> registered("pl.pesel")(Found("44051401458", "", "")), registered("pl.pesel")(Found("44051401459", "", ""))
(0.9, None)
"""

from __future__ import annotations

from importlib import import_module

from caisson.detect.rule import Check, Found

_NRIC_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
_NRIC_LETTERS = {"S": "JZIHGFEDCBA", "T": "GFEDCBAJZIH", "F": "XWUTRQPNMLK", "G": "RQPNMLKXWUT", "M": "KLJNPQRTUWX"}
_MEDICARE_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9)


def registered(module: str) -> Check:
    """Valid by a module of python-stdnum (`de.idnr`): length, alphabet, dates in it, check digits."""
    valid = import_module(f"stdnum.{module}").is_valid

    def check(found: Found) -> float | None:
        value = found.value.replace(":", "").strip()
        return 0.9 if len(set(value)) > 2 and valid(value) else None

    return check


def singapore_nric(found: Found) -> float | None:
    """Singapore's NRIC and FIN: weights of the Immigration and Checkpoints Authority."""
    value = found.value.upper()
    total = sum(int(digit) * weight for digit, weight in zip(value[1:8], _NRIC_WEIGHTS, strict=True))
    total += 3 if value[0] == "M" else 0
    index = total % 11
    return 0.9 if _NRIC_LETTERS[value[0]][10 - index if value[0] == "M" else index] == value[8] else None


def australian_medicare(found: Found) -> float | None:
    """Medicare card number (Services Australia): weighted sum of eight digits mod 10."""
    digits = [int(character) for character in found.value if character.isdigit()]
    total = sum(digit * weight for digit, weight in zip(digits, _MEDICARE_WEIGHTS, strict=False))
    return 0.9 if total % 10 == digits[8] else None


def us_mbi(found: Found) -> float | None:
    """Medicare beneficiary identifier (CMS): the form is all there is to check, with separators or the word before."""
    named = "-" in found.value or any(word in found.before.lower() for word in ("mbi", "medicare", "beneficiary"))
    return 0.9 if named else None
