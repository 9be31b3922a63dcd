"""Sessions as the ingress keeps them: opened, narrowed, and found alive on every request (IAM-06, SESS-02).

- A session exists when it has an account in the ledger and an event in the log; only then do its credentials leave.
- It is alive while orders are valid and let the system run, no order revokes it or what it came from, its account is
  open, and the system file still lets its user have that agent and task. All of it is looked up for every request.
- Users of the file answer to the file: groups that it takes away are gone with the next request.

>>> sessions = Sessions(ledger=ledger, events=events, clock=clock)  # doctest: +SKIP
>>> sessions.set_state(system, orders)  # doctest: +SKIP
>>> await sessions.open(user="alice", groups=("adjusters",), role=Role("claims", "answer"), …)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from secrets import token_hex
from typing import Literal

from caisson.channels.messages import SessionEvent
from caisson.errors import Refusal, WireError
from caisson.policy import sessions as policy
from caisson.policy.sessions import Role
from caisson.ports.channel import ChannelWriter
from caisson.ports.clock import Clock
from caisson.ports.configuration import Orders
from caisson.ports.credentials import Principal
from caisson.ports.ledger import Account, Ledger
from caisson.system.schema import System

DECIDED_MAX = 10_000
"""Sessions whose standing is remembered."""
_NO_ACCOUNT = Refusal(
    error=WireError.ACCESS_DENIED, rule="session.account", message="This session has no account; sign in again."
)
_NO_STATE = Refusal(
    error=WireError.UNAVAILABLE, rule="configuration.none", message="The system has no configuration yet; retry later."
)
_EXPIRED = Refusal(
    error=WireError.EXPIRED_TOKEN,
    rule="session.expired",
    message="The security token included in the request is expired",
)


class Sessions:
    """Opens sessions and says whether one is alive, under the configuration and orders in force."""

    def __init__(self, *, ledger: Ledger, events: ChannelWriter, clock: Clock) -> None:
        self._ledger = ledger
        self._events = events
        self._clock = clock
        self._state: tuple[System, Orders] | None = None
        self._decided: dict[str, tuple[Principal, Principal | Refusal]] = {}

    def set_state(self, system: System, orders: Orders) -> None:
        """Configuration and orders for every decision from now on."""
        self._state = (system, orders)
        self._decided.clear()

    def state(self) -> tuple[System, Orders] | Refusal:
        """The configuration and orders in force, or why nothing may run."""
        if self._state is None:
            return _NO_STATE
        return policy.standing(self._state[1], now=self._clock.now()) or self._state

    async def alive(self, principal: Principal) -> Principal | Refusal:
        """The principal of verified credentials as the system knows it now, or why the session is over."""
        state = self.state()
        if isinstance(state, Refusal):
            return state
        current = self._known(principal, *state)
        if isinstance(current, Refusal):
            return current
        ended = await self._ledger.ended(current.root_session_id)
        if ended is None:
            return _NO_ACCOUNT
        if ended:
            return Refusal(
                error=WireError.EXPIRED_TOKEN,
                rule="session.ended",
                message="The security token included in the request is expired: its session has ended.",
                rationale=ended,
            )
        # Its token was verified at the machine's time, which may have been set back; here it stays expired.
        return _EXPIRED if self._clock.now() >= current.expires else current

    def _known(self, principal: Principal, system: System, orders: Orders) -> Principal | Refusal:
        """What configuration and orders say of a principal: the same for all its requests until they change."""
        known = self._decided.get(principal.session_id)
        if known is not None and known[0] is principal:
            return known[1]
        decided = policy.revoked(principal, orders) or _current(system, principal)
        if isinstance(decided, Principal):
            role = Role(decided.agent, decided.task)
            decided = policy.may_open(system, user=decided.user, groups=decided.groups, role=role) or decided
        if len(self._decided) >= DECIDED_MAX:
            self._decided.clear()
        self._decided[principal.session_id] = (principal, decided)
        return decided

    async def open(
        self,
        *,
        user: str,
        groups: Sequence[str],
        role: Role,
        lifetime_s: float | None,
        method: Literal["socket", "oidc"],
        note: str = "",
    ) -> Principal | Refusal:
        """Begin a session of a verified user. `note` goes to the log.

        Raises:
            ChannelError: the event cannot be recorded, so the session does not begin.
        """
        state = self.state()
        if isinstance(state, Refusal):
            return state
        system, _ = state
        lifetime = policy.duration_s(system, lifetime_s)
        if isinstance(lifetime, Refusal):
            return lifetime
        now = self._clock.now()
        principal = Principal(
            session_id=f"s-{token_hex(16)}",
            chain=(),
            user=user,
            groups=policy.known_groups(system, groups),
            agent=role.agent,
            task=role.task,
            issued=now,
            expires=now + lifetime,
            method=method,
        )
        return await self.admit(principal, note=note)

    async def admit(self, principal: Principal, *, note: str = "") -> Principal | Refusal:
        """Begin the root session that `principal` describes, when its user may have it.

        Raises:
            ChannelError: see `open`.
        """
        state = self.state()
        if isinstance(state, Refusal):
            return state
        system, _ = state
        role = Role(principal.agent, principal.task)
        refusal = policy.may_open(system, user=principal.user, groups=principal.groups, role=role)
        if refusal is not None:
            await self._record("refused", system, principal, reason=f"{refusal.rule} {note}".strip())
            return refusal
        await self._ledger.open(
            Account(
                session_id=principal.session_id,
                user=principal.user,
                agent=principal.agent,
                task=principal.task,
                opened=self._clock.now(),
                expires=principal.expires,
                tokens_max=system.sessions.tokens,
                actions_max=system.sessions.actions,
            )
        )
        await self._record("opened", system, principal, reason=note)
        return principal

    async def known(self, principal: Principal) -> bool:
        """Whether the session has an account."""
        return await self._ledger.ended(principal.root_session_id) is not None

    async def narrow(
        self, parent: Principal, *, role: Role, lifetime_s: float | None, note: str = ""
    ) -> Principal | Refusal:
        """Begin a session that has part of what a living `parent` has, on the same account.

        Raises:
            ChannelError: see `open`.
        """
        state = self.state()
        if isinstance(state, Refusal):
            return state
        system, _ = state
        lifetime = policy.duration_s(system, lifetime_s)
        if isinstance(lifetime, Refusal):
            return lifetime
        grant = policy.narrow(system, parent, role, now=self._clock.now(), lifetime_s=lifetime)
        if isinstance(grant, Refusal):
            await self._record("refused", system, parent, reason=f"{grant.rule} {note}".strip())
            return grant
        child = Principal(
            session_id=f"s-{token_hex(16)}",
            chain=grant.chain,
            user=parent.user,
            groups=grant.groups,
            agent=grant.role.agent,
            task=grant.role.task,
            issued=grant.issued,
            expires=grant.expires,
            method=parent.method,
        )
        await self._record("narrowed", system, child, reason=note)
        return child

    async def _record(
        self, change: Literal["opened", "narrowed", "refused"], system: System, principal: Principal, *, reason: str
    ) -> None:
        self._events.append(
            SessionEvent(
                timestamp=self._clock.now(),
                change=change,
                session_id=principal.session_id,
                user_identity=principal.user,
                service_identity=policy.role_arn(system.name, Role(principal.agent, principal.task)),
                parent_session_id=principal.chain[-1] if principal.chain else "",
                method="session" if change == "narrowed" else principal.method,
                expires=principal.expires,
                reason=reason,
            )
        )
        await self._events.acknowledged(fsync=system.fsync)


def _current(system: System, principal: Principal) -> Principal:
    """The principal with the groups that it still has."""
    if principal.method == "oidc":
        return principal
    user = system.identity.local.users.get(principal.user)
    held = user.groups if user is not None else ()
    groups = tuple(group for group in principal.groups if group in held)
    return principal if groups == principal.groups else replace(principal, groups=groups)
