"""Policy documents: what is refused, where, and what is said; and what is read although it looks odd."""

from __future__ import annotations

import json
from typing import Any

import pytest

from caisson.assurance.iam.document import Kind
from caisson.assurance.iam.grammar import Unreadable, policy
from caisson.assurance.iam.place import decode

ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def document(*changes: dict[str, Any], without: tuple[str, ...] = (), **top: Any) -> dict[str, Any]:
    """A policy of one statement, changed."""
    statement = dict(ALLOW)
    for change in changes:
        statement |= change
    for key in without:
        del statement[key]
    return {"Version": "2012-10-17", "Statement": [statement]} | top


def problems(value: Any, kind: Kind = Kind.IDENTITY) -> dict[str, str]:
    """What is wrong with a document, by place. It goes through JSON as a case does."""
    decoded, found = decode(json.dumps(value))
    assert not found
    try:
        policy(decoded, kind)
    except Unreadable as error:
        return {problem.pointer: problem.message for problem in error.problems}
    return {}


ONE = "/Statement/0"
REFUSED = [
    ([], "", "a policy document"),
    ({"Version": "2012-10-17"}, "", "a Statement"),
    (document(Statment=[]), "/Statment", "did you mean 'Statement'?"),
    (document(Version="2012-10-18"), "/Version", "2012-10-17"),
    (document(Version=2012), "/Version", "2012-10-17"),
    (document(Id=7), "/Id", "text"),
    (document(Statement="s3:*"), "/Statement", "a statement"),
    (document({"Actoin": "s3:*"}), f"{ONE}/Actoin", "did you mean 'Action'?"),
    (document({"action": "s3:*"}), f"{ONE}/action", "did you mean 'Action'?"),
    (document(without=("Effect",)), ONE, "Effect"),
    (document({"Effect": "allow"}), f"{ONE}/Effect", "Allow or Deny"),
    (document({"Effect": ["Allow"]}), f"{ONE}/Effect", "Allow or Deny"),
    (document({"Sid": 1}), f"{ONE}/Sid", "text"),
    (document(without=("Action",)), ONE, "Action or NotAction, found neither"),
    (document({"NotAction": "s3:*"}), f"{ONE}/NotAction", "found both"),
    (document({"Action": []}), f"{ONE}/Action", "at least one"),
    (document({"Action": "GetObject"}), f"{ONE}/Action", "s3:GetObject"),
    (document({"Action": "s*:GetObject"}), f"{ONE}/Action", "s3:GetObject"),
    (document({"Action": ["s3:GetObject", None]}), f"{ONE}/Action/1", "text"),
    (document({"Action": 7}), f"{ONE}/Action", "text"),
    (document(without=("Resource",)), ONE, "Resource or NotResource, found neither"),
    (document({"NotResource": "*"}), f"{ONE}/NotResource", "found both"),
    (document({"Resource": "records"}), f"{ONE}/Resource", "an ARN or '*'"),
    (document({"Resource": ["*", ""]}), f"{ONE}/Resource/1", "an ARN or '*'"),
    (document({"Resource": {"a": 1}}), f"{ONE}/Resource", "text"),
    (document({"Principal": "*"}), f"{ONE}/Principal", "no principal (identity policy)"),
    (document({"Condition": []}), f"{ONE}/Condition", "an object of condition operators"),
    (document({"Condition": {"StringEquals": "a"}}), f"{ONE}/Condition/StringEquals", "an object of condition keys"),
    (document({"Condition": {"StringEquals": {"a/b": []}}}), f"{ONE}/Condition/StringEquals/a~1b", "at least one"),
    (document({"Condition": {"StringEquals": {"a": None}}}), f"{ONE}/Condition/StringEquals/a", "text, a number"),
    (
        document({"Condition": {"StringEquals": {"a": ["x", {}]}}}),
        f"{ONE}/Condition/StringEquals/a/1",
        "text, a number",
    ),
]


@pytest.mark.parametrize(("value", "pointer", "message"), REFUSED)
def test_a_document_that_is_none_is_refused_with_its_place(value: Any, pointer: str, message: str) -> None:
    found = problems(value)
    assert message in found[pointer], found


