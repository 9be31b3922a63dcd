"""Budgets of sessions, users and the system: reserve the worst case, settle after (SESS-01).

One atomic reserve a request. Never more than a limit under any concurrency; a dead worker's reservation counts until
its deadline. Asynchronous because the AWS adapter is a network call, and the embedded one commits once a turn of the
event loop. What a call has returned outlives the process. LedgerError means that nothing was changed or read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from caisson.errors import Refusal, WireError


@dataclass(frozen=True, kw_only=True)
class Account:
    """A session's boundaries, fixed when it opens. A narrowed session spends its root's account."""

    session_id: str
    user: str
    agent: str
    task: str
    opened: float
    expires: float
    tokens_max: int
    actions_max: int


@dataclass(frozen=True, kw_only=True)
class Balance:
    """How far an account is used."""

    account: Account
    tokens_used: int
    tokens_reserved: int
    actions_used: int
    cost_micro_usd: int
    cost_unknown_requests: int
    """Requests whose model has no price: their cost is unknown, not zero."""
    closed: str
    """Why the session ended; empty while it lives."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """At most `count` reservations in any `window_s` seconds for `key`."""

    key: str
    """`user:alice`, `system`."""
    count: int
    window_s: float


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """A granted worst case."""

    reservation_id: str
    session_id: str
    tokens: int
    deadline: float
    """Unix time after which an unsettled reservation no longer counts."""


def over_limits(balance: Balance | None, wanted: Reservation, actions: int, now: float) -> Refusal | None:
    """What of a session forbids a reservation: its end, its duration, its actions, its tokens, in this order (SESS-01).

    Args:
        balance: of its account at Unix time `now`; None when there is none.
        wanted: tokens to set aside.
        actions: to count.
    """
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
    if wanted.tokens > left:
        return Refusal(
            error=WireError.THROTTLING,
            rule="ledger.tokens",
            message=f"This request may need up to {wanted.tokens} tokens and the session has {max(left, 0)} of "
            f"{account.tokens_max} left; shorten the prompt, lower maxTokens or open a new session.",
        )
    return None


class Ledger(ABC):
    """The one store of budgets."""

    @abstractmethod
    async def open(self, account: Account) -> None:
        """Begin an account. Opening the same session again changes nothing."""

    @abstractmethod
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
        """Set the worst case aside, or say which limit forbids it. Atomic over all limits.

        A ledger that cannot answer refuses as `ledger.unavailable`. A caller that is cancelled has reserved nothing:
        what was granted at that moment is settled as unused, though its action and its place in each rate stay taken.
        """

    @abstractmethod
    async def settle(self, reservation_id: str, *, tokens: int, cost_micro_usd: int | None) -> None:
        """Replace the reservation by what was used, at most what it reserved. Settling twice changes nothing.

        It happens also when the caller is cancelled meanwhile.

        Raises:
            LedgerError: it is not charged; the reservation counts until its deadline.
        """

    @abstractmethod
    async def lapsed(self, *, before: float) -> tuple[Reservation, ...]:
        """Unsettled reservations whose deadline is earlier than `before`, at most 100: their worker died."""

    @abstractmethod
    async def forget(self, reservations: Sequence[Reservation]) -> None:
        """Drop lapsed reservations once they are recorded as lost. A settle that comes later still changes nothing."""

    @abstractmethod
    async def balance(self, session_id: str, *, now: float) -> Balance | None:
        """The account at Unix time `now`, or None when unknown."""

    @abstractmethod
    async def ended(self, session_id: str) -> str | None:
        """Why the account was closed; empty while it is open, None when unknown. Cheap: every request asks."""

    @abstractmethod
    async def sessions(self, *, now: float, live_only: bool) -> tuple[Balance, ...]:
        """Accounts, newest first, at most 1,000."""

    @abstractmethod
    async def end(self, session_id: str, reason: str) -> None:
        """Close an account: nothing more is reserved on it."""

    async def stop(self) -> None:
        """Carry out what waits, then release the store."""
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Release the store."""
