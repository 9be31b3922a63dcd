"""Policies of a zone's endpoints, and of what records its traffic (rows S39, S40).

Each lets through what the zone's own roles do with what is the system's, and nothing else. A policy names whom it lets
through by `aws:PrincipalArn`: a role as principal would be the role's id, which a role that is made anew does not have
(PrivateLink guide, vpc-endpoints-access; IAM user guide, principal elements).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from caisson.deploy.policies import inference, ledger
from caisson.deploy.policies.models import Model
from caisson.deploy.policies.statement import Condition, Parameter, Statement

GUARDED = ("bedrock:ApplyGuardrail",)
COUNTED = ("bedrock:CountTokens",)
RECEIVE = ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage")
"""What reading a queue takes."""


def endpoint_statements(
    *, caller: str, organization: str, models: Sequence[str], pins: Sequence[Parameter], guardrails: Sequence[str],
    partition: str, region: str,
) -> tuple[Statement, ...]:  # fmt: skip
    """Of the endpoint for bedrock-runtime: one role, its models, with a pinned guardrail.

    Args:
        caller: ARN pattern of the role that invokes.
        organization: that it must be of.
        models: ids that it may invoke.
        pins: guardrails in their versions, one of which an invocation names.
        guardrails: ARNs of these without version, which applying one is authorised on.
        partition: of AWS.
        region: of the endpoint.
    """
    approved = tuple(
        dict.fromkeys(arn for name in models for arn in Model.of(name).arns(partition=partition, region=region))
    )
    only = _only(caller, organization)
    return (
        Statement(
            sid="ZoneInvokes",
            effect="Allow",
            principals="*",  # narrowed by the condition, as AWS documents for endpoints
            actions=(*inference.INVOKE, *COUNTED),
            resources=approved,
            conditions=only,
        ),
        Statement(
            sid="ZoneAppliesGuardrails",
            effect="Allow",
            principals="*",  # narrowed by the condition, as AWS documents for endpoints
            actions=GUARDED,
            resources=tuple(guardrails),
            conditions=only,
        ),
        replace(inference.pinned_guardrail(pins), principals="*"),  # a Deny for everybody
    )


def token_endpoint(*, caller: str, organization: str, sessions: str) -> tuple[Statement, ...]:
    """Of the endpoint for sts: one role assumes the role of sessions, with tags."""
    return (
        Statement(
            sid="ZoneAssumes",
            effect="Allow",
            principals="*",  # narrowed by the condition, as AWS documents for endpoints
            actions=ledger.ASSUME,
            resources=(sessions,),
            conditions=_only(caller, organization),
        ),
    )


def queue_endpoint(
    *, caller: str, organization: str, queues: Sequence[str], reads: Sequence[str] = ()
) -> tuple[Statement, ...]:
    """Of the endpoint for sqs: one role sends to the queues of channels that it writes, receives from others."""
    ways = (("ZoneSends", ("sqs:SendMessage",), queues), ("ZoneReceives", RECEIVE, reads))
    return tuple(
        Statement(
            sid=sid,
            effect="Allow",
            principals="*",  # narrowed by the condition, as AWS documents for endpoints
            actions=actions,
            resources=tuple(named),
            conditions=_only(caller, organization),
        )
        for sid, actions, named in ways
        if named
    )


def ledger_endpoint(*, caller: str, organization: str, sessions: str, table: str) -> tuple[Statement, ...]:
    """Of the endpoint for dynamodb: one role reads the ledger's table, sessions keep their items in it."""
    return (
        Statement(
            sid="ZoneReadsLedger",
            effect="Allow",
            principals="*",  # narrowed by the condition, as AWS documents for endpoints
            actions=(*ledger.READ, *ledger.LIST),
            resources=(table, f"{table}/index/*"),
            conditions=_only(caller, organization),
        ),
        Statement(
            sid="SessionsKeepBudgets",
            effect="Allow",
            principals="*",  # narrowed by the condition, as AWS documents for endpoints
            actions=(*ledger.READ, *ledger.WRITE),
            resources=(table,),
            conditions=_only(sessions, organization),
        ),
    )


def _only(role: str, organization: str) -> Condition:
    return {
        "ArnLike": {"aws:PrincipalArn": (role,)},
        "StringEquals": {"aws:PrincipalOrgID": (organization,)},
    }


def flow_log_trust(account: str) -> Statement:
    """VPC flow logs of this account write (VPC user guide, flow-logs-iam-role)."""
    return Statement(
        sid="FlowLogs",
        effect="Allow",
        principals={"Service": ("vpc-flow-logs.amazonaws.com",)},
        actions=("sts:AssumeRole",),
        resources=("*",),
        conditions={"StringEquals": {"aws:SourceAccount": (account,)}},
    )


def flow_log_writing(log_group: str) -> Statement:
    """Into one log group that is there already."""
    return Statement(
        sid="WriteFlows",
        effect="Allow",
        actions=("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
        resources=(log_group, f"{log_group}:log-stream:*"),
    )


def log_delivery(streams: str, account: str, region: str) -> Statement:
    """Network Firewall and Resolver write logs for this account (CloudWatch Logs, AWS-logs-and-resource-policy)."""
    return Statement(
        sid="LogsDelivered",
        effect="Allow",
        principals={"Service": ("delivery.logs.amazonaws.com",)},
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(streams,),
        conditions={
            "ArnLike": {"aws:SourceArn": (f"arn:*:logs:{region}:{account}:*",)},
            "StringEquals": {"aws:SourceAccount": (account,)},
        },
    )
