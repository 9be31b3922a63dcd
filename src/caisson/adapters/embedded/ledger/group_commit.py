"""Group commit: what is submitted in one turn of the event loop is one transaction.

- Acts run in the order in which they were submitted; callers hear of their outcomes after the commit, never before.
- An act that raises takes nobody with it: all is rolled back, and each act gets a transaction of its own.
- While another process holds the lock the acts wait and the event loop does not; after `busy_s` they fail.
- An act that nobody waits for any more is dropped when it is `droppable`, and carried out otherwise.

>>> commits = GroupCommit(db, busy_s=2.0, before=rates.begin)  # doctest: +SKIP
>>> await commits.submit(lambda: 42, droppable=True)  # doctest: +SKIP
42
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, TypeVar

import apsw

from caisson.errors import LedgerBusy, LedgerError

ACTS_MAX = 256
"""Acts of one transaction, so that the lock is held for a few milliseconds at most."""
WAITING_MAX = 10_000
"""Acts that wait when droppable ones are refused. The others follow from reservations, which are bounded already."""
RETRY_S = 0.001

T = TypeVar("T")
_Act = tuple[Callable[[], Any], "asyncio.Future[Any] | None", bool]
log = logging.getLogger("caisson.ledger")


class GroupCommit:
    """All writes of one connection, which is the only one of this process. Acts use it and never await."""

    def __init__(self, db: apsw.Connection, *, busy_s: float, before: Callable[[], None]) -> None:
        """`before` runs first in every transaction."""
        self._execute = db.cursor().execute
        self._busy_s = busy_s
        self._before = before
        self._waiting: deque[_Act] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scheduled = False
        self._locked_since: float | None = None
        self._blocks = True
        db.set_busy_handler(self._wait_for_lock)

    def submit(self, act: Callable[[], T], *, droppable: bool) -> asyncio.Future[T]:
        """Have `act` run in this turn's transaction.

        Raises (when awaited):
            LedgerBusy: another process kept the lock, or too much waits. Nothing was done.
            LedgerError: it could not be carried out. Nothing was done.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        if droppable and len(self._waiting) >= WAITING_MAX:
            outcome.set_exception(LedgerBusy(f"{WAITING_MAX} changes wait for the ledger"))
            return outcome
        if loop is not self._loop:
            self._adopt(loop)
            self._scheduled = False
        self._waiting.append((act, outcome, droppable))
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._turn)
        return outcome

    def submit_unattended(self, act: Callable[[], object]) -> None:
        """Have `act` run in this turn's transaction, with nobody waiting for it. A failure is logged."""
        self.submit(act, droppable=False).cancel()

    def close(self) -> None:
        """Carry out what waits, blocking for the lock if need be."""
        self._adopt(self._loop)
        while batch := self._next():
            for _, outcome, _ in self._carry_out(batch, blocks=True):
                _tell(outcome, _busy())

    def _adopt(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """A loop that is closed left nobody who waits: of its acts, those that must happen stay."""
        if self._loop is not None and self._loop.is_closed():
            self._waiting = deque((act, None, False) for act, _, droppable in self._waiting if not droppable)
        self._loop = loop

    def _next(self) -> list[_Act]:
        batch: list[_Act] = []
        while self._waiting and len(batch) < ACTS_MAX:
            act = self._waiting.popleft()
            if not (act[2] and act[1] is not None and act[1].done()):
                batch.append(act)
        return batch

    def _turn(self) -> None:
        """One transaction. What another process's lock kept from running comes first in the next."""
        loop, self._scheduled = asyncio.get_running_loop(), False
        left = self._carry_out(self._next(), blocks=False)
        if not left:
            self._locked_since = None
        elif self._locked_since is None:
            self._locked_since = monotonic()
        elif monotonic() - self._locked_since > self._busy_s:
            self._locked_since = None
            log.error("another process kept the ledger locked for %g s", self._busy_s)
            for _, outcome, _ in (*left, *self._waiting):
                _tell(outcome, _busy())
            self._waiting.clear()
            left = []
        self._waiting.extendleft(reversed(left))
        if self._waiting and not self._scheduled:
            self._scheduled = True
            loop.call_later(RETRY_S if left else 0, self._turn)

    def _carry_out(self, batch: list[_Act], *, blocks: bool) -> list[_Act]:
        """Run a batch and tell its callers. Returns the acts that another process's lock kept from running."""
        if not batch:
            return []
        try:
            values = self._transaction(batch, blocks=blocks)
        except apsw.BusyError:
            return batch
        except Exception as error:
            if len(batch) == 1:
                log.error("the ledger could not be changed: %s: %s", type(error).__name__, error)
                _tell(batch[0][1], LedgerError(f"the ledger could not be changed: {error}"), cause=error)
                return []
            for number in range(len(batch)):
                if self._carry_out(batch[number : number + 1], blocks=blocks):
                    return batch[number:]
            return []
        for (_, outcome, _), value in zip(batch, values, strict=True):
            if outcome is not None and not outcome.done():
                outcome.set_result(value)
        return []

    def _transaction(self, batch: list[_Act], *, blocks: bool) -> list[Any]:
        self._blocks = blocks
        try:
            self._execute("BEGIN IMMEDIATE")
        finally:
            self._blocks = True
        try:
            self._before()
            values = [act() for act, _, _ in batch]
            self._execute("COMMIT")
        except BaseException:
            with suppress(apsw.Error):  # some failures have ended the transaction already
                self._execute("ROLLBACK")
            raise
        return values

    def _wait_for_lock(self, tries: int) -> bool:
        """SQLite asks whether to try again. Only reads wait here, in the rare moment when a log is recovered."""
        if not self._blocks or tries * RETRY_S >= self._busy_s:
            return False
        sleep(RETRY_S)
        return True


def _busy() -> LedgerBusy:
    return LedgerBusy("another process keeps the ledger locked; retry later")


def _tell(outcome: asyncio.Future[Any] | None, error: LedgerError, cause: Exception | None = None) -> None:
    """Each caller gets an error of its own, because raising one adds to its traceback."""
    error.__cause__ = cause
    if outcome is not None and not outcome.done():
        outcome.set_exception(error)
