"""The ledger over its table: who does what in which lane, and what concerns no single session."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from caisson.adapters.aws.api.calls import Calls, Passing
from caisson.adapters.aws.api.identity import Identities
from caisson.adapters.aws.ledger import items
from caisson.adapters.aws.ledger.books import AccountState
from caisson.adapters.aws.ledger.lane import Act, Lane, RateLocks, Sleep
from caisson.adapters.aws.ledger.table import Conflict, Expired, Table
from caisson.errors import LedgerBusy, LedgerError, OperatorError, Refusal, WireError
from caisson.ports.clock import Clock
from caisson.ports.ledger import Account, Balance, Ledger, Rate, Reservation
from caisson.protocol.sigv4 import Keys

BUSY_SECONDS_MAX = 4.0
"""How long a change is tried again. With one more attempt it is less than the grace of a reservation."""
SESSIONS_LISTED_MAX = 1_000
LAPSED_AT_ONCE_MAX = 100
READ_ATTEMPTS_MAX = 4
READ_PAUSE_S = 0.02
LANES_MAX = 1_000
"""Lanes kept, idle ones included."""
RESERVATIONS_KNOWN_MAX = 50_000
"""Reservations whose session this process remembers."""

T = TypeVar("T")


class DynamoLedger(Ledger):
    """See the package. Any number of processes may use one table; in each, one event loop uses this object."""

    def __init__(
        self,
        calls: Calls,
        *,
        table: str,
        identities: Identities,
        clock: Clock,
        busy_s: float = BUSY_SECONDS_MAX,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Nothing is asked of AWS yet; `check` does."""
        self._calls = calls
        self._table = Table(calls, table)
        self._identities = identities
        self._clock = clock
        self._busy_s = busy_s
        self._sleep = sleep
        self._locks = RateLocks()
        self._lanes: dict[str, Lane] = {}
        self._sessions: OrderedDict[str, str] = OrderedDict()
        """Reservation id to session id."""
        self._stopping: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """See that the table answers.

        Raises:
            LedgerError: it does not, and why.
        """
        await self._reading(lambda keys: self._table.read(["-"], keys))

    async def open(self, account: Account) -> None:
        await self._lane(account.session_id).submit(
            Act(lambda books, _: books.open(account), session_id=account.session_id)
        )

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
        act = Act(
            lambda books, perhaps_done: books.reserve(wanted, actions, rates, now, perhaps_done=perhaps_done),
            session_id=session_id,
            rates=tuple(rate.key for rate in rates),
            droppable=True,
            undo=lambda: _settling(session_id, reservation_id, 0, 0),
        )
        lane = self._lane(session_id)
        self._remember(reservation_id, session_id)
        made = lane.submit(act)
        try:
            outcome = await made
        except LedgerError as error:
            return Refusal(
                error=WireError.UNAVAILABLE,
                rule="ledger.unavailable",
                message="The budget could not be looked up, so the request was not carried out; retry later.",
                rationale=str(error),
            )
        except asyncio.CancelledError:
            if made.done() and not made.cancelled() and made.exception() is None and made.result() is wanted:
                lane.take_back(act)
            raise
        if outcome is None:
            raise LedgerError("expected a reservation or a refusal, found neither")
        return outcome

    async def settle(self, reservation_id: str, *, tokens: int, cost_micro_usd: int | None) -> None:
        """A reservation that another process made is looked for in the index, which may not show one of its last
        moments; it then counts until its deadline."""
        session_id = self._sessions.get(reservation_id)
        if session_id is None:
            session_id = await self._search(reservation_id)
            if session_id is None or reservation_id in self._sessions:
                return  # there is none, or it was reserved after it was settled
        await self._lane(session_id).submit(_settling(session_id, reservation_id, tokens, cost_micro_usd))

    async def lapsed(self, *, before: float) -> tuple[Reservation, ...]:
        found = [
            reservation
            for state in await self._due(before)
            for reservation in state.reservations()
            if reservation.deadline < before
        ]
        return tuple(sorted(found, key=lambda one: one.deadline)[:LAPSED_AT_ONCE_MAX])

    async def forget(self, reservations: Sequence[Reservation]) -> None:
        await asyncio.gather(
            *(
                self._lane(one.session_id).submit(_settling(one.session_id, one.reservation_id, 0, 0))
                for one in reservations
            )
        )

    async def balance(self, session_id: str, *, now: float) -> Balance | None:
        state = await self._account(session_id)
        return state.balance(now) if state is not None else None

    async def ended(self, session_id: str) -> str | None:
        state = await self._account(session_id)
        return state.closed if state is not None else None

    async def sessions(self, *, now: float, live_only: bool) -> tuple[Balance, ...]:
        """The index may not show an account of its last moments."""
        asked: dict[str, Any] = {
            "KeyConditionExpression": "kind = :kind",
            "ExpressionAttributeValues": {":kind": {"S": items.ACCOUNT_KIND}},
            "ScanIndexForward": False,
            "Limit": SESSIONS_LISTED_MAX,
        }
        found: list[Balance] = []
        while len(found) < SESSIONS_LISTED_MAX:
            names, more = await self._page(items.OPENED_INDEX, asked)
            states = await self._read(names)
            found += [
                state.balance(now)
                for state in states
                if not live_only or (state.account.expires > now and not state.closed)
            ]
            if more is None:
                break
            asked["ExclusiveStartKey"] = more
        return tuple(found[:SESSIONS_LISTED_MAX])

    async def end(self, session_id: str, reason: str) -> None:
        await self._lane(session_id).submit(Act(lambda books, _: books.end(session_id, reason), session_id=session_id))

    async def stop(self) -> None:
        for lane in list(self._lanes.values()):
            await lane.emptied()
        await self._identities.close()
        await self._calls.close()

    def close(self) -> None:
        """Begin to stop; whoever can wait calls `stop`."""
        self._stopping = asyncio.get_running_loop().create_task(self.stop())

    def _lane(self, session_id: str) -> Lane:
        name = session_id if self._identities.per_session else ""
        lane = self._lanes.get(name)
        if lane is None:
            if len(self._lanes) >= LANES_MAX:
                self._lanes = {each: kept for each, kept in self._lanes.items() if not kept.idle}
            lane = self._lanes[name] = Lane(
                self._table,
                self._identities,
                self._locks,
                clock=self._clock,
                busy_s=self._busy_s,
                sleep=self._sleep,
            )
        return lane

    def _remember(self, reservation_id: str, session_id: str) -> None:
        self._sessions[reservation_id] = session_id
        if len(self._sessions) > RESERVATIONS_KNOWN_MAX:
            self._sessions.popitem(last=False)

    async def _account(self, session_id: str) -> AccountState | None:
        states = await self._reading(lambda keys: self._table.read([session_id], keys), session_id)
        for state in states:
            self._table.seen(state)
            return state
        return None

    async def _read(self, sessions: Sequence[str]) -> list[AccountState]:
        """Accounts of several sessions, in the order given."""
        return await self._reading(lambda keys: self._table.read(sessions, keys))

    async def _due(self, before: float | None) -> list[AccountState]:
        """Accounts with a reservation whose deadline is earlier than `before`, or with any."""
        shards = await asyncio.gather(*(self._due_in(str(shard), before) for shard in range(items.DUE_SHARDS)))
        return await self._read([name for names in shards for name in names])

    async def _due_in(self, shard: str, before: float | None) -> list[str]:
        condition, values = "due_shard = :shard", {":shard": {"S": shard}}
        asked: dict[str, Any] = {}
        if before is not None:
            condition += " AND due < :before"
            values[":before"] = {"N": repr(before)}
            asked["Limit"] = LAPSED_AT_ONCE_MAX
        asked |= {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
        names, more = await self._page(items.DUE_INDEX, asked)
        while before is None and more is not None:
            further, more = await self._page(items.DUE_INDEX, asked | {"ExclusiveStartKey": more})
            names += further
        return names

    async def _search(self, reservation_id: str) -> str | None:
        return next((state.account.session_id for state in await self._due(None) if reservation_id in state.open), None)

    async def _page(self, index: str, asked: dict[str, Any]) -> tuple[list[str], dict[str, Any] | None]:
        return await self._reading(lambda keys: self._table.query(index, asked, keys))

    async def _reading(self, read: Callable[[Keys], Awaitable[T]], session_id: str = "") -> T:
        """What a read gives, tried again where that may help; with the session's own credentials, or the process's.

        Raises:
            LedgerError: it gives nothing.
        """
        last = ""
        for attempt in range(READ_ATTEMPTS_MAX):
            if attempt:
                await self._sleep(READ_PAUSE_S * 2**attempt)
            try:
                return await read(await self._identities.of(session_id) if session_id else self._identities.own())
            except Expired as error:
                last = str(error)
                self._identities.drop(session_id)
            except (Passing, Conflict) as error:
                last = str(error)
            except LedgerError:
                raise
            except OperatorError as error:
                raise LedgerError(f"the ledger cannot be read: {error}") from error
        raise LedgerBusy(f"the ledger cannot be read: {last}")


def _settling(session_id: str, reservation_id: str, tokens: int, cost_micro_usd: int | None) -> Act:
    return Act(lambda books, _: books.settle(session_id, reservation_id, tokens, cost_micro_usd), session_id=session_id)
