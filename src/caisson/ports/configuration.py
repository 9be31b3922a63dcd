"""Signed configuration and orders from the control zone (IAM-03).

Configuration is what the system file and approvals decided. Orders are numbered, short-lived and revoke. Both are TUF
targets: a zone holds public keys alone, refuses what is damaged, stale or forged, and keeps the last valid one until it
expires.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One verified configuration version."""

    version: int
    sha256: str
    """Of the target's bytes."""
    bundle: dict[str, Any]
    """`{"format": 1, "system": <resolved system>, "keys": {zone: {name: base64 public key}}, "author", "reason"}`."""
    expires: float
    """Unix time in seconds."""


@dataclass(frozen=True, kw_only=True)
class Orders:
    """The verified orders in force. They replace each other whole."""

    number: int
    """Grows with each change of content."""
    revoked_sessions: dict[str, float] = field(default_factory=dict)
    """Session id to Unix time after which the order may be forgotten (the session's own expiry)."""
    revoked_users: dict[str, float] = field(default_factory=dict)
    """User to Unix time: credentials issued before it are refused."""
    stopped: str = ""
    """Reason for which every request stops; empty when none does (IR-03)."""
    expires: float = 0.0
    """Unix time after which requests stop because nobody vouches for these orders any more."""


class ConfigurationSource(ABC):
    """A zone's view of the repository."""

    @abstractmethod
    def refresh(self) -> tuple[Configuration, Orders]:
        """Fetch and verify; the last valid pair stays in force when this raises.

        Raises:
            ConfigurationError: metadata is missing, damaged, stale, frozen, rolled back or forged; says which.
        """

    @abstractmethod
    def changed(self) -> bool:
        """True when the repository may hold something newer than the last refresh. Cheap enough for 10 calls a second."""
