"""Buckets of evidence: one way to make them, so that none is made weaker.

- The objects of a bucket cannot be changed or deleted before their time, by nobody, from tier 2 (LOG-07); at tier 1 the
  lock is one that a policy can be changed to lift, so that a trial leaves nothing behind for years.
- A bucket holds one class of data, so that its default retention is right whoever writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from caisson.deploy.landscape import Landscape
from caisson.deploy.policies.statement import Statement, document
from caisson.deploy.stacks import Built, suppress

COMPLIANCE_TIER_MIN = 2
"""Lowest tier at which nobody can lift the lock (LOG-07 begins at tier 2)."""
INFREQUENT_AFTER_DAYS = 90
"""After which evidence is read seldom; investigations begin earlier."""


def bucket_name(land: Landscape, what: str) -> str:
    """Name of a bucket of the logging account."""
    return land.names.bucket(what, land.accounts["logging"])


def make_bucket(
    built: Built,
    land: Landscape,
    what: str,
    key: Any,
    statements: Sequence[Statement],
    *,
    days: int,
    locked: bool = True,
) -> tuple[Any, Any]:
    """A bucket of evidence that is kept for `days`, and its policy.

    Not `locked` is only one into which a service writes that cannot deliver under Object Lock.
    """
    id_ = "".join(word.capitalize() for word in what.split("-")) + "Bucket"
    encryption = s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
        sse_algorithm="aws:kms", kms_master_key_id=key.attr_arn
    )
    bucket = s3.CfnBucket(
        built.stack,
        id_,
        bucket_name=bucket_name(land, what),
        bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
            server_side_encryption_configuration=[
                s3.CfnBucket.ServerSideEncryptionRuleProperty(
                    bucket_key_enabled=True, server_side_encryption_by_default=encryption
                )
            ]
        ),
        versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
        object_lock_enabled=locked or None,
        object_lock_configuration=_lock(land, days) if locked else None,
        ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
            rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
        ),
        public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
        ),
        lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(rules=[lifecycle(days)]),
    )
    bucket.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # evidence outlives the system
    recorded = "Reads of the bucket's objects are data events of the organization's trail, with the caller's identity."
    suppress(
        bucket,
        {
            "AwsSolutions-S1": recorded,
            "CKV_AWS_18": recorded,
            "NIST.800.53.R5-S3BucketLoggingEnabled": recorded,
            "NIST.800.53.R5-S3BucketReplicationEnabled": "The bucket is itself the copy outside the accounts that it "
            "tells of; what is locked shows by digest or Merkle tree if anything is missing.",
        },
    )
    policy = s3.CfnBucketPolicy(
        built.stack,
        f"{id_}Policy",
        bucket=bucket_name(land, what),  # by name, as its statements name it
        policy_document=document(statements),
    )
    policy.add_resource_dependency(bucket)
    return bucket, policy


def _lock(land: Landscape, days: int) -> Any:
    mode = "COMPLIANCE" if land.system.tier >= COMPLIANCE_TIER_MIN else "GOVERNANCE"
    return s3.CfnBucket.ObjectLockConfigurationProperty(
        object_lock_enabled="Enabled",
        rule=s3.CfnBucket.ObjectLockRuleProperty(
            default_retention=s3.CfnBucket.DefaultRetentionProperty(mode=mode, days=days)
        ),
    )


def lifecycle(days: int) -> Any:
    """Expire once the lock has ended."""
    transitions = (
        [s3.CfnBucket.TransitionProperty(storage_class="STANDARD_IA", transition_in_days=INFREQUENT_AFTER_DAYS)]
        if days > INFREQUENT_AFTER_DAYS
        else None
    )
    return s3.CfnBucket.RuleProperty(
        id="retention",
        status="Enabled",
        expiration_in_days=days + 1,
        noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(noncurrent_days=1),
        abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(days_after_initiation=7),
        transitions=transitions,
    )
