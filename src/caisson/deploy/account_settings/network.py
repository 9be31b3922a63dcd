"""The network in which functions of an account's settings run, and its few ways out (NET-04, NET-06).

To Bedrock's control API, to AWS Config, and to the bucket that CloudFormation takes answers in. What runs in the zone's
own network reaches none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import checks, invocations
from caisson.deploy.policies.management import CHECKS, SETTINGS
from caisson.deploy.policies.statement import document
from caisson.deploy.stacks import Built, suppress
from caisson.deploy.zone_network import DEFAULT_GROUP, HTTPS, NOWHERE, flow_log

ADDRESSES = "10.64.16.0/28"
"""Smallest network that there is; no zone's has these addresses."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where a function stands."""

    subnet: Any
    group: Any
    """Its security group."""
    ways: tuple[Any, ...]
    """What must stand before it is called."""


def function_network(built: Built, land: Landscape, key: Any) -> Ground:
    """The network, with its endpoints and flow log."""
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
    inside = _group(built, vpc, "FunctionGroup", "Functions of account settings")
    at_endpoint = _group(built, vpc, "EndpointGroup", "Endpoints of control APIs")
    rules = (
        ec2.CfnSecurityGroupEgress(
            built.stack, "FunctionToEndpoint", group_id=inside.attr_group_id, ip_protocol="tcp", from_port=HTTPS,
            to_port=HTTPS, destination_security_group_id=at_endpoint.attr_group_id, description="Control APIs",
        ),
        ec2.CfnSecurityGroupEgress(
            built.stack, "FunctionToAnswers", group_id=inside.attr_group_id, ip_protocol="tcp", from_port=HTTPS,
            to_port=HTTPS, cidr_ip="0.0.0.0/0",  # addresses of S3, which routes alone lead to
            description="S3 by its gateway endpoint",
        ),
        ec2.CfnSecurityGroupIngress(
            built.stack, "EndpointFromFunction", group_id=at_endpoint.attr_group_id, ip_protocol="tcp", from_port=HTTPS,
            to_port=HTTPS, source_security_group_id=inside.attr_group_id, description="The functions alone",
        ),
    )  # fmt: skip
    api = ec2.CfnVPCEndpoint(
        built.stack, "ControlEndpoint", vpc_id=vpc.ref, vpc_endpoint_type="Interface",
        service_name=f"com.amazonaws.{land.region}.bedrock", private_dns_enabled=True, subnet_ids=[subnet.ref],
        security_group_ids=[at_endpoint.attr_group_id],
        policy_document=document(
            (
                invocations.settings_endpoint(land.role(SETTINGS), land.organization),
                checks.looking_endpoint(land.role(CHECKS), land.organization),
            )
        ),
    )  # fmt: skip
    verdicts = ec2.CfnVPCEndpoint(
        built.stack, "VerdictsEndpoint", vpc_id=vpc.ref, vpc_endpoint_type="Interface",
        service_name=f"com.amazonaws.{land.region}.config", private_dns_enabled=True, subnet_ids=[subnet.ref],
        security_group_ids=[at_endpoint.attr_group_id],
        policy_document=document((checks.verdicts_endpoint(land.role(CHECKS), land.organization),)),
    )  # fmt: skip
    answers = ec2.CfnVPCEndpoint(
        built.stack, "AnswersEndpoint", vpc_id=vpc.ref, vpc_endpoint_type="Gateway",
        service_name=f"com.amazonaws.{land.region}.s3", route_table_ids=[table.ref],
        policy_document=document((invocations.answers_endpoint(land.region, land.partition),)),
    )  # fmt: skip
    flow_log(built, land, SETTINGS, [vpc], key)
    return Ground(subnet=subnet, group=inside, ways=(routed, *rules, api, answers, verdicts))


def _group(built: Built, vpc: Any, id_: str, description: str) -> Any:
    nothing = ec2.CfnSecurityGroup.EgressProperty(**NOWHERE)
    return ec2.CfnSecurityGroup(
        built.stack, id_, vpc_id=vpc.ref, group_description=description, security_group_egress=[nothing]
    )
