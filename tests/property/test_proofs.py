"""Proofs: the classes are complete, and a verdict is what every single request says."""

# ruff: noqa: E501  (tables of policies)

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caisson.assurance.iam.condition import holds
from caisson.assurance.iam.context import Context, Values
from caisson.assurance.iam.decision import Outcome, decide
from caisson.assurance.iam.document import Kind
from caisson.assurance.iam.grammar import policy
from caisson.assurance.iam.pattern import fits, parse, solid
from caisson.assurance.iam.principals import identity
from caisson.assurance.iam.request import Request
from caisson.assurance.iam.statement import covers
from caisson.assurance.proofs.claims import Claim, Spared
from caisson.assurance.proofs.deciding import policies_of
from caisson.assurance.proofs.estate import Attached, Estate
from caisson.assurance.proofs.guardrail_arns import guardrail_arns
from caisson.assurance.proofs.languages import TooMany, words
from caisson.assurance.proofs.search import prove
from caisson.assurance.proofs.universe import Universe
from caisson.assurance.proofs.values import Unbuildable, alternatives, pattern_parts
from caisson.assurance.verdict import Verdict

ACCOUNT, MANAGEMENT, STRANGER = "222222222222", "111111111111", "333333333333"
"""The last is not of the organization, and policies may name it all the same."""
UNIVERSE = Universe(
    partition="aws", region="eu-west-1", accounts=(MANAGEMENT, ACCOUNT), regions=("eu-west-1", "us-east-1")
)

PATTERNS = st.text(st.sampled_from("ab*?"), max_size=5)


@settings(max_examples=400, deadline=None)
@given(texts=st.lists(PATTERNS, max_size=4), path=st.booleans())
def test_there_is_a_word_for_every_way_to_fit(texts: list[str], path: bool) -> None:
    """Compared with every word of up to six letters: `z` stands for all that no pattern mentions."""
    patterns = [parse(text, variables=False).pieces for text in texts]
    found = words(patterns, letters="z", path=path)
    ways = [tuple(fits(one, word) for one in patterns) for word in found]
    assert len(set(ways)) == len(ways)
    every = ("".join(word) for size in range(1, 7) for word in itertools.product("abz", repeat=size))
    assert {tuple(fits(one, word) for one in patterns) for word in every} <= set(ways)


OPERATORS = st.sampled_from([
    "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase",
    "StringNotEqualsIfExists", "StringLikeIfExists", "ForAnyValue:StringEquals", "ForAllValues:StringLike", "Null", "Bool", "BoolIfExists",
    "NumericLessThan", "NumericGreaterThanEquals", "DateLessThan", "IpAddress", "NotIpAddress", "ArnLike", "ArnNotEquals",
])  # fmt: skip
WRITTEN = {
    "Bool": st.sampled_from(["true", "false"]),
    "Null": st.sampled_from(["true", "false"]),
    "Numeric": st.sampled_from(["1", "1.5", "20"]),
    "Date": st.sampled_from(["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"]),
    "Ip": st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "203.0.113.0/24"]),
    "Arn": st.sampled_from(["arn:aws:s3:::a*", "arn:aws:s3:::*b", "arn:aws:iam::222222222222:role/x"]),
    "String": st.sampled_from(["a", "A", "ab", "a*", "*b", "?*"]),
}
SAID = {
    "Bool": ["true", "false"],
    "Null": ["x"],
    "Numeric": ["0", "1", "1.2", "1.5", "3", "20", "21"],
    "Date": ["2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2027-01-01T00:00:00Z"],
    "Ip": ["10.0.0.1", "10.1.2.3", "203.0.113.9", "8.8.8.8"],
    "Arn": [
        "arn:aws:s3:::a",
        "arn:aws:s3:::b",
        "arn:aws:s3:::ab",
        "arn:aws:s3:::c",
        "arn:aws:iam::222222222222:role/x",
    ],
    "String": ["a", "A", "b", "ab", "Ab", "c", "aXb", ""],
}


