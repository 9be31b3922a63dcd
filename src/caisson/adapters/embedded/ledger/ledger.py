"""The ledger over its file: accounts, reservations, and what refuses one.

Granting asks only what it must: the rates, then one conditional UPDATE of the account. It goes by `tokens_reserved`,
which still holds the reservations that have lapsed; so where it says no, they are added up exactly before anything is
refused. Refusals come in one order: what ends the session, its actions, its tokens, then rates.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import apsw

from caisson.adapters.embedded.ledger.file import open_file
from caisson.adapters.embedded.ledger.group_commit import GroupCommit
from caisson.adapters.embedded.ledger.rates import Rates
from caisson.errors import LedgerError, Refusal, WireError
from caisson.ports.ledger import Account, Balance, Ledger, Rate, Reservation, over_limits

BUSY_SECONDS_MAX = 2.0
SESSIONS_LISTED_MAX = 1_000
LAPSED_AT_ONCE_MAX = 100

_COLUMNS = """
SELECT a.session_id, user, agent, task, opened, expires, tokens_max, actions_max, tokens_used, actions_used,
       cost_micro_usd, cost_unknown_requests, closed, """
_BALANCE = f"""{_COLUMNS}
  (SELECT coalesce(sum(tokens), 0) FROM reservations r WHERE r.session_id = a.session_id AND deadline > ?)
FROM accounts a WHERE a.session_id = ?
"""  # noqa: S608  (constants)
_BALANCES = f"""{_COLUMNS} coalesce(r.tokens, 0)
FROM accounts a
  LEFT JOIN (SELECT session_id, sum(tokens) AS tokens FROM reservations WHERE deadline > ?1 GROUP BY session_id) r
  ON r.session_id = a.session_id
WHERE NOT ?2 OR (expires > ?1 AND closed = '') ORDER BY opened DESC LIMIT ?3
"""  # noqa: S608  (constants)
_SPEND = (
    "UPDATE accounts SET actions_used = actions_used + ?1, tokens_reserved = tokens_reserved + ?2 WHERE session_id = ?3"
)
_SPEND_WHAT_FITS = f"""{_SPEND} AND closed = '' AND expires > ?4 AND actions_used + ?1 <= actions_max
  AND tokens_used + tokens_reserved + ?2 <= tokens_max
"""
_RELEASE = "DELETE FROM reservations WHERE reservation_id = ? RETURNING session_id, tokens"
_CHARGE = """
UPDATE accounts SET tokens_reserved = tokens_reserved - ?, tokens_used = tokens_used + ?,
  cost_micro_usd = cost_micro_usd + ?, cost_unknown_requests = cost_unknown_requests + ? WHERE session_id = ?
