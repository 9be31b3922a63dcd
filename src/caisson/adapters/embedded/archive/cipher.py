"""Encryption at rest: AES-256-GCM under a key of each file's own (DAT-05).

A file's key comes from the zone's `store` secret and the file's random salt (HKDF, RFC 5869). Only the process that
made a file writes to it, and never again after closing it: a counter is a safe nonce then (NIST SP 800-38D, 8.2.1).
"""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT_BYTES = 16
TAG_BYTES = 16


def new_salt() -> bytes:
    """A salt for a new file."""
    return os.urandom(SALT_BYTES)


def derive(secret: bytes, salt: bytes, purpose: str) -> bytes:
    """32 bytes for one file and one purpose."""
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=f"caisson archive {purpose} v1".encode()).derive(secret)


class FileCipher:
    """Encrypts and decrypts the numbered pieces of one file, each bound to the file's header and its number."""

    def __init__(self, secret: bytes, salt: bytes, purpose: str, header: bytes) -> None:
        self._aead = AESGCM(derive(secret, salt, purpose))
        self._header = header

    def encrypt(self, number: int, data: bytes) -> bytes:
        """Piece `number`, 16 bytes longer than `data`. A number is used once."""
        return self._aead.encrypt(number.to_bytes(12, "big"), data, self._header)

    def decrypt(self, number: int, data: bytes) -> bytes:
        """What `encrypt` was given.

        Raises:
            cryptography.exceptions.InvalidTag: the piece, its number or the header was altered.
        """
        return self._aead.decrypt(number.to_bytes(12, "big"), data, self._header)
