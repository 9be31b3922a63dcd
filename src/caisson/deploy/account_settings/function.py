"""The function that sets what CloudFormation has no type for, in a network of its own (IAM-03, LOG-01, rows S22, S28).

Its network has two ways out, to Bedrock's control API and to the bucket that CloudFormation takes answers in. What runs
in the zone's own network cannot reach the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from caisson.deploy.account_settings.invocation_log import InvocationLog
from caisson.deploy.handlers import RUNTIME, source
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import invocations, management
from caisson.deploy.policies.management import SETTINGS
from caisson.deploy.policies.statement import document, trust
from caisson.deploy.retention import DAYS
from caisson.deploy.stacks import Built, suppress
from caisson.deploy.zone_network import DEFAULT_GROUP, HTTPS, NOWHERE, flow_log

ADDRESSES = "10.64.16.0/28"
"""Smallest network that there is; no zone's has these addresses."""
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


def settings(built: Built, land: Landscape, key: Any, log: InvocationLog, rows: Sequence[str]) -> None:
    """Network, role, function, and what it sets."""
    name = land.names.of(SETTINGS, 64)
    function_arn = f"arn:{land.partition}:lambda:{land.region}:{built.account}:function:{name}"
    subnet, group, ways = _network(built, land, key)
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
            subnet_ids=[subnet.ref], security_group_ids=[group.attr_group_id]
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
        for before in (*log.after, *ways):
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


def _network(built: Built, land: Landscape, key: Any) -> tuple[Any, Any, tuple[Any, ...]]:
    """Subnet and security group of the function, and what must stand before it is called."""
    vpc = ec2.CfnVPC(
        built.stack, "Vpc", cidr_block=ADDRESSES, enable_dns_support=True, enable_dns_hostnames=True
    )  # fmt: skip
    suppress(vpc, {"NIST.800.53.R5-VPCDefaultSecurityGroupClosed": DEFAULT_GROUP})
    table = ec2.CfnRouteTable(built.stack, "Routes", vpc_id=vpc.ref)
    subnet = ec2.CfnSubnet(
        built.stack, "Subnet", vpc_id=vpc.ref, cidr_block=ADDRESSES,
        availability_zone=cdk.Fn.select(0, cdk.Fn.get_azs()),
    )  # fmt: skip
    routed = ec2.CfnSubnetRouteTableAssociation(
        built.stack, "SubnetRoutes", subnet_id=subnet.ref, route_table_id=table.ref
    )
    inside = _group(built, vpc, "FunctionGroup", "The function that sets account settings")
    at_endpoint = _group(built, vpc, "EndpointGroup", "Endpoint of the control API")
    rules = (
        ec2.CfnSecurityGroupEgress(
            built.stack, "FunctionToEndpoint", group_id=inside.attr_group_id, ip_protocol="tcp", from_port=HTTPS,
            to_port=HTTPS, destination_security_group_id=at_endpoint.attr_group_id, description="The control API",
        ),
        ec2.CfnSecurityGroupEgress(
            built.stack, "FunctionToAnswers", group_id=inside.attr_group_id, ip_protocol="tcp", from_port=HTTPS,
            to_port=HTTPS, cidr_ip="0.0.0.0/0",  # addresses of S3, which routes alone lead to
            description="S3 by its gateway endpoint",
        ),
        ec2.CfnSecurityGroupIngress(
            built.stack, "EndpointFromFunction", group_id=at_endpoint.attr_group_id, ip_protocol="tcp", from_port=HTTPS,
            to_port=HTTPS, source_security_group_id=inside.attr_group_id, description="The function alone",
        ),
    )  # fmt: skip
    role = land.role(SETTINGS)
    api = ec2.CfnVPCEndpoint(
        built.stack, "ControlEndpoint", vpc_id=vpc.ref, vpc_endpoint_type="Interface",
        service_name=f"com.amazonaws.{land.region}.bedrock", private_dns_enabled=True, subnet_ids=[subnet.ref],
        security_group_ids=[at_endpoint.attr_group_id],
        policy_document=document((invocations.settings_endpoint(role, land.organization),)),
    )  # fmt: skip
    answers = ec2.CfnVPCEndpoint(
        built.stack, "AnswersEndpoint", vpc_id=vpc.ref, vpc_endpoint_type="Gateway",
        service_name=f"com.amazonaws.{land.region}.s3", route_table_ids=[table.ref],
        policy_document=document((invocations.answers_endpoint(land.region, land.partition),)),
    )  # fmt: skip
    flow_log(built, land, SETTINGS, [vpc], key)
    return subnet, inside, (routed, *rules, api, answers)


def _group(built: Built, vpc: Any, id_: str, description: str) -> Any:
    nothing = ec2.CfnSecurityGroup.EgressProperty(**NOWHERE)
    return ec2.CfnSecurityGroup(
        built.stack, id_, vpc_id=vpc.ref, group_description=description, security_group_egress=[nothing]
    )
