"""Merging and packing keep every permission, keep within AWS's sizes, and give the same for the same."""

from __future__ import annotations

import json
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.deploy.names import Names, shortened
from caisson.deploy.policies.packing import LIMITS, Kind, packed
from caisson.deploy.policies.statement import Parameter, Statement, characters, document, longest, merged, minified
from caisson.errors import OperatorError

ACTIONS = ("bedrock:InvokeModel", "bedrock:Put*", "iam:CreateUser", "s3:DeleteBucket", "kms:Decrypt", "sts:*")
RESOURCES = ("*", "arn:aws:s3:::one", "arn:aws:s3:::two/*")
PIN = Parameter(name="Pin", description="a pin", pattern="^x+$", example="x" * 300)
CONDITIONS = (
    {},
    {"StringEquals": {"aws:RequestedRegion": ("eu-west-1",)}},
    {"StringNotEquals": {"bedrock:GuardrailIdentifier": (PIN,)}},
)

names = st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=4, unique=True).map(tuple)
places = st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3, unique=True).map(tuple)


@st.composite
def statements(draw: st.DrawFn) -> tuple[Statement, ...]:
    count = draw(st.integers(0, 12))
    return tuple(
        Statement(
            sid=f"S{number}",
            effect=draw(st.sampled_from(["Allow", "Deny"])),
            conditions=draw(st.sampled_from(CONDITIONS)),
            **{
                draw(st.sampled_from(["actions", "not_actions"])): draw(names),
                draw(st.sampled_from(["resources", "not_resources"])): draw(places),
            },
        )
        for number in range(count)
    )


def meaning(given_: tuple[Statement, ...]) -> set[str]:
    """Each single permission of the statements. What is negated counts as a whole."""
    found = set()
    for statement in given_:
        resources = statement.resources or ("not", *sorted(map(str, statement.not_resources)))
        actions = statement.actions or (("not", *sorted(statement.not_actions)),)
        body = document((statement,), longest)["Statement"][0]
        for action, resource in product(actions, [tuple(resources)] if statement.not_resources else resources):
            found.add(json.dumps([statement.effect, action, resource, body.get("Condition")]))
    return found


@given(statements())
def test_merging_keeps_every_permission_and_never_grows(given_: tuple[Statement, ...]) -> None:
    found = merged(given_)
    assert meaning(found) == meaning(given_)
    assert len(found) <= len(given_)
    assert merged(found) == found
    assert len({statement.sid for statement in found}) == len(found)


@given(statements())
def test_merged_statements_differ_in_more_than_actions(given_: tuple[Statement, ...]) -> None:
    found = [statement for statement in merged(given_) if statement.actions]
    rest = [
        json.dumps(
            [s.effect, s.resources, s.not_resources, document((s,), longest)["Statement"][0].get("Condition")],
        )
        for s in found
    ]
    assert len(set(rest)) == len(rest)


@given(statements())
def test_minified_is_the_same_policy_without_white_space(given_: tuple[Statement, ...]) -> None:
    policy = document(given_)
    text = minified(policy)
    assert json.loads(text) == policy
    assert not any(mark in text for mark in ("\n", ", ", ": "))
    assert characters(given_) == len(minified(document(given_, longest))) >= len(text)


@settings(max_examples=30, deadline=None)
@given(
    statements(), st.sampled_from(["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]), st.sampled_from([1, 2, 40])
)
def test_packing_keeps_every_permission_within_the_limit(
    given_: tuple[Statement, ...], kind: Kind, copies: int
) -> None:
    many = tuple(
        Statement(
            sid=f"{statement.sid}C{copy}",
            effect=statement.effect,
            actions=statement.actions,
            not_actions=statement.not_actions,
            resources=tuple(f"{resource}{copy}" for resource in statement.resources),
            not_resources=tuple(f"{resource}{copy}" for resource in statement.not_resources),
            conditions=statement.conditions,
        )
        for statement in given_
        for copy in range(copies)
    )
    groups = packed(many, kind)
    assert all(group and characters(group) <= LIMITS[kind].characters for group in groups)
    assert meaning(tuple(statement for group in groups for statement in group)) == meaning(many)
    assert packed(many, kind) == groups
    for before, after in pairwise(groups):
        assert characters((*before, after[0])) > LIMITS[kind].characters, "a group is left only when it is full"


def test_a_statement_that_fits_nowhere_is_refused() -> None:
    wide = Statement(
        sid="Wide", effect="Deny", actions=("s3:*",), not_resources=tuple(f"arn:{n:0>500}" for n in range(21))
    )
    with pytest.raises(OperatorError, match="'Wide' within AWS's 10240 characters"):
        packed((wide,), "SERVICE_CONTROL_POLICY")


@pytest.mark.parametrize(
    "parts",
    [
        {"actions": ("s3:*",)},
        {"resources": ("*",)},
        {"actions": ("s3:*",), "not_actions": ("s3:*",), "resources": ("*",)},
        {"actions": ("s3:*",), "resources": ("*",), "not_resources": ("*",)},
    ],
)
def test_a_statement_says_one_of_each(parts: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        Statement(sid="S", effect="Deny", **parts)


@given(st.from_regex("[a-z][a-z0-9-]{0,30}", fullmatch=True), st.from_regex("[a-z][a-z0-9-]{0,30}", fullmatch=True))
def test_names_fit_and_stay_apart(one: str, other: str) -> None:
    for system in (one, other):
        found = Names(system)
        assert len(found.permission_set("operator")) <= 32
        assert len(found.role("deployment")) <= 64
        assert len(found.bucket("trail", "1" * 12)) <= 63
        assert len(found.guardrail("floor")) <= 50
    if one != other:
        assert Names(one).permission_set("operator") != Names(other).permission_set("operator")
        assert not Names(one).path.startswith(Names(other).path)


def test_a_name_that_fits_is_left_alone() -> None:
    assert shortened("x" * 32, 32) == "x" * 32
    assert len(shortened("x" * 33, 32)) == 32
