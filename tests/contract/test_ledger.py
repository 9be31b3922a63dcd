"""One behavioural suite for every ledger: never more than a limit, whatever the interleaving (SESS-01)."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aws_services import ledger_maker
from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.errors import Refusal, WireError
from caisson.ports.ledger import Account, Balance, Ledger, Rate, Reservation

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


@pytest.fixture(params=["embedded", "dynamodb"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def make(kind: str, request: pytest.FixtureRequest) -> Make:
    """A ledger of the store that a path stands for."""
    return EmbeddedLedger if kind == "embedded" else ledger_maker(request.getfixturevalue("moto"))


@pytest.fixture
def examples(kind: str) -> Callable[[int], int]:
    """How many generated cases, from how many a file on disk has time for."""
    return lambda number: number if kind == "embedded" else number // 10


@pytest.fixture
async def ledger(make: Make, tmp_path: Path) -> AsyncIterator[Ledger]:
    made = make(tmp_path / "ledger.db")
    yield made
    await made.stop()


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


ROOMY = Account(
    session_id="s", user="u", agent="a", task="t", opened=0.0, expires=1e9, tokens_max=10**9, actions_max=10**6
)  # fmt: skip


def test_no_window_ever_holds_more_than_the_rate(
    make: Make, examples: Callable[[int], int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every window of any phase, also across a change of the limit."""

    @settings(deadline=None, max_examples=examples(60))
    @given(
        steps=st.lists(st.floats(0, 5, allow_nan=False), max_size=40),
        count=st.integers(1, 4),
        smaller=st.integers(1, 4),
        change_at=st.integers(0, 40),
    )
    @example(
        steps=[0.0, 3.0, 4.237343469775841, 1.9715090405855964, 0.7139549986460582, 1.9715090405855964, 0.0],
        count=1,
        smaller=1,
        change_at=0,
    )
    def check(steps: list[float], count: int, smaller: int, change_at: int) -> None:
        asyncio.run(run(steps, count, smaller, change_at))

    async def run(steps: list[float], count: int, smaller: int, change_at: int) -> None:
        ledger = make(tmp_path_factory.mktemp("rate") / "l.db")
        await ledger.open(ROOMY)
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
            inside = [at for at, _ in granted if now - at < window_s]
            if isinstance(result, Reservation):
                granted.append((now, limit))
                assert len(inside) + 1 <= limit
            else:
                assert len(inside) >= limit
                assert result.retry_after_s is not None
                assert 0 < result.retry_after_s <= window_s
        await ledger.stop()

    check()


@dataclass
class Model:
    """What a ledger must say, kept in the plainest way: every reservation and every grant there ever was."""

    tokens_used: int = 0
    actions_used: int = 0
    cost_micro_usd: int = 0
    cost_unknown_requests: int = 0
    closed: str = ""
    open: dict[str, tuple[int, float]] = field(default_factory=dict)
    grants: dict[str, list[float]] = field(default_factory=dict)

    def reserved(self, now: float) -> int:
        return sum(tokens for tokens, deadline in self.open.values() if deadline > now)

    def reserve(self, name: str, tokens: int, rates: Sequence[Rate], now: float, deadline: float) -> str:
        """The rule that refuses, empty when granted."""
        if self.closed:
            return "ledger.closed"
        if now >= ACCOUNT.expires:
            return "ledger.duration"
        if self.actions_used + 1 > ACCOUNT.actions_max:
            return "ledger.actions"
        if tokens > ACCOUNT.tokens_max - self.tokens_used - self.reserved(now):
            return "ledger.tokens"
        for rate in rates:
            given = self.grants.get(rate.key, [])
            if len(given) >= rate.count and 0.0 <= now - given[-rate.count] < rate.window_s:
                return f"ledger.rate.{rate.key.partition(':')[0]}"
        for rate in rates:
            self.grants.setdefault(rate.key, []).append(now)
        self.actions_used += 1
        self.open[name] = (tokens, deadline)
        return ""

    def settle(self, name: str, tokens: int, cost: int | None) -> None:
        if name in self.open:
            reserved, _ = self.open.pop(name)
            self.tokens_used += min(tokens, reserved)
            self.cost_micro_usd += cost or 0
            self.cost_unknown_requests += cost is None


RATES = st.lists(
    st.builds(
        Rate,
        key=st.sampled_from(["user:alice", "user:bob", "system"]),
        count=st.integers(1, 4),
        window_s=st.sampled_from([1.0, 10.0, 50.0]),
    ),
    max_size=2,
    unique_by=lambda rate: rate.key,
)
TURNS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 3.0, 9.0, 61.0, -5.0, -100.0]),  # the clock also steps back
        st.lists(
            st.one_of(
                st.tuples(st.just("reserve"), st.integers(0, 600), RATES),
                st.tuples(st.just("settle"), st.integers(0, 30), st.integers(0, 700), st.sampled_from([None, 0, 9])),
                st.tuples(st.just("sweep")),
            ),
            max_size=6,
        ),
    ),
    max_size=14,
)


