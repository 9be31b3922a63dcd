"""The function that sets what CloudFormation has no type for (IAM-03, LOG-01, rows S22, S28)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk

from caisson.deploy.account_settings.invocation_log import InvocationLog
from caisson.deploy.account_settings.network import Ground
from caisson.deploy.account_settings.own_function import Duty, own_function
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import invocations, management
from caisson.deploy.policies.management import SETTINGS
from caisson.deploy.stacks import Built

TIMEOUT_S = 150
"""Tries for a role that was just made, and the answer."""
ANSWER_S = "300"
"""After which CloudFormation gives up a setting."""
SETS = "Sets the invocation log and data retention of the account"


def settings(built: Built, land: Landscape, key: Any, ground: Ground, log: InvocationLog, rows: Sequence[str]) -> None:
    """Role, function, and what it sets."""
    delivery = land.role(management.DELIVERY, built.account)
    duty = Duty(
        name=SETTINGS,
        description=SETS,
        role=SETS,
        timeout_s=TIMEOUT_S,
        doing=lambda group, own: invocations.settings_doing(log_group=group, delivery_role=delivery, function=own),
        account_wide="The settings are the account's: their operations take no resource (service authorization "
        "reference)",
        redrive="CloudFormation hears of each failure by the answer, or by none in time; nothing is left to redrive",
        called="CloudFormation alone calls it, twice a deployment",
    )
    function = own_function(built, land, key, ground, duty)
    made = [
        _setting(
            built, "InvocationLog", function,
            {"LogGroup": log.group, "Role": log.role.attr_arn, "Bucket": log.bucket},
        ),
        _setting(built, "DataRetention", function, {}),
    ]  # fmt: skip
    for setting in made:
        for before in (*log.after, *ground.ways):
            setting.add_resource_dependency(before)
    for resource in (function, made[0]):
        built.carries(resource, rows)


def _setting(built: Built, kind: str, function: Any, properties: dict[str, Any]) -> Any:
    return cdk.CfnResource(
        built.stack,
        kind,
        type=f"Custom::{kind}",
        properties={"ServiceToken": function.attr_arn, "ServiceTimeout": ANSWER_S, **properties},
    )
