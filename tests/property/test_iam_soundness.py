"""What must hold for every case, whatever the policies say.

The cases are those of the comparison with the simulator; nothing here needs it.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.assurance.iam.cases import Case, Rejected, cases
from caisson.assurance.iam.decision import Decision, Outcome, decide
from iam_generator import case

Json = dict[str, Any]
seeds = st.integers(0, 10**9)
DENY_ALL: Json = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
ALLOW_ALL: Json = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def read(one: Json) -> Case:
    found = next(cases([json.dumps(one).encode()]))
    assert isinstance(found, Case), found.problems
    return found


def decided(one: Json) -> Decision:
    found = read(one)
    return decide(found.request, found.policies)


def documents(one: Json) -> Iterator[Json]:
    """Every policy document of a case."""
    for kind in ("identity_policies", "boundary", "session_policy", "vpc_endpoint_policies", "resource_policy"):
        found = one.get(kind) or []
        yield from found if isinstance(found, list) else [found]
    for kind in ("scps", "rcps"):
        for level in one.get(kind) or []:
            yield from level["policies"]


def listed(one: Json) -> Json:
    """The same case with every Statement as a list."""
    made = copy.deepcopy(one)
    for document in documents(made):
        if not isinstance(document["Statement"], list):
            document["Statement"] = [document["Statement"]]
    return made


@given(seeds)
def test_a_deny_of_everything_denies(seed: int) -> None:
    one = case(seed)
    one["identity_policies"] = [*(one.get("identity_policies") or []), DENY_ALL]
    assert decided(one).outcome is Outcome.DENY_EXPLICIT


@given(seeds)
def test_more_grants_take_nothing_away(seed: int) -> None:
    one = case(seed)
    if decided(one).outcome is Outcome.ALLOW:
        one["identity_policies"] = [*(one.get("identity_policies") or []), ALLOW_ALL]
        assert decided(one).outcome is Outcome.ALLOW


@given(seeds)
def test_without_any_allow_nothing_is_allowed(seed: int) -> None:
    one = listed(case(seed))
    if one["request"]["principal"].endswith(":root"):
        return
    for kind in ("identity_policies", "resource_policy"):
        for document in one.get(kind) or [] if kind == "identity_policies" else [one.get(kind) or {"Statement": []}]:
            document["Statement"] = [found for found in document["Statement"] if found["Effect"] == "Deny"]
    assert decided(one).outcome in (Outcome.DENY_IMPLICIT, Outcome.DENY_EXPLICIT, Outcome.UNDETERMINED)


@given(seeds, st.randoms(use_true_random=False))
def test_order_and_division_into_documents_mean_nothing(seed: int, pick: random.Random) -> None:
    one = listed(case(seed))
    before = decided(one).outcome
    parts = [{**document, "Statement": [found]} for document in one.get("identity_policies") or []
             for found in document["Statement"]]  # fmt: skip
    pick.shuffle(parts)
    one["identity_policies"] = parts
    for document in documents(one):
        pick.shuffle(document["Statement"])
    assert decided(one).outcome is before


@given(seeds)
def test_actions_and_keys_have_no_case(seed: int) -> None:
    one = listed(case(seed))
    before = decided(one).outcome
    one["request"]["context"] = {key.swapcase(): value for key, value in one["request"]["context"].items()}
    service, _, name = one["request"]["action"].partition(":")
    one["request"]["action"] = f"{service.upper()}:{name.swapcase()}"
    assert decided(one).outcome is before


@given(seeds, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_an_unknown_operator_is_never_ignored(seed: int, pick: random.Random) -> None:
    """A definite answer is one that holds whether or not the unknown condition does."""
    one = listed(case(seed))
    conditioned = [found for document in documents(one) for found in document["Statement"] if found.get("Condition")]
    if not conditioned:
        return
    statement = pick.choice(conditioned)
    operator = pick.choice(sorted(statement["Condition"]))
    known, others = statement["Condition"].pop(operator), dict(statement["Condition"])

    def under(conditions: Json) -> Decision:
        statement["Condition"] = others | conditions
        return decided(one)

    either = {under({}).outcome, under({"ForAnyValue:StringEquals": {"aws:Never": "x"}}).outcome}
    found = under({"StringAlmostEquals": known})
    if found.outcome is Outcome.UNDETERMINED:
        assert len(either) > 1 or Outcome.UNDETERMINED in either
        assert Outcome.UNDETERMINED in either or "StringAlmostEquals" in found.reason
    else:
        assert either == {found.outcome}


@given(seeds)
def test_every_answer_has_its_grounds(seed: int) -> None:
    found = decided(case(seed))
    assert found.reason
    effects = {statement.effect.value for statement in found.statements}
    if found.outcome is Outcome.DENY_EXPLICIT:
        assert effects == {"Deny"}
    elif found.outcome is Outcome.ALLOW:
        assert effects <= {"Allow"}
    elif found.outcome is Outcome.DENY_IMPLICIT:
        assert not effects


@given(seeds)
def test_pointers_lead_to_the_statements(seed: int) -> None:
    one = case(seed)
    for statement in decided(one).statements:
        found: Any = one
        for key in statement.pointer.split("/")[1:]:
            found = found[int(key)] if isinstance(found, list) else found[key]
        assert found["Effect"] == statement.effect.value
        assert found.get("Sid") == statement.sid


junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8),
              st.sampled_from(["*", "Allow", "${aws:username}", "arn:aws:iam::1:role/x", "2012-10-17", ""])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@given(seeds, st.randoms(use_true_random=False), junk)
@settings(max_examples=400)
def test_damage_is_refused_with_a_place_or_decided(seed: int, pick: random.Random, value: Any) -> None:
    """Whatever stands anywhere in a case: problems with a pointer, or a decision; no exception, no silence."""
    one = case(seed)
    place: Any = one
    while True:
        key = pick.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], (dict, list)) or not place[key] or pick.random() < 0.25:
            break
        place = place[key]
    place[key] = value
    found = next(cases([json.dumps(one).encode()]))
    if isinstance(found, Rejected):
        assert found.problems
        assert all(problem.pointer.startswith("/") and problem.message for problem in found.problems)
    else:
        assert decide(found.request, found.policies).reason


@given(st.binary(max_size=60))
def test_no_bytes_are_too_strange(raw: bytes) -> None:
    for found in cases(raw.split(b"\n")):
        assert isinstance(found, Rejected)
        assert found.problems
