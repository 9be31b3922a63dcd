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
    "iam:PassRole",
)
"""Every way to change who may take a role and what it may do, and to make a service act as it."""


def except_for(principals: Sequence[str]) -> Condition:
    """A Deny spares these principals, given as ARNs of roles; a session counts as its role (IAM, aws:PrincipalArn)."""
    return {"ArnNotLike": {"aws:PrincipalArn": tuple(principals)}}


def deployers(names: Names, partition: str, *, control: bool) -> tuple[str, ...]:
    """Who may change what governs an account: its deployment; in the control account also pipeline and operators."""
    duties = (DEPLOYMENT, SETTINGS, PIPELINE) if control else (DEPLOYMENT, SETTINGS)
    roles = tuple(role_arn(names, partition, duty) for duty in duties)
    return (*roles, permission_set_role(names, partition, OPERATOR)) if control else roles


def role_arn(names: Names, partition: str, duty: str) -> str:
    """The role of a duty, in any account."""
    return f"arn:{partition}:iam::*:role{names.path}{names.role(duty)}"


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


def own_roles(names: Names, partition: str) -> Statement:
    """Whoever could make or change a role of ours could become one of those that the other statements spare."""
    return Statement(
        sid="OwnRoles",
        effect="Deny",
        actions=CHANGE_ROLE,
        resources=(
            f"arn:{partition}:iam::*:role{names.path}*",
            f"arn:{partition}:iam::*:role/aws-reserved/*",
        ),
        conditions=except_for((role_arn(names, partition, DEPLOYMENT),)),
    )
