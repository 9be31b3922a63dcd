"""How the ledger's file is kept: settings that cost or save a disk write a request, and files of earlier versions."""

from __future__ import annotations

import asyncio
import multiprocessing
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caisson.adapters.embedded.ledger import EmbeddedLedger, rates
from caisson.errors import LedgerError, Refusal
from caisson.ports.ledger import Account, Rate, Reservation

ACCOUNT = Account(
    session_id="s", user="u", agent="a", task="t", opened=0.0, expires=1e9, tokens_max=10**9, actions_max=10**9
)  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("synchronous", 1),
        ("trusted_schema", 0),
        ("wal_autocheckpoint", 4_000),
        ("journal_mode", "wal"),
        ("page_size", 1_024),
    ],
)
def test_every_setting_is_in_force(tmp_path: Path, setting: str, value: object) -> None:
    ledger = EmbeddedLedger(tmp_path / "ledger.db")
    try:
        assert ledger._db.execute(f"PRAGMA {setting}").fetchall() == [(value,)]
    finally:
        ledger.close()


def test_every_table_and_index_is_there(tmp_path: Path) -> None:
    EmbeddedLedger(tmp_path / "ledger.db").close()
    found = apsw.Connection(str(tmp_path / "ledger.db")).execute("SELECT name FROM sqlite_master")
    names = {name for (name,) in found}
    assert names == {
        "accounts", "accounts_opened", "reservations", "rate_keys", "sqlite_autoindex_rate_keys_1", "rate_grants",
    }  # fmt: skip


async def test_a_request_changes_few_pages(tmp_path: Path) -> None:
    """Each page is two writes to the log: an account, a reservation, and a grant of each rate; then the first two."""
    ledger = EmbeddedLedger(tmp_path / "ledger.db")
    await ledger.open(ACCOUNT)
    both = [Rate(key="user:u", count=1000, window_s=1.0), Rate(key="system", count=1000, window_s=1.0)]
    pages: list[int] = []

    async def request(name: str) -> None:
        assert isinstance(await reserved(ledger, name, *both), Reservation)
        await ledger.settle(name, tokens=1, cost_micro_usd=1)

    for number in range(300):  # a rate's grants are in pages of their own from here on
        await request(f"r{number}")
    ledger._db.set_wal_hook(lambda _db, _name, size: pages.append(size) or apsw.SQLITE_OK)
    ledger._db.wal_checkpoint()  # the log begins anew
    for number in range(64):
        await request(f"s{number}")
    assert len(pages) == 128
    assert pages[-1] / 64 < 7  # six, and what a page that fills up or empties costs
    ledger.close()


async def reserved(ledger: EmbeddedLedger, name: str, *asked: Rate, now: float = 1.0) -> Reservation | Refusal:
    return await ledger.reserve(
        reservation_id=name, session_id="s", tokens=10, actions=1, rates=asked, now=now, deadline=now + 60
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    steps=st.lists(st.sampled_from([0.0, 0.4, 3.0, 11.0]), min_size=10, max_size=60),
    counts=st.lists(st.integers(1, 6), min_size=60, max_size=60),
    every=st.integers(1, 5),
    at_once=st.integers(1, 3),
)
def test_dropping_old_grants_changes_no_verdict(
    tmp_path_factory: pytest.TempPathFactory, steps: list[float], counts: list[int], every: int, at_once: int
) -> None:
    """However the limit changes from one request to the next, and beside another rate's grants."""

    async def run() -> None:
        ledger = EmbeddedLedger(tmp_path_factory.mktemp("drop") / "ledger.db")
        await ledger.open(ACCOUNT)
        now, given_at = 100.0, []
        for number, (step, count) in enumerate(zip(steps, counts, strict=False)):
            now += step
            other = Rate(key="system", count=10**9, window_s=10.0)
            result = await reserved(
                ledger, f"r{number}", Rate(key="user:u", count=count, window_s=10.0), other, now=now
            )
            inside = [at for at in given_at if now - at < 10.0]
            assert isinstance(result, Reservation) == (len(inside) < count)
            if isinstance(result, Reservation):
                given_at.append(now)
        ledger.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates, "DROP_EVERY", every)
        patch.setattr(rates, "DROPPED_AT_ONCE_MAX", at_once)
        asyncio.run(run())


