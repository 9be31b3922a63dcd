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
TAGS = (TAG, "User", "Agent", "Task")
"""All session tags (row S20)."""
RATES = "rate#*"
"""Keys of the items that count requests of users and of the system."""

ASSUME = ("sts:AssumeRole", "sts:TagSession")
"""Both are asked of whoever assumes a role with tags (IAM user guide, id_session-tags)."""
READ = ("dynamodb:BatchGetItem", "dynamodb:GetItem")
WRITE = ("dynamodb:PutItem",)
"""TransactWriteItems of puts is authorised as PutItem (DynamoDB developer guide, transaction-apis-iam)."""
OTHER_DATA = (
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLSelect",
    "dynamodb:PartiQLUpdate",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
)
"""What else reads or writes items; nothing of ours does (DynamoDB API reference)."""
LIST = ("dynamodb:Query",)
"""Over the indexes: sessions, and reservations that are due."""

INDEXES = ("opened", "due")
KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
KEY_USE = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
"""What DynamoDB asks of whoever works with an encrypted table (developer guide, encryption usage notes)."""


def session_trust(*, account_root: str, gateway: str, endpoint: str) -> tuple[Statement, ...]:
    """The gateway assumes the role through the zone's endpoint, with every tag, and each of them transitive (S20, S21).

    A transitive tag stays when a role is assumed with the session's credentials, and cannot be replaced.
    """
    return (
        Statement(
            sid="GatewayAssumes",
            effect="Allow",
            principals={"AWS": (account_root,)},
            actions=ASSUME,
            resources=("*",),
            conditions={
                "ArnLike": {"aws:PrincipalArn": (gateway,)},
                "ForAllValues:StringEquals": {"aws:TagKeys": TAGS},
                "StringEquals": {"aws:SourceVpce": (endpoint,)},
                "StringLike": {f"aws:RequestTag/{tag}": ("?*",) for tag in TAGS},
            },
        ),
        *(
            Statement(
                sid=f"Transitive{tag}",
                effect="Deny",
                principals="*",  # a Deny for everybody
                actions=("sts:AssumeRole",),
                resources=("*",),
                conditions={"ForAllValues:StringNotEquals": {"sts:TransitiveTagKeys": (tag,)}},
            )
            for tag in TAGS
        ),
    )


def session_items(table: str, endpoint: str) -> Statement:
    """Items of one session and of the rates, by key, through the zone's endpoint: no query, no scan, no deletion."""
    return Statement(
        sid="OwnItems",
        effect="Allow",
        actions=(*READ, *WRITE),
        resources=(table,),
        conditions={
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": (f"${{aws:PrincipalTag/{TAG}}}", RATES)},
            "Null": {"dynamodb:LeadingKeys": ("false",)},  # over no keys ForAllValues holds
            "StringEquals": {"aws:SourceVpce": (endpoint,)},
        },
    )


def key_of_the_table(key: str, region: str) -> Statement:
    """The table's key, by way of DynamoDB alone (DynamoDB developer guide, encryption usage notes)."""
    return Statement(
        sid="KeyOfTheTable",
        effect="Allow",
        actions=KEY_ACTIONS,
        resources=(key,),
        conditions={"StringEquals": {"kms:ViaService": (f"dynamodb.{region}.amazonaws.com",)}},
    )


def table_statements(*, table: str, gateway: str, session: str, endpoint: str) -> tuple[Statement, ...]:
    """The table's own policy: whoever else is let in by a policy of its own is not let in here (S21)."""
    data = (*READ, *WRITE, *LIST, *OTHER_DATA)
    both = (table, f"{table}/index/*")
    return (
        Statement(
            sid="GatewayAndSessions",
            effect="Deny",
            principals="*",  # a Deny for everybody but the two
            actions=data,
            resources=both,
            conditions={"ArnNotLike": {"aws:PrincipalArn": (gateway, session)}},
        ),
        Statement(
            sid="SessionsWrite",
            effect="Deny",
            principals="*",  # a Deny for everybody but sessions
            actions=(*WRITE, *OTHER_DATA),
            resources=both,
            conditions={"ArnNotLike": {"aws:PrincipalArn": (session,)}},
        ),
        Statement(
            sid="ThroughEndpoint",
            effect="Deny",
            principals="*",  # a Deny for everybody
            actions=data,
            resources=both,
            conditions={"StringNotEquals": {"aws:SourceVpce": (endpoint,)}},
        ),
    )
