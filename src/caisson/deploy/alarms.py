"""Alarms of one form: they go to the system's topic, and silence is no alarm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch

from caisson.deploy.landscape import Landscape
from caisson.deploy.policies.signals import PERIOD_S
from caisson.deploy.stacks import Built


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What is watched."""

    namespace: str
    name: str
    statistic: str = "Sum"
    dimensions: Mapping[str, str] = field(default_factory=dict)


def alarm(built: Built, land: Landscape, what: str, meaning: str, *, id_: str = "", **rest: Any) -> Any:
    """An alarm called after `what`; `meaning` is what it means and what to do first."""
    return cloudwatch.CfnAlarm(
        built.stack,
        f"{id_ or what}Alarm",
        treat_missing_data="notBreaching",
        **{
            "alarm_name": land.names.of(what),
            "alarm_description": meaning,
            "alarm_actions": [land.alarm_topic],
            **rest,
        },
    )


def above(
    built: Built, land: Landscape, what: str, metric: Metric, meaning: str, *, bound: int = 0, **rest: Any
) -> Any:
    """One that is raised when a metric is above a bound in a period."""
    if metric.dimensions:
        rest["dimensions"] = [
            cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in metric.dimensions.items()
        ]
    return alarm(
        built,
        land,
        what,
        meaning,
        namespace=metric.namespace,
        metric_name=metric.name,
        statistic=metric.statistic,
        period=PERIOD_S,
        evaluation_periods=1,
        threshold=bound,
        comparison_operator="GreaterThanThreshold",
        **rest,
    )
