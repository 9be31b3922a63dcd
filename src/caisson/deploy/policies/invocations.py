"""Policies of the invocation log and of the function that sets it (rows S22, S24, S28).

Bedrock writes as a role into one log group, and as a service into one bucket, for invocations of this account and
region (Bedrock user guide, model-invocation-logging). The function's role is the duty `settings`.
"""

from __future__ import annotations

from caisson.deploy.policies import function as function_
from caisson.deploy.policies import zone
from caisson.deploy.policies.management import SETS
from caisson.deploy.policies.statement import Condition, Statement

STREAM = "aws/bedrock/modelinvocations"
"""Log stream that Bedrock writes."""


def _for_invocations(account: str, region: str, partition: str) -> Condition:
    return {
        "StringEquals": {"aws:SourceAccount": (account,)},
        "ArnLike": {"aws:SourceArn": (f"arn:{partition}:bedrock:{region}:{account}:*",)},
    }


def delivery_trust(account: str, region: str, partition: str) -> Statement:
    """Bedrock takes the role, for this account."""
    return Statement(
        sid="InvocationsDelivered",
        effect="Allow",
        principals={"Service": ("bedrock.amazonaws.com",)},
        actions=("sts:AssumeRole",),
        resources=("*",),
        conditions=_for_invocations(account, region, partition),
    )


def delivery_writing(log_group: str) -> Statement:
    """Into one stream of one log group that is there already."""
    return Statement(
        sid="WriteInvocations",
        effect="Allow",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(f"{log_group}:log-stream:{STREAM}",),
    )


def bucket_statements(bucket: str, account: str, region: str, partition: str) -> tuple[Statement, ...]:
    """Bedrock writes the bucket, and nobody beside it."""
    delivery = Statement(
        sid="InvocationsDelivered",
        effect="Allow",
        principals={"Service": ("bedrock.amazonaws.com",)},
        actions=("s3:PutObject",),
        resources=(f"arn:{partition}:s3:::{bucket}/*/AWSLogs/{account}/BedrockModelInvocationLogs/*",),
        conditions=_for_invocations(account, region, partition),
    )
    alone = zone.services_alone("BedrockAlone", bucket, partition)
    return (delivery, alone, *zone.evidence_bucket(bucket, partition))


def bucket_encryption(account: str, region: str, partition: str) -> Statement:
    """Bedrock encrypts what it writes into the bucket, and reads nothing."""
    return Statement(
        sid="InvocationsEncrypt",
        effect="Allow",
        principals={"Service": ("bedrock.amazonaws.com",)},
        actions=("kms:GenerateDataKey",),
        resources=zone.THIS_KEY,
        conditions=_for_invocations(account, region, partition),
    )


def settings_doing(*, log_group: str, delivery_role: str, function: str) -> tuple[Statement, ...]:
    """What the function does. Its network interface is Lambda's to make, and not its code's (Lambda guide, vpc)."""
    return (
        Statement(sid="Settings", effect="Allow", actions=SETS, resources=("*",)),
        Statement(
            sid="PassDelivery",
            effect="Allow",
            actions=("iam:PassRole",),
            resources=(delivery_role,),
            conditions={"StringEquals": {"iam:PassedToService": ("bedrock.amazonaws.com",)}},
        ),
        *function_.running(log_group=log_group, function=function),
    )


def settings_endpoint(role: str, organization: str) -> Statement:
    """The endpoint for Bedrock's control API lets this role set and see these settings, and nobody anything else."""
    return function_.through_endpoint("FunctionSets", SETS, role, organization)


def answers_endpoint(region: str, partition: str) -> Statement:
    """Answers to CloudFormation, whose address is signed by CloudFormation (its guide, cfn-vpce-bucketnames)."""
    bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
    return Statement(
        sid="Answers",
        effect="Allow",
        principals="*",  # who signed is CloudFormation's principal, which nobody knows before
        actions=("s3:PutObject",),
        resources=(f"arn:{partition}:s3:::{bucket}/*",),
    )
