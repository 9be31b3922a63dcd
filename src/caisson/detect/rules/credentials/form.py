"""What a token of a provider looks like: a prefix of its own, an alphabet, a length.

A table is name, pattern and, where the pattern alone would make the screen slow, a sign that every match holds. What
follows a token of open length belongs to it, so that nothing of it is left behind.
"""

from __future__ import annotations

from collections.abc import Iterable

from caisson.detect.checks.secrets import varied
from caisson.detect.rule import TOKEN, Check, Rule, Tail

TYPE = "CREDENTIAL"
URLSAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
BASE64 = URLSAFE + "+/="
HEX = "[a-f0-9]"
UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

Row = tuple[str, str] | tuple[str, str, str]
Table = tuple[Row, ...]


def tokens(table: Iterable[Row], check: Check) -> tuple[Rule, ...]:
    """Rules for tokens of bounded length."""
    return tuple(
        Rule(id=f"credentials.{name}", type=TYPE, pattern=pattern, alphabet=TOKEN, check=check, sign="".join(sign))
        for name, pattern, *sign in table
    )


def long_tokens(table: Iterable[Row], characters: str) -> tuple[Rule, ...]:
    """Rules for tokens that begin so and go on for as long as their characters last."""
    return tuple(
        Rule(
            id=f"credentials.{name}",
            type=TYPE,
            pattern=pattern,
            alphabet=TOKEN,
            check=varied,
            tail=Tail(characters=characters),
            sign="".join(sign),
        )
        for name, pattern, *sign in table
    )
