"""One pseudonym key a session, derived and never stored (DAT-03, SESS-02).

Pseudonyms are consistent within a session and tell nothing across sessions, because each root session has its own key.
"""

from __future__ import annotations

from collections import OrderedDict

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEYS_CACHED_MAX = 10_000


class PseudonymKeys:
    """Derives the key of a session from the zone's secret (RFC 5869)."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._cache: OrderedDict[str, bytes] = OrderedDict()

    def of(self, root_session_id: str) -> bytes:
        """32 bytes for the session."""
        key = self._cache.get(root_session_id)
        if key is None:
            info = b"caisson pseudonyms v1 " + root_session_id.encode()
            key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._secret)
            self._cache[root_session_id] = key
            if len(self._cache) > KEYS_CACHED_MAX:
                self._cache.popitem(last=False)
        return key