def test_what_comes_at_once_is_decided_as_if_one_after_the_other(
    make: Make, examples: Callable[[int], int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Against a model: every verdict, and the whole balance after each turn, with clocks that step back."""

    @settings(deadline=None, max_examples=examples(150))
    @given(turns=TURNS, end_at=st.integers(0, 40))
    @example(turns=[(0.0, [("reserve", 600, []), ("reserve", 600, [])]), (61.0, [("reserve", 600, [])])], end_at=40)
    @example(turns=[(0.0, [("settle", 0, 5, 9), ("reserve", 10, [])])], end_at=40)
    def check(turns: list[Any], end_at: int) -> None:
        asyncio.run(run(turns, end_at))

    async def run(turns: list[Any], end_at: int) -> None:
        ledger, model = make(tmp_path_factory.mktemp("model") / "l.db"), Model()
        await ledger.open(ACCOUNT)
        now, names = 200.0, 0
        for number, (step, acts) in enumerate(turns):
            now += step
            if number == end_at:
                await ledger.end("s-1", "enough")
                model.closed = "enough"
            said, expected = [], []
            for act in acts:
                if act[0] == "reserve":
                    _, tokens, rates = act
                    said.append(reserve(ledger, f"r{names}", tokens, now=now, rates=rates))
                    expected.append(model.reserve(f"r{names}", tokens, rates, now, now + 60))
                    names += 1
                elif act[0] == "settle":
                    _, which, tokens, cost = act
                    said.append(ledger.settle(f"r{which}", tokens=tokens, cost_micro_usd=cost))
                    expected.append(model.settle(f"r{which}", tokens, cost))
            found = await asyncio.gather(*said)
            rules = [
                result.rule if isinstance(result, Refusal) else "" if isinstance(result, Reservation) else None
                for result in found
            ]
            assert rules == expected
            if any(act[0] == "sweep" for act in acts):
                lapsed = await ledger.lapsed(before=now)
                late = {name for name, (_, deadline) in model.open.items() if deadline < now}
                assert {reservation.reservation_id for reservation in lapsed} == late
                await ledger.forget(lapsed)
                model.open = {name: kept for name, kept in model.open.items() if name not in late}
            balance = await ledger.balance("s-1", now=now)
            assert balance == Balance(
                account=ACCOUNT, tokens_used=model.tokens_used, tokens_reserved=model.reserved(now),
                actions_used=model.actions_used, cost_micro_usd=model.cost_micro_usd,
                cost_unknown_requests=model.cost_unknown_requests, closed=model.closed,
            )  # fmt: skip
            assert await ledger.sessions(now=now, live_only=False) == (balance,)
        await ledger.stop()

    check()


async def test_callers_at_once_get_exactly_what_there_is(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    by_tokens = await asyncio.gather(*(reserve(ledger, f"r{number}", 300) for number in range(8)))
    assert [isinstance(result, Reservation) for result in by_tokens] == [True] * 3 + [False] * 5
    await ledger.open(ROOMY)
    rates = [Rate(key="user:u", count=5, window_s=10.0), Rate(key="system", count=3, window_s=10.0)]
    by_rate = await asyncio.gather(
        *(reserve(ledger, f"s{number}", 1, session="s", rates=rates) for number in range(40))
    )
    assert [isinstance(result, Reservation) for result in by_rate] == [True] * 3 + [False] * 37


async def test_what_another_process_did_counts_at_once(make: Make, tmp_path: Path) -> None:
    one, two = make(tmp_path / "ledger.db"), make(tmp_path / "ledger.db")
    await one.open(replace(ROOMY, session_id="s-1", tokens_max=65))
    rates = [Rate(key="user:u", count=5, window_s=10.0)]
    for number, ledger in enumerate((one, two, two, one, two)):
        assert isinstance(await reserve(ledger, f"r{number}", 10, rates=rates), Reservation)
    for ledger in (one, two):
        refused = await reserve(ledger, "r", 10, rates=rates)
        assert isinstance(refused, Refusal)
        assert refused.rule == "ledger.rate.user"
        refused = await reserve(ledger, "r", 16)
        assert isinstance(refused, Refusal)
        assert refused.rule == "ledger.tokens"
    await two.settle("r0", tokens=9, cost_micro_usd=0)
    await two.end("s-1", "enough")
    assert await one.ended("s-1") == "enough"
    seen = await one.balance("s-1", now=2.0)
    assert seen == await two.balance("s-1", now=2.0)
    assert seen is not None
    assert (seen.tokens_used, seen.tokens_reserved) == (9, 40)
    await one.stop()
    await two.stop()


async def test_the_first_grants_of_a_rate_count_for_whoever_saw_none(make: Make, tmp_path: Path) -> None:
    one, two = make(tmp_path / "ledger.db"), make(tmp_path / "ledger.db")
    await one.open(ACCOUNT)
    rates = [Rate(key="user:u", count=2, window_s=10.0)]
    assert isinstance(await reserve(two, "r0", 100_000, rates=rates), Refusal)  # looked, and saw no grant
    for name in ("r1", "r2"):
        assert isinstance(await reserve(one, name, 1, rates=rates), Reservation)
    refused = await reserve(two, "r3", 1, rates=rates)
    assert isinstance(refused, Refusal)
    assert refused.rule == "ledger.rate.user"
    await one.stop()
    await two.stop()


async def test_what_another_process_gave_back_is_granted_at_once(make: Make, tmp_path: Path) -> None:
    """Nothing is refused for what was so a moment ago."""
    one, two = make(tmp_path / "ledger.db"), make(tmp_path / "ledger.db")
    await one.open(ACCOUNT)
    assert isinstance(await reserve(one, "r1", 600), Reservation)
    assert isinstance(await reserve(two, "r2", 400), Reservation)
    await one.settle("r1", tokens=1, cost_micro_usd=0)
    assert isinstance(await reserve(two, "r3", 599), Reservation)
    refused = await reserve(one, "r4", 1)
    assert isinstance(refused, Refusal)
    assert refused.rule == "ledger.tokens"
    await one.stop()
    await two.stop()


async def test_one_callers_refusal_touches_nobody_else(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    results = await asyncio.gather(
        reserve(ledger, "a", 100),
        reserve(ledger, "b", 5000),
        reserve(ledger, "c", 100, session="nobody"),
        reserve(ledger, "d", 100),
    )
    assert [isinstance(result, Reservation) for result in results] == [True, False, False, True]
    balance = await ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert (balance.tokens_reserved, balance.actions_used) == (200, 2)


async def test_a_reserve_that_cannot_be_made_touches_nobody_else(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "same", 100)
    before, twice, after = await asyncio.gather(
        reserve(ledger, "before", 100), reserve(ledger, "same", 100), reserve(ledger, "after", 100)
    )
    assert isinstance(before, Reservation)
    assert isinstance(after, Reservation)
    assert isinstance(twice, Refusal)
    assert (twice.error, twice.rule) == (WireError.UNAVAILABLE, "ledger.unavailable")
    balance = await ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert (balance.tokens_reserved, balance.actions_used) == (300, 3)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4])
async def test_a_cancelled_caller_has_reserved_nothing(ledger: Ledger, turns: int) -> None:
    """Wherever the cancellation finds it: before it began, in a batch that waits, or granted and not yet told."""
    await ledger.open(ACCOUNT)
    company = asyncio.create_task(reserve(ledger, "company", 100))
    caller = asyncio.create_task(reserve(ledger, "left", 700))
    for _ in range(turns):
        await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait([caller, company])
    assert isinstance(company.result(), Reservation)
    kept = 0 if caller.cancelled() else 700
    assert kept == 0 or turns > 2  # it had been told in time
    assert isinstance(await reserve(ledger, "next", 800 - kept), Reservation)
    balance = await ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert (balance.tokens_reserved, balance.tokens_used) == (900, 0)


@pytest.mark.parametrize("turns", [1, 2, 3])
async def test_a_settle_happens_though_its_caller_is_cancelled(ledger: Ledger, turns: int) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "r1", 700)
    caller = asyncio.create_task(ledger.settle("r1", tokens=300, cost_micro_usd=4))
    for _ in range(turns):
        await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait([caller])
    assert isinstance(await reserve(ledger, "next", 700), Reservation)
    balance = await ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert (balance.tokens_used, balance.tokens_reserved, balance.cost_micro_usd) == (300, 700, 4)


async def test_why_a_session_ended(ledger: Ledger) -> None:
    assert await ledger.ended("s-1") is None
    await ledger.open(ACCOUNT)
    assert await ledger.ended("s-1") == ""
    await ledger.end("s-1", "revoked by root")
    await ledger.end("s-1", "again")
    assert await ledger.ended("s-1") == "revoked by root"


async def test_sessions_are_listed_with_what_is_under_way(ledger: Ledger) -> None:
    for number in range(3):
        await ledger.open(replace(ACCOUNT, session_id=f"s-{number}", opened=float(number), expires=100.0 * number))
    await reserve(ledger, "r1", 100, session="s-1")
    await reserve(ledger, "r2", 30, session="s-2")
    await reserve(ledger, "r3", 4, session="s-2", now=30.0)
    await ledger.end("s-1", "enough")
    every = await ledger.sessions(now=20.0, live_only=False)
    assert [(one.account.session_id, one.tokens_reserved) for one in every] == [("s-2", 34), ("s-1", 100), ("s-0", 0)]
    (live,) = await ledger.sessions(now=70.0, live_only=True)
    assert (live.account.session_id, live.tokens_reserved) == ("s-2", 4)


def _spend(make: Make, path: Path, worker: int, granted: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    """Eight callers at once in a process of its own; every second one dawdles before it settles."""

    async def run() -> None:
        ledger = make(path)

        async def caller(number: int) -> int:
            total = 0
            for turn in range(25):
                name = f"{worker}-{number}-{turn}"
                result = await reserve(ledger, name, 7, rates=[Rate(key="system", count=10**6, window_s=60.0)])
                if isinstance(result, Reservation):
                    total += 7
                    for _ in range(number % 2 * 3):
                        await asyncio.sleep(0)
                    await ledger.settle(name, tokens=7, cost_micro_usd=0)
                else:
                    assert result.rule == "ledger.tokens", result
            return total

        granted.put(sum(await asyncio.gather(*(caller(number) for number in range(8)))))
        await ledger.stop()

    asyncio.run(run())


def _grants(make: Make, path: Path, worker: int, granted: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    async def run() -> None:
        ledger = make(path)
        rates = [Rate(key="user:u", count=500, window_s=10.0), Rate(key="system", count=101, window_s=10.0)]
        total = 0
        for turn in range(20):
            asked = [reserve(ledger, f"{worker}-{turn}-{n}", 1, now=5.0, session="s-1", rates=rates) for n in range(8)]
            for result in await asyncio.gather(*asked):
                total += isinstance(result, Reservation)
                assert isinstance(result, Reservation) or result.rule == "ledger.rate.system", result
        granted.put(total)
        await ledger.stop()

    asyncio.run(run())


def _in_processes(make: Make, path: Path, work: Callable[..., None], account: Account) -> int:
    async def start() -> None:
        ledger = make(path)
        await ledger.open(account)
        await ledger.stop()

    asyncio.run(start())
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    workers = [context.Process(target=work, args=(make, path, number, queue)) for number in range(3)]
    for worker in workers:
        worker.start()
    totals = [queue.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    return sum(totals)


def test_workers_together_never_overshoot(make: Make, tmp_path: Path) -> None:
    account = replace(ROOMY, session_id="s-1", tokens_max=1000)
    # 142 requests of 7 fit into 1,000: neither one more nor one fewer
    assert _in_processes(make, tmp_path / "ledger.db", _spend, account) == 994


def test_workers_together_keep_a_rate_exactly(make: Make, tmp_path: Path) -> None:
    assert _in_processes(make, tmp_path / "ledger.db", _grants, replace(ROOMY, session_id="s-1")) == 101


def test_killing_a_worker_loses_no_settled_charge(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:

        async def work() -> None:
            ledger = make(path)
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
        ledger = make(path)
        balance = await ledger.balance("s-1", now=2.0)
        assert balance is not None
        assert (balance.tokens_used, balance.tokens_reserved) == (42, 100)
        await ledger.stop()

    asyncio.run(look())


@pytest.mark.parametrize("acknowledged", [40, 137, 300])
def test_killing_a_worker_loses_nothing_that_it_was_told(make: Make, tmp_path: Path, acknowledged: int) -> None:
    """Sixteen callers at once, killed in the middle: every reserve and settle that returned is on file."""
    path = tmp_path / "ledger.db"
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:

        async def caller(ledger: Ledger, number: int) -> None:
            for turn in range(10_000):
                name = f"{number}-{turn}"
                await reserve(ledger, name, 10, session="s")
                os.write(writing, b"r")
                await ledger.settle(name, tokens=3, cost_micro_usd=1)
                os.write(writing, b"s")

        async def work() -> None:
            ledger = make(path)
            await ledger.open(ROOMY)
            await asyncio.gather(*(caller(ledger, number) for number in range(16)))

        try:
            os.close(reading)
            asyncio.run(work())
        finally:
            os._exit(1)
    os.close(writing)
    told = b""
    while len(told) < acknowledged:
        told += os.read(reading, acknowledged - len(told))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while more := os.read(reading, 65_536):
        told += more

    async def look() -> None:
        ledger = make(path)
        balance = await ledger.balance("s", now=2.0)
        assert balance is not None
        settled, reserved = told.count(b"s"), told.count(b"r")
        assert settled > 0
        # callers that the last commit had not told of it yet are at most sixteen
        assert settled <= balance.cost_micro_usd <= settled + 16
        assert reserved <= balance.actions_used <= reserved + 16
        assert balance.tokens_used == 3 * balance.cost_micro_usd
        assert balance.tokens_reserved == 10 * (balance.actions_used - balance.cost_micro_usd)
        await ledger.stop()

    asyncio.run(look())
