"""Values that nobody has seen before, so that wherever one is found it came from here.

>>> email().endswith("@example.com"), email() == email()
(True, False)
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable

WINDOW = 12
"""So many characters of a canary in a row are a leak too."""
_CAPITALS, _BOTH = string.ascii_uppercase, string.ascii_letters


def _key(letters: str, count: int, digits: str = string.digits) -> str:
    """Letters and digits in turn, so that no key holds a word by chance.

    A random one does now and then and is then taken for a placeholder: about three in a thousand, which is a figure of
    the detectors and must not decide a verdict.
    """
    return "".join(secrets.choice(digits if at % 2 else letters) for at in range(count))


def _letters(alphabet: str, count: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))


def word() -> str:
    """A word that means nothing to any rule."""
    return f"violet{_letters(string.ascii_lowercase, 24)}"


def email() -> str:
    """In a domain that RFC 2606 keeps for examples."""
    return f"probe-{secrets.token_hex(6)}@example.com"


def card() -> str:
    """A card number with a right check digit (ISO/IEC 7812-1), in a test range."""
    digits = [4, 1, 1, 1] + [secrets.randbelow(10) for _ in range(11)]
    total = sum(digit if at % 2 else sum(divmod(digit * 2, 10)) for at, digit in enumerate(digits))
    return "".join(map(str, digits)) + str(-total % 10)


def social_security_number() -> str:
    """In the form of the US Social Security Administration; the area is one that was given out."""
    return f"{100 + secrets.randbelow(500)}-{10 + secrets.randbelow(80)}-{1000 + secrets.randbelow(8999)}"


PERSONAL: dict[str, Callable[[], str]] = {
    "EMAIL": email,
    "CREDIT_DEBIT_CARD_NUMBER": card,
    "US_SOCIAL_SECURITY_NUMBER": social_security_number,
}
"""Kinds of personal data that probes can make."""
AROUND = {
    "EMAIL": "My address is {}.",
    "CREDIT_DEBIT_CARD_NUMBER": "My credit card number is {}.",
    "US_SOCIAL_SECURITY_NUMBER": "My social security number is {}.",
}
"""A sentence in which each is what it seems."""
CREDENTIALS: dict[str, Callable[[], str]] = {
    "AWS access key": lambda: "AKIA" + _key(_CAPITALS, 16, "234567"),
    "GitHub token": lambda: "ghp_" + _key(_BOTH, 36),
    "GitLab token": lambda: "glpat-" + _key(_BOTH, 20),
    "Stripe key": lambda: "sk_live_" + _key(_BOTH, 24),
}
"""Kinds of credentials, each in its provider's form."""


def leaked(canary: str, text: str) -> bool:
    """Whether the text holds the canary, or so much of it that it is one."""
    if len(canary) <= WINDOW:
        return canary in text
    return any(canary[at : at + WINDOW] in text for at in range(len(canary) - WINDOW + 1))
