"""The function that sets what CloudFormation has no type for (IAM-03, LOG-01, rows S22, S28)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from caisson.deploy.account_settings.invocation_log import InvocationLog
from caisson.deploy.account_settings.network import Ground
from caisson.deploy.handlers import RUNTIME, source
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import invocations, management
from caisson.deploy.policies.management import SETTINGS
from caisson.deploy.policies.statement import document, trust
from caisson.deploy.retention import DAYS
from caisson.deploy.stacks import Built, suppress

TIMEOUT_S = 150
"""Tries for a role that was just made, and the answer."""
MEMORY_MB = 256
ANSWER_S = "300"
"""After which CloudFormation gives up a setting."""
ACCOUNT_WIDE = "The settings are the account's: their operations take no resource (service authorization reference)"
INTERFACES = (
    "Lambda makes the function's network interface, whose id nobody knows before; a Deny keeps the function's own code "
    "from doing so"
)
STREAMS = "Lambda names the streams of the function's log group, which is named whole"


def settings(built: Built, land: Landscape, key: Any, ground: Ground, log: InvocationLog, rows: Sequence[str]) -> None:
    """Role, function, and what it sets."""
    name = land.names.of(SETTINGS, 64)
    function_arn = f"arn:{land.partition}:lambda:{land.region}:{built.account}:function:{name}"
    own = land.names.log_group(SETTINGS)
    own_log = logs.CfnLogGroup(
        built.stack, "SettingsLog", log_group_name=own, kms_key_id=key.attr_arn, retention_in_days=DAYS["metadata"],
        deletion_protection_enabled=True,
    )  # fmt: skip
    own_log.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    role = iam.CfnRole(
        built.stack,
        "SettingsRole",
        path=land.names.path,
        role_name=land.names.role(SETTINGS),
        description="Sets the invocation log and data retention of the account",
        assume_role_policy_document=trust((invocations.settings_trust(),)),
    )
    group_arn = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{own}"
    doing = iam.CfnManagedPolicy(
        built.stack,
        "SettingsPolicy",
        path=land.names.path,
        managed_policy_name=land.names.role(SETTINGS),
        description="Sets the invocation log and data retention of the account",
        roles=[role.ref],
        policy_document=document(
            invocations.settings_doing(
                log_group=group_arn,
                delivery_role=land.role(management.DELIVERY, built.account),
                function=function_arn,
            )
        ),
    )
    suppress(
        doing,
        {
            "AwsSolutions-IAM5[Resource::*]": f"{ACCOUNT_WIDE}. {INTERFACES}",
            f"AwsSolutions-IAM5[Resource::{group_arn}:log-stream:*]": STREAMS,
            "CKV_AWS_111": ACCOUNT_WIDE,
        },
    )
    function = lambda_.CfnFunction(
        built.stack,
        "Settings",
        function_name=name,
        description="Sets the invocation log and data retention of the account",
        runtime=RUNTIME,
        architectures=["arm64"],
        handler="index.handler",
        code=lambda_.CfnFunction.CodeProperty(zip_file=source("settings")),
        role=role.attr_arn,
        timeout=TIMEOUT_S,
        memory_size=MEMORY_MB,
        logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=own_log.ref, log_format="JSON"),
        vpc_config=lambda_.CfnFunction.VpcConfigProperty(
            subnet_ids=[ground.subnet.ref], security_group_ids=[ground.group.attr_group_id]
        ),
    )
    function.add_resource_dependency(doing)
    _explain(function)
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


def _explain(function: Any) -> None:
    told = "CloudFormation hears of each failure by the answer, or by none in time; nothing is left to redrive"
    limits = (
        "CloudFormation alone calls it, twice a deployment; a reservation fails in new accounts, whose limit leaves "
        "nothing to reserve (Lambda quotas)"
    )
    suppress(
        function,
        {
            "NIST.800.53.R5-LambdaDLQ": told,
            "CKV_AWS_116": told,
            "NIST.800.53.R5-LambdaConcurrency": limits,
            "CKV_AWS_115": limits,
        },
    )
