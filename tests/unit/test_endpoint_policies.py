"""VPC endpoints of templates: nobody from outside passes, and no model is asked without a guardrail (row S40)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from caisson.assurance.identities.examination import Examination
from caisson.assurance.proofs.search import Proof
from caisson.assurance.proofs.universe import OUTSIDE_ACCOUNT
from caisson.assurance.templates import read
from caisson.assurance.verdict import Verdict
from foreign_templates import ACCOUNT, GUARDRAIL, INVOKES, template, write

OUTSIDER = "endpoint.no-outsider: Door"
ANSWERS = "cloudformation-custom-resource-response-"
OURS = {"StringEquals": {"aws:PrincipalOrgID": "o-ourown"}}
THEIRS = {"StringEquals": {"aws:ResourceOrgID": "o-ourown"}}
FIREWALL = {"Type": "AWS::NetworkFirewall::Firewall", "Properties": {
    "FirewallName": "wall", "FirewallPolicyArn": "arn:aws:network-firewall:eu-west-1:222222222222:firewall-policy/p",
    "VpcId": "vpc-1", "SubnetMappings": [{"SubnetId": "subnet-1"}]}}  # fmt: skip


def let(effect: str = "Allow", *, actions: Any = "*", resources: Any = "*", to: Any = "*", **conditions: Any) -> Any:
    made = {"Effect": effect, "Principal": to, "Action": actions, "Resource": resources}
    return made | ({"Condition": conditions} if conditions else {})


def endpoint(*statements: Any, service: str = "s3", **properties: Any) -> dict[str, Any]:
    policy = {"PolicyDocument": {"Version": "2012-10-17", "Statement": [*statements]}} if statements else {}
    name = f"com.amazonaws.eu-west-1.{service}"
    return {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {"VpcId": "vpc-1", "ServiceName": name, **policy, **properties},
    }


def proved(folder: Path, door: dict[str, Any], **resources: Any) -> dict[str, Proof]:
    write(folder, a=template(Door=door, **resources))
    found = {proof.claim.id.replace("a.json/", ""): proof for proof in Examination(read(folder)).proofs()}
    return {name: proof for name, proof in found.items() if name.endswith("Door")}


@pytest.mark.parametrize(
    "statements",
    [
        [let(**OURS)],
        [let(**THEIRS)],
        [let(StringEquals={"aws:PrincipalAccount": ACCOUNT})],
        [let(to={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})],
        [let(to={"AWS": f"arn:aws:iam::{ACCOUNT}:role/app"})],
        [let(ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"})],
        [let(StringEquals={"aws:ResourceAccount": ACCOUNT})],
        [let(**{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-ourown/r-ours/*"}})],
        [let(), let("Deny", StringNotEquals={"aws:PrincipalOrgID": "o-ourown"})],
        [let(**OURS), let(actions="s3:GetObject", resources="arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*")],
        [let(**OURS), let(actions="s3:PutObject", resources=f"arn:aws:s3:::{ANSWERS}euwest1/*")],
        [let("Deny")],
    ],
)
def test_nobody_from_outside_passes(tmp_path: Path, statements: list[Any]) -> None:
    assert proved(tmp_path, endpoint(*statements))[OUTSIDER].verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    "statements",
    [
        [let()],
        [let(actions="s3:PutObject")],
        [let(resources="arn:aws:s3:::*")],
        [let(StringEqualsIfExists={"aws:PrincipalTag/team": "ours"})],
        [let(**OURS), let(actions="s3:GetObject")],
        [let(**OURS), let(actions="s3:GetObject", resources="arn:aws:s3:::prod-*-starport-layer-bucket/*")],
        [let(**OURS), let(actions="s3:PutObject", resources=f"arn:aws:s3:::{ANSWERS}*/*")],
        [let(**OURS), let(actions="s3:PutObject", resources=f"arn:aws:s3:::{ANSWERS}euwest1-of-mine/*")],
        [let(), let("Deny", actions="s3:DeleteObject")],
        [let(), let("Deny", StringNotEqualsIfExists={"aws:PrincipalTag/team": "ours"})],
        [let(to={"AWS": f"arn:aws:iam::{OUTSIDE_ACCOUNT}:root"})],
        [let(StringNotEquals={"aws:PrincipalOrgID": "o-ourown"})],
    ],
)
def test_somebody_from_outside_passes(tmp_path: Path, statements: list[Any]) -> None:
    proof = proved(tmp_path, endpoint(*statements))[OUTSIDER]
    assert proof.verdict is Verdict.BROKEN and proof.counterexample is not None
    asked = proof.counterexample.request
    assert (asked.principal.account, asked.resource_account) == (OUTSIDE_ACCOUNT, OUTSIDE_ACCOUNT)
    assert asked.action.startswith("s3:")


@pytest.mark.parametrize("service", ["s3", "monitoring", "sts", "kms", "bedrock-runtime", "ecr.dkr", "something-new"])
def test_where_a_firewall_stands_no_policy_is_everybody(tmp_path: Path, service: str) -> None:
    assert proved(tmp_path, endpoint(service=service)) == {}
    proof = proved(tmp_path, endpoint(service=service), Wall=FIREWALL)[OUTSIDER]
    assert proof.verdict is Verdict.BROKEN


def test_a_load_balancer_of_firewalls_takes_no_policy(tmp_path: Path) -> None:
    assert proved(tmp_path, endpoint(VpcEndpointType="GatewayLoadBalancer"), Wall=FIREWALL) == {}


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        (let(actions=INVOKES, StringEquals={"bedrock:GuardrailIdentifier": f"{GUARDRAIL}:3"}), "holds"),
        (let(actions=INVOKES, StringLike={"bedrock:GuardrailIdentifier": f"{GUARDRAIL}*"}), "broken"),
    ],
)
def test_guardrails_where_the_policy_speaks_of_them(tmp_path: Path, statement: Any, verdict: str) -> None:
    found = proved(tmp_path, endpoint(statement, service="bedrock-runtime"))
    assert found["guardrail.pinned: Door"].verdict.value == verdict
    assert found["guardrail.no-way-around: Door"].verdict is Verdict.HOLDS


def test_a_policy_that_is_not_known(tmp_path: Path) -> None:
    maybe = let(StringEquals={"aws:PrincipalOrgID": {"Ref": "Ours"}})
    made = template(Door=endpoint(maybe)) | {"Parameters": {"Ours": {"Type": "String"}}}
    write(tmp_path, a=made)
    found = next(one for one in Examination(read(tmp_path)).proofs() if one.claim.id.startswith("endpoint."))
    assert found.verdict is Verdict.UNDETERMINED and "the parameter Ours has no value" in found.reason
