"""Budgets in one SQLite file: one atomic reserve a request (SESS-01).

- A reservation counts against its session until it is settled or its deadline passes, whoever made it.
- Rates are exact: a ring of the last `count` grants a key, so that no window of any phase holds more than `count`.
- Killing a process loses nothing that a call returned; every change is one transaction.

>>> ledger = EmbeddedLedger(Path("ledger.db"))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from caisson.errors import Refusal, WireError
from caisson.ports.ledger import Account, Balance, Ledger, Rate, Reservation

BUSY_TIMEOUT_MS = 2_000
SESSIONS_LISTED_MAX = 1_000
LAPSED_AT_ONCE_MAX = 100

_SETTINGS = (
    "page_size = 1024",  # a request changes about ten small rows, each in a page of its own that goes to the log whole
    "journal_mode = WAL",
    "synchronous = NORMAL",  # outlives a killed process; what a power failure takes was recorded as events
    "wal_autocheckpoint = 4000",  # pages, about one fsync in four hundred requests
    "trusted_schema = OFF",
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
  session_id TEXT PRIMARY KEY, user TEXT NOT NULL, agent TEXT NOT NULL, task TEXT NOT NULL,
  opened REAL NOT NULL, expires REAL NOT NULL, tokens_max INTEGER NOT NULL, actions_max INTEGER NOT NULL,
  tokens_used INTEGER NOT NULL DEFAULT 0, actions_used INTEGER NOT NULL DEFAULT 0,
  cost_micro_usd INTEGER NOT NULL DEFAULT 0, cost_unknown_requests INTEGER NOT NULL DEFAULT 0,
  closed TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS accounts_opened ON accounts (opened);
CREATE TABLE IF NOT EXISTS reservations (
  reservation_id TEXT PRIMARY KEY, session_id TEXT NOT NULL, tokens INTEGER NOT NULL, deadline REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reservations_session ON reservations (session_id);
CREATE INDEX IF NOT EXISTS reservations_deadline ON reservations (deadline);
CREATE TABLE IF NOT EXISTS rates (
  key TEXT PRIMARY KEY, count INTEGER NOT NULL, granted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS grants (
  key TEXT NOT NULL, slot INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (key, slot)
) STRICT, WITHOUT ROWID;
"""

_BALANCE = """
SELECT session_id, user, agent, task, opened, expires, tokens_max, actions_max, tokens_used, actions_used,
       cost_micro_usd, cost_unknown_requests, closed,
       (SELECT coalesce(sum(tokens), 0) FROM reservations r WHERE r.session_id = a.session_id AND r.deadline > ?)
FROM accounts a
"""


_RING = """
SELECT r.count, r.granted, g.at FROM rates r
LEFT JOIN grants g ON g.key = r.key AND g.slot = r.granted % r.count WHERE r.key = ?
"""


