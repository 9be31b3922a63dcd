"""Budgets under concurrency: the ledger that the gateway has, spent by several at once (SESS-01)."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.assurance.probes.check import Check, Lacking, Transcript
from caisson.assurance.probes.target import Target
from caisson.errors import LedgerError, Refusal
from caisson.ports.ledger import Account, Rate

WORKERS, REQUESTS = 4, 60
"""Threads that spend one account, and what each asks for."""
TOKENS, TOKENS_MAX, ACTIONS_MAX, RATE_MAX = 37, 1_000, 24, 20


def overshoot(_target: Target, seen: Transcript) -> None:
    """Four workers spend one account at once, on the ledger that the gateway has."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        now = 1_000.0
        account = Account(
            session_id="s-probe", user="probe", agent="a", task="t", opened=0.0, expires=now + 3_600,
            tokens_max=TOKENS_MAX, actions_max=ACTIONS_MAX,
        )  # fmt: skip
        roomy = replace(account, session_id="s-rate", tokens_max=10**9, actions_max=10**6)
        first = EmbeddedLedger(path)
        for opened in (account, roomy):
            asyncio.run(first.open(opened))
        granted = _spent(path, account.session_id, (), now)
        tokens = len(granted) * TOKENS
        fits = min(TOKENS_MAX // TOKENS, ACTIONS_MAX)
        seen.witness(f"reservations granted of {WORKERS * REQUESTS}", f"{fits}", f"{len(granted)}", len(granted) >= 1)
        seen.attack("tokens reserved at once", f"at most {TOKENS_MAX}", f"{tokens}", tokens <= TOKENS_MAX)
        told = f"at most {ACTIONS_MAX}"
        seen.attack("actions begun at once", told, f"{len(granted)}", len(granted) <= ACTIONS_MAX)
        rated = _spent(path, roomy.session_id, (Rate(key="user:probe", count=RATE_MAX, window_s=60.0),), now)
        seen.witness(f"requests under a rate of {RATE_MAX} a minute", f"{RATE_MAX}", f"{len(rated)}", bool(rated))
        seen.attack("requests in one window", f"at most {RATE_MAX}", f"{len(rated)}", len(rated) <= RATE_MAX)
        after = _spent(path, account.session_id, (), account.expires + 1, workers=1)
        seen.attack("reservations after the session's end", "none", f"{len(after)}", not after)
        asyncio.run(first.end(roomy.session_id, "probe"))
        closed = _spent(path, roomy.session_id, (), now, workers=1)
        seen.attack("reservations on a closed session", "none", f"{len(closed)}", not closed)
        first.close()


def _spent(path: Path, session_id: str, rates: Sequence[Rate], now: float, *, workers: int = WORKERS) -> list[str]:
    """Reservations that were granted to workers of their own."""
    granted: list[str] = []
    begin = threading.Barrier(workers)

    async def spend(worker: int) -> None:
        ledger = EmbeddedLedger(path)
        try:
            begin.wait(10)
            made = await asyncio.gather(
                *(
                    ledger.reserve(
                        reservation_id=f"{session_id}-{now}-{worker}-{number}", session_id=session_id, tokens=TOKENS,
                        actions=1, rates=rates, now=now, deadline=now + 60,
                    )
                    for number in range(REQUESTS)
                )
            )  # fmt: skip
            granted.extend(found.reservation_id for found in made if not isinstance(found, Refusal))
        finally:
            ledger.close()

    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            asyncio.run(spend(worker))
        except (LedgerError, threading.BrokenBarrierError) as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Lacking(f"the ledger could not be used: {failures[0]}")
    return granted


CHECKS = (
    Check(
        name="budget.overshoot", on="parts", attacker="a program with many connections", run=overshoot,
        claim="No session spends more than its budget, whoever asks at the same time.",
    ),
)  # fmt: skip
