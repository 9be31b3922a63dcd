"""What comes for the same credentials goes to DynamoDB in turns: all that waits is one batch, and one write.

- Acts are decided in the order in which they came; callers hear of them after the write, never before.
- A write holds only while every item is what it was read as. Otherwise all is read and decided anew, for `busy_s` at
  most, with growing pauses.
- A refusal is told only after a read that began when its act was there: another process may have freed something.
- An act that cannot be carried out takes nobody with it. One that nobody waits for any more is dropped when it is
  `droppable`, carried out otherwise; a reservation that was granted to nobody is settled as unused.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from caisson.adapters.aws.api.calls import Passing
from caisson.adapters.aws.api.identity import Identities
from caisson.adapters.aws.ledger.books import Books, Told
from caisson.adapters.aws.ledger.rate import ChunkMissing
from caisson.adapters.aws.ledger.table import Conflict, Expired, Table
from caisson.errors import LedgerBusy, LedgerError, OperatorError, Refusal
from caisson.ports.clock import Clock
from caisson.ports.ledger import Reservation

Sleep = Callable[[float], Awaitable[None]]
Outcome = Reservation | Refusal | None

ACTS_MAX = 64
ITEMS_MAX = 40
"""Accounts and rates of one batch: with the chunks that it may fill it stays below 100 items (table.WRITES_MAX)."""
WAITING_MAX = 10_000
"""Acts that wait in a lane when droppable ones are refused."""
ATTEMPTS_MAX = 50
PAUSE_S = 0.002
PAUSE_MAX_S = 0.2
CONTENDED_BATCHES = 16
"""After a conflict, so many batches read before they decide: their items are shared with another process now."""

log = logging.getLogger("caisson.ledger")


@dataclass(eq=False)
class Act:
    """Something to do on one account, with a place for its outcome."""

    apply: Callable[[Books, bool], Told]
    """Does it; told whether an answer about it was lost before."""
    session_id: str
    rates: tuple[str, ...] = ()
    droppable: bool = False
    undo: Callable[[], Act] | None = None
    """What takes a grant back that nobody waits for."""
    outcome: asyncio.Future[Outcome] | None = None
    """None: nobody waits."""
    perhaps_done: bool = False

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits any more."""
        return self.outcome is None or self.outcome.cancelled()


@dataclass
class RateLocks:
    """Lanes of this process take turns at a rate, so that their writes do not cancel each other."""

    held: dict[str, asyncio.Lock] = field(default_factory=dict)

    def of(self, rates: set[str]) -> list[asyncio.Lock]:
        """In one order for everybody, so that nobody waits in a circle."""
        if len(self.held) > WAITING_MAX:
            self.held = {name: lock for name, lock in self.held.items() if lock.locked()}
        return [self.held.setdefault(name, asyncio.Lock()) for name in sorted(rates)]


