"""A function of ours in an account that invokes: its log group, its role and itself, in the account's network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from caisson.channels.retention import DAYS
from caisson.deploy.account_settings.network import Ground
from caisson.deploy.handlers import RUNTIME, source
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import function as policies
from caisson.deploy.policies.statement import Statement, document, trust
from caisson.deploy.stacks import Built, suppress

MEMORY_MB = 256
INTERFACES = (
    "Lambda makes the function's network interface, whose id nobody knows before; a Deny keeps the function's own code "
    "from doing so"
)
STREAMS = "Lambda names the streams of the function's log group, which is named whole"


@dataclass(frozen=True, kw_only=True)
class Duty:
    """What a function is for."""

    name: str
    """Of the function and its role, before the rule of names; of its file among the handlers."""
    description: str
    role: str
    """Description of its role."""
    timeout_s: int
    doing: Callable[[str, str], tuple[Statement, ...]]
    """What its role may do, by the ARNs of its log group and of itself."""
    account_wide: str
    """Why some of that names no resource."""
    redrive: str
    """Why nothing is left to redrive when it fails."""
    called: str
    """Who calls it how often, in words."""


def name_of(land: Landscape, duty: str) -> str:
    """Name of a function, the same in every account."""
    return land.names.of(duty, 64)


def arn_of(built: Built, land: Landscape, duty: str) -> str:
    """ARN of a function."""
    return f"arn:{land.partition}:lambda:{land.region}:{built.account}:function:{name_of(land, duty)}"


def own_function(built: Built, land: Landscape, key: Any, ground: Ground, duty: Duty) -> Any:
    """The function; it waits for what its role may do."""
    id_, log_group = duty.name.capitalize(), land.names.log_group(duty.name)
    own_log = logs.CfnLogGroup(
        built.stack, f"{id_}Log", log_group_name=log_group, kms_key_id=key.attr_arn, retention_in_days=DAYS["metadata"],
        deletion_protection_enabled=True,
    )  # fmt: skip
    own_log.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    role, doing = _role(built, land, duty, log_group)
    function = lambda_.CfnFunction(
        built.stack,
        id_,
        function_name=name_of(land, duty.name),
        description=duty.description,
        runtime=RUNTIME,
        architectures=["arm64"],
        handler="index.handler",
        code=lambda_.CfnFunction.CodeProperty(zip_file=source(duty.name)),
        role=role.attr_arn,
        timeout=duty.timeout_s,
        memory_size=MEMORY_MB,
        logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_group=own_log.ref, log_format="JSON"),
        vpc_config=lambda_.CfnFunction.VpcConfigProperty(
            subnet_ids=[ground.subnet.ref], security_group_ids=[ground.group.attr_group_id]
        ),
    )
    function.add_resource_dependency(doing)
    limits = (
        f"{duty.called}; a reservation fails in new accounts, whose limit leaves nothing to reserve (Lambda quotas)"
    )
    suppress(
        function,
        {
            "NIST.800.53.R5-LambdaDLQ": duty.redrive,
            "CKV_AWS_116": duty.redrive,
            "NIST.800.53.R5-LambdaConcurrency": limits,
            "CKV_AWS_115": limits,
        },
    )
    return function


def _role(built: Built, land: Landscape, duty: Duty, log_group: str) -> tuple[Any, Any]:
    """The role, and what it may do."""
    id_ = duty.name.capitalize()
    role = iam.CfnRole(
        built.stack,
        f"{id_}Role",
        path=land.names.path,
        role_name=land.names.role(duty.name),
        description=duty.role,
        assume_role_policy_document=trust((policies.taken(),)),
    )
    group_arn = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{log_group}"
    doing = iam.CfnManagedPolicy(
        built.stack,
        f"{id_}Policy",
        path=land.names.path,
        managed_policy_name=land.names.role(duty.name),
        description=duty.role,
        roles=[role.ref],
        policy_document=document(duty.doing(group_arn, arn_of(built, land, duty.name))),
    )
    suppress(
        doing,
        {
            "AwsSolutions-IAM5[Resource::*]": f"{duty.account_wide}. {INTERFACES}",
            f"AwsSolutions-IAM5[Resource::{group_arn}:log-stream:*]": STREAMS,
            "CKV_AWS_111": duty.account_wide,
        },
    )
    return role, doing
