"""The logging account (zone 6): so far the store of the organization's trail.

- The bucket's objects cannot be changed or deleted before their time, by nobody, from tier 2 (LOG-07); at tier 1 the
  lock is one that a policy can be changed to lift, so that a trial leaves nothing behind for years.
- Its key is its own. Who manages the key cannot read with it, and the other way round.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import delivery, evidence, management, people
from caisson.deploy.policies.statement import document
from caisson.deploy.stacks import Built, new_stack, suppress

ACCESS_CHANGES_DAYS = 1_096
"""Three years: access changes (LOG-08)."""
INFREQUENT_AFTER_DAYS = 90
"""After which the trail is read seldom; files of an investigation are younger."""
COMPLIANCE_TIER_MIN = 2
"""Lowest tier at which nobody can lift the lock (LOG-07 begins at tier 2)."""
TRAIL_ROWS = ("S06", "S61", "S77")


def trail_bucket(land: Landscape) -> str:
    """Name of the trail's bucket."""
    return land.names.bucket("trail", land.accounts["logging"])


def trail_key_alias(land: Landscape) -> str:
    """ARN of the alias of the trail's key, by which another account names it without knowing the key's id."""
    return f"arn:{land.partition}:kms:{land.region}:{land.accounts['logging']}:{_alias(land)}"


def _alias(land: Landscape) -> str:
    return f"alias/{land.names.of('trail')}"


def logging_zone(app: Any, land: Landscape) -> Built:
    """The stack of the logging account."""
    built = new_stack(app, land, "logging", account=land.accounts["logging"], region=land.region)
    trail = evidence.trail_arn(land.names, land.partition, account=land.management, region=land.region)
    key = _key(built, land, trail)
    bucket = _bucket(built, land, key)
    policy = s3.CfnBucketPolicy(
        built.stack,
        "TrailBucketPolicy",
        bucket=trail_bucket(land),  # by name, as its statements name it
        policy_document=document(
            delivery.bucket_statements(
                bucket=trail_bucket(land),
                trail=trail,
                management=land.management,
                organization=land.organization,
                partition=land.partition,
            )
        ),
    )
    policy.add_resource_dependency(bucket)
    for resource in (key, bucket, policy):
        built.carries(resource, TRAIL_ROWS)
    return built


def _key(built: Built, land: Landscape, trail: str) -> Any:
    account = land.accounts["logging"]
    key = kms.CfnKey(
        built.stack,
        "TrailKey",
        description="Encrypts the organization's trail",
        enable_key_rotation=True,
        pending_window_in_days=30,
        key_policy=document(
            delivery.key_statements(
                account=account,
                administrators=[management.role_arn(land.names, land.partition, management.DEPLOYMENT)],
                trail=trail,
                management=land.management,
                readers=[management.permission_set_role(land.names, land.partition, people.READER)],
                partition=land.partition,
            )
        ),
    )
    key.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # without it the trail could not be read any more
    kms.CfnAlias(built.stack, "TrailKeyAlias", alias_name=_alias(land), target_key_id=key.ref)
    return key


def _bucket(built: Built, land: Landscape, key: Any) -> Any:
    mode = "COMPLIANCE" if land.system.tier >= COMPLIANCE_TIER_MIN else "GOVERNANCE"
    bucket = s3.CfnBucket(
        built.stack,
        "TrailBucket",
        bucket_name=trail_bucket(land),
        bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
            server_side_encryption_configuration=[
                s3.CfnBucket.ServerSideEncryptionRuleProperty(
                    bucket_key_enabled=True,
                    server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                        sse_algorithm="aws:kms", kms_master_key_id=key.attr_arn
                    ),
                )
            ]
        ),
        versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
        object_lock_enabled=True,
        object_lock_configuration=s3.CfnBucket.ObjectLockConfigurationProperty(
            object_lock_enabled="Enabled",
            rule=s3.CfnBucket.ObjectLockRuleProperty(
                default_retention=s3.CfnBucket.DefaultRetentionProperty(mode=mode, days=ACCESS_CHANGES_DAYS)
            ),
        ),
        ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
            rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
        ),
        public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
        ),
        lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
            rules=[
                s3.CfnBucket.RuleProperty(
                    id="access-changes",
                    status="Enabled",
                    expiration_in_days=ACCESS_CHANGES_DAYS + 1,
                    noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(noncurrent_days=1),
                    abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                        days_after_initiation=7
                    ),
                    transitions=[
                        s3.CfnBucket.TransitionProperty(
                            storage_class="STANDARD_IA", transition_in_days=INFREQUENT_AFTER_DAYS
                        )
                    ],
                )
            ]
        ),
    )
    bucket.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # evidence outlives the system
    recorded = "Reads of the bucket's objects are data events of the organization's trail, with the caller's identity."
    suppress(
        bucket,
        {
            "AwsSolutions-S1": recorded,
            "NIST.800.53.R5-S3BucketLoggingEnabled": recorded,
            "NIST.800.53.R5-S3BucketReplicationEnabled": "The bucket is the trail's copy outside the accounts that "
            "the trail records, and under Object Lock; CloudTrail's digests show a missing file.",
        },
    )
    return bucket
