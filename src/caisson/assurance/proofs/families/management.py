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
SETTINGS = (
    "bedrock:GetAccountDataRetention", "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:PutAccountDataRetention", "bedrock:PutModelInvocationLoggingConfiguration",
)  # fmt: skip
"""What the function that sets an account's settings is there for; it deletes none."""
NEEDS = (
    "logs:CreateLogStream", "logs:PutLogEvents", "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcs", "ec2:UnassignPrivateIpAddresses",
)  # fmt: skip
"""What Lambda needs of that role for its log and network interface."""
FUNCTION = (
    "lambda:AddPermission", "lambda:CreateAlias", "lambda:CreateEventSourceMapping", "lambda:CreateFunction",
    "lambda:CreateFunctionUrlConfig", "lambda:DeleteFunction", "lambda:InvokeAsync", "lambda:InvokeFunction",
    "lambda:InvokeFunctionUrl", "lambda:PublishVersion", "lambda:PutFunctionEventInvokeConfig",
    "lambda:PutRuntimeManagementConfig", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration",
    "lambda:UpdateFunctionUrlConfig",
)  # fmt: skip
"""Every way to call a function, or to have it do something else."""


def claims(land: Landscape) -> Iterator[Claim]:
    """For every member account."""
    for place in land.places:
        yield Claim(
            id=f"management.governs.{place.label}",
            controls=("IAM-03",),
            says=f"Nobody in {place.label} changes what governs models, but the deployment and its like.",
            accounts=(place.account,),
            actions=GOVERNS,
            but=(
                Spared(conditions={"ArnLike": {"aws:PrincipalArn": list(_deployers(land, place))}}),
                Spared(actions=SETTINGS, conditions=_is(land.role(management.SETTINGS, place.account))),
            ),
            still=(
                _still(land, place, "bedrock:CreateGuardrail"),
                *((_still(land, place, SETTINGS[-1], duty=management.SETTINGS),) if place.invokes else ()),
            ),
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
            but=(
                Spared(conditions=_is(land.role(management.DEPLOYMENT, place.account))),
                Spared(
                    actions=("iam:PassRole",),
                    resources=(land.role(management.DELIVERY),),  # no principal passes a role of another account
                    conditions=_is(land.role(management.SETTINGS, place.account)),
                ),
            ),
            still=(_still(land, place, "iam:CreateRole", land.role("any", place.account)),),
        )
        if place.invokes:
            yield from _settings(land, place)
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


def _deployers(land: Landscape, place: Place) -> tuple[str, ...]:
    duties = [management.DEPLOYMENT]
    if "control" not in place.zones:
        return tuple(land.role(duty, place.account) for duty in duties)
    people = management.permission_set_role(land.names, land.partition, management.OPERATOR)
    return (*(land.role(duty, place.account) for duty in (*duties, management.PIPELINE)), people)


def _settings(land: Landscape, place: Place) -> Iterator[Claim]:
    """The one exemption of a function: it does its settings, and only the deployment has it do them."""
    settings, delivery = land.role(management.SETTINGS, place.account), land.role(management.DELIVERY, place.account)
    yield Claim(
        id=f"management.settings.{place.label}",
        controls=("IAM-03", "LOG-01"),
        says=f"What sets the invocation log in {place.label} does that, and deletes nothing.",
        accounts=(place.account,),
        actions=("*",),
        but=(
            Spared(conditions={"ArnNotLike": {"aws:PrincipalArn": [settings]}}),
            Spared(actions=(*SETTINGS, *NEEDS)),
            Spared(actions=("iam:PassRole",), resources=(land.role(management.DELIVERY),)),
        ),
        still=(
            *(_still(land, place, action, duty=management.SETTINGS) for action in (*SETTINGS[:2], NEEDS[0], NEEDS[3])),
            _still(land, place, "iam:PassRole", delivery, duty=management.SETTINGS),
        ),
    )
    at = f"arn:{land.partition}:lambda:{land.region}:{place.account}:function:"
    function, looking = (f"{at}{land.names.of(duty, 64)}" for duty in (management.SETTINGS, management.CHECKS))
    yield Claim(
        id=f"management.function.{place.label}",
        controls=("IAM-03", "LOG-01"),
        says=f"Nobody in {place.label} calls or changes what sets the log or looks at it, but the deployment.",
        accounts=(place.account,),
        actions=FUNCTION,
        on=(function, f"{function}:*", looking, f"{looking}:*"),
        but=(Spared(conditions=_is(land.role(management.DEPLOYMENT, place.account))),),
        still=(_still(land, place, "lambda:InvokeFunction", function),),
    )


def _is(role: str) -> dict[str, dict[str, list[str]]]:
    return {"ArnLike": {"aws:PrincipalArn": [role]}}


def _still(
    land: Landscape, place: Place, action: str, resource: str = "*", *, duty: str = management.DEPLOYMENT
) -> Still:
    return Still(
        principal=land.role(duty, place.account), action=action, resource=resource,
        context={"aws:RequestedRegion": land.region, "aws:SecureTransport": "true"},
    )  # fmt: skip