def family(operator: str) -> str:
    bare = operator.rpartition(":")[2].removeprefix("Not")
    return next(name for name in WRITTEN if bare.startswith(name))


MANY = "dynamodb:LeadingKeys"
"""A key of many values."""


@st.composite
def key_tests(draw: st.DrawFn) -> tuple[str, str, list[Any]]:
    """Conditions on one key, all of one family of operators (and Null)."""
    key = draw(st.sampled_from(["example:Key", MANY]))
    first = draw(OPERATORS)
    same = [
        draw(OPERATORS.filter(lambda one: family(one) in (family(first), "Null")))
        for _ in range(draw(st.integers(0, 2)))
    ]
    found = []
    for operator in [first, *same]:
        values = draw(st.lists(WRITTEN[family(operator)], min_size=1, max_size=2, unique=True))
        statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {operator: {key: values}}}
        document = policy({"Version": "2012-10-17", "Statement": [statement]}, Kind.SERVICE_CONTROL, "")
        found += document.statements[0].conditions
    return key.lower(), family(first), found


@settings(max_examples=400, deadline=None)
@given(drawn=key_tests(), data=st.data())
def test_there_is_a_value_for_every_outcome_of_the_tests(
    drawn: tuple[str, str, list[Any]], data: st.DataObject
) -> None:
    key, name, conditions = drawn

    def outcome(found: Values | None) -> tuple[bool | None, ...]:
        context = Context({} if found is None else {key: found})
        return tuple(holds(condition, context).value for condition in conditions)

    try:
        known = {outcome(choice) for choice in alternatives(key, tuple(conditions), UNIVERSE)}
    except Unbuildable:
        return  # an answer too: the claim is undetermined
    several = key == MANY.lower() or any(condition.operator.over for condition in conditions)
    chosen = data.draw(st.lists(st.sampled_from(SAID[name]), min_size=1, max_size=3 if several else 1))
    said = Values(tuple(chosen), single=not several)
    assert outcome(None) in known
    assert None in outcome(said) or outcome(said) in known


ARNS = st.tuples(
    st.sampled_from(["eu-west-1", "*", "eu-*", "ap-south-9"]),
    st.sampled_from(["222222222222", STRANGER, "*"]),
    st.sampled_from(["guardrail/a", "guardrail/a*", "guardrail/*", "guardrail/a?c"]),
    st.sampled_from(["", ":1", ":*", ":1?", ":DRAFT", "*"]),
).map(lambda one: f"arn:aws:bedrock:{one[0]}:{one[1]}:{one[2]}{one[3]}")


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(
        st.one_of(ARNS, st.sampled_from(["*:guardrail/a:*", "arn:aws:bedrock:us-*:guardrail/a"])), max_size=3
    )
)
def test_there_is_a_guardrail_for_every_way_to_fit(texts: list[str]) -> None:
    """Compared with guardrails of many regions, accounts, ids and versions."""
    patterns = [parse(text, variables=False).pieces for text in texts]
    regions, accounts = ("eu-west-1", "us-east-1"), ("222222222222", "999999999999")
    found = guardrail_arns(tuple(texts), partition="aws", regions=regions, accounts=accounts)
    ways = [tuple(fits(one, arn) for one in patterns) for arn in found]
    every = (
        f"arn:aws:bedrock:{region}:{account}:guardrail/{id_}{version}"
        for region, account, id_, version in itertools.product(
            [region for region in (*regions, "ap-south-9") if region in regions or region in str(texts)],
            (*accounts, STRANGER, "888888888888"),
            ("a", "ab", "abc", "b", "axc"),
            ("", ":1", ":2", ":10", ":DRAFT"),
        )
    )
    assert {tuple(fits(one, arn) for one in patterns) for arn in every} <= set(ways)


def values_for(operator: str, key: str, value: str) -> list[str]:
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}}
    document = policy({"Version": "2012-10-17", "Statement": [statement]}, Kind.SERVICE_CONTROL, "")
    found = alternatives(key.lower(), document.statements[0].conditions, UNIVERSE)
    return [one for choice in found if choice is not None for one in choice.all]


