"""Policies of the bucket and the key that AWS Config records into (LOG-07, DAT-05, row S05).

Config writes as a service where the recorder has its service-linked role, each account below its own number, and
encrypts as a service what it writes (Config developer guide, s3-bucket-policy, s3-kms-key-policy).
"""

from __future__ import annotations

from collections.abc import Sequence

from caisson.deploy.policies import zone
from caisson.deploy.policies.statement import Condition, Statement

CONFIG = "config.amazonaws.com"


def _of(accounts: Sequence[str], organization: str) -> Condition:
    """On behalf of these accounts, as members of this organization."""
    return {"StringEquals": {"aws:SourceAccount": tuple(accounts), "aws:SourceOrgID": (organization,)}}


def bucket_statements(
    *, bucket: str, accounts: Sequence[str], organization: str, partition: str
) -> tuple[Statement, ...]:
    """The bucket's policy: Config writes for these accounts, and nobody beside it."""
    here = f"arn:{partition}:s3:::{bucket}"
    service = {"Service": (CONFIG,)}
    checks = Statement(
        sid="ConfigChecksBucket",
        effect="Allow",
        principals=service,
        actions=("s3:GetBucketAcl", "s3:ListBucket"),
        resources=(here,),
        conditions=_of(accounts, organization),
    )
    writes = tuple(
        Statement(
            sid=f"ConfigWrites{account}",
            effect="Allow",
            principals=service,
            actions=("s3:PutObject",),
            resources=(f"{here}/AWSLogs/{account}/Config/*",),
            conditions={
                "StringEquals": {
                    "s3:x-amz-acl": ("bucket-owner-full-control",),
                    **_of((account,), organization)["StringEquals"],
                }
            },
        )
        for account in accounts
    )
    alone = zone.services_alone("ConfigAlone", bucket, partition)
    return (checks, *writes, alone, *zone.evidence_bucket(bucket, partition))


def bucket_encryption(accounts: Sequence[str], organization: str) -> Statement:
    """Config encrypts what it writes for these accounts."""
    return Statement(
        sid="ConfigEncrypts",
        effect="Allow",
        principals={"Service": (CONFIG,)},
        actions=("kms:Decrypt", "kms:GenerateDataKey"),
        resources=zone.THIS_KEY,
        conditions=_of(accounts, organization),
    )
