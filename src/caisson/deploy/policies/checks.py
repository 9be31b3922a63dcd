"""Policies of the function that looks at an account's settings for AWS Config (IAM-03, LOG-01, NET-02, row S05).

Its role is the duty `checks`: it sees settings, changes none, and says what it saw to Config.
"""

from __future__ import annotations

from caisson.deploy.policies.management import ELASTIC_INTERFACES
from caisson.deploy.policies.statement import Statement

LOOKS = (
    "bedrock:GetAccountDataRetention",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:ListEnforcedGuardrailsConfiguration",
)
"""What the function sees. The operations take no resource (service authorization reference)."""
SAYS = ("config:PutEvaluations",)
"""How it says so. The operation takes no resource; the token of an event says which rule it answers."""


def checks_trust() -> Statement:
    """Lambda takes the role, for the function that it was passed for: the deployment alone passes it."""
    return Statement(
        sid="TheFunction",
        effect="Allow",
        principals={"Service": ("lambda.amazonaws.com",)},
        actions=("sts:AssumeRole",),
        resources=("*",),
    )


def checks_doing(*, log_group: str, function: str) -> tuple[Statement, ...]:
    """What the function does. Its network interface is Lambda's to make, and not its code's (Lambda guide, vpc)."""
    return (
        Statement(sid="Looks", effect="Allow", actions=LOOKS, resources=("*",)),
        Statement(sid="Says", effect="Allow", actions=SAYS, resources=("*",)),
        Statement(
            sid="WriteOwnLog",
            effect="Allow",
            actions=("logs:CreateLogStream", "logs:PutLogEvents"),
            resources=(f"{log_group}:log-stream:*",),
        ),
        Statement(sid="Interface", effect="Allow", actions=ELASTIC_INTERFACES, resources=("*",)),
        Statement(
            sid="NoInterfaceByCode",
            effect="Deny",
            actions=ELASTIC_INTERFACES,
            resources=("*",),
            conditions={"ArnEquals": {"lambda:SourceFunctionArn": (function,)}},
        ),
    )


def looking_endpoint(role: str, organization: str) -> Statement:
    """The endpoint for Bedrock's control API lets this role see these settings."""
    return _only("FunctionLooks", LOOKS, role, organization)


def verdicts_endpoint(role: str, organization: str) -> Statement:
    """The endpoint for AWS Config lets this role say what it saw, and nobody anything else."""
    return _only("FunctionSays", SAYS, role, organization)


def _only(sid: str, actions: tuple[str, ...], role: str, organization: str) -> Statement:
    return Statement(
        sid=sid,
        effect="Allow",
        principals="*",  # narrowed by the condition, as AWS documents for endpoints
        actions=actions,
        resources=("*",),
        conditions={
            "ArnLike": {"aws:PrincipalArn": (role,)},
            "StringEquals": {"aws:PrincipalOrgID": (organization,)},
        },
    )
