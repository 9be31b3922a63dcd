"""The organization's policies under two evaluators that know nothing of each other give the same denials.

One is the tests' own (`policy_evaluator`), the other the one that `caisson explain` decides with, which also reads each
document by AWS's grammar for its kind and refuses what AWS would not store.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.assurance.iam.cases import Case, cases
from caisson.assurance.iam.decision import Outcome, decide
from caisson.deploy.policies import delivery, evidence, inference, management, people
from caisson.deploy.policies.statement import document
from deployments import land_of, policies_of, readings
from policy_evaluator import Request, denied_by

ALLOW = {"Version": "2012-10-17", "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}]}
ACCOUNTS = {
    "runtime": "222222222222",
    "evaluation": "333333333333",
    "control": "111111111111",
    "logging": "555555555555",
}
"""Of the example."""
ROLES = (
    "role/caisson/claims-eu/caisson-claims-eu-deployment",
    "role/caisson/claims-eu/caisson-claims-eu-gateway",
    "role/caisson/claims/caisson-claims-eu-deployment",
    "role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_caisson-claims-eu-operator_0123456789abcdef",
    "role/anything",
)
ACTIONS = tuple(
    action.replace("*", "Anything")
    for action in (
        *inference.DATA_PLANE, *inference.UNGUARDABLE, *management.MANAGE, *management.STATIC_CREDENTIALS,
        *management.CHANGE_ROLE, *evidence.CHANGE_TRAIL, *evidence.CHANGE_LOG_GROUP, *evidence.CHANGE_BUCKET,
        *evidence.DESTROY_OBJECT, *evidence.CHANGE_KEY, *evidence.DESTROY_KEY, *evidence.WATCHERS,
        "bedrock:GetGuardrail", "ec2:RunInstances", "organizations:LeaveOrganization",
        "bedrock:PutAccountDataRetention",
    )
)  # fmt: skip
RESOURCES = (
    "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-pro-v1:0",
    "arn:aws:bedrock:eu-west-1:222222222222:inference-profile/eu.amazon.nova-pro-v1:0",
    "arn:aws:bedrock:eu-west-1:222222222222:project/p",
    "arn:aws:bedrock:eu-west-1:222222222222:async-invoke/a",
    "arn:aws:iam::222222222222:role/caisson/claims-eu/caisson-claims-eu-settings",
    "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/x",
    "arn:aws:logs:eu-west-1:222222222222:log-group:/caisson/claims-eu/text",
    "arn:aws:s3:::caisson-claims-eu-archive-text-555555555555",
    "arn:aws:s3:::caisson-claims-eu-trail-555555555555/AWSLogs/x",
    "arn:aws:cloudtrail:eu-west-1:000000000000:trail/caisson-claims-eu-trail",
    "arn:aws:kms:eu-west-1:555555555555:key/k",
)
PIN = "arn:aws:bedrock:eu-west-1:111111111111:guardrail/" + "x" * 64 + ":99999999"
"""What a parameter's example says."""
CONTEXT: dict[str, tuple[str, ...]] = {
    "aws:RequestedRegion": ("eu-west-1", "eu-central-1", "us-east-1", "unspecified"),
    "bedrock:GuardrailIdentifier": (PIN, PIN[:-1], PIN.rpartition(":")[0]),
    "aws:SourceVpce": ("vpce-" + "f" * 17, "vpce-00000000"),
    "aws:ViaAWSService": ("true", "false"),
    "bedrock:InferenceProfileArn": (
        "arn:aws:bedrock:eu-west-1:333333333333:inference-profile/eu.amazon.nova-pro-v1:0",
        "arn:aws:bedrock:eu-west-1:333333333333:inference-profile/global.amazon.nova-pro-v1:0",
    ),
    "bedrock:DataRetentionMode": ("none", "default"),
    "aws:ResourceTag/caisson:system": ("claims-eu", "other"),
}


@cache
def attached(zone: str) -> tuple[dict[str, Any], ...]:
    """Service control policies of an account of the example, with a value for each parameter."""
    target = land_of(readings()["example"]).place(zone).target
    return tuple(
        policy.document(lambda parameter: parameter.example)
        for policy in policies_of(readings()["example"])
        if policy.kind == "SERVICE_CONTROL_POLICY" and target in policy.targets
    )


