"""Keyed pseudonyms: `[EMAIL_7f3a9c]` stands for a value and tells nothing about it without the session's key (DAT-03).

The tag is HMAC-SHA256 (RFC 2104) over type and normalised value. Six hex digits suffice within a session; when two
values of one request meet in them, the second takes twelve.

>>> pseudonyms = Pseudonyms(bytes(32))
>>> pseudonyms.of("EMAIL", "alice@example.com") == pseudonyms.of("EMAIL", "alice@example.com")
True
"""

from __future__ import annotations

from collections.abc import Mapping
from hmac import digest as hmac_digest

SHORT, LONG = 6, 12
"""Hex digits of a tag."""
PSEUDONYM = r"\[[A-Z][A-Z0-9_]{0,63}_(?:[0-9a-f]{12}|[0-9a-f]{6})\]"
"""Pattern of a pseudonym."""


class Pseudonyms:
    """The pseudonyms of one request."""

    def __init__(self, key: bytes, taken: Mapping[str, str] | None = None) -> None:
        """`taken` maps pseudonyms to normalised values that they already stand for."""
        self._key = key
        self._values: dict[str, str] = dict(taken or {})

    def of(self, kind: str, value: str) -> str:
        """The pseudonym of a normalised value."""
        digest = hmac_digest(self._key, f"{kind}\0{value}".encode(errors="replace"), "sha256").hex()
        short = f"[{kind}_{digest[:SHORT]}]"
        if self._values.setdefault(short, value) == value:
            return short
        return f"[{kind}_{digest[:LONG]}]"


def escaped(look_alike: str) -> str:
    """A look-alike made visibly no pseudonym: `[EMAIL\\_7f3a9c]`."""
    head, _, tag = look_alike.rpartition("_")
    return f"{head}\\_{tag}"
