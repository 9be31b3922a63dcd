"""The network of a zone that invokes models: no gateway, no route out, its endpoints (NET-01, rows S39, S40).

Networks of zones are never connected, so they all have the same addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from caisson.channels.retention import DAYS
from caisson.deploy.landscape import Landscape, Place, model_endpoint
from caisson.deploy.policies import network
from caisson.deploy.policies.statement import Parameter, Statement, document, trust
from caisson.deploy.stacks import Built, suppress

ADDRESSES = "10.64.0.0/20"
SUBNETS = ("10.64.0.0/24", "10.64.1.0/24")
"""In two availability zones."""
ROWS = ("S39", "S40")
FLOWS = ("S39",)
NOWHERE: dict[str, Any] = {
    "cidr_ip": "127.0.0.1/32", "ip_protocol": "icmp", "from_port": 252, "to_port": 86, "description": "Nothing",
}  # fmt: skip
"""A rule for nothing: without one, a security group lets everything out (AWS::EC2::SecurityGroup)."""
HTTPS = 443
MODELS = "bedrock-runtime"
CALLERS = {"runtime": "gateway", "evaluation": "judge"}
"""Zone to the duty of the role that invokes in it."""
DEFAULT_GROUP = (
    "CloudFormation cannot take the rules of the default security group away; nothing here uses it, and the network "
    "has no way out"
)
STREAMS = (
    "VPC makes a log stream for each network interface, whose names nobody knows before; the log group is named whole"
)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A zone's network."""

    vpc: Any
    subnets: tuple[Any, ...]
    routes: Any
    """The route table of all subnets."""
    inside: Any
    """Security group of what runs in the zone."""
    at_endpoint: Any
    """Security group of its interface endpoints."""
    models: Any
    """Endpoint for bedrock-runtime."""


def zone_network(built: Built, land: Landscape, zone: str, key: Any, bound: Any) -> Network:
    """A VPC, its endpoint for bedrock-runtime as output, and a record of its traffic. `bound` bounds its roles."""
    vpc = ec2.CfnVPC(
        built.stack, "Vpc", cidr_block=ADDRESSES, enable_dns_support=True, enable_dns_hostnames=True
    )  # fmt: skip
    suppress(vpc, {"NIST.800.53.R5-VPCDefaultSecurityGroupClosed": DEFAULT_GROUP})
    table = ec2.CfnRouteTable(built.stack, "Routes", vpc_id=vpc.ref)
    subnets = _subnets(built, vpc, table)
    inside = _group(built, vpc, "ZoneGroup", f"What runs in zone {zone}")
    at_endpoint = _group(built, vpc, "EndpointGroup", "Interface endpoints")
    ec2.CfnSecurityGroupEgress(
        built.stack, "ZoneToEndpoints", group_id=inside.attr_group_id, ip_protocol="tcp", from_port=HTTPS,
        to_port=HTTPS, destination_security_group_id=at_endpoint.attr_group_id, description="Interface endpoints alone",
    )  # fmt: skip
    ec2.CfnSecurityGroupIngress(
        built.stack, "EndpointsFromZone", group_id=at_endpoint.attr_group_id, ip_protocol="tcp", from_port=HTTPS,
        to_port=HTTPS, source_security_group_id=inside.attr_group_id, description="The zone alone",
    )  # fmt: skip
    made = Network(
        vpc=vpc, subnets=tuple(subnets), routes=table, inside=inside, at_endpoint=at_endpoint,
        models=_interface(built, land, vpc, subnets, at_endpoint, "ModelEndpoint", MODELS, _statements(land, zone)),
    )  # fmt: skip
    built.carries(vpc, ROWS)
    parameter = model_endpoint(zone)
    cdk.CfnOutput(built.stack, parameter.name, value=made.models.ref, description=parameter.description)
    built.outputs.append(parameter.name)
    flow_log(built, land, zone, [vpc], key, bound)
    return made


def interface_endpoint(
    built: Built, land: Landscape, network_: Network, id_: str, service: str, statements: Sequence[Statement]
) -> Any:
    """An interface endpoint for a service in a zone's network, with its policy."""
    return _interface(
        built, land, network_.vpc, network_.subnets, network_.at_endpoint, id_, service, statements
    )  # fmt: skip


def gateway_endpoint(
    built: Built, land: Landscape, network_: Network, id_: str, service: str, statements: Sequence[Statement]
) -> Any:
    """A gateway endpoint for dynamodb or s3, with its policy.

    Its addresses are AWS's, in a prefix list whose id differs from region to region and which no template can name:
    what runs in the zone may therefore send HTTPS anywhere, and only what is routed arrives.
    """
    ec2.CfnSecurityGroupEgress(
        built.stack, f"ZoneTo{id_}", group_id=network_.inside.attr_group_id, ip_protocol="tcp", from_port=HTTPS,
        to_port=HTTPS, cidr_ip="0.0.0.0/0", description="Gateway endpoints: nothing else is routed",
    )  # fmt: skip
    endpoint = ec2.CfnVPCEndpoint(
        built.stack,
        id_,
        vpc_id=network_.vpc.ref,
        vpc_endpoint_type="Gateway",
        service_name=f"com.amazonaws.{land.region}.{service}",
        route_table_ids=[network_.routes.ref],
        policy_document=document(statements),
    )
    built.carries(endpoint, ROWS)
    return endpoint


