"""The function that AWS Config asks whether the account's settings are those deployed (LOG-01, NET-02, row S05).

No managed rule looks at them. It stands in the network of the function that sets them, and can change none.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from caisson.deploy.account_settings.function import INTERFACES, MEMORY_MB, STREAMS
from caisson.deploy.account_settings.network import Ground
from caisson.deploy.handlers import RUNTIME, source
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import checks as policies
from caisson.deploy.policies.evidence import CHECKS_FAILED
from caisson.deploy.policies.management import CHECKS
from caisson.deploy.policies.recordings import CONFIG
from caisson.deploy.policies.signals import PERIOD_S
from caisson.deploy.policies.statement import document, trust
from caisson.deploy.retention import DAYS
from caisson.deploy.stacks import Built, suppress

ROWS = ("S05",)
TIMEOUT_S = 120
"""For its tries: three of Bedrock and three of AWS Config, each of fifteen seconds at most."""
ACCOUNT_WIDE = (
    "Settings and evaluations are the account's: their operations take no resource (service authorization reference)"
)


def function_name(land: Landscape) -> str:
    """Name of the function, the same in every account that invokes."""
    return land.names.of(CHECKS, 64)


def checks(built: Built, land: Landscape, key: Any, ground: Ground) -> None:
    """Role, function, who calls it, and the alarm that says when it cannot look."""
    name, own = function_name(land), land.names.log_group(CHECKS)
    own_log = logs.CfnLogGroup(
        built.stack, "ChecksLog", log_group_name=own, kms_key_id=key.attr_arn, retention_in_days=DAYS["metadata"],
        deletion_protection_enabled=True,
    )  # fmt: skip
    own_log.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    role, doing = _role(built, land, name, own)
    function = lambda_.CfnFunction(
        built.stack,
        "Checks",
        function_name=name,
        description="Looks whether the account's settings are those deployed",
        runtime=RUNTIME,
        architectures=["arm64"],
        handler="index.handler",
        code=lambda_.CfnFunction.CodeProperty(zip_file=source("checks")),
        role=role.attr_arn,
        timeout=TIMEOUT_S,
        memory_size=MEMORY_MB,
        logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=own_log.ref, log_format="JSON"),
        vpc_config=lambda_.CfnFunction.VpcConfigProperty(
            subnet_ids=[ground.subnet.ref], security_group_ids=[ground.group.attr_group_id]
        ),
    )
    for before in (doing, *ground.ways):
        function.add_resource_dependency(before)
    _explain(function)
    lambda_.CfnPermission(
        built.stack, "ChecksAsked", function_name=function.attr_arn, action="lambda:InvokeFunction", principal=CONFIG,
        source_account=built.account,
    )  # fmt: skip
    for resource in (function, _alarm(built, land, name)):
        built.carries(resource, ROWS)


def _role(built: Built, land: Landscape, function: str, log_group: str) -> tuple[Any, Any]:
    """The role, and what it may do."""
    role = iam.CfnRole(
        built.stack,
        "ChecksRole",
        path=land.names.path,
        role_name=land.names.role(CHECKS),
        description="Looks at the settings of the account",
        assume_role_policy_document=trust((policies.checks_trust(),)),
    )
    group_arn = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{log_group}"
    doing = iam.CfnManagedPolicy(
        built.stack,
        "ChecksPolicy",
        path=land.names.path,
        managed_policy_name=land.names.role(CHECKS),
        description="Looks at the settings of the account",
        roles=[role.ref],
        policy_document=document(
            policies.checks_doing(
                log_group=group_arn,
                function=f"arn:{land.partition}:lambda:{land.region}:{built.account}:function:{function}",
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
    return role, doing


def _explain(function: Any) -> None:
    told = (
        "A failure raises the alarm over the function's errors, and AWS Config asks again; nothing is left to redrive"
    )
    limits = (
        "AWS Config alone calls it, a few times an hour; a reservation fails in new accounts, whose limit leaves "
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


def _alarm(built: Built, land: Landscape, function: str) -> Any:
    topic = f"arn:{land.partition}:sns:{land.region}:{land.accounts['logging']}:{land.names.of('alarms')}"
    return cloudwatch.CfnAlarm(
        built.stack,
        "ChecksFailedAlarm",
        alarm_name=land.names.of(CHECKS_FAILED),
        alarm_description="The settings of an account could not be looked at: read the log of its function checks",
        alarm_actions=[topic],
        treat_missing_data="notBreaching",
        namespace="AWS/Lambda", metric_name="Errors", statistic="Sum", period=PERIOD_S, evaluation_periods=1,
        threshold=0, comparison_operator="GreaterThanThreshold",
        dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="FunctionName", value=function)],
    )  # fmt: skip
