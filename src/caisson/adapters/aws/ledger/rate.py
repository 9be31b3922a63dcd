"""Exact rates as numbered grants: the grant `count` before the next one decides, as in the embedded ledger.

A rate's head holds how many grants there ever were and the last few of them. Whenever these fill a chunk, the chunk is
written once and never changed, so that a grant costs one small item however many a window holds, and a chunk that was
read is known for good. A chunk that is gone has outlived every window, and its grants decide nothing.

>>> rate = RateState(key="system", newest=2, recent=(5.0, 9.0))
>>> rate.at(0), rate.granted(11.0).newest
(5.0, 3)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from caisson.errors import Refusal, WireError
from caisson.ports.ledger import Rate

CHUNK = 64
"""Grants of a chunk, 8 bytes each: head and chunk stay below 1 KB, which is what one unit of writing carries."""


class ChunkMissing(Exception):  # noqa: N818  (asks for a read, and is no error)
    """A decision needs a chunk that was not read yet."""

    def __init__(self, rate: str, number: int) -> None:
        super().__init__(rate, number)
        self.rate = rate
        self.number = number


@dataclass(frozen=True, kw_only=True)
class RateState:
    """The grants of one rate, as far as they were read."""

    key: str
    newest: int = 0
    """How many grants there ever were. It grows with every change, so it is also the version of the head."""
    recent: tuple[float, ...] = ()
    """When the last `newest % CHUNK` grants were given, in the order of granting."""
    chunks: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    """Full chunks that were read, by number; empty: the table holds it no longer."""

    def at(self, number: int) -> float | None:
        """When grant `number`, counted from 0, was given; None when there was none or it decides nothing any more.

        Raises:
            ChunkMissing: it was not read.
        """
        if not 0 <= number < self.newest:
            return None
        chunk, place = divmod(number, CHUNK)
        if chunk == self.newest // CHUNK:
            return self.recent[place]
        if chunk not in self.chunks:
            raise ChunkMissing(self.key, chunk)
        grants = self.chunks[chunk]
        return grants[place] if grants else None

    def refusal(self, rate: Rate, now: float) -> Refusal | None:
        """Whether `rate` has no grant left at Unix time `now`. A grant in the future does not count.

        Raises:
            ChunkMissing: see `at`.
        """
        at = self.at(self.newest - rate.count)
        if at is None or not 0.0 <= now - at < rate.window_s:
            return None
        return Refusal(
            error=WireError.THROTTLING,
            rule=f"ledger.rate.{rate.key.partition(':')[0]}",
            message=f"More than {rate.count} requests in {rate.window_s:g} s; retry later.",
            retry_after_s=rate.window_s - (now - at),
        )

    def knowing(self, number: int, grants: tuple[float, ...]) -> RateState:
        """With a full chunk that was read; no grants when the table holds it no longer."""
        return replace(self, chunks={**self.chunks, number: grants})

    def granted(self, now: float) -> RateState:
        """With one grant more."""
        recent = (*self.recent, now)
        if len(recent) < CHUNK:
            return replace(self, newest=self.newest + 1, recent=recent)
        full = {**self.chunks, self.newest // CHUNK: recent}
        return replace(self, newest=self.newest + 1, recent=(), chunks=full)
