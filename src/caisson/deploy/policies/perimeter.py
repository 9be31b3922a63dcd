"""One region, one organization, encrypted transport (rows S62, S74).

Service control policies bind our principals wherever the resource is; resource control policies bind our resources
whoever asks. Neither grants anything (Organizations user guide, orgs_manage_policies_rcps).
"""

from __future__ import annotations

from caisson.deploy.policies.inference import INVOKE
from caisson.deploy.policies.statement import Statement

WITHOUT_REGION = (
    "account:*",
    "budgets:*",
    "ce:*",
    "cloudfront:*",
    "health:*",
    "iam:*",
    "organizations:*",
    "route53:*",
    "route53domains:*",
    "s3:GetAccountPublicAccessBlock",
    "s3:ListAllMyBuckets",
    "s3:PutAccountPublicAccessBlock",
    "shield:*",
    "sso:*",
    "sts:*",
    "support:*",
    "trustedadvisor:*",
)
"""Services with one endpoint for all regions (AWS general reference; IAM user guide, aws_deny-requested-region).

A Deny spares them; nothing is allowed by that.
"""
RESOURCE_SERVICES = (
    "aoss",
    "dynamodb",
    "ecr",
    "events",
    "kms",
    "logs",
    "s3",
    "secretsmanager",
    "sqs",
)
"""Services that take resource control policies and hold what is ours (Organizations user guide).

STS takes them too, and has its own actions below.
"""
DELIVERY_SERVICES = ("kms", "s3", "secretsmanager", "sqs")
"""Services to which other services of AWS deliver with the source's organization in the request."""
TLS_VERSION_MIN = "1.2"
"""Oldest version of TLS (row S62)."""


def one_region(region: str) -> Statement:
    """Nothing happens in another region; which region answers an invocation is decided by itself (`inference`)."""
    return Statement(
        sid="OneRegion",
        effect="Deny",
        not_actions=tuple(sorted((*WITHOUT_REGION, *INVOKE))),
        resources=("*",),
        conditions={"StringNotEquals": {"aws:RequestedRegion": (region,)}},
    )


def no_leaving() -> Statement:
    """An account that leaves the organization leaves its policies."""
    return Statement(
        sid="NoLeaving",
        effect="Deny",
        actions=("organizations:LeaveOrganization", "account:CloseAccount", "account:EnableRegion"),
        resources=("*",),
    )


def own_principals(organization: str) -> Statement:
    """Only principals of the organization reach our resources; services of AWS are held to `own_deliveries`.

    Roles that a web identity or a SAML assertion takes have no organization yet and are held by their trust policies.
    """
    return Statement(
        sid="OwnPrincipals",
        effect="Deny",
        principals="*",  # AWS requires it of every resource control policy
        actions=(*(f"{service}:*" for service in RESOURCE_SERVICES), "sts:AssumeRole", "sts:SetContext"),
        resources=("*",),
        conditions={
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": (organization,)},
            "BoolIfExists": {"aws:PrincipalIsAWSService": ("false",)},
        },
    )


def own_deliveries(organization: str) -> Statement:
    """A service of AWS acts on our resources for accounts of the organization only: no confused deputy."""
    return Statement(
        sid="OwnDeliveries",
        effect="Deny",
        principals="*",  # AWS requires it of every resource control policy
        actions=tuple(f"{service}:*" for service in DELIVERY_SERVICES),
        resources=("*",),
        conditions={
            "StringNotEqualsIfExists": {"aws:SourceOrgID": (organization,)},
            "Null": {"aws:SourceAccount": ("false",)},
            "Bool": {"aws:PrincipalIsAWSService": ("true",)},
        },
    )


def encrypted_transport() -> tuple[Statement, ...]:
    """No request over plain HTTP, and none to S3 over an old TLS."""
    return (
        Statement(
            sid="EncryptedTransport",
            effect="Deny",
            principals="*",  # AWS requires it of every resource control policy
            actions=(*(f"{service}:*" for service in RESOURCE_SERVICES), "sts:*"),
            resources=("*",),
            conditions={"BoolIfExists": {"aws:SecureTransport": ("false",)}},
        ),
        Statement(
            sid="NoOldTls",
            effect="Deny",
            principals="*",  # AWS requires it of every resource control policy
            actions=("s3:*",),
            resources=("*",),
            conditions={"NumericLessThan": {"s3:TlsVersion": (TLS_VERSION_MIN,)}},
        ),
    )
