"""The session keys in force, by the clock alone: workers agree on them without talking to each other (SEC-02).

- Time is cut into epochs of a day. An epoch's key signs during it and verifies for one hour after it, the longest that
  a session lives, so that rotation ends no session.
- The next epoch's key exists a day ahead. The key before the last one is asked for no more, so its store may delete it.

>>> key_name(86_400.0)
'session-1'
>>> names_at(86_400.0), names_at(90_000.0)
(('session-0', 'session-1', 'session-2'), ('session-1', 'session-2'))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from caisson.adapters.embedded.keys import FileKeys
from caisson.errors import DeveloperError
from caisson.policy.sessions import DURATION_MAX_S
from caisson.ports.keys import Keys, SigningKey

EPOCH_S = 86_400
OVERLAP_S = DURATION_MAX_S
"""How long a key verifies after it stopped signing."""

_PREFIX = "session-"

OpenKeys = Callable[[tuple[str, ...]], Keys]
"""Gives keys in which each name has a signing key and a secret; makes those that are missing, may delete all others."""


def session_keys(folder: Path) -> OpenKeys:
    """Keys as files of the zone's key folder. Those that no longer verify are deleted: nobody finds them later."""

    def open_keys(names: tuple[str, ...]) -> Keys:
        keys = FileKeys.create(folder, signing=names, secrets=names)
        for path in folder.glob(f"{_PREFIX}*.key"):
            if path.name.partition(".")[0] not in names:
                path.unlink(missing_ok=True)
        return keys

    return open_keys


def key_name(now: float) -> str:
    """The key that signs at Unix time `now`."""
    return f"{_PREFIX}{int(now) // EPOCH_S}"


def names_at(now: float) -> tuple[str, ...]:
    """Keys that must exist at `now`, oldest first: the one before while it verifies, the current and the next."""
    epoch = int(now) // EPOCH_S
    first = epoch - 1 if _overlaps(now) else epoch
    return tuple(f"{_PREFIX}{number}" for number in range(max(first, 0), epoch + 2))


def _overlaps(now: float) -> bool:
    return now % EPOCH_S < OVERLAP_S


@dataclass(frozen=True, kw_only=True)
class SessionKey:
    """One epoch's key."""

    signing: SigningKey
    secret: bytes
    """32 bytes from which SigV4 secrets are derived."""
    _public: Ed25519PublicKey

    @classmethod
    def of(cls, keys: Keys, name: str) -> SessionKey:
        """The named key out of a zone's keys."""
        signing = keys.signing(name)
        public = Ed25519PublicKey.from_public_bytes(signing.public_bytes)
        return cls(signing=signing, secret=keys.secret(name), _public=public)

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the signature is this key's."""
        try:
            self._public.verify(signature, data)
        except InvalidSignature:
            return False
        return True


class KeyRing:
    """Opens keys as time passes."""

    def __init__(self, open_keys: OpenKeys, *, now: float) -> None:
        self._open_keys = open_keys
        self._names: tuple[str, ...] = ()
        self._by_name: dict[str, SessionKey] = {}
        self._by_id: dict[str, SessionKey] = {}
        self._turn(now)

    def _turn(self, now: float) -> None:
        names = names_at(now)
        if names == self._names:
            return
        keys = self._open_keys(names)
        self._by_name = {name: SessionKey.of(keys, name) for name in names}
        self._by_id = {key.signing.key_id: key for key in self._by_name.values()}
        if len(self._by_id) != len(names):
            raise DeveloperError("two session keys have one id")
        self._names = names

    def current(self, now: float) -> SessionKey:
        """The key that signs."""
        self._turn(now)
        return self._by_name[key_name(now)]

    def find(self, key_id: str, now: float) -> SessionKey | None:
        """The key of that id, when it verifies at `now`. The next epoch's does not yet."""
        self._turn(now)
        key = self._by_id.get(key_id)
        return None if key is None or key is self._by_name[self._names[-1]] else key
