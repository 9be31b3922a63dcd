"""Who may hold a session, for how long, and what a session may hand on (IAM-06, SEC-02, SESS-02). Pure.

- A user opens an agent's task when the system declares both and the user is in a group that the system declares.
- A session lives 15 minutes at least and, at most, what the system file says, never over an hour.
- A session hands on an intersection, never more: same user, no later end, no tool, document or model that it lacks,
  and the same guardrail.
- Revoking a session revokes what it handed on; revoking a user revokes what was issued to that user before.

>>> parse_role("arn:aws:iam::000000000000:role/claims-assistant/claims/answer", "claims-assistant")
Role(agent='claims', task='answer')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from caisson.errors import Refusal, WireError

if TYPE_CHECKING:
    from caisson.system.schema import System

ACCOUNT_ID = "000000000000"
"""The account that ARNs of one machine carry."""
DURATION_MIN_S = 900
"""Shortest duration a caller may ask for (AWS STS API reference, DurationSeconds)."""
DURATION_MAX_S = 3_600
"""Longest session whatever the file says (IAM-06; AWS STS allows chained roles no more either)."""
CHAIN_MAX = 8
"""Sessions above a session. Each link adds 34 bytes to the token."""
ROLE_ARN_BYTES_MAX = 2_048
"""AWS STS API reference, RoleArn."""


@dataclass(frozen=True)
class Role:
    """What a session is for."""

    agent: str
    task: str


class SessionFacts(Protocol):
    """What these decisions read of a principal (`ports.credentials.Principal`)."""

    @property
    def session_id(self) -> str: ...
    @property
    def chain(self) -> tuple[str, ...]: ...
    @property
    def user(self) -> str: ...
    @property
    def groups(self) -> tuple[str, ...]: ...
    @property
    def agent(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def issued(self) -> float: ...
    @property
    def expires(self) -> float: ...


class OrderFacts(Protocol):
    """What these decisions read of the orders in force (`ports.configuration.Orders`)."""

    @property
    def revoked_sessions(self) -> Mapping[str, float]: ...
    @property
    def revoked_users(self) -> Mapping[str, float]: ...
    @property
    def stopped(self) -> str: ...
    @property
    def expires(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a session hands on."""

    chain: tuple[str, ...]
    groups: tuple[str, ...]
    role: Role
    issued: float
    """The parent's: revoking a user reaches what older sessions handed on, whenever they did."""
    expires: float


def role_arn(system_name: str, role: Role) -> str:
    """The role's name as clients write it to STS."""
    return f"arn:aws:iam::{ACCOUNT_ID}:role/{system_name}/{role.agent}/{role.task}"


def parse_role(arn: str, system_name: str) -> Role | Refusal:
    """The role that `arn` names in this system."""
    expected = f"arn:aws:iam::{ACCOUNT_ID}:role/{system_name}/AGENT/TASK"
    prefix, parts = expected.removesuffix("AGENT/TASK"), arn[:ROLE_ARN_BYTES_MAX].split("/")
    if len(arn) > ROLE_ARN_BYTES_MAX or not arn.startswith(prefix) or len(parts) != 4 or not (parts[2] and parts[3]):
        return Refusal(
            error=WireError.VALIDATION,
            rule="session.role",
            message=f"Expected a role of this system, {expected!r}; found {arn[:200]!r}.",
        )
    return Role(parts[2], parts[3])


def known_groups(system: System, groups: Sequence[str]) -> tuple[str, ...]:
    """Those of a user's groups that the system declares, sorted. Others give nothing and are not kept."""
    return tuple(sorted({group for group in groups if group in system.identity.groups}))


def may_open(system: System, *, user: str, groups: Sequence[str], role: Role) -> Refusal | None:
    """Whether a verified user may open the role; None when so."""
    agent = system.agents.get(role.agent)
    if agent is None or role.task not in agent.tasks:
        return Refusal(
            error=WireError.ACCESS_DENIED,
            rule="session.role",
            message=f"Agent {role.agent!r} with task {role.task!r} is not in the system {system.name!r}; "
            f"it has {_roles(system)}.",
        )
    if not known_groups(system, groups):
        return Refusal(
            error=WireError.ACCESS_DENIED,
            rule="session.groups",
            message=f"User {user!r} is in no group of the system {system.name!r}; ask for membership of one of "
            f"{', '.join(sorted(system.identity.groups)) or 'its groups (it declares none)'}.",
        )
    return None


def _roles(system: System) -> str:
    return ", ".join(
        f"{agent}/{task}" for agent in sorted(system.agents) for task in sorted(system.agents[agent].tasks)
    )


