"""The ledger alone: processor time of all its work for one request, at 1 and at 32 callers at once.

A request does what the request path does: looks whether its session lives, reserves, waits a turn of the loop as if for
a model, and settles. The same coroutines over a ledger that does nothing are taken off. Best of several rounds, because
other processes only ever add.

Run: python -m bench.ledger
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from time import process_time
from uuid import uuid4

import uvloop

from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.ports.ledger import Account, Rate, Reservation

ROUNDS, REQUESTS = 15, 3_200
CALLERS = (1, 32)
SESSIONS = 50
RATES = (Rate(key="user:alice", count=20_000, window_s=1.0), Rate(key="system", count=20_000, window_s=1.0))


async def _request(ledger: EmbeddedLedger | None, session_id: str, now: float) -> None:
    reservation_id = str(uuid4())
    if ledger is None:
        await asyncio.sleep(0)
        return
    await ledger.ended(session_id)
    granted = await ledger.reserve(
        reservation_id=reservation_id, session_id=session_id, tokens=3_000, actions=1, rates=RATES, now=now,
        deadline=now + 300,
    )  # fmt: skip
    if not isinstance(granted, Reservation):
        raise RuntimeError(granted.message)
    await asyncio.sleep(0)
    await ledger.settle(reservation_id, tokens=1_000, cost_micro_usd=5)


async def _round(ledger: EmbeddedLedger | None, callers: int, began: float) -> float:
    """Microseconds of processor time a request."""

    async def caller(number: int) -> None:
        for turn in range(REQUESTS // callers):
            await _request(ledger, f"s-{number % SESSIONS:032x}", began + turn * 0.01)

    start = process_time()
    await asyncio.gather(*(caller(number) for number in range(callers)))
    return (process_time() - start) / REQUESTS * 1e6


async def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = EmbeddedLedger(Path(folder) / "ledger.db")
        for number in range(SESSIONS):
            await ledger.open(
                Account(
                    session_id=f"s-{number:032x}", user="alice", agent="claims", task="answer", opened=0.0,
                    expires=1e12, tokens_max=10**9, actions_max=10**9,
                )
            )  # fmt: skip
        for callers in CALLERS:
            empty = min([await _round(None, callers, 0.0) for _ in range(ROUNDS)])
            found = sorted([await _round(ledger, callers, number * 1e4) - empty for number in range(ROUNDS)])
            print(f"{callers:>3} at once: {found[0]:.1f} µs (median {found[ROUNDS // 2]:.1f}) a request")
        ledger.close()


if __name__ == "__main__":
    uvloop.run(main())
