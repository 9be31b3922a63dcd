"""Nobody who runs a workload changes what governs it (IAM-03, rows S08, S13, S14, S15).

Control actions are left to the deployment's own roles and, in the control account, to the pipeline and the operators'
permission set. IAM cannot see whether somebody of Identity Center signed in with MFA (IAM user guide,
id_credentials_mfa_configure-api-require): that is set in Identity Center, and shown from sign-in events.
"""

from __future__ import annotations

from collections.abc import Sequence

from caisson.deploy.names import Names
from caisson.deploy.policies.statement import Condition, Statement

DEPLOYMENT = "deployment"
"""Duty of the role that CloudFormation works with in every account."""
SETTINGS = "settings"
"""Duty of the role whose function sets what CloudFormation has no type for (invocation log, data retention)."""
CHECKS = "checks"
"""Duty of the role whose function looks whether the account's settings are those deployed."""
DELIVERY = "delivery"
"""Duty of the role that Bedrock writes the invocation log as."""
LOGGING = "logging"
"""Duty of the role that the logging zone runs as."""
PIPELINE = "pipeline"
"""Duty of the role that starts deployments, in the control account."""
OPERATOR = "operator"
"""Permission set of people who may configure."""

MANAGE = (
    "bedrock:Create*",
    "bedrock:Update*",
    "bedrock:Delete*",
    "bedrock:Put*",
    "bedrock:Register*",
    "bedrock:Deregister*",
    "bedrock:TagResource",  # tags select application inference profiles in conditions
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
    "aws-marketplace:Subscribe",  # models of others are subscribed to at first use
    "aws-marketplace:Unsubscribe",
)
"""Changes of models, guardrails, prompts, agents, tools, their policies, and of what is logged and kept.

The patterns also match what a workload would do to stored conversations of Bedrock; nothing of ours stores any there.
"""
CUSTOMISE = (
    "bedrock:CreateModelCustomizationJob",
    "bedrock:CreateModelImportJob",
    "bedrock:CreateCustomModel",
    "bedrock:CreateModelCopyJob",
)
"""Making models of one's own, which Caisson does not offer (SUP-04)."""
STATIC_CREDENTIALS = (
    "bedrock:CallWithBearerToken",  # Bedrock API keys, short-term ones included
    "bedrock-mantle:CallWithBearerToken",
    "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential",
    "iam:UpdateServiceSpecificCredential",
    "iam:CreateUser",
    "iam:CreateLoginProfile",
    "iam:CreateAccessKey",
    "iam:UpdateAccessKey",
    "iam:UploadSSHPublicKey",
    "iam:UploadSigningCertificate",
)
"""Everything that gives, revives or uses a credential that does not expire by itself."""
CHANGE_ROLE = (
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:UpdateRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
    "iam:TagRole",
    "iam:UntagRole",
)
"""Every way to change who may take a role and what it may do."""
PASS_ROLE = ("iam:PassRole",)
"""To make a service act as a role."""
SETS = (
    "bedrock:GetAccountDataRetention",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:PutAccountDataRetention",
    "bedrock:PutModelInvocationLoggingConfiguration",
)
"""What the function of the duty `settings` sees and sets. It deletes nothing."""
ELASTIC_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcs",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda asks of the role of a function in a VPC (Lambda developer guide, configuration-vpc)."""
CHANGE_FUNCTION = (
    "lambda:AddPermission",
    "lambda:CreateAlias",
    "lambda:CreateEventSourceMapping",
    "lambda:CreateFunction",
    "lambda:CreateFunctionUrlConfig",
    "lambda:DeleteFunction",
    "lambda:InvokeAsync",
    "lambda:InvokeFunction",
    "lambda:InvokeFunctionUrl",
    "lambda:PublishVersion",
    "lambda:PutFunctionEventInvokeConfig",
    "lambda:PutRuntimeManagementConfig",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:UpdateFunctionUrlConfig",
)
"""Every way to have a function do something, or something else."""