class EmbeddedLedger(Ledger):
    """See the module. Several processes may open the same file."""

    def __init__(self, path: Path) -> None:
        self._db = apsw.Connection(str(path))
        self._db.set_busy_timeout(BUSY_TIMEOUT_MS)
        for setting in _SETTINGS:
            self._db.execute(f"PRAGMA {setting}").fetchall()  # a statement runs as far as its rows are read
        self._db.execute(_SCHEMA).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    async def open(self, account: Account) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO accounts (session_id, user, agent, task, opened, expires, tokens_max, actions_max)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                account.session_id, account.user, account.agent, account.task, account.opened, account.expires,
                account.tokens_max, account.actions_max,
            ),
        )  # fmt: skip

    async def reserve(
        self,
        *,
        reservation_id: str,
        session_id: str,
        tokens: int,
        actions: int,
        rates: Sequence[Rate],
        now: float,
        deadline: float,
    ) -> Reservation | Refusal:
        with self._transaction():
            refusal = self._session_limits(session_id, tokens, actions, now)
            if refusal is not None:
                return refusal
            granted = self._may_grant(rates, now)
            if isinstance(granted, Refusal):
                return granted
            for rate, number in zip(rates, granted, strict=True):
                self._grant(rate, number, now)
            self._db.execute(
                "UPDATE accounts SET actions_used = actions_used + ? WHERE session_id = ?", (actions, session_id)
            )
            self._db.execute(
                "INSERT INTO reservations VALUES (?, ?, ?, ?)", (reservation_id, session_id, tokens, deadline)
            )
        return Reservation(reservation_id=reservation_id, session_id=session_id, tokens=tokens, deadline=deadline)

    def _session_limits(self, session_id: str, tokens: int, actions: int, now: float) -> Refusal | None:
        balance = self._read(session_id, now)
        if balance is None:
            return Refusal(
                error=WireError.ACCESS_DENIED,
                rule="ledger.unknown",
                message="This session has no account; sign in again.",
            )
        account = balance.account
        if balance.closed:
            return Refusal(
                error=WireError.EXPIRED_TOKEN,
                rule="ledger.closed",
                message=f"This session has ended: {balance.closed}.",
            )
        if now >= account.expires:
            return Refusal(
                error=WireError.EXPIRED_TOKEN,
                rule="ledger.duration",
                message="This session's duration is used up; sign in again.",
            )
        if balance.actions_used + actions > account.actions_max:
            return Refusal(
                error=WireError.THROTTLING,
                rule="ledger.actions",
                message=f"This session's {account.actions_max} actions are used up; open a new session.",
            )
        left = account.tokens_max - balance.tokens_used - balance.tokens_reserved
        if tokens > left:
            return Refusal(
                error=WireError.THROTTLING,
                rule="ledger.tokens",
                message=f"This request may need up to {tokens} tokens and the session has {max(left, 0)} of "
                f"{account.tokens_max} left; shorten the prompt, lower maxTokens or open a new session.",
            )
        return None

    def _may_grant(self, rates: Sequence[Rate], now: float) -> list[int] | Refusal:
        """How many grants each rate has given so far, or the refusal of the first that has none left."""
        numbers = []
        for rate in rates:
            granted, oldest = self._oldest_grant(rate)
            if (
                oldest is not None and now - rate.window_s < oldest <= now
            ):  # a grant in the future: the clock stepped back
                return Refusal(
                    error=WireError.THROTTLING,
                    rule=f"ledger.rate.{rate.key.partition(':')[0]}",
                    message=f"More than {rate.count} requests in {rate.window_s:g} s; retry later.",
                    retry_after_s=oldest + rate.window_s - now,
                )
            numbers.append(granted)
        return numbers

    def _oldest_grant(self, rate: Rate) -> tuple[int, float | None]:
        """The next grant's number, and when the grant that it would overwrite was given; None without one."""
        ring = self._ring(rate)
        if ring is not None and ring[0] != rate.count:
            self._resize(rate)
            ring = self._ring(rate)
        return (0, None) if ring is None else (ring[1], ring[2])

    def _ring(self, rate: Rate) -> tuple[int, int, float | None] | None:
        """Size of a rate's ring, grants so far, and the time in the next slot."""
        row: tuple[int, int, float | None] | None = self._db.execute(_RING, (rate.key,)).fetchone()
        return row

    def _resize(self, rate: Rate) -> None:
        """The limit changed: keep the newest grants that the new ring can hold."""
        kept = [
            row[0]
            for row in self._db.execute(
                "SELECT at FROM grants WHERE key = ? ORDER BY at DESC LIMIT ?", (rate.key, rate.count)
            )
        ]
        self._db.execute("DELETE FROM grants WHERE key = ?", (rate.key,))
        for slot, at in enumerate(reversed(kept)):
            self._db.execute("INSERT INTO grants VALUES (?, ?, ?)", (rate.key, slot, at))
        self._db.execute("UPDATE rates SET count = ?, granted = ? WHERE key = ?", (rate.count, len(kept), rate.key))

    def _grant(self, rate: Rate, granted: int, now: float) -> None:
        self._db.execute("INSERT OR REPLACE INTO grants VALUES (?, ?, ?)", (rate.key, granted % rate.count, now))
        self._db.execute("INSERT OR REPLACE INTO rates VALUES (?, ?, ?)", (rate.key, rate.count, granted + 1))

    async def settle(self, reservation_id: str, *, tokens: int, cost_micro_usd: int | None) -> None:
        with self._transaction():
            row = self._db.execute(
                "DELETE FROM reservations WHERE reservation_id = ? RETURNING session_id, tokens", (reservation_id,)
            ).fetchone()
            if row is None:
                return
            session_id, reserved = row
            self._db.execute(
                "UPDATE accounts SET tokens_used = tokens_used + ?, cost_micro_usd = cost_micro_usd + ?,"
                " cost_unknown_requests = cost_unknown_requests + ? WHERE session_id = ?",
                (min(max(tokens, 0), reserved), cost_micro_usd or 0, int(cost_micro_usd is None), session_id),
            )

    async def lapsed(self, *, before: float) -> tuple[Reservation, ...]:
        rows = self._db.execute(
            "SELECT reservation_id, session_id, tokens, deadline FROM reservations WHERE deadline < ?"
            " ORDER BY deadline LIMIT ?",
            (before, LAPSED_AT_ONCE_MAX),
        )
        return tuple(Reservation(reservation_id=a, session_id=b, tokens=c, deadline=d) for a, b, c, d in rows)

    async def forget(self, reservations: Sequence[Reservation]) -> None:
        ids = [(reservation.reservation_id,) for reservation in reservations]
        self._db.executemany("DELETE FROM reservations WHERE reservation_id = ?", ids)

    async def balance(self, session_id: str, *, now: float) -> Balance | None:
        return self._read(session_id, now)

    def _read(self, session_id: str, now: float) -> Balance | None:
        row = self._db.execute(_BALANCE + "WHERE session_id = ?", (now, session_id)).fetchone()
        return None if row is None else _balance(row)

    async def sessions(self, *, now: float, live_only: bool) -> tuple[Balance, ...]:
        where = "WHERE expires > ? AND closed = '' " if live_only else "WHERE ? IS NOT NULL "
        rows = self._db.execute(_BALANCE + where + "ORDER BY opened DESC LIMIT ?", (now, now, SESSIONS_LISTED_MAX))
        return tuple(_balance(row) for row in rows)

    async def end(self, session_id: str, reason: str) -> None:
        self._db.execute("UPDATE accounts SET closed = ? WHERE session_id = ? AND closed = ''", (reason, session_id))

    def close(self) -> None:
        self._db.close()


def _balance(row: tuple) -> Balance:  # type: ignore[type-arg]
    return Balance(
        account=Account(
            session_id=row[0],
            user=row[1],
            agent=row[2],
            task=row[3],
            opened=row[4],
            expires=row[5],
            tokens_max=row[6],
            actions_max=row[7],
        ),
        tokens_used=row[8],
        actions_used=row[9],
        cost_micro_usd=row[10],
        cost_unknown_requests=row[11],
        closed=row[12],
        tokens_reserved=row[13],
    )
