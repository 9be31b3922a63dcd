"""Who writes the stream to a SIEM, and who reads it (LOG-10, rows S36, S37).

What CloudWatch Logs masks at ingestion stays masked for whoever a subscription delivers to (CloudWatch Logs user guide,
mask-sensitive-log-data).
"""

from __future__ import annotations

from collections.abc import Sequence

from caisson.deploy.policies import zone
from caisson.deploy.policies.statement import Statement

STREAM = "stream"
"""Duty of the role that Firehose writes as, and what key, bucket and stream are called before the rule of names."""
SUBSCRIPTION = "subscription"
"""Duty of the role with which CloudWatch Logs puts lines into the stream."""
SIEM = "siem"
"""Duty of the role that a SIEM's account becomes."""
READ = ("s3:GetObject",)
LIST = ("s3:ListBucket",)
DELIVER = ("s3:AbortMultipartUpload", "s3:PutObject")
LOOK = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
"""With `DELIVER` what Firehose asks of a bucket (Firehose developer guide, controlling-access: using-iam-s3)."""


def bucket_statements(bucket: str, *, writer: str, reader: str, partition: str) -> tuple[Statement, ...]:
    """The bucket's policy: one role writes, one reads."""
    here = f"arn:{partition}:s3:::{bucket}"
    return (
        *zone.evidence_bucket(bucket, partition),
        zone.one_writer(bucket, writer, partition),
        Statement(
            sid="OneReader",
            effect="Deny",
            principals="*",  # a Deny for everybody but the reader
            actions=(*READ, "s3:GetObjectVersion"),
            resources=(f"{here}/*",),
            conditions={"ArnNotLike": {"aws:PrincipalArn": (reader,)}},
        ),
    )


def key_statements(
    *, account: str, deployment: str, writer: str, reader: str, region: str, partition: str
) -> tuple[Statement, ...]:
    """The key's policy. Firehose holds what it buffers under a grant that the deployment makes."""
    s3, firehose = (f"{service}.{region}.amazonaws.com" for service in ("s3", "firehose"))
    return (
        zone.administration(account, [deployment], partition),
        zone.used_through(
            "StreamMade", ("kms:CreateGrant",), accounts=[account], roles=[deployment], service=firehose,
            partition=partition,
        ),
        zone.used_through(
            "Writing", ("kms:Decrypt", "kms:GenerateDataKey"), accounts=[account], roles=[writer], service=s3,
            partition=partition,
        ),
        zone.used_through(
            "Reading", ("kms:Decrypt",), accounts=[account], roles=[reader], service=s3, partition=partition
        ),
    )  # fmt: skip


def delivery_trust(account: str) -> Statement:
    """Firehose of this account (Firehose developer guide, controlling-access: confused deputy)."""
    return Statement(
        sid="OwnStreams",
        effect="Allow",
        principals={"Service": ("firehose.amazonaws.com",)},
        actions=("sts:AssumeRole",),
        resources=("*",),
        conditions={"StringEquals": {"aws:SourceAccount": (account,)}},
    )


def delivering(bucket: str, key: str, log_stream: str, *, region: str, partition: str) -> tuple[Statement, ...]:
    """What Firehose does."""
    here = f"arn:{partition}:s3:::{bucket}"
    return (
        Statement(sid="Deliver", effect="Allow", actions=DELIVER, resources=(f"{here}/*",)),
        Statement(sid="Look", effect="Allow", actions=LOOK, resources=(here,)),
        Statement(
            sid="KeyOfTheStream",
            effect="Allow",
            actions=("kms:Decrypt", "kms:GenerateDataKey"),
            resources=(key,),
            conditions={"StringEquals": {"kms:ViaService": (f"s3.{region}.amazonaws.com",)}},
        ),
        Statement(sid="SayFailures", effect="Allow", actions=("logs:PutLogEvents",), resources=(log_stream,)),
    )


def subscription_trust(account: str, region: str, partition: str) -> Statement:
    """CloudWatch Logs of this account (CloudWatch Logs user guide, SubscriptionFilters: Firehose)."""
    return Statement(
        sid="OwnLogs",
        effect="Allow",
        principals={"Service": ("logs.amazonaws.com",)},
        actions=("sts:AssumeRole",),
        resources=("*",),
        conditions={
            "ArnLike": {"aws:SourceArn": (f"arn:{partition}:logs:{region}:{account}:*",)},
            "StringEquals": {"aws:SourceAccount": (account,)},
        },
    )


def subscribing(stream: str) -> Statement:
    """Lines into the stream."""
    return Statement(
        sid="PutLines", effect="Allow", actions=("firehose:PutRecord", "firehose:PutRecordBatch"), resources=(stream,)
    )


def siem_trust(account: str, organization: str, partition: str) -> Statement:
    """Principals of the SIEM's account, as long as it is of the organization."""
    return Statement(
        sid="SiemReads",
        effect="Allow",
        principals={"AWS": (zone.account_root(account, partition),)},
        actions=("sts:AssumeRole",),
        resources=("*",),
        conditions={"StringEquals": {"aws:PrincipalOrgID": (organization,)}},
    )


def reading(bucket: str, key: str, *, region: str, partition: str) -> Sequence[Statement]:
    """What the SIEM does."""
    here = f"arn:{partition}:s3:::{bucket}"
    return (
        Statement(sid="Read", effect="Allow", actions=READ, resources=(f"{here}/*",)),
        Statement(sid="List", effect="Allow", actions=LIST, resources=(here,)),
        Statement(
            sid="KeyOfTheStream",
            effect="Allow",
            actions=("kms:Decrypt",),
            resources=(key,),
            conditions={"StringEquals": {"kms:ViaService": (f"s3.{region}.amazonaws.com",)}},
        ),
    )