def _interface(
    built: Built, land: Landscape, vpc: Any, subnets: Sequence[Any], group: Any, id_: str, service: str,
    statements: Sequence[Statement],
) -> Any:  # fmt: skip
    endpoint = ec2.CfnVPCEndpoint(
        built.stack,
        id_,
        vpc_id=vpc.ref,
        vpc_endpoint_type="Interface",
        service_name=f"com.amazonaws.{land.region}.{service}",
        private_dns_enabled=True,
        subnet_ids=[subnet.ref for subnet in subnets],
        security_group_ids=[group.attr_group_id],
        policy_document=document(statements),
    )
    built.carries(endpoint, ROWS)
    return endpoint


def _statements(land: Landscape, zone: str) -> Any:
    place = land.place(zone)
    return network.endpoint_statements(
        caller=land.role(CALLERS[zone]),
        organization=land.organization,
        models=land.models_of(zone),
        pins=place.pins,
        guardrails=bare_pins(land, place),
        partition=land.partition,
        region=land.region,
    )


def bare_pins(land: Landscape, place: Place) -> list[str]:
    """The place's guardrails without their versions, as applying one is authorised on."""
    return [_bare(land, pin) for pin in place.pins]


def _bare(land: Landscape, pin: Parameter) -> str:
    """The ARN of a pinned guardrail: the pin without its version."""
    owner = f"arn:{land.partition}:bedrock:{land.region}:{land.accounts['control']}"
    return str(cdk.Fn.join(":", [owner, cdk.Fn.select(5, cdk.Fn.split(":", cdk.Fn.ref(pin.name)))]))


def _subnets(built: Built, vpc: Any, table: Any) -> list[Any]:
    made = []
    for number, addresses in enumerate(SUBNETS):
        subnet = ec2.CfnSubnet(
            built.stack,
            f"Subnet{number + 1}",
            vpc_id=vpc.ref,
            cidr_block=addresses,
            availability_zone=cdk.Fn.select(number, cdk.Fn.get_azs()),
        )
        ec2.CfnSubnetRouteTableAssociation(
            built.stack, f"Subnet{number + 1}Routes", subnet_id=subnet.ref, route_table_id=table.ref
        )
        made.append(subnet)
    return made


def _group(built: Built, vpc: Any, id_: str, description: str) -> Any:
    nothing = ec2.CfnSecurityGroup.EgressProperty(**NOWHERE)
    return ec2.CfnSecurityGroup(
        built.stack, id_, vpc_id=vpc.ref, group_description=description, security_group_egress=[nothing]
    )


def flow_log(
    built: Built,
    land: Landscape,
    zone: str,
    vpcs: Sequence[Any],
    key: Any,
    bound: Any = None,
    rows: tuple[str, ...] = FLOWS,
) -> None:
    """The record of all traffic of networks, what is refused too, and the role that writes it, within a boundary where
    the stack has one."""
    group_name = land.names.log_group(f"flows-{zone}")
    group = logs.CfnLogGroup(
        built.stack, "FlowsLog", log_group_name=group_name, kms_key_id=key.attr_arn,
        retention_in_days=DAYS["metadata"], deletion_protection_enabled=True,
    )  # fmt: skip
    group.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    arn = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{group_name}"
    role = iam.CfnRole(
        built.stack,
        "FlowsRole",
        path=land.names.path,
        role_name=land.names.role(f"flows-{zone}"),
        description=f"Records the traffic of zone {zone}",
        permissions_boundary=None if bound is None else bound.ref,
        assume_role_policy_document=trust((network.flow_log_trust(built.account),)),
    )
    writing = iam.CfnManagedPolicy(
        built.stack,
        "FlowsPolicy",
        path=land.names.path,
        managed_policy_name=land.names.role(f"flows-{zone}"),
        description="Writes the record of traffic",
        roles=[role.ref],
        policy_document=document((network.flow_log_writing(arn),)),
    )
    suppress(writing, {f"AwsSolutions-IAM5[Resource::{arn}:log-stream:*]": STREAMS})
    flows = [
        ec2.CfnFlowLog(
            built.stack, f"FlowsOf{vpc.node.id}", resource_id=vpc.ref, resource_type="VPC", traffic_type="ALL",
            log_destination_type="cloud-watch-logs", log_group_name=group.ref,
            deliver_logs_permission_arn=role.attr_arn, max_aggregation_interval=60,
        )
        for vpc in vpcs
    ]  # fmt: skip
    for resource in (group, role, *flows):
        built.carries(resource, rows)