def only_role(system: System) -> Role | Refusal:
    """The role of a caller that named none: the only one there is."""
    roles = [Role(agent, task) for agent, found in system.agents.items() for task in found.tasks]
    if len(roles) == 1:
        return roles[0]
    return Refusal(
        error=WireError.ACCESS_DENIED,
        rule="session.role",
        message="Which agent and task is this for? Send the header "
        f"'x-caisson-role: {role_arn(system.name, Role('AGENT', 'TASK'))}'; it can be {_roles(system)}.",
    )


def duration_s(system: System, requested_s: float | None) -> float | Refusal:
    """How long a new session lives: what was asked, at most what the system allows; that when nothing was asked."""
    longest = float(min(DURATION_MAX_S, system.sessions.duration_s))
    if requested_s is None:
        return longest
    if not requested_s >= min(DURATION_MIN_S, longest):  # also refuses NaN
        return Refusal(
            error=WireError.VALIDATION,
            rule="session.duration",
            message=f"Expected a duration of {DURATION_MIN_S} s or more, found {requested_s:g}; "
            f"this system's sessions last {longest:g} s at most.",
        )
    return min(float(requested_s), longest)


def narrow(system: System, parent: SessionFacts, role: Role, *, now: float, lifetime_s: float) -> Grant | Refusal:
    """What `parent` may hand on as `role`."""
    if len(parent.chain) >= CHAIN_MAX:
        return Refusal(
            error=WireError.ACCESS_DENIED,
            rule="session.chain",
            message=f"Expected at most {CHAIN_MAX} sessions in a chain, found {len(parent.chain) + 1}; assume the role "
            "from a session nearer to the first.",
        )
    groups = known_groups(system, parent.groups)
    refusal = may_open(system, user=parent.user, groups=groups, role=Role(parent.agent, parent.task)) or may_open(
        system, user=parent.user, groups=groups, role=role
    )
    if refusal is not None:
        return refusal
    beyond = _beyond(system, Role(parent.agent, parent.task), role)
    if beyond:
        return Refusal(
            error=WireError.ACCESS_DENIED,
            rule="session.narrow",
            message=f"A session of {parent.agent!r}/{parent.task!r} cannot hand on {role.agent!r}/{role.task!r}, "
            f"which has {beyond} that it lacks; sign in for that role.",
        )
    return Grant(
        chain=(*parent.chain, parent.session_id),
        groups=groups,
        role=role,
        issued=parent.issued,
        expires=min(parent.expires, now + lifetime_s),
    )


def _beyond(system: System, held: Role, asked: Role) -> str:
    """What `asked` reaches and `held` does not; empty when nothing."""
    mine, theirs = system.agents[held.agent], system.agents[asked.agent]
    reach = (
        ("tool", set(theirs.tasks[asked.task].tools) - set(mine.tasks[held.task].tools)),
        ("client tool", theirs.client_tools.keys() - mine.client_tools.keys()),
        ("knowledge", set(theirs.knowledge) - set(mine.knowledge)),
        ("model", {theirs.model} - {mine.model}),
        ("guardrail", {theirs.guardrail} - {mine.guardrail}),  # which of two is the stricter nobody can tell
    )
    return next((f"{kind} {min(names)!r}" for kind, names in reach if names), "")


def revoked(principal: SessionFacts, orders: OrderFacts) -> Refusal | None:
    """Whether an order ends the session, one above it, or everything its user was issued before."""
    ended = orders.revoked_sessions
    if ended and (principal.session_id in ended or any(above in ended for above in principal.chain)):
        return Refusal(
            error=WireError.EXPIRED_TOKEN,
            rule="session.revoked",
            message="The security token included in the request is expired: its session was revoked.",
        )
    since = orders.revoked_users.get(principal.user) if orders.revoked_users else None
    if since is not None and principal.issued < since:
        return Refusal(
            error=WireError.EXPIRED_TOKEN,
            rule="session.user-revoked",
            message="The security token included in the request is expired: its user's sessions were revoked.",
        )
    return None


def standing(orders: OrderFacts | None, *, now: float) -> Refusal | None:
    """Whether orders let anything run at all (IR-03). Nobody vouches for expired orders, so they stop requests."""
    if orders is None or now >= orders.expires:
        return Refusal(
            error=WireError.UNAVAILABLE,
            rule="orders.expired",
            message="The system has no valid orders; its operator must bring the control zone back.",
        )
    if orders.stopped:
        return Refusal(
            error=WireError.UNAVAILABLE,
            rule="orders.stopped",
            message="The system was stopped by its operator.",
            rationale=orders.stopped,
        )
    return None
