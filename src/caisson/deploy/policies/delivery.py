"""Policies of the bucket and the key that the organization's trail is delivered to (LOG-07, rows S61, S77).

Only CloudTrail writes, as a service (IAM user guide, aws:PrincipalIsAWSService), only for this trail, and each log file
of an organization trail lies under the organization's id (CloudTrail user guide, create-kms-key-policy-for-cloudtrail,
create-s3-bucket-policy-for-cloudtrail).
"""

from __future__ import annotations

from collections.abc import Sequence

from caisson.deploy.policies import zone
from caisson.deploy.policies.statement import Statement

CLOUDTRAIL = "cloudtrail.amazonaws.com"
READ_KEY = ("kms:Decrypt", "kms:DescribeKey")


def bucket_statements(
    *, bucket: str, trail: str, management: str, organization: str, partition: str
) -> tuple[Statement, ...]:
    """The bucket's policy."""
    here = f"arn:{partition}:s3:::{bucket}"
    service = {"Service": (CLOUDTRAIL,)}
    source = {"aws:SourceArn": (trail,)}
    return (
        Statement(
            sid="TrailChecksBucket",
            effect="Allow",
            principals=service,
            actions=("s3:GetBucketAcl",),
            resources=(here,),
            conditions={"StringEquals": source},
        ),
        Statement(
            sid="TrailWrites",
            effect="Allow",
            principals=service,
            actions=("s3:PutObject",),
            resources=tuple(f"{here}/AWSLogs/{owner}/*" for owner in (management, organization)),
            conditions={"StringEquals": {"s3:x-amz-acl": ("bucket-owner-full-control",), **source}},
        ),
        zone.services_alone("TrailAlone", bucket, partition),
        *zone.evidence_bucket(bucket, partition),
    )


def key_statements(
    *, account: str, administrators: Sequence[str], trail: str, management: str, readers: Sequence[str], partition: str
) -> tuple[Statement, ...]:
    """The key's policy. Administrators manage the key and cannot use it; readers use it and cannot manage it.

    `administrators` and `readers` are ARNs of roles, patterns allowed, of this account.
    """
    return (
        zone.administration(account, administrators, partition),
        Statement(
            sid="TrailEncrypts",
            effect="Allow",
            principals={"Service": (CLOUDTRAIL,)},
            actions=("kms:GenerateDataKey*",),
            resources=zone.THIS_KEY,
            conditions={
                "StringEquals": {"aws:SourceArn": (trail,)},
                "StringLike": {
                    "kms:EncryptionContext:aws:cloudtrail:arn": (f"arn:{partition}:cloudtrail:*:{management}:trail/*",)
                },
            },
        ),
        Statement(
            sid="TrailDescribes",
            effect="Allow",
            principals={"Service": (CLOUDTRAIL,)},
            actions=("kms:DescribeKey",),
            resources=zone.THIS_KEY,
            conditions={"StringEquals": {"aws:SourceArn": (trail,)}},
        ),
        Statement(
            sid="Reading",
            effect="Allow",
            principals={"AWS": (zone.account_root(account, partition),)},
            actions=READ_KEY,
            resources=zone.THIS_KEY,
            conditions={"ArnLike": {"aws:PrincipalArn": tuple(readers)}},
        ),
    )
