"""Keys of one zone: sign, unseal, derive. Private material never leaves the adapter (DAT-05)."""

from __future__ import annotations

from abc import ABC, abstractmethod


class SigningKey(ABC):
    """An Ed25519 private key."""

    @property
    @abstractmethod
    def key_id(self) -> str:
        """First 16 hex digits of SHA-256 over the raw public key."""

    @property
    @abstractmethod
    def public_bytes(self) -> bytes:
        """32 raw bytes of the public key."""

    @abstractmethod
    def sign(self, data: bytes) -> bytes:
        """64-byte Ed25519 signature (RFC 8032)."""


class SealingKey(ABC):
    """The reader's half of a sealed channel: HPKE with hybrid ML-KEM-768 + X25519 (RFC 9180)."""

    @property
    @abstractmethod
    def key_id(self) -> str:
        """First 16 hex digits of SHA-256 over the public bytes."""

    @property
    @abstractmethod
    def public_bytes(self) -> bytes:
        """ML-KEM-768 encapsulation key (1,184 bytes) followed by the X25519 public key (32 bytes)."""

    @abstractmethod
    def unseal(self, sealed: bytes, info: bytes) -> bytes:
        """What `seal(public_bytes, …)` put in.

        Raises:
            ChannelError: the sealed bytes are not for this key, or were altered.
        """


class Keys(ABC):
    """All keys of one zone."""

    @abstractmethod
    def signing(self, name: str) -> SigningKey:
        """The named signing key, for example `channel`."""

    @abstractmethod
    def sealing(self, name: str) -> SealingKey:
        """The named sealing key, for example `events`."""

    @abstractmethod
    def secret(self, name: str) -> bytes:
        """32 secret bytes for derivation, for example `store`."""