"""


class EmbeddedLedger(Ledger):
    """See the package. Several processes may open the same file; in each, one event loop at a time uses it."""

    def __init__(self, path: Path, *, busy_s: float = BUSY_SECONDS_MAX) -> None:
        """`busy_s` is how long a change waits while another process holds the lock.

        Raises:
            LedgerError: the file cannot be opened.
        """
        self._db = open_file(path)
        self._execute = self._db.cursor().execute
        self._changes = self._db.changes
        self._rates = Rates(self._db)
        self._commits = GroupCommit(self._db, busy_s=busy_s, before=self._rates.begin)

    async def open(self, account: Account) -> None:
        await self._commits.submit(partial(self._open, account), droppable=False)

    def _open(self, account: Account) -> None:
        self._execute(
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
        wanted = Reservation(reservation_id=reservation_id, session_id=session_id, tokens=tokens, deadline=deadline)
        made = self._commits.submit(partial(self._reserve, wanted, actions, rates, now), droppable=True)
        try:
            return await made
        except LedgerError as error:
            return Refusal(
                error=WireError.UNAVAILABLE,
                rule="ledger.unavailable",
                message="The budget could not be looked up, so the request was not carried out; retry later.",
                rationale=str(error),
            )
        except asyncio.CancelledError:
            if made.done() and not made.cancelled() and made.exception() is None and made.result() is wanted:
                self._commits.submit_unattended(partial(self._settle, reservation_id, 0, 0))  # granted to nobody
            raise

    def _reserve(self, wanted: Reservation, actions: int, rates: Sequence[Rate], now: float) -> Reservation | Refusal:
        spent = (actions, wanted.tokens, wanted.session_id)
        refusal = self._rates.refusal(rates, now)
        if refusal is None:
            self._execute(_SPEND_WHAT_FITS, (*spent, now))
        if refusal is not None or not self._changes():
            refusal = over_limits(self._balance(wanted.session_id, now), wanted, actions, now) or refusal
            if refusal is not None:
                return refusal
            self._execute(_SPEND, spent)
        self._rates.grant(rates, now)
        self._execute(
            "INSERT INTO reservations VALUES (?, ?, ?, ?)",
            (wanted.reservation_id, wanted.session_id, wanted.tokens, wanted.deadline),
        )
        return wanted

    async def settle(self, reservation_id: str, *, tokens: int, cost_micro_usd: int | None) -> None:
        await self._commits.submit(partial(self._settle, reservation_id, tokens, cost_micro_usd), droppable=False)

    def _settle(self, reservation_id: str, tokens: int, cost_micro_usd: int | None) -> None:
        row: tuple[str, int] | None = self._execute(_RELEASE, (reservation_id,)).get
        if row is not None:
            session_id, reserved = row
            used = min(max(tokens, 0), reserved)
            unknown = cost_micro_usd is None
            self._execute(_CHARGE, (reserved, used, cost_micro_usd or 0, unknown, session_id))

    async def lapsed(self, *, before: float) -> tuple[Reservation, ...]:
        rows = self._read(
            "SELECT reservation_id, session_id, tokens, deadline FROM reservations WHERE deadline < ?"
            " ORDER BY deadline LIMIT ?",
            (before, LAPSED_AT_ONCE_MAX),
        )
        return tuple(Reservation(reservation_id=a, session_id=b, tokens=c, deadline=d) for a, b, c, d in rows)

    async def forget(self, reservations: Sequence[Reservation]) -> None:
        await self._commits.submit(partial(self._forget, reservations), droppable=False)

    def _forget(self, reservations: Sequence[Reservation]) -> None:
        for reservation in reservations:
            self._settle(reservation.reservation_id, 0, 0)

    async def balance(self, session_id: str, *, now: float) -> Balance | None:
        return self._balance(session_id, now)

    def _balance(self, session_id: str, now: float) -> Balance | None:
        rows = self._read(_BALANCE, (now, session_id))
        return _made_balance(rows[0]) if rows else None

    async def ended(self, session_id: str) -> str | None:
        rows = self._read("SELECT closed FROM accounts WHERE session_id = ?", (session_id,))
        return rows[0][0] if rows else None

    async def sessions(self, *, now: float, live_only: bool) -> tuple[Balance, ...]:
        rows = self._read(_BALANCES, (now, live_only, SESSIONS_LISTED_MAX))
        return tuple(_made_balance(row) for row in rows)

    def _read(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """All rows: a statement that is not read to its end would keep a snapshot open."""
        try:
            return self._execute(statement, values).fetchall()
        except apsw.Error as error:
            raise LedgerError(f"the ledger cannot be read: {error}") from error

    async def end(self, session_id: str, reason: str) -> None:
        await self._commits.submit(partial(self._end, session_id, reason), droppable=False)

    def _end(self, session_id: str, reason: str) -> None:
        self._execute("UPDATE accounts SET closed = ? WHERE session_id = ? AND closed = ''", (reason, session_id))

    def close(self) -> None:
        self._commits.close()
        self._db.close()


def _made_balance(row: tuple[Any, ...]) -> Balance:
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