ACCOUNT = "111122223333"
PRINCIPALS_REFUSED = [
    (None, "", "'*' or an object"),
    ([], "", "'*' or an object"),
    ({}, "", "'*' or an object"),
    ("arn:aws:iam::111122223333:root", "", "'*' or an object"),
    ({"Aws": "*"}, "/Aws", "AWS, Service"),
    ({"AWS": []}, "/AWS", "at least one"),
    ({"AWS": ["*", 7]}, "/AWS/1", "an account"),
    ({"AWS": "1111"}, "/AWS", "an account"),
    ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/*"}, "/AWS", "without wildcards"),
    ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/ap?"}, "/AWS", "without wildcards"),
    ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/*"}, "/AWS", "without wildcards"),
    ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/app"}, "/AWS", "an account"),
    ({"AWS": f"arn:aws:iam::{ACCOUNT}:group/all"}, "/AWS", "an account"),
    ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/"}, "/AWS", "an account"),
    ({"AWS": f"arn:aws:iam::{ACCOUNT}:oidc-provider/a.example"}, "/AWS", "an account"),
    ({"Service": "lambda"}, "/Service", "lambda.amazonaws.com"),
    ({"Federated": "idp"}, "/Federated", "an identity provider"),
    ({"CanonicalUser": "abc"}, "/CanonicalUser", "a canonical user"),
]


@pytest.mark.parametrize(("principal", "below", "message"), PRINCIPALS_REFUSED)
def test_a_principal_that_is_none_is_refused_with_its_place(principal: Any, below: str, message: str) -> None:
    found = problems(document({"Principal": principal}), Kind.RESOURCE)
    assert message in found[f"{ONE}/Principal{below}"], found


EVERYONE = {"Principal": "*"}
BY_KIND = [
    (Kind.RESOURCE, document(), ONE, "Principal or NotPrincipal, found neither"),
    (Kind.RESOURCE, document(EVERYONE, {"NotPrincipal": "*"}), f"{ONE}/NotPrincipal", "found both"),
    (Kind.TRUST, document({"NotPrincipal": {"AWS": ACCOUNT}}), f"{ONE}/NotPrincipal", "expected Principal"),
    (Kind.ENDPOINT, document(EVERYONE, without=("Resource",)), ONE, "Resource or NotResource, found neither"),
    (Kind.SERVICE_CONTROL, document(EVERYONE), f"{ONE}/Principal", "no principal"),
    (Kind.BOUNDARY, document(EVERYONE), f"{ONE}/Principal", "no principal"),
    (Kind.SESSION, document(EVERYONE), f"{ONE}/Principal", "no principal"),
    (Kind.RESOURCE_CONTROL, document({"Effect": "Deny"}), ONE, "Principal or NotPrincipal, found neither"),
    (Kind.RESOURCE_CONTROL, document(EVERYONE), f"{ONE}/Effect", "only RCPFullAWSAccess allows"),
    (Kind.RESOURCE_CONTROL, document(EVERYONE, {"Action": "*", "Condition": {"Null": {"a": "true"}}}), f"{ONE}/Effect",
     "only RCPFullAWSAccess allows"),
    (Kind.RESOURCE_CONTROL, document({"Effect": "Deny", "Principal": {"AWS": ACCOUNT}}), f"{ONE}/Principal", "'*'"),
    (Kind.RESOURCE_CONTROL, document({"Effect": "Deny", "NotPrincipal": "*"}), f"{ONE}/NotPrincipal",
     "expected Principal"),
    (Kind.RESOURCE_CONTROL, document({"Effect": "Deny", **EVERYONE, "NotAction": "s3:*"}, without=("Action",)),
     f"{ONE}/NotAction", "expected Action"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "pointer", "message"), BY_KIND)
def test_each_kind_of_policy_has_its_own_rules(kind: Kind, value: Any, pointer: str, message: str) -> None:
    found = problems(value, kind)
    assert message in found[pointer], found


READ = [
    (Kind.IDENTITY, document(Statement=[])),
    (Kind.IDENTITY, document(Statement=ALLOW)),
    (Kind.IDENTITY, {"Statement": [ALLOW]}),
    (Kind.IDENTITY, document({"Action": "*", "Condition": {}})),
    (Kind.IDENTITY, document({"Condition": {"NumericLessThan": {"s3:max-keys": 5}, "Bool": {"a": True}}})),
    (Kind.IDENTITY, document({"Condition": {"StringAlmostEquals": {"a": "b"}}})),
    (Kind.IDENTITY, document({"Resource": ["**", "arn:aws:s3:::b"]})),
    (Kind.RESOURCE, document(EVERYONE, without=("Resource",), Id="x")),
    (Kind.RESOURCE, document({"Principal": {"AWS": ["AROAEXAMPLEEXAMPLE12", ACCOUNT], "CanonicalUser": "a" * 64}})),
    (Kind.TRUST, document({"Principal": {"Federated": "accounts.google.com"}}, without=("Resource",))),
    (Kind.RESOURCE_CONTROL, document(EVERYONE, {"Action": "*", "Sid": "RCPFullAWSAccess"})),
    (Kind.RESOURCE_CONTROL, document(EVERYONE, {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]})),
    (Kind.RESOURCE_CONTROL, document({"Effect": "Deny", "Principal": {"AWS": "*"}})),
]


@pytest.mark.parametrize(("kind", "value"), READ)
def test_what_aws_stores_is_read(kind: Kind, value: Any) -> None:
    assert problems(value, kind) == {}


def test_every_problem_is_told_at_once() -> None:
    found = problems(document({"Effect": "Maybe", "Resource": "x", "Colour": "red"}))
    assert set(found) == {f"{ONE}/Effect", f"{ONE}/Resource", f"{ONE}/Colour"}


def test_a_message_shows_no_more_than_it_must() -> None:
    found = problems(document({"Resource": "s" * 10_000}))
    assert len(found[f"{ONE}/Resource"]) < 250
