"""What the roles of running code may do, and the most that they may ever do (IAM-01, IAM-02, rows S09, S11, S19, S20).

A role is for one duty. A permission boundary in each account bounds all of them: a role that is given more by mistake
gains nothing beyond it, and it holds nothing that makes, changes or passes roles, or manages what governs models.
"""

from __future__ import annotations

from collections.abc import Sequence

from caisson.deploy.policies import inference, ledger, repository
from caisson.deploy.policies.models import Model
from caisson.deploy.policies.network import RECEIVE
from caisson.deploy.policies.statement import Condition, Parameter, Statement

TASKS = "ecs-tasks.amazonaws.com"
FLOWS = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
BOUNDARY = "boundary"
"""Name of the permission boundary, before the zone's."""


def task_trust(*, account: str, region: str, partition: str) -> tuple[Statement, ...]:
    """Tasks of this account take the role (ECS developer guide, task-iam-roles: confused deputy)."""
    return (
        Statement(
            sid="OwnTasks",
            effect="Allow",
            principals={"Service": (TASKS,)},
            actions=("sts:AssumeRole",),
            resources=("*",),
            conditions={
                "ArnLike": {"aws:SourceArn": (f"arn:{partition}:ecs:{region}:{account}:*",)},
                "StringEquals": {"aws:SourceAccount": (account,)},
            },
        ),
    )


def invoking(
    *, models: Sequence[str], pins: Sequence[Parameter], guardrails: Sequence[str], endpoint: str, partition: str,
    region: str,
) -> tuple[Statement, ...]:  # fmt: skip
    """These models with a pinned guardrail, through the zone's endpoint (S09)."""
    approved = tuple(
        dict.fromkeys(arn for name in models for arn in Model.of(name).arns(partition=partition, region=region))
    )
    through: Condition = {"StringEquals": {"aws:SourceVpce": (endpoint,)}}
    return (
        Statement(
            sid="InvokePinned",
            effect="Allow",
            actions=inference.INVOKE,
            resources=approved,
            conditions={"StringEquals": {"aws:SourceVpce": (endpoint,), "bedrock:GuardrailIdentifier": tuple(pins)}},
        ),
        Statement(
            sid="CountTokens", effect="Allow", actions=("bedrock:CountTokens",), resources=approved, conditions=through
        ),
        Statement(
            sid="ApplyGuardrails",
            effect="Allow",
            actions=("bedrock:ApplyGuardrail",),
            resources=tuple(guardrails),
            conditions=through,
        ),
    )


def guardrail_key(*, keys: str, alias: str) -> Statement:
    """Whoever applies an encrypted guardrail decrypts it (Bedrock user guide, guardrails-permissions-kms)."""
    return Statement(
        sid="KeyOfGuardrails",
        effect="Allow",
        actions=("kms:Decrypt",),
        resources=(keys,),
        conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": (alias,)}},
    )


def reading_ledger(*, table: str, endpoint: str) -> tuple[Statement, ...]:
    """What concerns no single session: lists over the indexes, and the accounts that they name. It writes nothing."""
    through: Condition = {"StringEquals": {"aws:SourceVpce": (endpoint,)}}
    return (
        Statement(sid="ReadLedger", effect="Allow", actions=ledger.READ, resources=(table,), conditions=through),
        Statement(
            sid="ListLedger",
            effect="Allow",
            actions=ledger.LIST,
            resources=tuple(f"{table}/index/{index}" for index in ledger.INDEXES),
            conditions=through,
        ),
    )


def assuming_sessions(*, sessions: str, endpoint: str) -> Statement:
    """The role of sessions, through the zone's endpoint."""
    return Statement(
        sid="AssumeSessions",
        effect="Allow",
        actions=ledger.ASSUME,
        resources=(sessions,),
        conditions={"StringEquals": {"aws:SourceVpce": (endpoint,)}},
    )


def sending(*, channel: str, queue: str, endpoint: str, keys: str, alias: str, region: str) -> tuple[Statement, ...]:
    """Into the queue of a channel, and what SQS asks of a sender to an encrypted one."""
    return (
        Statement(
            sid=f"Send{channel.capitalize()}",
            effect="Allow",
            actions=("sqs:SendMessage",),
            resources=(queue,),
            conditions={"StringEquals": {"aws:SourceVpce": (endpoint,)}},
        ),
        Statement(
            sid=f"KeyOf{channel.capitalize()}",
            effect="Allow",
            actions=("kms:Decrypt", "kms:GenerateDataKey"),
            resources=(keys,),
            conditions={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": (alias,)},
                "StringEquals": {"kms:ViaService": (f"sqs.{region}.amazonaws.com",)},
            },
        ),
    )


def receiving(*, channel: str, queue: str, endpoint: str) -> tuple[Statement, ...]:
    """Out of the queue of a channel. What decrypts it is its key's policy, in the same account."""
    return (
        Statement(
            sid=f"Receive{channel.capitalize()}",
            effect="Allow",
            actions=RECEIVE,
            resources=(queue,),
            conditions={"StringEquals": {"aws:SourceVpce": (endpoint,)}},
        ),
    )


def boundary(*, receives: bool = False, configured: bool = False) -> tuple[Statement, ...]:
    """The most that any role of a zone may do, whatever its own policies say. It grants nothing by itself.

    `receives`: of a zone that reads a queue; `configured`: of one that reads the repository of configuration.

    (IAM user guide, access_policies_boundaries.)
    """
    return (
        Statement(
            sid="AtMost",
            effect="Allow",
            actions=(
                *inference.INVOKE,
                "bedrock:ApplyGuardrail",
                "bedrock:CountTokens",
                *ledger.READ,
                *ledger.WRITE,
                *ledger.LIST,
                *ledger.KEY_ACTIONS,
                *ledger.ASSUME,
                "sqs:SendMessage",
                *(RECEIVE if receives else ()),
                *((*repository.READ, *repository.LIST) if configured else ()),
                *FLOWS,
            ),
            resources=("*",),  # of a boundary: which resources is for each role's own policy to say
        ),
    )
