"""What the ledger decides, as arithmetic over what was read: no request to DynamoDB, no clock.

Acts are applied in their order, as if one came after the other. Each says what its caller is told and whether it
changed anything: what was changed is written on condition that it is still what was read, and what was not (a refusal,
a settle of nothing) is told only when all was read after the act came in.

>>> books = Books(accounts={"s": None}, rates={})
>>> books.end("s", "revoked")
Told(value=None, changed=False)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from caisson.adapters.aws.ledger.rate import RateState
from caisson.errors import LedgerError, Refusal
from caisson.ports.ledger import Account, Balance, Rate, Reservation, over_limits


@dataclass(frozen=True, kw_only=True)
class AccountState:
    """An account with its reservations."""

    account: Account
    version: int = 0
    """Grows with every change."""
    tokens_used: int = 0
    actions_used: int = 0
    cost_micro_usd: int = 0
    cost_unknown_requests: int = 0
    closed: str = ""
    open: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    """Reservation id to tokens and deadline, lapsed ones included until they are forgotten."""

    def balance(self, now: float) -> Balance:
        """What it says at Unix time `now`."""
        return Balance(
            account=self.account,
            tokens_used=self.tokens_used,
            tokens_reserved=sum(tokens for tokens, deadline in self.open.values() if deadline > now),
            actions_used=self.actions_used,
            cost_micro_usd=self.cost_micro_usd,
            cost_unknown_requests=self.cost_unknown_requests,
            closed=self.closed,
        )

    def reservations(self) -> tuple[Reservation, ...]:
        """All that are not settled."""
        return tuple(
            Reservation(reservation_id=name, session_id=self.account.session_id, tokens=tokens, deadline=deadline)
            for name, (tokens, deadline) in self.open.items()
        )


@dataclass(frozen=True)
class Told:
    """The outcome of an act."""

    value: Reservation | Refusal | LedgerError | None
    changed: bool


_UNCHANGED = Told(None, changed=False)
_CHANGED = Told(None, changed=True)


@dataclass
class Books:
    """The accounts and rates that a batch of acts touches, as read and then as the acts leave them."""

    accounts: dict[str, AccountState | None]
    rates: dict[str, RateState]

    def open(self, account: Account) -> Told:
        """Begin an account unless there is one."""
        if self.accounts[account.session_id] is not None:
            return _UNCHANGED
        self.accounts[account.session_id] = AccountState(account=account)
        return _CHANGED

    def reserve(
        self, wanted: Reservation, actions: int, rates: Sequence[Rate], now: float, *, perhaps_done: bool
    ) -> Told:
        """Set `wanted` aside, or say what forbids it. `perhaps_done`: an answer about this very act was lost.

        Raises:
            ChunkMissing: grants of a rate are to be read first.
        """
        state = self.accounts[wanted.session_id]
        if state is not None and wanted.reservation_id in state.open:
            if perhaps_done and state.open[wanted.reservation_id] == (wanted.tokens, wanted.deadline):
                return Told(wanted, changed=False)
            return Told(LedgerError(f"a reservation {wanted.reservation_id!r} exists already"), changed=False)
        refusal = over_limits(None if state is None else state.balance(now), wanted, actions, now)
        if state is None or refusal is not None:
            return Told(refusal, changed=False)
        for rate in rates:
            refusal = self.rates[rate.key].refusal(rate, now)
            if refusal is not None:
                return Told(refusal, changed=False)
        for rate in rates:
            self.rates[rate.key] = self.rates[rate.key].granted(now)
        self.accounts[wanted.session_id] = replace(
            state,
            actions_used=state.actions_used + actions,
            open={**state.open, wanted.reservation_id: (wanted.tokens, wanted.deadline)},
        )
        return Told(wanted, changed=True)

    def settle(self, session_id: str, reservation_id: str, tokens: int, cost_micro_usd: int | None) -> Told:
        """Replace a reservation by what was used, at most what it reserved."""
        state = self.accounts[session_id]
        if state is None or reservation_id not in state.open:
            return _UNCHANGED
        reserved, _ = state.open[reservation_id]
        self.accounts[session_id] = replace(
            state,
            tokens_used=state.tokens_used + min(max(tokens, 0), reserved),
            cost_micro_usd=state.cost_micro_usd + (cost_micro_usd or 0),
            cost_unknown_requests=state.cost_unknown_requests + (cost_micro_usd is None),
            open={name: kept for name, kept in state.open.items() if name != reservation_id},
        )
        return _CHANGED

    def end(self, session_id: str, reason: str) -> Told:
        """Close an account that is open."""
        state = self.accounts[session_id]
        if state is None or state.closed:
            return _UNCHANGED
        self.accounts[session_id] = replace(state, closed=reason)
        return _CHANGED
