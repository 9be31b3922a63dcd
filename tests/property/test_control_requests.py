"""Whatever is asked of the control zone, it answers in its form and says why not; only sound orders change anything."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.errors import ConfigurationError
from caisson.policy.sessions import DURATION_MAX_S
from caisson.ports.configuration import Orders
from caisson.zones.z5_control import difference, orders
from caisson.zones.z5_control.control import Control
from caisson.zones.z5_control.handover import canonical, digest
from configuration_world import NOON
from control_world import World

OPS = ("status", "versions", "staged", "stop", "resume", "sign", "rollback", "publish", "revoke_session", "revoke_user")
FIELDS = ("reason", "session", "user", "until", "since", "version", "key_id", "signatures", "bundle", "op")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
LINES = st.one_of(
    st.binary(max_size=100),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.builds(
        lambda op, rest: json.dumps({"op": op, **rest}).encode(),
        st.sampled_from(OPS),
        st.dictionaries(st.sampled_from(FIELDS[:-1]), VALUES, max_size=3),
    ),
)


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Control:
    return asyncio.run(World(tmp_path_factory.mktemp("control")).begun())


@settings(max_examples=300, deadline=None)
@given(line=LINES)
def test_every_request_has_an_answer(control: Control, line: bytes) -> None:
    answer = asyncio.run(control.answer(line, 1000))
    assert set(answer) == ({"ok", "result"} if answer["ok"] else {"ok", "error"})
    json.dumps(answer)


def test_deep_nesting_is_refused(control: Control) -> None:
    line = b'{"op":"publish","reason":"deep","bundle":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001
    assert not asyncio.run(control.answer(line, 1000))["ok"]


TIMES = st.floats(allow_nan=True, allow_infinity=True) | st.floats(NOON - 4000, NOON + 4000)


@given(session=st.text(max_size=140), until=st.none() | TIMES, user=st.text(max_size=300), since=st.none() | TIMES)
def test_revocations_are_sound_or_refused(session: str, until: float | None, user: str, since: float | None) -> None:
    held = Orders(number=1, revoked_sessions={"s-1": NOON + 5}, revoked_users={"alice": NOON - 5}, stopped="drill")
    for act in (
        lambda: orders.revoke_session(held, session, until=until, now=NOON),
        lambda: orders.revoke_user(held, user, since=since, now=NOON),
    ):
        try:
            wanted = act()
        except ConfigurationError:
            continue
        assert wanted.revoked_sessions.items() >= held.revoked_sessions.items() or session == "s-1"
        assert all(NOON < end <= NOON + DURATION_MAX_S + 60 for end in wanted.revoked_sessions.values())
        assert wanted.revoked_users.items() >= held.revoked_users.items() or user == "alice"
        assert all(NOON - DURATION_MAX_S <= start <= NOON for start in wanted.revoked_users.values())
        assert wanted.stopped == "drill"
        assert orders.forgotten(wanted, now=NOON) == wanted


@given(until=st.none() | st.floats(NOON + 1, NOON + 3600), since=st.none() | st.floats(NOON - 3600, NOON))
def test_revoking_again_never_shortens(until: float | None, since: float | None) -> None:
    held = Orders(number=1, revoked_sessions={"s-1": NOON + 1800}, revoked_users={"alice": NOON - 1800})
    assert orders.revoke_session(held, "s-1", until=until, now=NOON).revoked_sessions["s-1"] >= NOON + 1800
    assert orders.revoke_user(held, "alice", since=since, now=NOON).revoked_users["alice"] >= NOON - 1800


@given(after=st.floats(0, 20_000))
def test_nothing_is_forgotten_while_it_can_refuse(after: float) -> None:
    held = Orders(number=1, revoked_sessions={"s-1": NOON + 900}, revoked_users={"alice": NOON}, stopped="drill")
    left = orders.forgotten(held, now=NOON + after)
    assert ("s-1" in left.revoked_sessions) or after > 900
    assert ("alice" in left.revoked_users) or after > DURATION_MAX_S
    assert left.stopped == "drill"


def test_revocations_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "REVOCATIONS_MAX", 2)
    held = Orders(number=1)
    for session in ("s-1", "s-2", "s-1"):
        held = orders.revoke_session(held, session, until=None, now=NOON)
    with pytest.raises(ConfigurationError, match="stop the system"):
        orders.revoke_session(held, "s-3", until=None, now=NOON)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | TEXTS
SECTIONS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
BUNDLES = st.fixed_dictionaries({"system": st.dictionaries(TEXTS, SECTIONS, max_size=3)}).map(canonical)


@given(before=BUNDLES, after=BUNDLES)
def test_a_difference_is_told_exactly_when_there_is_one(before: dict[str, Any], after: dict[str, Any]) -> None:
    lines = difference.differences(before, after)
    assert bool(lines) == (json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True))
    assert (digest(before) == digest(after)) == (not lines)
    assert all(line.isprintable() and len(line) <= difference.LINE_CHARACTERS_MAX for line in lines)
    assert difference.differences(before, {**before, "author": "another", "reason": "another"}) == ()


def test_differences_are_bounded() -> None:
    many = {"system": {f"key {number:04}": number for number in range(500)}}
    lines = difference.differences({"system": {}}, many)
    assert len(lines) == difference.LINES_MAX
    assert lines[-1] == "… and 401 more"
    agents = {"system": {"agents": {f"agent-{number:03}": {} for number in range(200)}}}
    assert len(difference.affected_agents({"system": {}}, agents)) == difference.AGENTS_MAX + 1


def test_affected_agents_are_those_that_use_what_changed() -> None:
    def system(**changes: Any) -> dict[str, Any]:
        agents = {"a": {"model": "m", "guardrail": "g"}, "b": {"model": "n", "guardrail": "g"}}
        return {
            "system": {
                "agents": agents,
                "models": {"m": 1, "n": 1},
                "guardrails": {"g": 1, "h": 1},
                "tier": 2,
                **changes,
            }
        }

    def affected(**changes: Any) -> tuple[str, ...]:
        return difference.affected_agents(system(), system(**changes))

    assert affected() == ()
    assert affected(models={"m": 2, "n": 1}) == ("a",)
    assert affected(guardrails={"g": 2, "h": 1}) == ("a", "b")
    assert affected(guardrails={"g": 1, "h": 2}) == ()
    assert affected(tier=3) == ("a", "b")
    assert affected(agents={"a": {"model": "m", "guardrail": "g"}}) == ("b",)
