"""Who may hold a session, and: whatever is handed on is never more (IAM-06, SESS-02)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.errors import Refusal, WireError
from caisson.policy import sessions as policy
from caisson.policy.sessions import CHAIN_MAX, Grant, Role
from caisson.ports.configuration import Orders
from caisson.ports.credentials import Principal
from caisson.system.schema import System
from identity_world import NOW, ROLE, bundle, system

SYSTEM = system()
PRINCIPAL = Principal(
    session_id="s-1", chain=(), user="alice", groups=("adjusters",), agent="claims", task="answer", issued=NOW - 60,
    expires=NOW + 900, method="socket",
)  # fmt: skip
roles = st.sampled_from([Role(agent, task) for agent, found in SYSTEM.agents.items() for task in found.tasks])


def reach(found: System, role: Role) -> set[tuple[str, str]]:
    """All that a role can touch."""
    agent = found.agents[role.agent]
    return {
        ("model", agent.model),
        ("guardrail", agent.guardrail),
        *(("tool", tool) for tool in agent.tasks[role.task].tools),
        *(("knowledge", name) for name in agent.knowledge),
        *(("client tool", f"{name} {tool.schema_sha256}") for name, tool in agent.client_tools.items()),
    }


@given(
    held=roles,
    asked=roles,
    groups=st.lists(st.sampled_from(["adjusters", "approvers", "unknown"]), max_size=3).map(tuple),
    depth=st.integers(0, CHAIN_MAX + 1),
    left_s=st.floats(0, 3600),
    lifetime_s=st.floats(0, 7200),
)
def test_what_is_handed_on_is_never_more(
    held: Role, asked: Role, groups: tuple[str, ...], depth: int, left_s: float, lifetime_s: float
) -> None:
    parent = replace(
        PRINCIPAL, agent=held.agent, task=held.task, groups=groups, expires=NOW + left_s,
        chain=tuple(f"s-{number}" for number in range(depth)),
    )  # fmt: skip
    grant = policy.narrow(SYSTEM, parent, asked, now=NOW, lifetime_s=lifetime_s)
    if isinstance(grant, Grant):
        assert grant.expires <= min(parent.expires, NOW + lifetime_s)
        assert set(grant.groups) <= set(parent.groups)
        assert grant.chain == (*parent.chain, parent.session_id)
        assert len(grant.chain) <= CHAIN_MAX
        assert grant.issued == parent.issued
        assert reach(SYSTEM, grant.role) <= reach(SYSTEM, held)
    else:
        assert grant.error is WireError.ACCESS_DENIED
        assert depth >= CHAIN_MAX or set(groups) <= {"unknown"} or not reach(SYSTEM, asked) <= reach(SYSTEM, held)


@given(
    st.one_of(st.none(), st.floats(allow_nan=True), st.integers(-10, 100_000)), st.sampled_from(["15m", "30m", "1h"])
)
def test_durations_are_within_bounds_or_refused(requested: float | None, longest: str) -> None:
    found = system(sessions={"duration": longest, "tokens": 1, "actions": 1})
    duration = policy.duration_s(found, requested)
    if isinstance(duration, Refusal):
        assert requested is not None
        assert not requested >= 900
    else:
        assert 900 <= duration <= min(found.sessions.duration_s, 3600)
        assert requested is None or duration <= requested


def test_a_user_needs_a_group_that_the_system_knows() -> None:
    role = Role("claims", "answer")
    assert policy.may_open(SYSTEM, user="alice", groups=("adjusters",), role=role) is None
    for groups in ((), ("unknown",)):
        refusal = policy.may_open(SYSTEM, user="alice", groups=groups, role=role)
        assert refusal is not None
        assert (refusal.error, refusal.rule) == (WireError.ACCESS_DENIED, "session.groups")


@pytest.mark.parametrize("role", [Role("nobody", "answer"), Role("claims", "nothing")])
def test_a_role_must_exist(role: Role) -> None:
    refusal = policy.may_open(SYSTEM, user="alice", groups=("adjusters",), role=role)
    assert refusal is not None
    assert "claims/answer" in refusal.message


def test_roles_have_arns() -> None:
    assert policy.parse_role(ROLE, "claims-assistant") == Role("claims", "answer")
    assert policy.role_arn("claims-assistant", Role("claims", "answer")) == ROLE


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "claims/answer",
        f"{ROLE}/more",
        ROLE.replace("claims-assistant", "other"),
        ROLE.replace("000000000000", "111111111111"),
        ROLE.removesuffix("answer"),
        "arn:aws:iam::000000000000:role/claims-assistant//answer",
        ROLE + "a" * 3000,
    ],
)
def test_other_arns_are_no_roles_of_ours(arn: str) -> None:
    assert isinstance(policy.parse_role(arn, "claims-assistant"), Refusal)


def test_revoking_a_session_or_any_above_it() -> None:
    child = replace(PRINCIPAL, session_id="s-3", chain=("s-1", "s-2"))
    for revoked in ("s-1", "s-2", "s-3"):
        assert policy.revoked(child, Orders(number=1, revoked_sessions={revoked: NOW})) is not None
    assert policy.revoked(child, Orders(number=1, revoked_sessions={"s-4": NOW})) is None
    assert policy.revoked(PRINCIPAL, Orders(number=1, revoked_sessions={"s-2": NOW})) is None


def test_revoking_a_user_ends_what_was_issued_before() -> None:
    orders = Orders(number=1, revoked_users={"alice": NOW + 1})
    assert policy.revoked(PRINCIPAL, orders) is not None
    assert policy.revoked(replace(PRINCIPAL, issued=NOW + 1), orders) is None
    assert policy.revoked(replace(PRINCIPAL, user="bob"), orders) is None


def test_orders_stand_until_they_expire_or_stop_everything() -> None:
    assert policy.standing(Orders(number=1, expires=NOW + 1), now=NOW) is None
    for orders in (None, Orders(number=1, expires=NOW), Orders(number=1, expires=NOW + 1, stopped="incident 7")):
        refusal = policy.standing(orders, now=NOW)
        assert refusal is not None
        assert refusal.error is WireError.UNAVAILABLE
        assert "incident 7" not in refusal.message


def test_the_only_role_needs_no_name() -> None:
    one = system(agents={"claims": bundle()["agents"]["twin"]})
    assert policy.only_role(one) == Role("claims", "answer")
    refusal = policy.only_role(SYSTEM)
    assert isinstance(refusal, Refusal)
    assert "x-caisson-role" in refusal.message
