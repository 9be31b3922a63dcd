"""What the role of every function of ours has beside its own work, and the endpoints that it calls through (IAM-01)."""

from __future__ import annotations

from caisson.deploy.policies.management import ELASTIC_INTERFACES
from caisson.deploy.policies.statement import Statement


def taken() -> Statement:
    """Lambda takes the role, for the functions that it was passed for: only the deployment passes it (OwnRolesPassed).

    AWS documents no condition on the function here (Lambda developer guide, lambda-intro-execution-role).
    """
    return Statement(
        sid="TheFunction",
        effect="Allow",
        principals={"Service": ("lambda.amazonaws.com",)},
        actions=("sts:AssumeRole",),
        resources=("*",),
    )


def running(*, log_group: str, function: str) -> tuple[Statement, ...]:
    """Its log, and its network interface, which is Lambda's to make, and not its code's (Lambda guide, vpc)."""
    return (
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


def through_endpoint(sid: str, actions: tuple[str, ...], role: str, organization: str) -> Statement:
    """Of an endpoint: this role does this, and nobody anything else."""
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
