"""The stack of the repository that `up --configuration s3=` publishes into and reads (decision 23, S05, S69, S70).

Every version of every file is kept for a year after it was replaced: what was in force when, and by whose signature,
can be read from the bucket alone.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from caisson.channels.retention import DAYS
from caisson.deploy.keys import make_key
from caisson.deploy.landscape import CONFIGURATION, Landscape
from caisson.deploy.policies import ledger, management, repository, workload
from caisson.deploy.policies.statement import document, trust
from caisson.deploy.stacks import Built, new_stack, suppress

ROWS = ("S05", "S69", "S70")
ROLE_ROWS = ("S05", "S11")
BOUNDS = "A boundary grants nothing: which resources a role reaches is said by its own policy, which names each of them"
OBJECTS = "Files of the repository are named by version and digest: the bucket's objects, which nothing else is in"


def configuration(app: Any, land: Landscape) -> Built:
    """The stack."""
    account = land.accounts["control"]
    built = new_stack(app, land, CONFIGURATION, account=account, region=land.region)
    publisher = land.role(repository.CONTROL, account)
    readers = land.accounts["runtime"]
    reader = land.role(ledger.GATEWAY, readers)
    key = make_key(
        built,
        land,
        CONFIGURATION,
        repository.key_statements(
            account=account,
            deployment=land.role(management.DEPLOYMENT),
            publisher=publisher,
            reader=reader,
            readers=readers,
            region=land.region,
            partition=land.partition,
        ),
        description="Encrypts configuration and orders",
    )
    bucket = _bucket(built, land, key)
    policy = s3.CfnBucketPolicy(
        built.stack,
        "RepositoryPolicy",
        bucket=land.repository_bucket,  # by name, as its statements name it
        policy_document=document(
            repository.bucket_statements(
                land.repository_bucket,
                publisher=publisher,
                reader=reader,
                readers=readers,
                organization=land.organization,
                partition=land.partition,
            )
        ),
    )
    policy.add_resource_dependency(bucket)
    for resource in (key, bucket, policy):
        built.carries(resource, ROWS)
    built.carries(key, ("S59",))
    _role(built, land, key)
    return built


def _bucket(built: Built, land: Landscape, key: Any) -> Any:
    encryption = s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
        sse_algorithm="aws:kms", kms_master_key_id=key.attr_arn
    )
    bucket = s3.CfnBucket(
        built.stack,
        "Repository",
        bucket_name=land.repository_bucket,
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
        lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
            rules=[
                s3.CfnBucket.RuleProperty(
                    id="replaced",
                    status="Enabled",
                    expired_object_delete_marker=True,
                    noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(
                        noncurrent_days=DAYS["metadata"]
                    ),
                    abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                        days_after_initiation=7
                    ),
                )
            ]
        ),
    )
    bucket.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # what was in force is evidence
    signed = (
        "Who reads a file changes nothing: zones verify signatures; publications and reads are events of their own."
    )
    locked = "Files are replaced every minute, which a lock forbids; earlier versions cannot be deleted by anybody."
    copied = "The control zone holds the repository in its own folder, and publishes it anew whole."
    suppress(
        bucket,
        {
            "AwsSolutions-S1": signed,
            "CKV_AWS_18": signed,
            "NIST.800.53.R5-S3BucketLoggingEnabled": signed,
            "NIST.800.53.R5-S3BucketDefaultLockEnabled": locked,
            "NIST.800.53.R5-S3BucketReplicationEnabled": copied,
        },
    )
    return bucket


def _role(built: Built, land: Landscape, key: Any) -> None:
    """The role of the control zone, within a boundary."""
    bound = iam.CfnManagedPolicy(
        built.stack,
        "Boundary",
        path=land.names.path,
        managed_policy_name=land.names.role(f"{workload.BOUNDARY}-{repository.CONTROL}"),
        description="The most that a role of zone control may do",
        policy_document=document(repository.boundary()),
    )
    role = iam.CfnRole(
        built.stack,
        "ControlRole",
        path=land.names.path,
        role_name=land.names.role(repository.CONTROL),
        description="Runs the code of zone control",
        permissions_boundary=bound.ref,
        assume_role_policy_document=trust(
            workload.task_trust(account=built.account, region=land.region, partition=land.partition)
        ),
    )
    name, partition = land.repository_bucket, land.partition
    policy = iam.CfnManagedPolicy(
        built.stack,
        "ControlPolicy",
        path=land.names.path,
        managed_policy_name=land.names.role(repository.CONTROL),
        description="What the code of zone control does",
        roles=[role.ref],
        policy_document=document(repository.publishing(name, key.attr_arn, region=land.region, partition=partition)),
    )
    found = ("AwsSolutions-IAM5[Resource::*]", "CKV_AWS_108", "CKV_AWS_111")
    suppress(bound, dict.fromkeys(found, BOUNDS))
    suppress(policy, {f"AwsSolutions-IAM5[Resource::arn:{partition}:s3:::{name}/*]": OBJECTS})
    for resource in (bound, role, policy):
        built.carries(resource, ROLE_ROWS)