def decided(request: Request, principal: str, account: str, **policies: Any) -> tuple[Outcome, set[str]]:
    """What the other evaluator says."""
    line = {
        "id": "case",
        "request": {
            "principal": principal,
            "action": request.action,
            "resource": request.resource,
            "resource_account": account,
            "context": {**request.context, "aws:PrincipalArn": principal},
        },
        **policies,
    }
    (case,) = cases([json.dumps(line).encode()])
    assert isinstance(case, Case), case
    found = decide(case.request, case.policies)
    return found.outcome, {str(statement.sid) for statement in found.statements}


@settings(max_examples=300, deadline=None)
@given(
    zone=st.sampled_from(sorted(ACCOUNTS)),
    role=st.sampled_from(ROLES),
    action=st.sampled_from(ACTIONS),
    resource=st.sampled_from(RESOURCES),
    context=st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in CONTEXT.items()}),
)
def test_two_evaluators_agree_on_every_denial(
    zone: str, role: str, action: str, resource: str, context: dict[str, str]
) -> None:
    account = ACCOUNTS[zone]
    principal = f"arn:aws:iam::{account}:{role}"
    request = Request(
        action=action,
        resource=resource,
        context={"aws:principalarn": principal, **{key.lower(): value for key, value in context.items()}},
    )
    ours = denied_by(attached(zone), request)
    plain = Request(action=action, resource=resource, context=context)
    outcome, sids = decided(
        plain,
        principal,
        account,
        identity_policies=[ALLOW],
        scps=[{"target": account, "policies": [ALLOW, *attached(zone)]}],
    )
    assert (outcome is Outcome.DENY_EXPLICIT) is bool(ours), (outcome, sids, ours)
    if ours:
        assert sids == ours


@pytest.mark.parametrize("name", sorted(readings()))
def test_aws_would_store_every_policy(name: str) -> None:
    """By kind: what a service control policy may hold differs from what a resource control policy may."""
    land = land_of(readings()[name])
    request = Request(action="s3:GetObject", resource="arn:aws:s3:::x/y", context={"aws:RequestedRegion": land.region})
    for policy in policies_of(readings()[name]):
        field = "scps" if policy.kind == "SERVICE_CONTROL_POLICY" else "rcps"
        found = policy.document(lambda parameter: parameter.example)
        decided(
            request,
            "arn:aws:iam::222222222222:role/x",
            "222222222222",
            identity_policies=[ALLOW],
            **{field: [{"target": "222222222222", "policies": [found]}]},
        )
    for set_ in people.permission_sets(land.names, partition="aws", region=land.region, accounts=land.accounts):
        decided(
            request, "arn:aws:iam::222222222222:role/x", "222222222222", identity_policies=[document(set_.statements)]
        )


def test_aws_would_store_the_policies_of_the_trail() -> None:
    request = Request(action="s3:PutObject", resource="arn:aws:s3:::caisson-trail/AWSLogs/o-exampleorg/x")
    bucket = document(
        delivery.bucket_statements(
            bucket="caisson-trail", trail="arn:aws:cloudtrail:eu-west-1:000000000000:trail/t",
            management="000000000000", organization="o-exampleorg", partition="aws",
        )
    )  # fmt: skip
    source = {"aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:000000000000:trail/t", "aws:SecureTransport": "true"}
    acl = {"s3:x-amz-acl": "bucket-owner-full-control"}

    def outcome(**changed: Any) -> Outcome:
        context = {**source, **acl, **changed.pop("context", {})}
        asked = Request(action=request.action, resource=changed.pop("resource", request.resource), context=context)
        line = {
            "id": "x",
            "request": {
                "principal": changed.pop("principal", "cloudtrail.amazonaws.com"), "action": asked.action,
                "resource": asked.resource, "resource_account": "555555555555", "context": asked.context,
            },
            "resource_policy": bucket,
        }  # fmt: skip
        (case,) = cases([json.dumps(line).encode()])
        assert isinstance(case, Case), case
        return decide(case.request, case.policies).outcome

    assert outcome() is Outcome.ALLOW
    assert outcome(context={"aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:999999999999:trail/t"}) is not Outcome.ALLOW
    assert outcome(resource="arn:aws:s3:::caisson-trail/AWSLogs/o-stranger00/x") is not Outcome.ALLOW
    assert outcome(principal="config.amazonaws.com") is not Outcome.ALLOW
    assert outcome(context={"aws:SecureTransport": "false"}) is Outcome.DENY_EXPLICIT
