"""The invocation log of an account: its log group, bucket, Bedrock's role and alarms (rows S22, S24, S28).

The gateway's own events are the evidence; this
log is AWS's word beside them. All stays when the stack goes, so that the log goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from caisson.channels.retention import DAYS
from caisson.deploy.alarms import Metric, above
from caisson.deploy.landscape import INVOCATIONS, Landscape
from caisson.deploy.logging_zone.store import lifecycle
from caisson.deploy.policies import invocations, management
from caisson.deploy.policies.masking import data_protection
from caisson.deploy.policies.statement import document, trust
from caisson.deploy.stacks import Built, suppress

FAILURES = ("CloudWatch", "S3", "LargeData")
"""Ways in which a delivery fails, as their metrics are named."""
METRICS = {
    "CloudWatch": "ModelInvocationLogsCloudWatchDeliveryFailure",
    "S3": "ModelInvocationLogsS3DeliveryFailure",
    "LargeData": "ModelInvocationLargeDataS3DeliveryFailure",
}
"""Bedrock user guide, monitoring-runtime-metrics: in AWS/Bedrock, over all models, that is without a dimension."""


@dataclass(frozen=True, kw_only=True)
class InvocationLog:
    """What the function needs to switch it on."""

    group: str
    """Name of the log group."""
    bucket: str
    role: Any
    after: tuple[Any, ...]
    """Resources that must stand before."""


def invocation_log(built: Built, land: Landscape, key: Any, rows: Sequence[str]) -> InvocationLog:
    """Everything that the log is kept in."""
    name = land.names.log_group(INVOCATIONS)
    group = logs.CfnLogGroup(
        built.stack, "InvocationsLog", log_group_name=name, kms_key_id=key.attr_arn, retention_in_days=DAYS["text"],
        data_protection_policy=data_protection(land.partition), deletion_protection_enabled=True,
    )  # fmt: skip
    arn = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{name}"
    role = iam.CfnRole(
        built.stack,
        "DeliveryRole",
        path=land.names.path,
        role_name=land.names.role(management.DELIVERY),
        description="Bedrock writes the invocation log",
        assume_role_policy_document=trust(
            (invocations.delivery_trust(built.account, land.region, land.partition),),
        ),
    )
    writing = iam.CfnManagedPolicy(
        built.stack,
        "DeliveryPolicy",
        path=land.names.path,
        managed_policy_name=land.names.role(management.DELIVERY),
        description="Writes the invocation log",
        roles=[role.ref],
        policy_document=document((invocations.delivery_writing(arn),)),
    )
    bucket, policy = _bucket(built, land, key)
    made = (group, role, writing, bucket, policy)
    alarms = [_alarm(built, land, failure) for failure in FAILURES]
    for resource in made:
        resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    for resource in (group, bucket, role, *alarms):
        built.carries(resource, rows)
    return InvocationLog(
        group=name, bucket=land.names.bucket(INVOCATIONS, built.account), role=role, after=(group, writing, policy)
    )


def _bucket(built: Built, land: Landscape, key: Any) -> tuple[Any, Any]:
    """Of text over 100 KB, and of everything once more. AWS does not say that Bedrock delivers under Object Lock."""
    name = land.names.bucket(INVOCATIONS, built.account)
    encryption = s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
        sse_algorithm="aws:kms", kms_master_key_id=key.attr_arn
    )
    bucket = s3.CfnBucket(
        built.stack,
        "InvocationsBucket",
        bucket_name=name,
        bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
            server_side_encryption_configuration=[
                s3.CfnBucket.ServerSideEncryptionRuleProperty(
                    bucket_key_enabled=True, server_side_encryption_by_default=encryption
                )
            ]
        ),
        versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
        ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
            rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
        ),
        public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
        ),
        lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(rules=[lifecycle(DAYS["text"])]),
    )
    seldom = "Nobody but readers of the log can decrypt its objects, and every use of the key is in the trail."
    suppress(
        bucket,
        {
            "AwsSolutions-S1": seldom,
            "CKV_AWS_18": seldom,
            "NIST.800.53.R5-S3BucketLoggingEnabled": seldom,
            "NIST.800.53.R5-S3BucketReplicationEnabled": "The gateway's own events are archived under Object Lock in "
            "the logging account; a copy of this log there is not built in this version.",
        },
    )
    policy = s3.CfnBucketPolicy(
        built.stack,
        "InvocationsBucketPolicy",
        bucket=name,
        policy_document=document(invocations.bucket_statements(name, built.account, land.region, land.partition)),
    )
    policy.add_resource_dependency(bucket)
    return bucket, policy


def _alarm(built: Built, land: Landscape, failure: str) -> Any:
    failed = Metric(namespace="AWS/Bedrock", name=METRICS[failure])
    meaning = "An invocation is missing in the invocation log: look at the role, the key and the bucket"
    return above(built, land, f"{failure}DeliveryFailed", failed, meaning, id_=f"{failure}Delivery")
