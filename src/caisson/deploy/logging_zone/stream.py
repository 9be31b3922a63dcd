"""The log as it comes, for a SIEM: subscriptions, a stream, its bucket, and the role that reads there (rows S36, S37).

Lines arrive as the log groups have them, redacted by the logging zone and masked by CloudWatch, within a minute or two.
The bucket is a delivery, not the evidence: Firehose names objects by itself, and they go with the text's class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs

from caisson.channels.retention import DAYS
from caisson.deploy.alarms import Metric, above
from caisson.deploy.keys import make_key
from caisson.deploy.landscape import Landscape
from caisson.deploy.logging_zone.store import bucket_name, make_bucket
from caisson.deploy.policies import management, stream, zone
from caisson.deploy.policies.statement import Statement, document, trust
from caisson.deploy.retention import kept
from caisson.deploy.stacks import Built, new_stack, suppress

STREAM_ROWS = ("S37",)
READER_ROWS = ("S36",)
BUFFER_S, BUFFER_MIB = 60, 5
LATE_S = 900
"""Age of the oldest line that is not delivered before it counts as late."""
FAILURES = "deliveries"
"""Log stream with what Firehose could not deliver."""
ITS_OWN = "Objects that Firehose names by itself, in a bucket that holds nothing else"


def siem_stream(app: Any, land: Landscape) -> Built:
    """The stack of everything between the log groups and a SIEM."""
    built = new_stack(app, land, stream.STREAM, account=land.accounts["logging"], region=land.region)
    writer, reader = (land.role(duty, built.account) for duty in (stream.STREAM, stream.SIEM))
    group = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{land.names.log_group(stream.STREAM)}"
    key = make_key(
        built,
        land,
        stream.STREAM,
        (
            *stream.key_statements(
                account=built.account,
                deployment=land.role(management.DEPLOYMENT),
                writer=writer,
                reader=reader,
                region=land.region,
                partition=land.partition,
            ),
            zone.encrypts_log_groups(region=land.region, log_groups=group),
        ),
        description="Encrypts the stream to a SIEM",
    )
    bucket = bucket_name(land, stream.STREAM)
    statements = stream.bucket_statements(bucket, writer=writer, reader=reader, partition=land.partition)
    made = make_bucket(built, land, stream.STREAM, key, statements, days=DAYS["text"], locked=False)
    delivery = _delivery(built, land, bucket, key)
    delivery.add_resource_dependency(made[1])
    _subscriptions(built, land, delivery)
    _reader(built, land, bucket, key)
    late = Metric(
        namespace="AWS/Firehose",
        name="DeliveryToS3.DataFreshness",
        statistic="Maximum",
        dimensions={"DeliveryStreamName": land.names.of(stream.STREAM, 64)},
    )
    meaning = "The stream to the SIEM is late: look at its role, key and bucket, and at its log group"
    alarm = above(built, land, "StreamLate", late, meaning, bound=LATE_S)
    for resource in (key, *made, delivery, alarm):
        built.carries(resource, STREAM_ROWS)
    return built


def _role(
    built: Built, land: Landscape, duty: str, description: str, taken: Statement, doing: Sequence[Statement]
) -> tuple[Any, Any]:
    role = iam.CfnRole(
        built.stack,
        f"{duty.capitalize()}Role",
        path=land.names.path,
        role_name=land.names.role(duty),
        description=description,
        assume_role_policy_document=trust((taken,)),
    )
    policy = iam.CfnManagedPolicy(
        built.stack,
        f"{duty.capitalize()}Policy",
        path=land.names.path,
        managed_policy_name=land.names.role(duty),
        description=description,
        roles=[role.ref],
        policy_document=document(doing),
    )
    return role, policy


def _objects(land: Landscape, policy: Any, bucket: str) -> None:
    suppress(policy, {f"AwsSolutions-IAM5[Resource::arn:{land.partition}:s3:::{bucket}/*]": ITS_OWN})


def _delivery(built: Built, land: Landscape, bucket: str, key: Any) -> Any:
    name, group_name = land.names.of(stream.STREAM, 64), land.names.log_group(stream.STREAM)
    group = logs.CfnLogGroup(
        built.stack,
        "StreamLog",
        log_group_name=group_name,
        kms_key_id=key.attr_arn,
        retention_in_days=DAYS["metadata"],
        deletion_protection_enabled=True,
    )
    group.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    failures = logs.CfnLogStream(
        built.stack, "StreamFailures", log_group_name=group.ref, log_stream_name=FAILURES
    )  # fmt: skip
    line = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{group_name}:log-stream:{FAILURES}"
    role, policy = _role(
        built,
        land,
        stream.STREAM,
        "Firehose delivers the stream to a SIEM",
        stream.delivery_trust(built.account),
        stream.delivering(bucket, key.attr_arn, line, region=land.region, partition=land.partition),
    )
    _objects(land, policy, bucket)
    delivery = firehose.CfnDeliveryStream(
        built.stack,
        "Stream",
        delivery_stream_name=name,
        delivery_stream_type="DirectPut",
        delivery_stream_encryption_configuration_input=(
            firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(
                key_type="CUSTOMER_MANAGED_CMK", key_arn=key.attr_arn
            )
        ),
        extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
            bucket_arn=f"arn:{land.partition}:s3:::{bucket}",
            role_arn=role.attr_arn,
            prefix="events/!{timestamp:yyyy/MM/dd/HH}/",
            error_output_prefix="failed/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/",
            buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                interval_in_seconds=BUFFER_S, size_in_m_bs=BUFFER_MIB
            ),
            compression_format="UNCOMPRESSED",  # CloudWatch Logs sends it compressed already
            cloud_watch_logging_options=firehose.CfnDeliveryStream.CloudWatchLoggingOptionsProperty(
                enabled=True, log_group_name=group.ref, log_stream_name=FAILURES
            ),
        ),
    )
    delivery.add_resource_dependency(policy)
    delivery.add_resource_dependency(failures)
    for resource in (group, role, policy):
        built.carries(resource, STREAM_ROWS)
    return delivery


def _subscriptions(built: Built, land: Landscape, delivery: Any) -> None:
    """Everything that the log groups of the classes take; they are the stack `logging`'s, and known by name."""
    role, policy = _role(
        built,
        land,
        stream.SUBSCRIPTION,
        "CloudWatch Logs puts lines into the stream to a SIEM",
        stream.subscription_trust(built.account, land.region, land.partition),
        (stream.subscribing(delivery.attr_arn),),
    )
    for class_ in kept():
        made = logs.CfnSubscriptionFilter(
            built.stack,
            f"{class_.name.capitalize()}Subscription",
            log_group_name=land.names.log_group(class_.name),
            filter_pattern="",  # everything
            destination_arn=delivery.attr_arn,
            role_arn=role.attr_arn,
        )
        made.add_resource_dependency(policy)
        built.carries(made, STREAM_ROWS)
    built.carries(role, STREAM_ROWS)


def _reader(built: Built, land: Landscape, bucket: str, key: Any) -> None:
    role, policy = _role(
        built,
        land,
        stream.SIEM,
        "The SIEM reads what the stream delivers",
        stream.siem_trust(land.siem, land.organization, land.partition),
        stream.reading(bucket, key.attr_arn, region=land.region, partition=land.partition),
    )
    _objects(land, policy, bucket)
    for resource in (role, policy):
        built.carries(resource, READER_ROWS)
