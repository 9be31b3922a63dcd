"""How the ledger shares a commit: locks of other processes, failures, callers and loops that are gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from caisson.adapters.embedded.ledger import EmbeddedLedger, group_commit
from caisson.adapters.embedded.ledger.group_commit import GroupCommit
from caisson.errors import LedgerBusy, LedgerError, Refusal, WireError
from caisson.ports.ledger import Account, Reservation

ACCOUNT = Account(
    session_id="s", user="u", agent="a", task="t", opened=0.0, expires=1e9, tokens_max=1000, actions_max=1000
)  # fmt: skip


class Other:
    """A connection of another process."""

    def __init__(self, path: Path) -> None:
        self.db = apsw.Connection(str(path))

    def lock(self) -> None:
        self.db.execute("BEGIN IMMEDIATE")

    def unlock(self) -> None:
        self.db.execute("ROLLBACK")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[EmbeddedLedger]:
    made = EmbeddedLedger(path, busy_s=0.05)
    yield made
    made.close()


async def reserve(ledger: EmbeddedLedger, name: str, tokens: int = 10) -> Reservation | Refusal:
    return await ledger.reserve(
        reservation_id=name, session_id="s", tokens=tokens, actions=1, rates=(), now=1.0, deadline=61.0
    )


def commits_of(db: apsw.Connection) -> list[int]:
    """Grows by one a commit: the pages of the log."""
    seen: list[int] = []
    db.set_wal_hook(lambda _db, _name, pages: seen.append(pages) or apsw.SQLITE_OK)
    return seen


async def test_callers_of_one_turn_share_a_commit(ledger: EmbeddedLedger) -> None:
    await ledger.open(ACCOUNT)
    commits = commits_of(ledger._db)
    await asyncio.gather(*(reserve(ledger, f"r{number}") for number in range(32)))
    assert len(commits) == 1
    await asyncio.gather(
        *(ledger.settle(f"r{number}", tokens=1, cost_micro_usd=1) for number in range(32)), reserve(ledger, "next")
    )
    assert len(commits) == 2


async def test_a_batch_is_bounded(ledger: EmbeddedLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    await ledger.open(ACCOUNT)
    commits = commits_of(ledger._db)
    monkeypatch.setattr(group_commit, "ACTS_MAX", 10)
    results = await asyncio.gather(*(reserve(ledger, f"r{number}") for number in range(25)))
    assert all(isinstance(result, Reservation) for result in results)
    assert len(commits) == 3


async def test_what_waits_is_bounded_and_settles_are_not_refused(
    ledger: EmbeddedLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "first")
    monkeypatch.setattr(group_commit, "WAITING_MAX", 2)
    *results, settled = await asyncio.gather(
        *(reserve(ledger, f"r{number}") for number in range(4)), ledger.settle("first", tokens=1, cost_micro_usd=1)
    )
    assert [isinstance(result, Reservation) for result in results] == [True, True, False, False]
    assert settled is None
    balance = await ledger.balance("s", now=2.0)
    assert balance is not None
    assert balance.tokens_used == 1


async def test_nobody_is_told_before_the_commit(ledger: EmbeddedLedger, path: Path) -> None:
    """Whoever has been told finds it through any other connection."""
    await ledger.open(ACCOUNT)
    other = Other(path).db

    async def caller(name: str) -> None:
        assert isinstance(await reserve(ledger, name), Reservation)
        assert other.execute("SELECT count(*) FROM reservations WHERE reservation_id = ?", (name,)).get == 1
        await ledger.settle(name, tokens=1, cost_micro_usd=1)
        assert other.execute("SELECT count(*) FROM reservations WHERE reservation_id = ?", (name,)).get == 0

    await asyncio.gather(*(caller(f"r{number}") for number in range(8)))


async def test_a_lock_is_waited_for_and_the_loop_goes_on(path: Path) -> None:
    ledger = EmbeddedLedger(path, busy_s=60.0)
    await ledger.open(ACCOUNT)
    await reserve(ledger, "first")
    other = Other(path)
    other.lock()
    waiting = [
        asyncio.create_task(reserve(ledger, "second")),
        asyncio.create_task(ledger.settle("first", tokens=3, cost_micro_usd=1)),
    ]
    for _ in range(200):  # the loop turns while the lock is held: nothing blocks it
        await asyncio.sleep(0)
    balance = await ledger.balance("s", now=2.0)  # and reads are answered
    assert balance is not None
    assert (balance.tokens_used, balance.tokens_reserved) == (0, 10)
    assert not any(task.done() for task in waiting)
    other.unlock()
    second, _ = await asyncio.gather(*waiting)
    assert isinstance(second, Reservation)
    balance = await ledger.balance("s", now=2.0)
    assert balance is not None
    assert (balance.tokens_used, balance.tokens_reserved) == (3, 10)
    ledger.close()


async def test_a_lock_that_stays_refuses_and_fails_closed(
    ledger: EmbeddedLedger, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "first")
    other = Other(path)
    other.lock()
    refused, settled, ended = await asyncio.gather(
        reserve(ledger, "second"),
        ledger.settle("first", tokens=3, cost_micro_usd=1),
        ledger.end("s", "x"),
        return_exceptions=True,
    )
    assert isinstance(refused, Refusal)
    assert (refused.error, refused.rule) == (WireError.UNAVAILABLE, "ledger.unavailable")
    assert isinstance(settled, LedgerBusy)
    assert isinstance(ended, LedgerBusy)
    assert settled is not ended
    assert "locked" in caplog.text
    other.unlock()
    assert await ledger.ended("s") == ""
    assert isinstance(await reserve(ledger, "third"), Reservation)  # and it works again
    balance = await ledger.balance("s", now=2.0)
    assert balance is not None
    assert (balance.tokens_used, balance.tokens_reserved, balance.actions_used) == (0, 20, 2)


async def test_a_caller_that_left_while_the_lock_was_held_reserves_nothing(path: Path) -> None:
    ledger = EmbeddedLedger(path, busy_s=60.0)
    await ledger.open(ACCOUNT)
    other = Other(path)
    other.lock()
    left, stays = asyncio.create_task(reserve(ledger, "left")), asyncio.create_task(reserve(ledger, "stays"))
    for _ in range(5):
        await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait([left])
    other.unlock()
    assert isinstance(await stays, Reservation)
    balance = await ledger.balance("s", now=2.0)
    assert balance is not None
    assert (balance.tokens_reserved, balance.actions_used) == (10, 1)
    ledger.close()


class Boom(Exception):  # noqa: N818
    pass


async def test_an_act_that_raises_is_undone_alone(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE t (x)").fetchall()
    began: list[None] = []
    commits = GroupCommit(db, busy_s=0.05, before=lambda: began.append(None))

    def put(value: int) -> int:
        db.execute("INSERT INTO t VALUES (?)", (value,))
        if value < 0:
            raise Boom("no")
        return value

    outcomes = await asyncio.gather(
        *(commits.submit(lambda value=value: put(value), droppable=True) for value in (1, -2, 3, -4)),
        return_exceptions=True,
    )
    assert outcomes[::2] == [1, 3]
    for error in outcomes[1::2]:
        assert isinstance(error, LedgerError)
        assert isinstance(error.__cause__, Boom)
    assert outcomes[1] is not outcomes[3]
    assert db.execute("SELECT x FROM t").fetchall() == [(1,), (3,)]
    assert len(began) == 5  # together, then each alone
    assert "Boom" in caplog.text
    assert not db.in_transaction
    db.close()


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "COMMIT"])
async def test_a_transaction_that_fails_fails_all_of_its_callers(ledger: EmbeddedLedger, statement: str) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "first")
    kept = ledger._commits._execute

    def broken(asked: str) -> object:
        if asked == statement:
            raise apsw.IOError("disk I/O error")
        return kept(asked)

    ledger._commits._execute = broken  # type: ignore[assignment]
    one, two, settled = await asyncio.gather(
        reserve(ledger, "a"),
        reserve(ledger, "b"),
        ledger.settle("first", tokens=3, cost_micro_usd=1),
        return_exceptions=True,
    )
    assert isinstance(one, Refusal)
    assert isinstance(two, Refusal)
    assert one.rule == two.rule == "ledger.unavailable"
    assert isinstance(settled, LedgerError)
    ledger._commits._execute = kept
    balance = await ledger.balance("s", now=2.0)
    assert balance is not None
    assert (balance.tokens_used, balance.tokens_reserved, balance.actions_used) == (0, 10, 1)
    assert isinstance(await reserve(ledger, "c"), Reservation)


async def test_closing_carries_out_what_must_happen(ledger: EmbeddedLedger, path: Path) -> None:
    await ledger.open(ACCOUNT)
    await reserve(ledger, "first")
    settling = asyncio.create_task(ledger.settle("first", tokens=3, cost_micro_usd=1))
    await asyncio.sleep(0)
    ledger.close()
    await settling
    again = EmbeddedLedger(path)
    balance = await again.balance("s", now=2.0)
    assert balance is not None
    assert (balance.tokens_used, balance.tokens_reserved) == (3, 0)
    again.close()


async def test_a_closed_ledger_refuses_and_does_not_hang(ledger: EmbeddedLedger) -> None:
    ledger.close()
    refused = await reserve(ledger, "late")
    assert isinstance(refused, Refusal)
    with pytest.raises(LedgerError):
        await ledger.settle("late", tokens=1, cost_micro_usd=1)
    with pytest.raises(LedgerError):
        await ledger.ended("s")


def test_a_loop_that_ended_leaves_its_settles_and_hangs_nobody(ledger: EmbeddedLedger, path: Path) -> None:
    """What waited for a lock when the loop closed: settles are carried out by the next one, reserves are not."""
    other = Other(path)

    async def begin() -> list[object]:
        await ledger.open(ACCOUNT)
        await reserve(ledger, "first")
        other.lock()
        calls = [reserve(ledger, "lost"), ledger.settle("first", tokens=3, cost_micro_usd=1)]
        for call in calls:
            call.send(None)
        return calls

    loop = asyncio.new_event_loop()
    calls = loop.run_until_complete(begin())
    loop.close()
    other.unlock()

    async def look() -> None:
        async with asyncio.timeout(5):
            assert isinstance(await reserve(ledger, "next"), Reservation)
        balance = await ledger.balance("s", now=2.0)
        assert balance is not None
        assert (balance.tokens_used, balance.tokens_reserved) == (3, 10)

    asyncio.run(look())
    assert len(calls) == 2


def test_a_failure_that_nobody_waits_for_is_logged(ledger: EmbeddedLedger, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise Boom("no")

    async def run() -> None:
        ledger._commits.submit_unattended(fail)
        await ledger.open(ACCOUNT)

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert "Boom" in caplog.text