def test_a_value_may_be_empty() -> None:
    """`?*` fits every value but the empty one, which no absent key stands for under IfExists."""
    assert "" in values_for("StringLikeIfExists", "aws:PrincipalTag/Team", "?*")


def test_what_a_policy_names_may_be_whatever_else_is_known() -> None:
    """An account or region outside of what is known here, which a policy lets in."""
    assert STRANGER in values_for("StringEquals", "aws:SourceAccount", STRANGER)
    assert "eu-west-9" in values_for("StringEquals", "aws:RequestedRegion", "eu-west-9")
    found = values_for("ArnLike", "aws:SourceArn", f"arn:aws:s3:eu-west-9:{STRANGER}:x")
    assert f"arn:aws:s3:eu-west-9:{STRANGER}:x" in found
    resources = UNIVERSE.resources("sqs:sendmessage", [pattern_of(f"arn:aws:sqs:eu-west-9:{STRANGER}:x")], ACCOUNT)
    assert f"arn:aws:sqs:eu-west-9:{STRANGER}:x" in resources
    models = UNIVERSE.resources(
        "bedrock:invokemodel", [pattern_of(f"arn:aws:bedrock:eu-west-9:{STRANGER}:custom-model-deployment/x")], ACCOUNT
    )
    assert f"arn:aws:bedrock:eu-west-9:{STRANGER}:custom-model-deployment/x" in models


def pattern_of(text: str) -> list[list[Any]]:
    return pattern_parts(solid(parse(text, variables=False).pieces))


def test_an_account_with_wildcards_has_no_classes() -> None:
    with pytest.raises(TooMany, match="the account '2222\\*'"):
        values_for("ArnLike", "aws:SourceArn", "arn:aws:s3::2222*:x")


KEYS = (
    "bedrock:GuardrailIdentifier",
    "aws:RequestedRegion",
    "aws:SourceVpce",
    "aws:PrincipalArn",
    "aws:SourceAccount",
)
VALUES = {
    KEYS[0]: [
        "arn:aws:bedrock:eu-west-1:222222222222:guardrail/main:1",
        "arn:aws:bedrock:*:*:guardrail/main:*",
        f"arn:aws:bedrock:eu-west-1:{STRANGER}:guardrail/main:1",
        "arn:aws:bedrock:eu-west-1:222222222222:guardrail/main*",
    ],
    KEYS[1]: ["eu-west-1", "us-east-1", "eu-west-9"],
    KEYS[2]: ["vpce-1", "vpce-2"],
    KEYS[3]: ["arn:aws:iam::222222222222:role/runtime", "arn:aws:iam::*:role/admin*"],
    KEYS[4]: [ACCOUNT, STRANGER],
}
ACTIONS = [
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:Invoke*",
    "bedrock:ApplyGuardrail",
    "*",
]
RESOURCES = ["*", "arn:aws:bedrock:*::foundation-model/*", "arn:aws:bedrock:eu-west-1::foundation-model/a.model",
             "arn:aws:bedrock:*:*:provisioned-model/*"]  # fmt: skip


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True)):
        kind = draw(st.sampled_from(["Arn", "String"])) if key == KEYS[0] else "Arn" if key == KEYS[3] else "String"
        ends = ("Like", "NotLike") if key in (KEYS[0], KEYS[3]) else ("Equals", "NotEquals", "EqualsIfExists")
        operator = kind + draw(st.sampled_from(ends))
        found.setdefault(operator, {})[key] = draw(
            st.lists(st.sampled_from(VALUES[key]), min_size=1, max_size=2, unique=True)
        )
    return found


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    element = draw(st.sampled_from(["Resource", "Resource", "NotResource"]))
    resources = draw(st.lists(st.sampled_from(RESOURCES[1:] if element == "NotResource" else RESOURCES), min_size=1, max_size=2, unique=True))  # fmt: skip
    found: dict[str, Any] = {
        "Effect": "Deny",
        "Action": draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2, unique=True)),
        element: resources,
    }
    condition = draw(conditions())
    return {**found, "Condition": condition} if condition else found


