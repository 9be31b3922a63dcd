"""One behavioural suite for every ledger: never more than a limit, whatever the interleaving (SESS-01)."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.errors import Refusal, WireError
from caisson.ports.ledger import Account, Ledger, Rate, Reservation

ACCOUNT = Account(
    session_id="s-1",
    user="alice",
    agent="claims",
    task="answer",
    opened=0.0,
    expires=1000.0,
    tokens_max=1000,
    actions_max=10,
)
Make = Callable[[Path], Ledger]


@pytest.fixture(params=[EmbeddedLedger], ids=["embedded"])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param


@pytest.fixture
def ledger(make: Make, tmp_path: Path) -> Iterator[Ledger]:
    made = make(tmp_path / "ledger.db")
    yield made
    made.close()


async def reserve(ledger: Ledger, name: str, tokens: int, *, now: float = 1.0, session: str = "s-1", rates=()):
    return await ledger.reserve(
        reservation_id=name, session_id=session, tokens=tokens, actions=1, rates=rates, now=now, deadline=now + 60
    )


async def test_reserves_then_settles_what_was_used(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    assert isinstance(await reserve(ledger, "r1", 600), Reservation)
    await ledger.settle("r1", tokens=50, cost_micro_usd=7)
    balance = await ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert (balance.tokens_used, balance.tokens_reserved, balance.cost_micro_usd) == (50, 0, 7)


async def test_worst_cases_of_requests_under_way_count(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    assert isinstance(await reserve(ledger, "r1", 600), Reservation)
    refused = await reserve(ledger, "r2", 500)
    assert isinstance(refused, Refusal)
    assert (refused.error, refused.rule) == (WireError.THROTTLING, "ledger.tokens")
    assert "400" in refused.message


async def test_a_dead_workers_reservation_counts_until_its_deadline(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "dead", 1000, now=1.0)
    assert isinstance(await reserve(ledger, "r2", 1, now=60.9), Refusal)
    assert isinstance(await reserve(ledger, "r3", 1, now=61.1), Reservation)


async def test_a_late_settle_is_still_charged(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "slow", 400, now=1.0)
    await reserve(ledger, "next", 1, now=100.0)
    await ledger.settle("slow", tokens=400, cost_micro_usd=None)
    balance = await ledger.balance("s-1", now=101.0)
    assert balance is not None
    assert (balance.tokens_used, balance.cost_unknown_requests) == (400, 1)


async def test_settling_twice_changes_nothing_and_never_exceeds_the_reservation(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "r1", 100)
    await ledger.settle("r1", tokens=5000, cost_micro_usd=1)
    await ledger.settle("r1", tokens=5000, cost_micro_usd=1)
    balance = await ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert (balance.tokens_used, balance.cost_micro_usd) == (100, 1)


async def test_lapsed_reservations_are_listed_until_forgotten(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "dead", 100, now=1.0)
    await reserve(ledger, "alive", 100, now=100.0)
    assert await ledger.lapsed(before=61.0) == ()
    (dead,) = await ledger.lapsed(before=61.1)
    assert (dead.reservation_id, dead.session_id) == ("dead", "s-1")
    await ledger.forget([dead])
    assert await ledger.lapsed(before=61.1) == ()
    await ledger.settle("dead", tokens=100, cost_micro_usd=0)
    balance = await ledger.balance("s-1", now=101.0)
    assert balance is not None
    assert (balance.tokens_used, balance.tokens_reserved) == (0, 100)


@pytest.mark.parametrize(
    ("prepare", "error", "rule"),
    [
        ("unknown", WireError.ACCESS_DENIED, "ledger.unknown"),
        ("ended", WireError.EXPIRED_TOKEN, "ledger.closed"),
        ("late", WireError.EXPIRED_TOKEN, "ledger.duration"),
        ("actions", WireError.THROTTLING, "ledger.actions"),
    ],
)
async def test_what_ends_a_session_refuses(ledger: Ledger, prepare: str, error: WireError, rule: str) -> None:
    now = 1.0
    if prepare != "unknown":
        await ledger.open(ACCOUNT)
    if prepare == "ended":
        await ledger.end("s-1", "revoked by root")
    if prepare == "late":
        now = 1000.0
    if prepare == "actions":
        for number in range(10):
            assert isinstance(await reserve(ledger, f"a{number}", 1), Reservation)
    refused = await reserve(ledger, "r", 1, now=now)
    assert isinstance(refused, Refusal)
    assert (refused.error, refused.rule) == (error, rule)


async def test_opening_again_keeps_what_was_used(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "r1", 10)
    await ledger.settle("r1", tokens=10, cost_micro_usd=0)
    await ledger.open(ACCOUNT)
    balance = await ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert balance.tokens_used == 10


async def test_a_refused_reserve_leaves_no_trace(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    rate = Rate(key="user:alice", count=1, window_s=60)
    assert isinstance(await reserve(ledger, "big", 2000, rates=[rate]), Refusal)
    assert isinstance(await reserve(ledger, "ok", 1, rates=[rate]), Reservation)
    balance = await ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert balance.actions_used == 1


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    steps=st.lists(st.floats(0, 5, allow_nan=False), max_size=40),
    count=st.integers(1, 4),
    smaller=st.integers(1, 4),
    change_at=st.integers(0, 40),
)
def test_no_window_ever_holds_more_than_the_rate(
    make: Make, tmp_path_factory: pytest.TempPathFactory, steps: list[float], count: int, smaller: int, change_at: int
) -> None:
    """Every window of any phase, also across a change of the limit."""

    async def run() -> None:
        ledger = make(tmp_path_factory.mktemp("rate") / "l.db")
        await ledger.open(
            Account(
                session_id="s",
                user="u",
                agent="a",
                task="t",
                opened=0,
                expires=1e9,
                tokens_max=10**9,
                actions_max=10**6,
            )
        )
        now, window_s = 1.0, 10.0
        granted: list[tuple[float, int]] = []
        for number, step in enumerate(steps):
            now += step
            limit = count if number < change_at else smaller
            result = await reserve(
                ledger,
                f"r{number}",
                1,
                now=now,
                session="s",
                rates=[Rate(key="user:u", count=limit, window_s=window_s)],
            )
            inside = [at for at, _ in granted if now - window_s < at]
            if isinstance(result, Reservation):
                granted.append((now, limit))
                assert len(inside) + 1 <= limit
            else:
                assert len(inside) >= limit
                assert result.retry_after_s is not None
                assert 0 < result.retry_after_s <= window_s
        ledger.close()

    asyncio.run(run())


def _spend(path: str, worker: int, granted: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    async def run() -> None:
        ledger = EmbeddedLedger(Path(path))
        total = 0
        for number in range(200):
            name = f"{worker}-{number}"
            result = await reserve(ledger, name, 7)
            if isinstance(result, Reservation):
                total += 7
                await ledger.settle(name, tokens=7, cost_micro_usd=0)
        granted.put(total)
        ledger.close()

    asyncio.run(run())


def test_workers_together_never_overshoot(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"

    async def start() -> None:
        ledger = EmbeddedLedger(path)
        await ledger.open(
            Account(
                session_id="s-1",
                user="u",
                agent="a",
                task="t",
                opened=0,
                expires=1e9,
                tokens_max=1000,
                actions_max=10**6,
            )
        )
        ledger.close()

    asyncio.run(start())
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    workers = [context.Process(target=_spend, args=(str(path), number, queue)) for number in range(3)]
    for worker in workers:
        worker.start()
    totals = [queue.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    assert sum(totals) == 994  # 142 requests of 7 fit into 1,000: neither one more nor one fewer


def test_killing_a_worker_loses_no_settled_charge(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:

        async def work() -> None:
            ledger = EmbeddedLedger(path)
            await ledger.open(ACCOUNT)
            await reserve(ledger, "r1", 100)
            await ledger.settle("r1", tokens=42, cost_micro_usd=0)
            await reserve(ledger, "r2", 100)
            os.write(writing, b"x")
            signal.pause()

        try:
            asyncio.run(work())
        finally:
            os._exit(1)
    os.read(reading, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    async def look() -> None:
        ledger = EmbeddedLedger(path)
        balance = await ledger.balance("s-1", now=2.0)
        assert balance is not None
        assert (balance.tokens_used, balance.tokens_reserved) == (42, 100)
        ledger.close()

    asyncio.run(look())
