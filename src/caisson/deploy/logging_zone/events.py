"""Log groups by class, what is counted in them, and the alarms (rows S25, S31, S32, S33, S34, S75)."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns

from caisson.deploy.alarms import Metric, above, alarm
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import zone
from caisson.deploy.policies.masking import data_protection
from caisson.deploy.policies.signals import PERIOD_S, SIGMA, SIGNALS, Signal
from caisson.deploy.policies.statement import document
from caisson.deploy.retention import kept
from caisson.deploy.stacks import Built

GROUP_ROWS = ("S06", "S25", "S31", "S61")
BAND_PERIODS = 3
"""Periods in a row outside of the band before it alarms: one alone is noise."""
QUEUE_AGE_MAX_S = 900
"""Oldest event in the queue before the reader counts as down."""


def namespace(land: Landscape) -> str:
    """Namespace of the system's metrics."""
    return f"Caisson/{land.system.name}"


def alarming(land: Landscape) -> tuple[str, ...]:
    """Accounts whose alarms go to the topic: this one's, and those that record how they are."""
    return tuple(dict.fromkeys((land.accounts["logging"], *(place.account for place in land.places))))


def log_groups(built: Built, land: Landscape, key: Any) -> dict[str, Any]:
    """A log group for each class."""
    made = {}
    for class_ in kept():
        made[class_.name] = logs.CfnLogGroup(
            built.stack,
            f"{class_.name.capitalize()}Log",
            log_group_name=land.names.log_group(class_.name),
            kms_key_id=key.attr_arn,
            retention_in_days=class_.days,
            data_protection_policy=data_protection(land.partition),
            deletion_protection_enabled=True,
        )
        made[class_.name].apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        built.carries(made[class_.name], GROUP_ROWS)
    return made


def alarms(built: Built, land: Landscape, key: Any, groups: dict[str, Any], queues: tuple[str, str]) -> None:
    """The topic, a metric and an alarm for each signal, and alarms over the queue."""
    topic = _topic(built, land, key)
    for signal in SIGNALS:
        _signal(built, land, signal, groups[signal.class_], topic)
    _queue_alarm(
        built, land, topic, "EventsSetAside", queues[1], "ApproximateNumberOfMessagesVisible", bound=0,
        meaning="Events could not be archived and were set aside: read them with the logging zone's role, then redrive",
    )  # fmt: skip
    _queue_alarm(
        built, land, topic, "EventsWait", queues[0], "ApproximateAgeOfOldestMessage", bound=QUEUE_AGE_MAX_S,
        meaning="Events wait: the logging zone does not read its queue",
    )  # fmt: skip


def _topic(built: Built, land: Landscape, key: Any) -> Any:
    name = land.names.of("alarms")
    topic = sns.CfnTopic(built.stack, "Alarms", topic_name=name, kms_master_key_id=key.ref)
    sns.CfnTopicPolicy(
        built.stack,
        "AlarmsPolicy",
        topics=[topic.ref],
        policy_document=document(
            zone.topic_statements(
                f"arn:{land.partition}:sns:{land.region}:{land.accounts['logging']}:{name}", alarming(land)
            )
        ),
    )
    return topic


def rows_of(signal: Signal) -> tuple[str, ...]:
    """Rows that a signal carries."""
    rows = ["S32"]
    if signal.alarm == "band":
        rows.append("S33")
    if signal.metric == "Injections":
        rows.append("S34")
    if signal.metric in ("Cost", "OutputTokens"):
        rows.append("S75")
    if signal.metric in ("Latency", "OutputTokens"):  # neither is in a record that Bedrock keeps by itself
        rows.append("S23")
    return tuple(rows)


def _signal(built: Built, land: Landscape, signal: Signal, group: Any, topic: Any) -> None:
    counted = logs.CfnMetricFilter(
        built.stack,
        f"{signal.metric}Filter",
        log_group_name=group.ref,
        filter_pattern=signal.pattern,
        metric_transformations=[
            logs.CfnMetricFilter.MetricTransformationProperty(
                metric_namespace=namespace(land), metric_name=signal.metric, metric_value=signal.value
            )
        ],
    )
    raised = (_band if signal.alarm == "band" else _any)(built, land, signal, topic)
    for resource in (counted, raised):
        built.carries(resource, rows_of(signal))


def _any(built: Built, land: Landscape, signal: Signal, topic: Any) -> Any:
    counted = Metric(namespace=namespace(land), name=signal.metric, statistic=signal.statistic)
    return above(built, land, signal.metric, counted, signal.meaning, alarm_actions=[topic.ref])


def _band(built: Built, land: Landscape, signal: Signal, topic: Any) -> Any:
    metric = cloudwatch.CfnAlarm.MetricProperty(namespace=namespace(land), metric_name=signal.metric)
    measured = cloudwatch.CfnAlarm.MetricStatProperty(metric=metric, period=PERIOD_S, stat=signal.statistic)
    return alarm(
        built, land, signal.metric, signal.meaning, alarm_actions=[topic.ref],
        metrics=[
            cloudwatch.CfnAlarm.MetricDataQueryProperty(id="m1", metric_stat=measured, return_data=True),
            cloudwatch.CfnAlarm.MetricDataQueryProperty(
                id="band", expression=f"ANOMALY_DETECTION_BAND(m1, {SIGMA})", return_data=True
            ),
        ],
        threshold_metric_id="band", evaluation_periods=BAND_PERIODS,
        comparison_operator="LessThanLowerOrGreaterThanUpperThreshold",
    )  # fmt: skip


def _queue_alarm(
    built: Built, land: Landscape, topic: Any, id_: str, queue: str, metric: str, *, bound: int, meaning: str
) -> None:
    watched = Metric(namespace="AWS/SQS", name=metric, statistic="Maximum", dimensions={"QueueName": queue})
    made = above(built, land, id_, watched, meaning, bound=bound, alarm_actions=[topic.ref])
    built.carries(made, ("S32",))
