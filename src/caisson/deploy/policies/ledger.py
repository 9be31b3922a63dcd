"""Who reaches the ledger's table, and which of its items (SESS-03, rows S19, S21).

A session's credentials carry its id as a tag, and reach the items that begin with it: its own account, and the rates,
which belong to nobody (decision 18).
"""

from __future__ import annotations

from caisson.deploy.policies.statement import Statement

SESSION = "session"
"""Duty of the role that is assumed once a session."""
GATEWAY = "gateway"
"""Duty of the role that the gateway runs as, and that assumes it."""
TAG = "SessionId"
"""Session tag with the session's id."""
RATES = "rate#*"
"""Keys of the items that count requests of users and of the system."""

KEY_USE = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
"""What DynamoDB asks of whoever works with an encrypted table (developer guide, encryption usage notes)."""


def session_trust(*, account_root: str, gateway: str) -> tuple[Statement, ...]:
    """The gateway assumes the role, never without the tag."""
    only = {"ArnLike": {"aws:PrincipalArn": (gateway,)}}
    return (
        Statement(
            sid="GatewayAssumes",
            effect="Allow",
            principals={"AWS": (account_root,)},
            actions=("sts:AssumeRole", "sts:TagSession"),
            resources=("*",),
            conditions={**only, "StringLike": {f"aws:RequestTag/{TAG}": ("?*",)}},
        ),
    )


def session_items(table: str) -> Statement:
    """Items of one session and of the rates, by key: no query, no scan, no deletion."""
    return Statement(
        sid="OwnItems",
        effect="Allow",
        actions=("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"),
        resources=(table,),
        conditions={
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": (f"${{aws:PrincipalTag/{TAG}}}", RATES)},
            "Null": {"dynamodb:LeadingKeys": ("false",)},  # over no keys ForAllValues holds
        },
    )


def key_of_the_table(key: str, region: str) -> Statement:
    """The table's key, by way of DynamoDB alone (DynamoDB developer guide, encryption usage notes)."""
    return Statement(
        sid="KeyOfTheTable",
        effect="Allow",
        actions=(
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ),
        resources=(key,),
        conditions={"StringEquals": {"kms:ViaService": (f"dynamodb.{region}.amazonaws.com",)}},
    )