async def test_grants_that_decide_nothing_do_not_stay(tmp_path: Path) -> None:
    ledger = EmbeddedLedger(tmp_path / "ledger.db")
    await ledger.open(ACCOUNT)
    rate, other = Rate(key="user:u", count=5, window_s=1.0), Rate(key="system", count=900, window_s=1.0)
    for number in range(400):
        await reserved(ledger, f"r{number}", rate, other, now=10.0 * number)
    kept = dict(
        ledger._db.execute("SELECT key, count(*) FROM rate_grants g JOIN rate_keys k ON k.id = g.id >> 40 GROUP BY key")
    )
    assert kept["user:u"] <= 5 + rates.DROP_EVERY
    assert kept["system"] == 400
    ledger.close()


async def test_many_keys_are_not_all_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "IDS_KEPT_MAX", 3)
    ledger = EmbeddedLedger(tmp_path / "ledger.db")
    await ledger.open(ACCOUNT)
    for turn, verdict in ((0, Reservation), (1, Refusal)):
        for user in range(10):
            result = await reserved(ledger, f"r{turn}-{user}", Rate(key=f"user:{user}", count=1, window_s=9.0))
            assert isinstance(result, verdict)
            assert len(ledger._rates._ids) <= 3
    ledger.close()


async def test_a_key_of_a_transaction_that_was_rolled_back_is_not_remembered(tmp_path: Path) -> None:
    """Another process gives its number to another key."""
    ledger = EmbeddedLedger(tmp_path / "ledger.db")
    await ledger.open(ACCOUNT)
    await reserved(ledger, "same")
    mine, theirs = Rate(key="user:mine", count=1, window_s=9.0), Rate(key="user:theirs", count=1, window_s=9.0)
    assert isinstance(await reserved(ledger, "same", mine), Refusal)
    other = EmbeddedLedger(tmp_path / "ledger.db")
    assert isinstance(await reserved(other, "r1", theirs), Reservation)
    assert isinstance(await reserved(ledger, "r2", mine), Reservation)
    other.close()
    ledger.close()


async def test_the_kept_sum_is_that_of_the_reservations(tmp_path: Path) -> None:
    """Were it to stay too high, every request of the session would add up its reservations."""
    ledger = EmbeddedLedger(tmp_path / "ledger.db")
    await ledger.open(ACCOUNT)
    for number in range(6):
        await reserved(ledger, f"r{number}", now=10.0 * number)
    kept = "SELECT tokens_reserved, (SELECT sum(tokens) FROM reservations) FROM accounts"
    assert ledger._db.execute(kept).get == (60, 60)
    await ledger.settle("r5", tokens=1, cost_micro_usd=1)
    lapsed = await ledger.lapsed(before=85.0)
    await asyncio.gather(ledger.forget(lapsed), ledger.settle("r0", tokens=1, cost_micro_usd=1))
    assert len(lapsed) == 3
    assert ledger._db.execute(kept).get == (20, 20)
    ledger.close()


async def test_a_rate_reads_no_other_rates_grants(tmp_path: Path) -> None:
    """Not even those of a key that has used up its numbers."""
    ledger = EmbeddedLedger(tmp_path / "ledger.db")
    await ledger.open(ACCOUNT)
    first, second = Rate(key="system", count=9, window_s=9.0), Rate(key="user:u", count=3, window_s=9.0)
    await reserved(ledger, "r1", first)
    await reserved(ledger, "r2", second)
    last = ledger._db.execute("SELECT min(id) - 1 FROM rate_grants WHERE id >> 40 = 2").get - 1
    ledger._db.execute("INSERT INTO rate_grants VALUES (?, 1.0), (?, 1.0)", (last, last - 1))
    assert isinstance(await reserved(ledger, "r3", second), Reservation)
    ledger.close()


