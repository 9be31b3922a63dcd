"""Which actions exist: what botocore's service models name, what policies name, and what IAM has beside the APIs.

Operations and IAM actions have mostly one name (service authorization reference). Those that only IAM knows, and those
that no SDK here knows yet, are listed with their source.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

from caisson.assurance.iam.pattern import fits, parse, solid

SERVICES: dict[str, tuple[str, ...]] = {
    "bedrock": ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime", "bedrock-data-automation",
                "bedrock-data-automation-runtime"),
    "bedrock-agentcore": ("bedrock-agentcore", "bedrock-agentcore-control"),
    "cloudtrail": ("cloudtrail",),
    "iam": ("iam",),
    "kms": ("kms",),
    "logs": ("logs",),
    "organizations": ("organizations",),
    "s3": ("s3", "s3control"),
    "secretsmanager": ("secretsmanager",),
    "sqs": ("sqs",),
    "sts": ("sts",),
    "dynamodb": ("dynamodb",),
    "guardduty": ("guardduty",),
    "macie2": ("macie2",),
    "account": ("account",),
}  # fmt: skip
"""IAM prefix to the SDK's services."""
ONLY_IAM = (
    "bedrock:CallWithBearerToken",  # use of an API key (Bedrock user guide, api-keys-permissions)
    "bedrock-mantle:CallWithBearerToken",
    "bedrock-mantle:CreateInference",  # the second namespace (AWS-FACTS B)
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:InvokeBuilder",
    "bedrock:InvokeTool",
    "bedrock:GetInvoke",
    "bedrock:CreateModelEvaluationJob",
    "bedrock:AgenticRetrieveStream",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObjectVersion",
    "iam:PassRole",
    "aws-marketplace:Subscribe",
    "aws-marketplace:Unsubscribe",
)
NO_ACTIONS = frozenset({
    "bedrock:converse", "bedrock:conversestream", "bedrock:startasyncinvoke",
    "bedrock:invokemodelwithbidirectionalstream",
})  # fmt: skip
"""Operations that are authorised as InvokeModel and have no action of their own (Bedrock user guide,
inference-prereq)."""


@cache
def known() -> dict[str, str]:
    """Every action that is known: lower case to how it is written."""
    from botocore.session import get_session

    session = get_session()
    available = set(session.get_available_services())
    found = [
        f"{prefix}:{name}"
        for prefix, services in SERVICES.items()
        for service in services
        if service in available
        for name in session.get_service_model(service).operation_names
    ]
    return {action.lower(): action for action in (*found, *ONLY_IAM) if action.lower() not in NO_ACTIONS}


def expanded(patterns: Iterable[str], named: Iterable[str]) -> tuple[str, ...]:
    """The actions that patterns mean, in lower case, in the order of the patterns.

    Args:
        patterns: of a claim.
        named: what policies name; without wildcards it exists, too.
    """
    literal = (name.lower() for name in named if "*" not in name and "?" not in name)
    return _expanded(tuple(one.lower() for one in patterns), tuple(dict.fromkeys(literal)))


@lru_cache(maxsize=256)
def _expanded(patterns: tuple[str, ...], named: tuple[str, ...]) -> tuple[str, ...]:
    everything = dict.fromkeys([*known(), *named, *(one for one in patterns if "*" not in one)])
    wanted = (solid(parse(pattern, variables=False).pieces) for pattern in patterns)
    return tuple(dict.fromkeys(action for pieces in wanted for action in everything if fits(pieces, action)))