def organization(written: list[dict[str, Any]]) -> Estate:
    document = {"Version": "2012-10-17", "Statement": written}
    attached = Attached(
        name="p", kind=Kind.SERVICE_CONTROL, targets=(ACCOUNT,), policy=policy(document, Kind.SERVICE_CONTROL, "p")
    )
    return Estate(
        organization="o-exampleorg", management=MANAGEMENT, universe=UNIVERSE, levels={ACCOUNT: (ACCOUNT,)},
        attached=(attached,), values={},
    )  # fmt: skip


def any_request(chance: random.Random) -> Request:
    """What the generated policies can be about, and what they are not."""
    role = chance.choice(["role/runtime", "role/admin", "role/administrator", "role/other", "user/ana", "root"])
    principal = identity(f"arn:aws:iam::{ACCOUNT}:{role}")
    assert principal is not None
    context = {
        "bedrock:guardrailidentifier": [
            None, VALUES[KEYS[0]][0], "arn:aws:bedrock:eu-west-1:222222222222:guardrail/main:2",
            "arn:aws:bedrock:eu-west-1:222222222222:guardrail/other:1", VALUES[KEYS[0]][2],
            "arn:aws:bedrock:eu-west-1:222222222222:guardrail/main", "arn:aws:bedrock:eu-west-1:222222222222:guardrail/main:DRAFT",
        ],
        "aws:sourceaccount": [None, ACCOUNT, STRANGER, "444444444444"],
        "aws:requestedregion": [None, "eu-west-1", "us-east-1", "unspecified", "eu-west-9"],
        "aws:sourcevpce": [None, "vpce-1", "vpce-2", "vpce-3"],
    }  # fmt: skip
    said = {key: chance.choice(values) for key, values in context.items()}
    fixed = {
        "aws:principalarn": principal.text, "aws:principalaccount": ACCOUNT, "aws:principalorgid": "o-exampleorg",
        "aws:principalisawsservice": "false", "aws:principalorgmasteraccountid": MANAGEMENT,
    }  # fmt: skip
    return Request(
        principal=principal,
        action=chance.choice(["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]),
        resource=chance.choice([
            "arn:aws:bedrock:eu-west-1::foundation-model/a.model", "arn:aws:bedrock:us-east-1::foundation-model/other",
            f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:provisioned-model/x", f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:project/p",
        ]),
        resource_account=ACCOUNT,
        context=Context({key: Values((value,), single=True) for key, value in {**fixed, **said}.items() if value}),
    )  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    written=st.lists(statements(), min_size=1, max_size=4), spared=st.lists(conditions(), max_size=2),
    seed=st.integers(0, 2**32),
)  # fmt: skip
def test_what_is_proved_is_what_single_requests_say(
    written: list[dict[str, Any]], spared: list[dict[str, Any]], seed: int
) -> None:
    """No request contradicts `holds`, and a counterexample is allowed and not spared, by the evaluator of single ones."""
    made = organization(written)
    claim = Claim(
        id="c", controls=(), says="", accounts=(ACCOUNT,), actions=("bedrock:InvokeModel*",),
        but=tuple(Spared(conditions=one) for one in spared if one),
    )  # fmt: skip
    proof = prove(claim, made)

    def against(request: Request) -> bool:
        if any(covers(one.statement(), request).value is not False for one in claim.but):
            return False
        return decide(request, policies_of(request, made)).outcome is Outcome.ALLOW

    if proof.counterexample is not None:
        assert proof.verdict is Verdict.BROKEN and against(proof.counterexample.request)
    elif proof.verdict is Verdict.HOLDS:
        chance = random.Random(seed)
        assert not any(against(any_request(chance)) for _ in range(150))
