"""What AWS's documentation does not settle, or what is not modelled: undetermined, and the reason names it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from caisson.assurance.iam.cases import Case, cases
from caisson.assurance.iam.decision import Decision, decide
from iam_documentation import (
    ALLOW_ALL,
    ANA,
    APP,
    APP_ROLE,
    FEDERATED,
    HOME,
    NOTHING,
    OBJECT,
    ROOT,
    case,
    granting,
    on,
    policy,
    statement,
    when,
)

LAMBDA = f"arn:aws:lambda:eu-west-1:{HOME}:function:f"


def decided(one: dict[str, Any]) -> Decision:
    found = next(cases([json.dumps({"id": "x", **one}).encode()]))
    assert isinstance(found, Case), found.problems
    return decide(found.request, found.policies)


def denying(**element: Any) -> dict[str, Any]:
    return policy({"Effect": "Deny", "Action": "s3:*", "Resource": "*", **element})


UNDETERMINED = [
    ("a role that is not named", case(action="sts:AssumeRole", resource="*"), "which role is meant"),
    ("a key that is not named", case(action="kms:Decrypt", resource="*"), "which key is meant"),
    (
        "a key by its alias",
        case(action="kms:Decrypt", resource=f"arn:aws:kms:eu-west-1:{HOME}:alias/abc"),
        "which key is meant",
    ),
    (
        "the context of a role's session",
        case(action="sts:SetContext", resource=f"arn:aws:iam::{HOME}:role/app"),
        "sts:SetContext",
    ),
    (
        "a range by its netmask",
        when({"IpAddress": {"aws:SourceIp": "10.0.0.0/255.0.0.0"}}, {"aws:SourceIp": "10.1.1.1"}),
        "no range of CIDR form",
    ),
    ("operator", when({"StringAlmostEquals": {"a": "b"}}), "'StringAlmostEquals' is not modelled"),
    ("operator in another case", when({"stringequals": {"a": "b"}}), "'stringequals' is not modelled"),
    ("operator of a Deny", when({"StringAlmostEquals": {"a": "b"}}, effect="Deny"), "'StringAlmostEquals'"),
    ("set operator", when({"ForSomeValues:StringEquals": {"a": "b"}}), "'ForSomeValues:StringEquals'"),
    ("NullIfExists", when({"NullIfExists": {"a": "true"}}), "'NullIfExists'"),
    ("Null over a set", when({"ForAllValues:Null": {"a": "true"}}), "'ForAllValues:Null'"),
    ("Null, neither", when({"Null": {"a": "yes"}}), "neither true nor false"),
    ("Null, empty text", when({"Null": {"a": "true"}}, {"a": ""}), "counts as absent"),
    ("Null, empty list", when({"Null": {"a": "false"}}, {"a": []}), "counts as absent"),
    ("ForAnyValue with IfExists", when({"ForAnyValue:StringEqualsIfExists": {"a": "b"}}), "ForAnyValue does not"),
    ("list without set operator", when({"StringEquals": {"a": "b"}}, {"a": ["b", "c"]}), "without set operator"),
    ("list of one, key unknown", when({"StringEquals": {"a": "b"}}, {"a": ["b"]}), "without set operator"),
    ("key of many values", when({"StringEquals": {"aws:TagKeys": "b"}}, {"aws:TagKeys": "b"}), "a key of many values"),
    ("empty text in a set", when({"ForAllValues:StringEquals": {"a": "b"}}, {"a": ""}), "has an empty value"),
    ("policy value, number", when({"NumericEquals": {"a": "many"}}, {"a": "5"}), "'many' is no number"),
    ("policy value, date", when({"DateLessThan": {"a": "2026-02-30"}}, {"a": "2026-01-01"}), "is no date"),
    ("policy value, year or seconds", when({"DateLessThan": {"a": "2026"}}, {"a": "2026-01-01"}), "is no date"),
    ("policy value, zone missing", when({"DateLessThan": {"a": "2026-01-01T00:00:00"}}, {"a": "2026-01-01"}),
     "is no date"),
    ("policy value, boolean", when({"Bool": {"a": "yes"}}, {"a": "true"}), "'yes' is no boolean"),
    ("policy value, base64", when({"BinaryEquals": {"a": "%%"}}, {"a": "QQ=="}), "is no base64"),
    ("policy value, range", when({"IpAddress": {"a": "10.0.0.300"}}, {"a": "10.0.0.3"}), "no range of addresses"),
    ("policy value, /32 of IPv6", when({"IpAddress": {"a": "2001:db8::1"}}, {"a": "2001:db8::2"}), "/32 range"),
    ("policy value, ARN", when({"ArnLike": {"a": "*"}}, {"a": OBJECT}), "no ARN of six parts"),
    ("request value, number", when({"NumericEquals": {"a": "5"}}, {"a": "many"}), "request value 'many' is no number"),
    ("request value, number, inverted", when({"NumericNotEquals": {"a": "5"}}, {"a": "1e1"}), "'1e1' is no number"),
    ("request value, ARN", when({"ArnLike": {"a": "arn:aws:s3:::*"}}, {"a": "many"}), "request value 'many' is no ARN"),
    ("request value, ARN, inverted", when({"ArnNotLike": {"a": "arn:aws:s3:::*"}}, {"a": "many"}), "is no ARN"),
    ("request value, address", when({"NotIpAddress": {"a": "10.0.0.0/8"}}, {"a": "here"}), "'here' is no address"),
    ("IPv4 as IPv6", when({"NotIpAddress": {"a": "10.0.0.1"}}, {"a": "::ffff:10.0.0.1"}), "written as IPv6"),
    ("date and seconds", when({"DateLessThan": {"a": "1767225600"}}, {"a": "2026-01-01T00:00:00Z"}),
     "'1767225600' is no date"),
    ("two values, a key of one", when(
        {"ForAnyValue:StringEquals": {"aws:SourceVpc": "b"}}, {"aws:SourceVpc": ["b", "c"]}), "a key of one value"),
    ("default without space", on("arn:aws:s3:::${aws:userid,'x'}", OBJECT), "no policy variable"),
    ("variable in a number", when({"NumericEquals": {"a": "${b}"}}, {"a": "5", "b": "5"}), "not documented to work"),
    ("variable in a boolean", when({"Bool": {"a": "${b}"}}, {"a": "true", "b": "true"}), "not documented to work"),
    ("variable, unreadable", when({"StringEquals": {"a": "${}"}}, {"a": "x"}), "no policy variable"),
    ("variable, open", on("arn:aws:s3:::b/${aws:username", OBJECT), "no policy variable"),
    ("variable of many values", on("arn:aws:s3:::${a}", OBJECT, context={"a": ["b", "c"]}), "many values"),
    ("variable with wildcard", on("arn:aws:s3:::${a}", OBJECT, context={"a": "*"}), "holds a wildcard"),
    ("variable too early", on("arn:aws:s3:::${a}".replace(":::", "::${b}:"), OBJECT, context={"a": "x", "b": "y"}),
     "before the resource part"),
    ("wildcard across a colon", on("arn:aws:lambda:eu*3:function:f", LAMBDA, "lambda:InvokeFunction"), "match a colon"),
    ("wildcard in the type", on("arn:aws:lambda:*:*:func*:f", LAMBDA, "lambda:InvokeFunction"), "type of resource"),
    ("exception without six parts", case(identity_policies=[policy(
        {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:lambda:*"})]), "fewer than six parts"),
    ("resource without six parts", on("arn:aws:lambda:*:f", LAMBDA, "lambda:InvokeFunction"), "no ARN of six parts"),
    ("wildcard in the service", on("arn:aws:*:*:*:function:f", LAMBDA, "lambda:InvokeFunction"), "the service"),
    ("role in another case", case(APP, identity_policies=[], resource_policy=granting({"AWS": APP_ROLE.replace(
        "app", "App")})), "in case alone"),
    ("API Gateway's short form", on("execute-api:/*", OBJECT), "API Gateway"),
    ("NotPrincipal in part", case(resource_policy=denying(NotPrincipal={"AWS": ANA})), "only in part"),
    ("NotPrincipal, account alone", case(resource_policy=denying(NotPrincipal={"AWS": ROOT})), "only in part"),
    ("NotPrincipal, no role", case(APP, resource_policy=denying(NotPrincipal={"AWS": [APP, ROOT]})), "only in part"),
    ("NotPrincipal with Allow", case(identity_policies=[], resource_policy=policy(
        {"Effect": "Allow", "NotPrincipal": {"AWS": f"{ANA}2"}, "Action": "s3:*", "Resource": "*"})), "not supported"),
    ("canonical user", case(identity_policies=[], resource_policy=granting({"CanonicalUser": "a" * 64})),
     "canonical user"),
    ("unique identifier", case(identity_policies=[], resource_policy=granting({"AWS": "AIDAEXAMPLEEXAMPLE12"})),
     "AIDAEXAMPLEEXAMPLE12"),
    ("session not named", case(APP_ROLE, identity_policies=[], resource_policy=granting({"AWS": APP})),
     "names no session"),
    ("user of a federated session", case(FEDERATED, identity_policies=[], session_policy=ALLOW_ALL,
                                         resource_policy=granting({"AWS": ANA})), "which user"),
    ("any service", case("config.amazonaws.com", resource_policy=granting({"Service": "*"})), "Service '*'"),
    ("RCP of a service not known", case(action="ec2:RunInstances", resource="*", rcps=[
        {"target": "r", "policies": [granting("*", "ec2:*", "Deny")]}]), "cover ec2"),
    ("RCP without resource", case(action="s3:ListAllMyBuckets", resource="*", rcps=[
        {"target": "r", "policies": [granting("*", "s3:*", "Deny")]}]), "names no resource"),
    ("service-linked by name alone", case(f"arn:aws:sts::{HOME}:assumed-role/AWSServiceRoleForX/s",
                                          scps=[{"target": "r", "policies": [NOTHING]}]), "service-linked role"),
    ("session policy of a user", case(session_policy=NOTHING), "session_policy of a principal that has none"),
    ("boundary of a root user", case(ROOT, boundary=NOTHING), "boundary of a principal that has none"),
    ("GetCallerIdentity through an endpoint", case(action="sts:GetCallerIdentity", resource="*", identity_policies=[],
                                                  vpc_endpoint_policies=[granting("*", "s3:*")]), "GetCallerIdentity"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "one", "named"), UNDETERMINED, ids=[name for name, _, _ in UNDETERMINED])
def test_what_is_not_settled_is_undetermined_and_named(name: str, one: dict[str, Any], named: str) -> None:
    found = decided(one)
    assert found.outcome.value == "undetermined"
    assert named in found.reason


SETTLED_ALL_THE_SAME = [
    ("another statement allows", case(identity_policies=[ALLOW_ALL, policy(
        statement(Condition={"StringAlmostEquals": {"a": "b"}}))]), "allow"),
    ("another statement denies", case(identity_policies=[policy(
        statement(Condition={"StringAlmostEquals": {"a": "b"}}), statement("Deny"))]), "deny_explicit"),
    ("the action does not fit", case(identity_policies=[ALLOW_ALL, policy(
        statement("Deny", "ec2:*", Condition={"StringAlmostEquals": {"a": "b"}}))]), "allow"),
    ("another condition fails", when({"StringAlmostEquals": {"a": "b"}, "Null": {"a": "false"}}), "deny_implicit"),
    ("another value fits", when({"NumericEquals": {"a": ["many", "5"]}}, {"a": "5"}), "allow"),
    ("one value, a key of one", when({"StringEquals": {"aws:SourceVpc": "b"}}, {"aws:SourceVpc": ["b"]}), "allow"),
    ("empty text both ways", when({"ForAllValues:StringLike": {"a": "*"}}, {"a": ""}), "allow"),
    ("/128 and /32 agree", when({"IpAddress": {"a": "2001:db8::1"}}, {"a": "2001:db8::1"}), "allow"),
    ("a session policy that allows", case(session_policy=ALLOW_ALL), "allow"),
    ("a wildcard in a value, compared as text", when({"StringEquals": {"a": "${b}"}}, {"a": "x*", "b": "x*"}), "allow"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "one", "decision"), SETTLED_ALL_THE_SAME, ids=[name for name, _, _ in SETTLED_ALL_THE_SAME]
)
def test_what_does_not_matter_leaves_the_answer_definite(name: str, one: dict[str, Any], decision: str) -> None:
    assert decided(one).outcome.value == decision


def test_the_statement_in_doubt_is_named() -> None:
    found = decided(case(identity_policies=[ALLOW_ALL, policy(
        statement("Deny", Sid="Doubt", Condition={"StringAlmostEquals": {"a": "b"}}))]))  # fmt: skip
    assert [statement.sid for statement in found.statements] == ["Doubt"]


def test_a_denial_names_the_level_of_the_organization() -> None:
    for kind, document in (("scps", policy(statement("Deny"))), ("rcps", granting("*", "s3:*", "Deny"))):
        above = {"target": "r-root", "policies": [ALLOW_ALL] if kind == "scps" else []}
        levels = [above, {"target": "ou-ai", "policies": document}]
        found = decided(case(**{kind: levels}))
        assert (found.outcome.value, found.reason) == ("deny_explicit", f"denied by {kind} of ou-ai")


def test_a_refusal_in_any_case_says_so() -> None:
    found = decided(case(identity_policies=[policy(statement("Deny", Condition={"StringAlmostEquals": {"a": "b"}}))]))
    assert found.outcome.value == "undetermined"
    assert found.reason.endswith("refused either way, by a Deny or for want of an Allow")
