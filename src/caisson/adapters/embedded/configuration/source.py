"""A zone's view of the repository (IAM-03).

- What is unchanged costs one read of `timestamp.json`; what changed is verified from the zone's root down.
- After an error the last valid pair stays, and the repository is looked at again every `RETRY_S`.
- Expired stays expired: times are compared with a clock that cannot be turned back.
- Metadata that claims to live longer than any that we sign comes from a clock that was ahead, and is refused: whoever
  holds it back could otherwise keep a revoked session alive.

>>> source = TufConfigurationSource(Path("configuration"), Path("trust"), SystemClock())  # doctest: +SKIP
>>> configuration, orders = source.refresh()  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from caisson.adapters.embedded.configuration.client import METADATA, TIMESTAMP_BYTES_MAX, RepositoryClient, Trusted
from caisson.adapters.embedded.configuration.documents import ORDERS_VALIDITY_MAX_S, read_configuration, read_orders
from caisson.adapters.embedded.configuration.folder import read_plain
from caisson.adapters.embedded.configuration.steady import TOLERANCE_S, SteadyClock
from caisson.errors import ConfigurationError
from caisson.ports.clock import Clock
from caisson.ports.configuration import Configuration, ConfigurationSource, Orders

RETRY_S = 1.0
"""Pause before a repository that gave an error is looked at again, should it look the same."""

_Seen = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class _InForce:
    timestamp: bytes
    pair: tuple[Configuration, Orders]


class TufConfigurationSource(ConfigurationSource):
    """Reads `repository` with the root and the cache in `trust`. See the module.

    Raises:
        ConfigurationError: the trust folder's memory of time cannot be read.
    """

    def __init__(self, repository: Path, trust: Path, clock: Clock) -> None:
        self._timestamp = repository / METADATA / "timestamp.json"
        self._client = RepositoryClient(repository, trust)
        self._clock = SteadyClock(clock, memory=trust / "clock.json")
        self._in_force: _InForce | None = None
        self._seen: _Seen | None = None
        self._retry_at: float | None = 0.0

    def changed(self) -> bool:
        if self._look() != self._seen:
            return True
        return self._retry_at is not None and self._clock.monotonic() >= self._retry_at

    def refresh(self) -> tuple[Configuration, Orders]:
        clean = self._retry_at is None
        self._seen = self._look()
        self._retry_at = self._clock.monotonic() + RETRY_S
        at = self._clock.checked()
        timestamp = self._read_timestamp()
        held = self._in_force
        # after an error the client may have seen newer metadata than what is held: only it can tell
        if held is None or not clean or held.timestamp != timestamp or at >= min(half.expires for half in held.pair):
            held = self._in_force = _InForce(timestamp=timestamp, pair=_pair(self._client.load(at=at), at))
        self._retry_at = None
        return held.pair

    def _look(self) -> _Seen | None:
        try:
            status = self._timestamp.lstat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _read_timestamp(self) -> bytes:
        try:
            return read_plain(self._timestamp, bytes_max=TIMESTAMP_BYTES_MAX)
        except OSError:
            return b""  # the client says what is wrong


def _pair(trusted: Trusted, at: float) -> tuple[Configuration, Orders]:
    configuration = read_configuration(
        trusted.configuration_content,
        version=trusted.targets.version,
        expires=_earliest(trusted.root.expires, trusted.targets.expires),
    )
    orders = read_orders(
        trusted.orders_content,
        expires=_earliest(trusted.timestamp.expires, trusted.snapshot.expires, trusted.orders.expires),
    )
    if orders.expires > at + ORDERS_VALIDITY_MAX_S + TOLERANCE_S:
        raise ConfigurationError(
            f"clock: orders claim to hold for {orders.expires - at:.0f} s, expected at most {ORDERS_VALIDITY_MAX_S};"
            " the control zone's clock was ahead or this one is behind. Set it right; the next orders will do"
        )
    return configuration, orders


def _earliest(*moments: datetime) -> float:
    return min(moments).timestamp()
