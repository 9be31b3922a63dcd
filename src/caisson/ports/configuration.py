"""Signed configuration and orders from the control zone (IAM-03).

Configuration is what the system file and approvals decided. Orders are numbered, short-lived and revoke. Both are TUF
targets: a zone holds public keys alone, refuses what is damaged, stale or forged, and keeps the last valid one until it
expires. The control zone publishes through `ConfigurationPublisher`; every other zone has a `ConfigurationSource`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from caisson.ports.keys import SigningKey


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
        """True when the repository may hold something newer than the last refresh. Cheap: call it 10 times a second."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Why a configuration version exists: signed with it and kept (IAM-08)."""

    author: str
    reason: str
    origin: Literal["start", "publish", "rollback", "renewal"]
    at: float
    """Unix time in seconds at which it was asked for."""
    differences: tuple[str, ...] = ()
    """One line a changed value, before and after."""
    affected_agents: tuple[str, ...] = ()
    restores: int = 0
    """The version whose content a rollback brings back; 0 otherwise."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A configuration version that is, or was, in force."""

    version: int
    sha256: str
    """Of the target's bytes."""
    change: Change
    expires: float
    """Unix time in seconds."""
    approvers: tuple[str, ...]
    """Names of the operator keys that signed it."""


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A version that waits for signatures. Nothing of it is in force."""

    version: int
    sha256: str
    change: Change
    approvers: tuple[str, ...]
    missing: int
    """Signatures of further operator keys that it needs."""
    payloads: tuple[bytes, ...]
    """What a signer signs, each of them: exact bytes."""


class ConfigurationPublisher(ABC):
    """The control zone's end of the repository. What it publishes, a `ConfigurationSource` accepts.

    A change that was cut short by a crash is either finished or not there: readers never see half of it.
    """

    @abstractmethod
    async def distributed(self) -> None:
        """Return when every zone can read what is in force: at once where they read the same repository.

        Raises:
            ConfigurationError: they cannot yet; the next call goes on.
        """

    @abstractmethod
    def current(self) -> tuple[Configuration, Orders] | None:
        """What is in force; None before the first publication."""

    @abstractmethod
    def publish(
        self,
        bundle: dict[str, Any],
        change: Change,
        *,
        signatures: int,
        orders_validity_s: int,
        signers: Sequence[SigningKey],
    ) -> Published | Staged:
        """Make `bundle` (without `author` and `reason`) the next version, or stage it when signatures are missing.

        `signatures` and `orders_validity_s` hold from this version on. Lowering the number of signatures takes as many
        as before. Staging replaces what was staged.

        Raises:
            ConfigurationError: no reason, no author, a bundle that cannot be canonical JSON, or a foreign key.
        """

    @abstractmethod
    def sign(self, key_id: str, signatures: Sequence[bytes]) -> Published | Staged:
        """Add an operator's signatures over the staged payloads; publishes once there are enough.

        Raises:
            ConfigurationError: nothing is staged, or a signature is not that key's over what is staged.
        """

    @abstractmethod
    def staged(self) -> Staged | None:
        """What waits for signatures."""

    @abstractmethod
    def issue(self, orders: Orders) -> Orders:
        """Publish orders with a new expiry; `number` grows when content differs from what is in force."""

    @abstractmethod
    def versions(self) -> tuple[Published, ...]:
        """Versions whose content is kept, oldest first."""

    @abstractmethod
    def bundle(self, version: int) -> dict[str, Any]:
        """The verified bundle of a kept version.

        Raises:
            ConfigurationError: it is not kept, or not what its operators signed.
        """
