"""Exact rates: every grant of a rate is on file, numbered in the order of granting.

The grant `count` before the next one decides: while it lies in the window, the rate has none left. So a limit that
changes applies at once, in either direction, and no window of any phase holds more than `count`. A grant in the future
does not count: the clock stepped back, and nobody shall wait for it to come again.

A grant's row id is the number of its key in the high bits and its own in the low 40: one seek finds it.
"""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from caisson.errors import Refusal, WireError
from caisson.ports.ledger import Rate

NUMBER_BITS = 40
DROP_EVERY = 64
"""Grants of a key from one dropping of those that no longer decide to the next."""
DROPPED_AT_ONCE_MAX = 1_024
IDS_KEPT_MAX = 10_000
_NONE = -1
"""Stands for the newest grant of a key that the file does not know; no row has an id near it."""


class Rates:
    """The grants of all rates, for use inside a transaction."""

    def __init__(self, db: apsw.Connection) -> None:
        self._execute = db.cursor().execute
        self._ids: dict[str, int] = {}
        """Ids of keys as they were committed. They never change."""
        self._newest: dict[str, int] = {}
        """Row id of the newest grant of a key, in this transaction only."""

    def begin(self) -> None:
        """A transaction begins: other processes may have granted, and the one before may have been rolled back."""
        self._newest.clear()

    def refusal(self, rates: Sequence[Rate], now: float) -> Refusal | None:
        """The refusal of the first rate that has no grant left at Unix time `now`."""
        for rate in rates:
            newest = self._newest.get(rate.key)
            if newest is None:
                newest = self._newest[rate.key] = self._find_newest(rate.key)
            deciding = newest + 1 - rate.count
            at = self._execute("SELECT at FROM rate_grants WHERE id = ?", (deciding,)).get
            if at is not None and 0.0 <= now - at < rate.window_s and deciding > _before_first(newest):
                return Refusal(
                    error=WireError.THROTTLING,
                    rule=f"ledger.rate.{rate.key.partition(':')[0]}",
                    message=f"More than {rate.count} requests in {rate.window_s:g} s; retry later.",
                    retry_after_s=rate.window_s - (now - at),  # in (0, window_s], as at + window_s - now need not be
                )
        return None

    def grant(self, rates: Sequence[Rate], now: float) -> None:
        """Count one grant of each rate, which `refusal` has let pass in this transaction."""
        for rate in rates:
            newest = self._newest[rate.key]
            if newest == _NONE:
                newest = self._add_key(rate.key)
            newest += 1
            self._execute("INSERT INTO rate_grants VALUES (?, ?)", (newest, now))
            self._newest[rate.key] = newest
            if newest % DROP_EVERY == 0:
                self._drop(newest, rate.count)

    def _find_newest(self, key: str) -> int:
        key_id = self._ids.get(key)
        if key_id is None:
            key_id = self._execute("SELECT id FROM rate_keys WHERE key = ?", (key,)).get
            if key_id is None:
                return _NONE
            if len(self._ids) >= IDS_KEPT_MAX:
                self._ids.clear()
            self._ids[key] = key_id
        newest = self._execute("SELECT max(id) FROM rate_grants WHERE id < ?", ((key_id + 1) << NUMBER_BITS,)).get
        return max(newest or 0, key_id << NUMBER_BITS)

    def _add_key(self, key: str) -> int:
        """Row id before the key's first grant."""
        key_id: int = self._execute("INSERT INTO rate_keys (key) VALUES (?) RETURNING id", (key,)).get
        return key_id << NUMBER_BITS

    def _drop(self, newest: int, count: int) -> None:
        """Grants older than the last `count` decide nothing."""
        oldest: int = self._execute("SELECT min(id) FROM rate_grants WHERE id > ?", (_before_first(newest),)).get
        last = min(newest - count, oldest + DROPPED_AT_ONCE_MAX - 1)
        self._execute("DELETE FROM rate_grants WHERE id BETWEEN ? AND ?", (oldest, last))


def _before_first(newest: int) -> int:
    """Row id before the first grant of the key whose newest grant is given."""
    return newest >> NUMBER_BITS << NUMBER_BITS
