"""Keyed pseudonyms: `[EMAIL_7f3a9c]` stands for a value and tells nothing about it without the session's key (DAT-03).

The tag is HMAC-SHA256 (RFC 2104) over type and normalised value. Six hex digits suffice within a session; when two
values of one request meet in them, the second takes twelve.

>>> pseudonyms = Pseudonyms(bytes(32))
>>> pseudonyms.of("EMAIL", "alice@example.com") == pseudonyms.of("EMAIL", "alice@example.com")
True
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

SHORT, LONG = 6, 12
"""Hex digits of a tag."""
PSEUDONYM = r"\[[A-Z][A-Z0-9_]{0,63}_(?:[0-9a-f]{12}|[0-9a-f]{6})\]"
"""Pattern of a pseudonym."""
_BLOCK_BYTES = 64
"""Of SHA-256."""
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


class Pseudonyms:
    """The pseudonyms of one request."""

    def __init__(self, key: bytes, taken: Mapping[str, str] | None = None) -> None:
        """`taken` maps pseudonyms to normalised values that they already stand for."""
        self._key = key
        self._values: dict[str, str] = dict(taken or {})

    def of(self, kind: str, value: str) -> str:
        """The pseudonym of a normalised value."""
        digest = hmac_sha256(self._key, f"{kind}\0{value}".encode(errors="replace"))
        short = f"[{kind}_{digest[:SHORT]}]"
        if self._values.setdefault(short, value) == value:
            return short
        return f"[{kind}_{digest[:LONG]}]"


def hmac_sha256(key: bytes, message: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) in hex. OpenSSL's takes several times as long to get going for a message this short."""
    block = (key if len(key) <= _BLOCK_BYTES else sha256(key).digest()).ljust(_BLOCK_BYTES, b"\0")
    inner = sha256(block.translate(_INNER) + message).digest()
    return sha256(block.translate(_OUTER) + inner).hexdigest()


def escaped(look_alike: str) -> str:
    """A look-alike made visibly no pseudonym: `[EMAIL\\_7f3a9c]`."""
    head, _, tag = look_alike.rpartition("_")
    return f"{head}\\_{tag}"