class Lane:
    """The batches of one identity. It lives while there is something to do."""

    def __init__(
        self, table: Table, identities: Identities, locks: RateLocks, *, clock: Clock, busy_s: float, sleep: Sleep
    ) -> None:
        self._table = table
        self._identities = identities
        self._locks = locks
        self._clock = clock
        self._busy_s = busy_s
        self._sleep = sleep
        self._waiting: deque[Act] = deque()
        self._running: asyncio.Task[None] | None = None
        self._contended = 0

    def submit(self, act: Act) -> asyncio.Future[Outcome]:
        """Have an act carried out.

        Raises (when awaited):
            LedgerBusy: others kept changing the same, or too much waits. Nothing was done.
            LedgerError: it could not be carried out.
        """
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if act.droppable and len(self._waiting) >= WAITING_MAX:
            outcome.set_exception(LedgerBusy(f"{WAITING_MAX} changes wait for the ledger"))
            return outcome
        act.outcome = outcome
        self._waiting.append(act)
        self._start()
        return outcome

    def take_back(self, act: Act) -> None:
        """Undo before anything else a grant that nobody took."""
        if act.undo is not None:
            self._waiting.appendleft(act.undo())
            self._start()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return self._running is None

    async def emptied(self) -> None:
        """Return when there is nothing to do."""
        while self._running is not None:
            await asyncio.shield(self._running)

    def _start(self) -> None:
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while batch := self._next():
                await self._carry_out(batch)
        finally:
            self._running = None

    def _next(self) -> list[Act]:
        batch: list[Act] = []
        touched: set[str] = set()
        while self._waiting and len(batch) < ACTS_MAX:
            act = self._waiting[0]
            grown = touched | {act.session_id, *act.rates}
            if batch and len(grown) > ITEMS_MAX:
                break
            self._waiting.popleft()
            if not (act.droppable and act.abandoned):
                batch.append(act)
                touched = grown
        return batch

    async def _carry_out(self, batch: list[Act]) -> None:
        try:
            async with AsyncExitStack() as stack:
                for lock in self._locks.of({rate for act in batch for rate in act.rates}):
                    await stack.enter_async_context(lock)
                told = await self._decided(batch)
        except LedgerBusy as error:
            self._fail(batch, error)
        except Exception as error:
            if len(batch) == 1 or any(act.perhaps_done for act in batch):
                self._fail(batch, error)
            else:
                for act in batch:
                    await self._carry_out([act])
        else:
            self._tell(batch, told)

    def _tell(self, batch: Sequence[Act], told: Sequence[Outcome | LedgerError]) -> None:
        undone = []
        for act, value in zip(batch, told, strict=True):
            if act.outcome is not None and not act.outcome.done():
                if isinstance(value, LedgerError):
                    act.outcome.set_exception(value)
                else:
                    act.outcome.set_result(value)
            elif isinstance(value, Reservation) and act.undo is not None:
                undone.append(act.undo())
        self._waiting.extendleft(undone)

    def _fail(self, batch: Sequence[Act], error: Exception) -> None:
        said = str(error) if isinstance(error, OperatorError) else f"{type(error).__name__}: {error}"
        log.error("the ledger could not be changed: %s", said)
        for act in batch:
            if act.perhaps_done and act.undo is not None:
                self._waiting.append(act.undo())  # perhaps granted, and then to nobody
            if act.outcome is not None and not act.outcome.done():
                own = (LedgerBusy if isinstance(error, LedgerBusy) else LedgerError)(said)
                own.__cause__ = error
                act.outcome.set_exception(own)

    async def _decided(self, batch: list[Act]) -> list[Outcome | LedgerError]:
        """What each act's caller is told, once it is written."""
        began, anew, last = self._clock.monotonic(), self._contended > 0, "others kept changing the same budgets"
        self._contended = max(self._contended - 1, 0)
        for attempt in range(ATTEMPTS_MAX):
            if attempt and self._clock.monotonic() - began > self._busy_s:
                break
            try:
                return await self._attempt(batch, anew=anew)
            except Conflict:
                self._contended = CONTENDED_BATCHES
                if not attempt:
                    anew = True
                    continue  # what was remembered was old; what is read now seldom is
            except Passing as error:
                last = str(error)
                if error.perhaps_done:
                    for act in batch:
                        act.perhaps_done = True
            except Expired as error:
                last = str(error)
                self._identities.drop(batch[0].session_id)
            anew = True
            pause_s = min(PAUSE_S * 2**attempt, PAUSE_MAX_S)
            await self._sleep(pause_s / 2 + random.random() * pause_s / 2)  # noqa: S311 - spreads load, hides nothing
        raise LedgerBusy(f"the ledger could not be changed within {self._busy_s:g} s: {last}")

    async def _attempt(self, batch: list[Act], *, anew: bool) -> list[Outcome | LedgerError]:
        keys = await self._identities.of(batch[0].session_id)
        accounts = dict.fromkeys(act.session_id for act in batch)
        rates = dict.fromkeys(rate for act in batch for rate in act.rates)
        before = await self._table.books(accounts, rates, keys, anew=anew)
        while True:
            after = Books(accounts=dict(before.accounts), rates=dict(before.rates))
            try:
                told = [act.apply(after, act.perhaps_done) for act in batch]
            except ChunkMissing as missing:  # at most two a rate and limit: grants lie side by side
                known = await self._table.with_chunk(before.rates[missing.rate], missing.number, keys)
                before.rates[missing.rate] = known
                continue
            if anew or all(one.changed for one in told):
                await self._table.write(before, after, keys)
                return [one.value for one in told]
            before, anew = await self._table.books(accounts, rates, keys, anew=True), True