_VERSION_0 = """
CREATE TABLE accounts (
  session_id TEXT PRIMARY KEY, user TEXT NOT NULL, agent TEXT NOT NULL, task TEXT NOT NULL,
  opened REAL NOT NULL, expires REAL NOT NULL, tokens_max INTEGER NOT NULL, actions_max INTEGER NOT NULL,
  tokens_used INTEGER NOT NULL DEFAULT 0, actions_used INTEGER NOT NULL DEFAULT 0,
  cost_micro_usd INTEGER NOT NULL DEFAULT 0, cost_unknown_requests INTEGER NOT NULL DEFAULT 0,
  closed TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_opened ON accounts (opened);
CREATE TABLE reservations (
  reservation_id TEXT PRIMARY KEY, session_id TEXT NOT NULL, tokens INTEGER NOT NULL, deadline REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX reservations_session ON reservations (session_id);
CREATE INDEX reservations_deadline ON reservations (deadline);
CREATE TABLE rates (key TEXT PRIMARY KEY, count INTEGER NOT NULL, granted INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE grants (key TEXT NOT NULL, slot INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (key, slot))
  STRICT, WITHOUT ROWID;
INSERT INTO accounts VALUES ('s', 'u', 'a', 't', 0, 1e9, 1000, 100, 500, 7, 9, 1, '');
INSERT INTO reservations VALUES ('r1', 's', 300, 61), ('r2', 's', 50, 61);
INSERT INTO rates VALUES ('user:u', 3, 5), ('system', 10, 2);
INSERT INTO grants VALUES ('user:u', 0, 13), ('user:u', 1, 14), ('user:u', 2, 12), ('system', 0, 13), ('system', 1, 14);
"""
"""What the version before wrote; `user:u` was granted at 10, 11, 12, 13 and 14, three at most in 10 s."""


async def test_a_file_of_the_version_before_keeps_everything(tmp_path: Path) -> None:
    older = apsw.Connection(str(tmp_path / "ledger.db"))
    older.execute("PRAGMA journal_mode = WAL").fetchall()
    older.execute(_VERSION_0).fetchall()
    older.close()
    for _ in range(2):  # opening it again changes nothing more
        ledger = EmbeddedLedger(tmp_path / "ledger.db")
        balance = await ledger.balance("s", now=20.0)
        assert balance is not None
        assert (balance.tokens_used, balance.tokens_reserved, balance.actions_used) == (500, 350, 7)
        rate = Rate(key="user:u", count=3, window_s=10.0)
        refused = await reserved(ledger, "r3", rate, Rate(key="system", count=10, window_s=10.0), now=21.0)
        assert isinstance(refused, Refusal)
        assert (refused.rule, refused.retry_after_s) == ("ledger.rate.user", 1.0)
        stricter = await reserved(ledger, "r3", Rate(key="system", count=2, window_s=10.0), now=21.0)
        assert isinstance(stricter, Refusal)
        assert stricter.retry_after_s == 2.0
        ledger.close()
    ledger = EmbeddedLedger(tmp_path / "ledger.db")
    assert isinstance(await reserved(ledger, "r3", rate, now=22.0), Reservation)
    await ledger.settle("r1", tokens=300, cost_micro_usd=0)
    assert ledger._db.execute("SELECT tokens_reserved, tokens_used FROM accounts").fetchall() == [(60, 800)]
    ledger.close()
    test_every_table_and_index_is_there(tmp_path)


def test_a_file_of_a_later_version_is_not_touched(tmp_path: Path) -> None:
    EmbeddedLedger(tmp_path / "ledger.db").close()
    db = apsw.Connection(str(tmp_path / "ledger.db"))
    db.pragma("user_version", 2)
    db.close()
    with pytest.raises(LedgerError, match="version 2"):
        EmbeddedLedger(tmp_path / "ledger.db")


def test_a_file_that_is_none_is_an_error_of_the_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database" * 1000)
    with pytest.raises(LedgerError, match="cannot be opened"):
        EmbeddedLedger(tmp_path / "ledger.db")


def _open(path: str) -> None:
    EmbeddedLedger(Path(path)).close()


def test_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for attempt in range(5):
        path = tmp_path / f"{attempt}.db"
        workers = [context.Process(target=_open, args=(str(path),)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert [worker.exitcode for worker in workers] == [0] * 4
