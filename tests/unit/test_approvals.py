"""Pipelines of templates: what is deployed was approved, by somebody else than who changed it (IR-04, row S72)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from caisson.assurance.identities.examination import Examination
from caisson.assurance.proofs.search import Proof
from caisson.assurance.templates import read
from caisson.assurance.verdict import Verdict
from foreign_templates import allow, deny, role, template, trust, write

BEFORE, ANOTHER = "approval.before-deployment: Line", "approval.by-another: Line"
LINE = "arn:aws:codepipeline:*:*:delivery"
APPROVES = allow("codepipeline:PutApprovalResult", f"{LINE}/*")
STARTS = allow("codepipeline:StartPipelineExecution", LINE)
FEEDS = allow("s3:PutObject", "arn:aws:s3:::sources/*")


def act(name: str, category: str, provider: str, *, order: int | None = None, **settings: Any) -> dict[str, Any]:
    kind = {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}
    made: dict[str, Any] = {"Name": name, "ActionTypeId": kind}
    return made | ({"RunOrder": order} if order else {}) | ({"Configuration": settings} if settings else {})


SOURCE = act("Bundle", "Source", "S3", S3Bucket="sources", S3ObjectKey="bundle.zip")
APPROVAL = act("Approve", "Approval", "Manual")
DEPLOY = act("Apply", "Deploy", "CloudFormation")


def pipeline(*stages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    written = [{"Name": f"Stage{number}", "Actions": actions} for number, actions in enumerate(stages)]
    return {
        "Type": "AWS::CodePipeline::Pipeline",
        "Properties": {"Name": "delivery", "RoleArn": "arn:aws:iam::222222222222:role/line", "Stages": written, **more},
    }


USUAL = pipeline([SOURCE], [APPROVAL], [DEPLOY])


def person(*statements: dict[str, Any]) -> dict[str, Any]:
    """A role that a person of the account becomes."""
    return role(*statements, trusted=trust(aws={"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}))


def proved(folder: Path, line: dict[str, Any] = USUAL, **resources: Any) -> dict[str, Proof]:
    write(folder, a=template(Line=line, **resources))
    return {proof.claim.id.replace("a.json/", ""): proof for proof in Examination(read(folder)).proofs()}


@pytest.mark.parametrize(
    ("stages", "verdict"),
    [
        ([[SOURCE], [APPROVAL], [DEPLOY]], "holds"),
        ([[SOURCE], [DEPLOY]], "broken"),
        ([[SOURCE], [DEPLOY], [APPROVAL]], "broken"),
        ([[SOURCE], [DEPLOY], [APPROVAL], [DEPLOY]], "holds"),
        ([[SOURCE], [APPROVAL], [DEPLOY], [DEPLOY]], "holds"),
        ([[SOURCE], [APPROVAL | {"RunOrder": 1}, DEPLOY | {"RunOrder": 2}]], "holds"),
        ([[SOURCE], [APPROVAL | {"RunOrder": 2}, DEPLOY | {"RunOrder": 1}]], "broken"),
        ([[SOURCE], [APPROVAL, DEPLOY]], "broken"),
        ([[SOURCE], [APPROVAL, DEPLOY], [DEPLOY]], "broken"),
        ([[SOURCE], [act("Switch", "Invoke", "Lambda")]], "broken"),
        ([[SOURCE], [act("Look", "Test", "CodeBuild")]], "holds"),
    ],
)
def test_an_approval_comes_before(tmp_path: Path, stages: list[Any], verdict: str) -> None:
    proof = proved(tmp_path, pipeline(*stages))[BEFORE]
    assert proof.verdict.value == verdict
    assert (verdict == "broken") == bool(proof.way)


def test_the_way_that_waits_for_nobody(tmp_path: Path) -> None:
    proof = proved(tmp_path, pipeline([SOURCE], [DEPLOY]))[BEFORE]
    assert proof.way == ("Stage0/Bundle (Source, S3)", "Stage1/Apply (Deploy, CloudFormation)")
    assert proof.reason == "Stage1/Apply (Deploy, CloudFormation) waits for no approval"


@pytest.mark.parametrize(
    "resources",
    [
        {"Author": person(FEEDS, STARTS), "Approver": person(APPROVES)},
        {"One": person(APPROVES, allow("s3:PutObject", "arn:aws:s3:::others/*"))},
        {"One": person(APPROVES, FEEDS, deny("codepipeline:PutApprovalResult"))},
        {
            "One": person(
                APPROVES, FEEDS, allow("codepipeline:Get*", "*"), deny("s3:PutObject", "arn:aws:s3:::sources/*")
            )
        },
        {"Line2": role(allow("*"), trusted=trust(service="cloudformation.amazonaws.com"))},
    ],
)
def test_one_changes_another_approves(tmp_path: Path, resources: Any) -> None:
    assert proved(tmp_path, **resources)[ANOTHER].verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param({"One": person(APPROVES, FEEDS)}, id="writes the source"),
        pytest.param({"One": person(APPROVES, STARTS)}, id="starts it"),
        pytest.param({"One": person(APPROVES, allow("codepipeline:Update*", "*"))}, id="changes the pipeline"),
        pytest.param({"One": person(allow("*"))}, id="does everything"),
        pytest.param({"Build": role(allow("codepipeline:*"), trusted=trust(service="codebuild.amazonaws.com"))},
                     id="a build runs what its author wrote"),
        pytest.param({"Author": person(FEEDS, allow("sts:AssumeRole", {"Fn::GetAtt": ["Approver", "Arn"]})),
                      "Approver": person(APPROVES)}, id="becomes who approves"),
    ],
)  # fmt: skip
def test_who_does_both_is_found(tmp_path: Path, resources: Any) -> None:
    proof = proved(tmp_path, **resources)[ANOTHER]
    assert proof.verdict is Verdict.BROKEN
    assert proof.counterexample is not None and proof.counterexample.request.action == "codepipeline:PutApprovalResult"


def permission_set(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    policy = {"Version": "2012-10-17", "Statement": [*statements]}
    instance = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
    return {
        "Type": "AWS::SSO::PermissionSet",
        "Properties": {"Name": name, "InstanceArn": instance, "InlinePolicy": policy},
    }


def assigned(set_: str, to: str) -> dict[str, Any]:
    properties = {
        "InstanceArn": "arn:aws:sso:::instance/ssoins-0123456789abcdef", "TargetType": "AWS_ACCOUNT",
        "TargetId": "222222222222", "PrincipalType": "GROUP", "PrincipalId": to,
        "PermissionSetArn": {"Fn::GetAtt": [set_, "PermissionSetArn"]},
    }  # fmt: skip
    return {"Type": "AWS::SSO::Assignment", "Properties": properties}


@pytest.mark.parametrize(("to", "verdict"), [("b", "holds"), ("a", "broken")])
def test_two_permission_sets_of_one_group(tmp_path: Path, to: str, verdict: str) -> None:
    group = "11111111-2222-3333-4444-55555555555"
    found = proved(
        tmp_path, Author=permission_set("author", FEEDS), Approver=permission_set("approver", APPROVES),
        First=assigned("Author", f"{group}a"), Second=assigned("Approver", f"{group}{to}"),
    )[ANOTHER]  # fmt: skip
    assert found.verdict.value == verdict
    assert verdict == "holds" or found.reason.startswith(f"{group}a as a.json/Author and a.json/Approver decides on it")


def test_a_source_outside_of_aws_is_named(tmp_path: Path) -> None:
    pushed = act("Push", "Source", "CodeStarSourceConnection", FullRepositoryId="team/repository")
    found = proved(tmp_path, pipeline([pushed], [APPROVAL], [DEPLOY]), Approver=person(APPROVES))[ANOTHER]
    assert found.verdict is Verdict.UNDETERMINED and "who writes the source Stage0/Push" in found.reason


def test_a_right_that_is_not_known_is_named(tmp_path: Path) -> None:
    maybe = {**FEEDS, "Condition": {"StringEquals": {"aws:RequestedRegion": {"Ref": "Where"}}}}
    made = template(Line=USUAL, One=person(APPROVES, maybe)) | {"Parameters": {"Where": {"Type": "String"}}}
    write(tmp_path, a=made)
    found = {proof.claim.id.replace("a.json/", ""): proof for proof in Examination(read(tmp_path)).proofs()}[ANOTHER]
    assert found.verdict is Verdict.UNDETERMINED and "the parameter Where has no value" in found.reason


@pytest.mark.parametrize("stages", [{"Ref": "Stages"}, [{"Name": "a", "Actions": {"Ref": "Stages"}}]])
def test_stages_that_are_not_known(tmp_path: Path, stages: Any) -> None:
    made = template(Line=pipeline(Stages=stages)) | {"Parameters": {"Stages": {"Type": "String"}}}
    write(tmp_path, a=made)
    found = {proof.claim.id.replace("a.json/", ""): proof for proof in Examination(read(tmp_path)).proofs()}
    assert {found[name].verdict for name in (BEFORE, ANOTHER)} == {Verdict.UNDETERMINED}
