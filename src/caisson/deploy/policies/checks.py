"""Policies of the function that looks at an account's settings for AWS Config (IAM-03, LOG-01, NET-02, row S05).

Its role is the duty `checks`: it sees settings, changes none, and says what it saw to Config.
"""

from __future__ import annotations

from caisson.deploy.policies import function as function_
from caisson.deploy.policies.statement import Statement

LOOKS = (
    "bedrock:GetAccountDataRetention",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "bedrock:ListEnforcedGuardrailsConfiguration",
)
"""What the function sees. The operations take no resource (service authorization reference)."""
SAYS = ("config:PutEvaluations",)
"""How it says so. The operation takes no resource; the token of an event says which rule it answers."""


def checks_doing(*, log_group: str, function: str) -> tuple[Statement, ...]:
    """What the function does."""
    return (
        Statement(sid="Looks", effect="Allow", actions=LOOKS, resources=("*",)),
        Statement(sid="Says", effect="Allow", actions=SAYS, resources=("*",)),
        *function_.running(log_group=log_group, function=function),
    )


def looking_endpoint(role: str, organization: str) -> Statement:
    """The endpoint for Bedrock's control API lets this role see these settings."""
    return function_.through_endpoint("FunctionLooks", LOOKS, role, organization)


def verdicts_endpoint(role: str, organization: str) -> Statement:
    """The endpoint for AWS Config lets this role say what it saw, and nobody anything else."""
    return function_.through_endpoint("FunctionSays", SAYS, role, organization)
