"""Who runs a workload does not change what governs it (IAM-03, IAM-08)."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared, Still
from caisson.deploy.landscape import Landscape, Place
from caisson.deploy.policies import management

GOVERNS = (
    "bedrock:Create*",
    "bedrock:Update*",
    "bedrock:Delete*",
    "bedrock:Put*",
    "bedrock:Register*",
    "bedrock:Deregister*",
    "bedrock:TagResource",
    "bedrock:UntagResource",
    "bedrock:AssociateThirdPartyKnowledgeBase",
    "bedrock-agentcore:Create*",
    "bedrock-agentcore:Update*",
    "bedrock-agentcore:Delete*",
    "bedrock-agentcore:PutResourcePolicy",
    "bedrock-agentcore:SetTokenVaultCMK",
    "bedrock-agentcore:ManageAdminPolicy",
    "bedrock-agentcore:ManageResourceScopedPolicy",
    "bedrock-agentcore:GatewayDisassociateWebACL",
    "aws-marketplace:Subscribe",
    "aws-marketplace:Unsubscribe",
)
"""Operations that make, change or remove something of Bedrock or AgentCore, and subscriptions to models."""
GUARDRAILS = (
    "bedrock:CreateGuardrail", "bedrock:UpdateGuardrail", "bedrock:DeleteGuardrail", "bedrock:CreateGuardrailVersion",
    "bedrock:PutEnforcedGuardrailConfiguration", "bedrock:DeleteEnforcedGuardrailConfiguration",
    "bedrock:PutModelInvocationLoggingConfiguration", "bedrock:DeleteModelInvocationLoggingConfiguration",
    "bedrock:PutResourcePolicy", "bedrock:DeleteResourcePolicy",
)  # fmt: skip
RETENTION = "bedrock:PutAccountDataRetention"
ROLES = (
    "iam:CreateRole", "iam:DeleteRole", "iam:UpdateRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy",
    "iam:DeleteRolePolicy", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary", "iam:PassRole", "iam:TagRole", "iam:UntagRole",
)  # fmt: skip
"""Every way to become, or make something act as, a role of the system."""


def claims(land: Landscape) -> Iterator[Claim]:
    """For every member account."""
    for place in land.places:
        yield Claim(
            id=f"management.governs.{place.label}",
            controls=("IAM-03",),
            says=f"Nobody in {place.label} changes what governs models, but the deployment and its like.",
            accounts=(place.account,),
            actions=GOVERNS,
            but=(Spared(conditions={"ArnLike": {"aws:PrincipalArn": list(_deployers(land, place))}}),),
            still=(_still(land, place, "bedrock:CreateGuardrail"),),
        )
        yield Claim(
            id=f"management.roles.{place.label}",
            controls=("IAM-03", "IAM-08"),
            says=f"Nobody in {place.label} becomes, makes or changes a role of the system, but the deployment.",
            accounts=(place.account,),
            actions=ROLES,
            on=(
                f"arn:{land.partition}:iam::*:role{land.names.path}*",
                f"arn:{land.partition}:iam::*:role/aws-reserved/*",  # of Identity Center's permission sets
            ),
            but=(Spared(conditions={"ArnLike": {"aws:PrincipalArn": [_role(land, place, management.DEPLOYMENT)]}}),),
            still=(_still(land, place, "iam:CreateRole", _role(land, place, "any")),),
        )
    yield Claim(
        id="management.no-retention",
        controls=("LOG-08", "DAT-05"),
        says="No principal of a member account lets Bedrock keep prompts.",
        accounts=tuple(place.account for place in land.places),
        actions=(RETENTION,),
        but=(Spared(conditions={"StringEquals": {"bedrock:DataRetentionMode": "none"}}),),
    )
    yield Claim(
        id="management.no-customisation",
        controls=("SUP-01", "SUP-04"),
        says="No principal of a member account makes a model of its own.",
        accounts=tuple(place.account for place in land.places),
        actions=(
            "bedrock:CreateModelCustomizationJob",
            "bedrock:CreateModelImportJob",
            "bedrock:CreateCustomModel",
            "bedrock:CreateModelCopyJob",
        ),
    )


def _role(land: Landscape, place: Place, duty: str) -> str:
    return f"arn:{land.partition}:iam::{place.account}:role{land.names.path}{land.names.role(duty)}"


def _deployers(land: Landscape, place: Place) -> tuple[str, ...]:
    duties = [management.DEPLOYMENT, management.SETTINGS]
    if "control" not in place.zones:
        return tuple(_role(land, place, duty) for duty in duties)
    people = management.permission_set_role(land.names, land.partition, management.OPERATOR)
    return (*(_role(land, place, duty) for duty in (*duties, management.PIPELINE)), people)


def _still(land: Landscape, place: Place, action: str, resource: str = "*") -> Still:
    return Still(
        principal=_role(land, place, management.DEPLOYMENT), action=action, resource=resource,
        context={"aws:RequestedRegion": land.region, "aws:SecureTransport": "true"},
    )  # fmt: skip
