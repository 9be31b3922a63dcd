"""Policies of what the logging zone owns: its event queue, archive, keys and topic (NET-01, LOG-07, rows S06, S61).

Zones write events and cannot read them back: the queue takes messages from the roles of writing zones, and gives them
to the logging zone's role alone (channel `events`).
"""

from __future__ import annotations

from collections.abc import Sequence

from caisson.deploy.policies.statement import Statement

KEY_ADMINISTRATION = (
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
"""Managing a key without using it."""
THIS_KEY = ("*",)
"""In a key's policy: this key (KMS developer guide, key-policy-overview)."""


def account_root(account: str, partition: str) -> str:
    """All principals of an account, to be narrowed by a condition."""
    return f"arn:{partition}:iam::{account}:root"


def administration(account: str, administrators: Sequence[str], partition: str) -> Statement:
    """These roles manage the key and cannot use it."""
    return Statement(
        sid="Administration",
        effect="Allow",
        principals={"AWS": (account_root(account, partition),)},
        actions=KEY_ADMINISTRATION,
        resources=THIS_KEY,
        conditions={"ArnLike": {"aws:PrincipalArn": tuple(administrators)}},
    )


def used_through(
    sid: str, actions: Sequence[str], *, accounts: Sequence[str], roles: Sequence[str], service: str, partition: str
) -> Statement:
    """These roles use the key, and only by way of a service."""
    return Statement(
        sid=sid,
        effect="Allow",
        principals={"AWS": tuple(account_root(account, partition) for account in accounts)},
        actions=tuple(actions),
        resources=THIS_KEY,
        conditions={"ArnLike": {"aws:PrincipalArn": tuple(roles)}, "StringEquals": {"kms:ViaService": (service,)}},
    )


def encrypts_log_groups(*, region: str, log_groups: str) -> Statement:
    """CloudWatch Logs encrypts these log groups (CloudWatch Logs user guide, encrypt-log-data-kms)."""
    return Statement(
        sid="LogGroupsEncrypt",
        effect="Allow",
        principals={"Service": (f"logs.{region}.amazonaws.com",)},
        actions=("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
        resources=THIS_KEY,
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": (log_groups,)}},
    )


def encrypts_alarms(accounts: Sequence[str]) -> Statement:
    """Alarms of these accounts publish to the encrypted topic (SNS developer guide, sns-key-management)."""
    return Statement(
        sid="AlarmsEncrypt",
        effect="Allow",
        principals={"Service": ("cloudwatch.amazonaws.com",)},
        actions=("kms:Decrypt", "kms:GenerateDataKey*"),
        resources=THIS_KEY,
        conditions={"StringEquals": {"aws:SourceAccount": tuple(accounts)}},
    )


def queue_statements(
    queue: str, *, writers: Sequence[str], roles: Sequence[str], reader: str, partition: str
) -> tuple[Statement, ...]:
    """The queue's policy: `roles` of the accounts `writers` send, `reader` alone receives and deletes."""
    return (
        Statement(
            sid="ZonesSend",
            effect="Allow",
            principals={"AWS": tuple(account_root(account, partition) for account in writers)},
            actions=("sqs:SendMessage",),
            resources=(queue,),
            conditions={"ArnLike": {"aws:PrincipalArn": tuple(roles)}},
        ),
        Statement(
            sid="OneReader",
            effect="Deny",
            principals="*",  # a Deny for everybody but the reader
            actions=("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"),
            resources=(queue,),
            conditions={"ArnNotLike": {"aws:PrincipalArn": (reader,)}},
        ),
        encrypted_only(queue, "sqs"),
    )


def encrypted_only(resource: str, service: str) -> Statement:
    """Nothing over plain HTTP."""
    return Statement(
        sid="EncryptedTransport",
        effect="Deny",
        principals="*",  # a Deny for everybody
        actions=(f"{service}:*",) if service != "sns" else ("sns:Publish",),
        resources=(resource,),
        conditions={"Bool": {"aws:SecureTransport": ("false",)}},
    )


def evidence_bucket(bucket: str, partition: str) -> tuple[Statement, ...]:
    """What every bucket of evidence refuses, whoever asks."""
    here = f"arn:{partition}:s3:::{bucket}"
    return (
        Statement(
            sid="EncryptedTransport",
            effect="Deny",
            principals="*",  # a Deny for everybody
            actions=("s3:*",),
            resources=(here, f"{here}/*"),
            conditions={"Bool": {"aws:SecureTransport": ("false",)}},
        ),
        Statement(
            sid="NothingDeleted",
            effect="Deny",
            principals="*",  # a Deny for everybody
            actions=("s3:BypassGovernanceRetention", "s3:DeleteObjectVersion", "s3:PutObjectRetention"),
            resources=(f"{here}/*",),
        ),
    )


def services_alone(sid: str, bucket: str, partition: str) -> Statement:
    """Services of AWS write a bucket, and nobody beside them."""
    return Statement(
        sid=sid,
        effect="Deny",
        principals="*",  # a Deny for everybody who is no service of AWS, the account's administrators included
        actions=("s3:PutObject", "s3:DeleteObject"),
        resources=(f"arn:{partition}:s3:::{bucket}/*",),
        conditions={"Bool": {"aws:PrincipalIsAWSService": ("false",)}},
    )


def one_writer(bucket: str, writer: str, partition: str) -> Statement:
    """Only the logging zone writes into its archive."""
    return Statement(
        sid="OneWriter",
        effect="Deny",
        principals="*",  # a Deny for everybody but the writer
        actions=("s3:PutObject",),
        resources=(f"arn:{partition}:s3:::{bucket}/*",),
        conditions={"ArnNotLike": {"aws:PrincipalArn": (writer,)}},
    )


def written_once(bucket: str, partition: str) -> tuple[Statement, ...]:
    """Nobody, even its writer, hides an object of the archive by a delete marker or replaces it by a second version.

    Multipart uploads carry no such header and are refused with the rest (S3 user guide, conditional-writes-enforce).
    """
    here = f"arn:{partition}:s3:::{bucket}/*"
    return (
        Statement(
            sid="NothingHidden",
            effect="Deny",
            principals="*",  # a Deny for everybody
            actions=("s3:DeleteObject",),
            resources=(here,),
        ),
        Statement(
            sid="NothingReplaced",
            effect="Deny",
            principals="*",  # a Deny for everybody who does not ask that the object be new
            actions=("s3:PutObject",),
            resources=(here,),
            conditions={"Null": {"s3:if-none-match": ("true",)}},
        ),
    )


def topic_statements(topic: str, accounts: Sequence[str]) -> tuple[Statement, ...]:
    """The alarm topic's policy: alarms of these accounts publish."""
    return (
        Statement(
            sid="AlarmsPublish",
            effect="Allow",
            principals={"Service": ("cloudwatch.amazonaws.com",)},
            actions=("sns:Publish",),
            resources=(topic,),
            conditions={"StringEquals": {"aws:SourceAccount": tuple(accounts)}},
        ),
        encrypted_only(topic, "sns"),
    )