def except_for(principals: Sequence[str]) -> Condition:
    """A Deny spares these principals, given as ARNs of roles; a session counts as its role (IAM, aws:PrincipalArn)."""
    return {"ArnNotLike": {"aws:PrincipalArn": tuple(principals)}}


def deployers(names: Names, partition: str, *, control: bool, settings: bool) -> tuple[str, ...]:
    """Who may change what governs an account: its deployment; in the control account also pipeline and operators.

    Where models are invoked, so does the function that sets the invocation log: `settings_alone` says how little.
    """
    duties = (DEPLOYMENT, *((SETTINGS,) if settings else ()), *((PIPELINE,) if control else ()))
    roles = tuple(role_arn(names, partition, duty) for duty in duties)
    return (*roles, permission_set_role(names, partition, OPERATOR)) if control else roles


def role_arn(names: Names, partition: str, duty: str, account: str = "*") -> str:
    """The role of a duty, in any account where none is given."""
    return f"arn:{partition}:iam::{account}:role{names.path}{names.role(duty)}"


def permission_set_role(names: Names, partition: str, duty: str) -> str:
    """The role that Identity Center makes of a permission set, in any account; its name ends in sixteen hex digits."""
    return (
        f"arn:{partition}:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_{names.permission_set(duty)}_"
        + "?" * 16
    )


def no_management(principals: Sequence[str]) -> Statement:
    """Models, guardrails, agents and their policies change through the deployment only."""
    return Statement(
        sid="NoManagement", effect="Deny", actions=MANAGE, resources=("*",), conditions=except_for(principals)
    )


def no_customisation() -> Statement:
    """No model of one's own, for everybody."""
    return Statement(sid="NoCustomisation", effect="Deny", actions=CUSTOMISE, resources=("*",))


def no_static_credentials() -> Statement:
    """No credential that does not expire, for everybody."""
    return Statement(sid="NoStaticCredentials", effect="Deny", actions=STATIC_CREDENTIALS, resources=("*",))


def own_roles(names: Names, partition: str, *, settings: bool) -> tuple[Statement, ...]:
    """Whoever could make or change a role of ours could become one of those that the other statements spare."""
    ours = (f"arn:{partition}:iam::*:role{names.path}*", f"arn:{partition}:iam::*:role/aws-reserved/*")
    deployment = role_arn(names, partition, DEPLOYMENT)
    return (
        Statement(
            sid="OwnRoles", effect="Deny", actions=CHANGE_ROLE, resources=ours, conditions=except_for((deployment,))
        ),
        Statement(
            sid="OwnRolesPassed",
            effect="Deny",
            actions=PASS_ROLE,
            resources=ours,
            conditions=except_for((deployment, *((role_arn(names, partition, SETTINGS),) if settings else ()))),
        ),
    )


def settings_alone(names: Names, partition: str) -> tuple[Statement, ...]:
    """The role that other statements spare for its settings does nothing else, and nobody else has its function do it.

    Three more statements make the exemption narrow: what it does, the one role that it passes, and who calls or changes
    its function. The last is also about the function that looks whether the settings are as deployed: AWS Config calls
    it, as a service.
    """
    settings = {"ArnLike": {"aws:PrincipalArn": (role_arn(names, partition, SETTINGS),)}}
    return (
        Statement(
            sid="SettingsOnly",
            effect="Deny",
            not_actions=(*SETS, *PASS_ROLE, *ELASTIC_INTERFACES, "logs:CreateLogStream", "logs:PutLogEvents"),
            resources=("*",),
            conditions=settings,
        ),
        Statement(
            sid="SettingsPassDelivery",
            effect="Deny",
            actions=PASS_ROLE,
            not_resources=(role_arn(names, partition, DELIVERY),),
            conditions=settings,
        ),
        Statement(
            sid="SettingsFunction",
            effect="Deny",
            actions=CHANGE_FUNCTION,
            resources=tuple(
                f"arn:{partition}:lambda:*:*:function:{names.of(duty, 64)}*" for duty in (SETTINGS, CHECKS)
            ),
            conditions=except_for((role_arn(names, partition, DEPLOYMENT),)),
        ),
    )
