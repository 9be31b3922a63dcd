"""Tags that keep sessions apart, in templates of anyone (SESS-03, row S21): what one value opens is shut to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from caisson.assurance.identities.examination import Examination
from caisson.assurance.proofs.search import Proof
from caisson.assurance.templates import read
from caisson.assurance.verdict import Verdict
from foreign_templates import allow, deny, document, role, template, write

TABLE = "arn:aws:dynamodb:*:*:table/ledger"
BUCKET = "arn:aws:s3:::reports"
TEAM = "${aws:PrincipalTag/team}"
CLAIM = "isolation.tags: App by team"
PRESENT = {"Null": {"dynamodb:LeadingKeys": "false"}}


def keys(*patterns: str, over: str = "ForAllValues:", **more: Any) -> dict[str, Any]:
    return {f"{over}StringLike": {"dynamodb:LeadingKeys": [*patterns]}, **more}


def items(condition: dict[str, Any], resource: Any = TABLE, actions: Any = "dynamodb:GetItem") -> dict[str, Any]:
    return allow(actions, resource, **condition)


def objects(resource: str, **more: Any) -> dict[str, Any]:
    return allow("s3:GetObject", resource, **more)


def proved(folder: Path, *statements: Any, **resources: Any) -> dict[str, Proof]:
    write(folder, a=template(App=role(*statements), **resources))
    return {proof.claim.id.replace("a.json/", ""): proof for proof in Examination(read(folder)).proofs()}


def tagged(value: str, key: str = "aws:ResourceTag/team") -> dict[str, Any]:
    return {"StringEquals": {key: value}}


@pytest.mark.parametrize(
    "statements",
    [
        [items(keys(TEAM, **PRESENT))],
        [items(keys(TEAM, "rate#*", **PRESENT))],
        [items(keys(TEAM, **PRESENT)), items(keys("rate#*", **PRESENT))],
        [items(keys(TEAM + "#*", **PRESENT))],
        [items(keys(TEAM + "?", **PRESENT))],
        [objects(f"{BUCKET}/{TEAM}/*")],
        [objects(f"{BUCKET}/{TEAM}/*"), objects(f"{BUCKET}/public/*")],
        [allow("s3:ListBucket", BUCKET, StringLike={"s3:prefix": f"{TEAM}/*"})],
        [allow("ec2:StartInstances", "*", **tagged(TEAM))],
        [allow("ec2:*", "*", **tagged(TEAM))],
        [allow("ec2:*", "*", StringEqualsIfExists={"aws:ResourceTag/team": TEAM})],
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": f"{BUCKET}/{TEAM}/*"}],
        [allow("s3:GetObject", "*"), objects(f"{BUCKET}/{TEAM}/*"),
         {"Effect": "Deny", "Action": "s3:*", "NotResource": f"{BUCKET}/{TEAM}/*"}],
        [objects(f"{BUCKET}/{TEAM}/${{aws:PrincipalTag/user}}/*")],
    ],
)  # fmt: skip
def test_apart(tmp_path: Path, statements: list[Any]) -> None:
    assert proved(tmp_path, *statements)[CLAIM].verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param([items(keys(TEAM + "*", **PRESENT))], id="the longer name is a neighbour's"),
        pytest.param([items(keys("*" + TEAM, **PRESENT))], id="so at its end"),
        pytest.param([items(keys("*" + TEAM + "*", **PRESENT))], id="or in its middle"),
        pytest.param([items(keys(TEAM, over="ForAnyValue:"))], id="a batch with one own key"),
        pytest.param([items(keys(TEAM, "*", **PRESENT))], id="everything, beside"),
        pytest.param([items(keys(TEAM), actions="dynamodb:*")], id="a scan names no keys"),
        pytest.param([allow("s3:ListBucket", BUCKET, StringLikeIfExists={"s3:prefix": f"{TEAM}/*"})],
                     id="a list without a prefix"),
        pytest.param([items(keys(TEAM, **PRESENT)), items(PRESENT)], id="another statement"),
        pytest.param([items(keys(TEAM, **PRESENT)), allow("dynamodb:*", "*")], id="another statement, wide"),
        pytest.param([objects(f"{BUCKET}/{TEAM}*")], id="a prefix without its slash"),
        pytest.param([objects(f"{BUCKET}/{TEAM}/*"), objects(f"{BUCKET}/*")], id="objects of everybody"),
        pytest.param([objects(f"{BUCKET}/*", StringLike={"aws:PrincipalTag/team": "?*"}),
                      objects(f"{BUCKET}/{TEAM}/*")], id="whoever has a tag"),
        pytest.param([allow("ec2:StartInstances", "*", **tagged(TEAM)),
                      allow("ec2:StartInstances", "*")], id="whatever its tag"),
    ],
)  # fmt: skip
def test_not_apart(tmp_path: Path, statements: list[Any]) -> None:
    proof = proved(tmp_path, *statements)[CLAIM]
    assert proof.verdict is Verdict.BROKEN and proof.counterexample is not None
    said = proof.counterexample.request.context.get("aws:PrincipalTag/team")
    assert said is not None and said.all[0] in proof.reason


def test_the_request_says_the_own_tag_and_names_the_other(tmp_path: Path) -> None:
    proof = proved(tmp_path, objects(f"{BUCKET}/{TEAM}*"))[CLAIM]
    assert proof.reason.startswith("with team = caisson-, of what is open to caisson-b: s3:GetObject on ")
    assert proof.counterexample is not None
    assert "caisson-b" in proof.counterexample.request.resource


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": f"{BUCKET}/{TEAM}/*"},
        allow("ec2:StartInstances", "*", StringNotEquals={"aws:ResourceTag/team": TEAM}),
    ],
)
def test_where_a_tag_shuts_out_its_own_nobody_can_say(tmp_path: Path, statement: Any) -> None:
    assert proved(tmp_path, statement)[CLAIM].verdict is Verdict.UNDETERMINED


def test_a_value_that_is_not_known_is_named(tmp_path: Path) -> None:
    maybe = objects(f"{BUCKET}/*", StringEquals={"aws:RequestedRegion": {"Ref": "Where"}})
    made = template(App=role(objects(f"{BUCKET}/{TEAM}/*"), maybe)) | {"Parameters": {"Where": {"Type": "String"}}}
    write(tmp_path, a=made)
    found = next(one for one in Examination(read(tmp_path)).proofs() if one.claim.id.startswith("isolation"))
    assert found.verdict is Verdict.UNDETERMINED and "the parameter Where has no value" in found.reason


def test_what_is_in_another_account_has_its_own_policy(tmp_path: Path) -> None:
    found = proved(tmp_path, items(keys(TEAM, **PRESENT), TABLE.replace("*:*", "eu-west-1:999999999999")))[CLAIM]
    assert found.verdict is Verdict.UNDETERMINED and "in another account" in found.reason


def test_what_denies_keeps_apart(tmp_path: Path) -> None:
    """Whatever else is open, what the tag does not name is denied."""
    condition = {"StringNotEquals": {"aws:ResourceTag/team": TEAM}}
    opened = allow("ec2:StartInstances", "*", **tagged(TEAM))
    statements = [opened, allow("ec2:StartInstances"), deny("ec2:*", "*", **condition)]
    assert proved(tmp_path, *statements)[CLAIM].verdict is Verdict.HOLDS


def test_a_boundary_keeps_apart(tmp_path: Path) -> None:
    boundary = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": document(objects(f"{BUCKET}/{TEAM}/*"))},
    }
    app = role(objects(f"{BUCKET}/{TEAM}/*"), objects(f"{BUCKET}/*"), PermissionsBoundary={"Ref": "Limit"})
    write(tmp_path, a=template(App=app, Limit=boundary))
    found = {proof.claim.id: proof for proof in Examination(read(tmp_path)).proofs()}
    assert found["isolation.tags: a.json/App by team"].verdict is Verdict.HOLDS


def test_nothing_is_claimed_without_a_tag(tmp_path: Path) -> None:
    assert CLAIM not in proved(tmp_path, objects(f"{BUCKET}/${{aws:username}}/*"))


def test_each_tag_is_claimed_for_itself(tmp_path: Path) -> None:
    """The second tag is the first's neighbour: apart by one, together by the other."""
    found = proved(tmp_path, objects(f"{BUCKET}/{TEAM}/${{aws:PrincipalTag/user}}*"))
    assert found[CLAIM].verdict is Verdict.HOLDS
    assert found["isolation.tags: App by user"].verdict is Verdict.BROKEN
