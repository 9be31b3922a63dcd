"""The transit gateway: what is attached reaches the inspection VPC and nothing else (rows S48, S49).

Attachments have no route until one is given: the gateway puts none into a table by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ram as ram

from caisson.deploy.egress_zone.addresses import ANYWHERE, PRIVATE
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies.statement import Parameter
from caisson.deploy.stacks import Built

GATEWAY = Parameter(
    name="EgressGateway", description="Transit gateway of the network account",
    pattern="^tgw-[0-9a-f]{8,17}$", example="tgw-" + "f" * 17,
)  # fmt: skip
OUTWARD = Parameter(
    name="EgressOutward", description="Table of the transit gateway that leads to the firewall",
    pattern="^tgw-rtb-[0-9a-f]{8,17}$", example="tgw-rtb-" + "f" * 17,
)  # fmt: skip
INWARD = Parameter(
    name="EgressInward", description="Table of the transit gateway that leads back from the firewall",
    pattern="^tgw-rtb-[0-9a-f]{8,17}$", example="tgw-rtb-" + "f" * 17,
)  # fmt: skip
RUNTIME_ATTACHMENT = Parameter(
    name="RuntimeAttachment", description="The runtime's VPC at the transit gateway",
    pattern="^tgw-attach-[0-9a-f]{8,17}$", example="tgw-attach-" + "f" * 17,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Transit:
    """A transit gateway and its two tables."""

    gateway: Any
    outward: Any
    """For what is attached: to the firewall."""
    inward: Any
    """For what comes from the firewall: back to what is attached."""


def transit(built: Built, land: Landscape) -> Transit:
    """Gateway and tables, shared with the runtime's account alone where that is another."""
    runtime = land.accounts["runtime"]
    shared = runtime != built.account
    # CloudFormation cannot accept an attachment; one account of the organization may attach, and what it attaches has
    # no route until the stack egress-runtime gives it one.
    gateway = ec2.CfnTransitGateway(
        built.stack, "Transit", description="Ways to the firewall",
        auto_accept_shared_attachments="enable" if shared else "disable",
        default_route_table_association="disable", default_route_table_propagation="disable",
        dns_support="enable", multicast_support="disable", vpn_ecmp_support="disable",
    )  # fmt: skip
    if shared:
        share = ram.CfnResourceShare(
            built.stack, "TransitShare", name=land.names.of("egress"), allow_external_principals=False,
            principals=[runtime], resource_arns=[_arn(built, land, gateway)],
        )  # fmt: skip
        built.carries(share, ("S49",))
    tables = [
        ec2.CfnTransitGatewayRouteTable(built.stack, id_, transit_gateway_id=gateway.ref)
        for id_ in ("TransitOutward", "TransitInward")
    ]
    for parameter, made in zip((GATEWAY, OUTWARD, INWARD), (gateway, *tables), strict=True):
        cdk.CfnOutput(built.stack, parameter.name, value=made.ref, description=parameter.description)
        built.outputs.append(parameter.name)
    built.carries(gateway, ("S49",))
    return Transit(gateway=gateway, outward=tables[0], inward=tables[1])


def _arn(built: Built, land: Landscape, gateway: Any) -> str:
    kind = f"arn:{land.partition}:ec2:{land.region}:{built.account}:transit-gateway"
    return str(cdk.Fn.join("/", [kind, gateway.ref]))


def attach(built: Built, id_: str, gateway: str, vpc: Any, subnets: list[Any], *, appliance: bool) -> Any:
    """A VPC at a transit gateway; `appliance`: both directions of a connection use one availability zone."""
    return ec2.CfnTransitGatewayVpcAttachment(
        built.stack, id_, transit_gateway_id=gateway, vpc_id=vpc.ref, subnet_ids=[one.ref for one in subnets],
        options={
            "ApplianceModeSupport": "enable" if appliance else "disable", "DnsSupport": "enable",
            "Ipv6Support": "disable", "SecurityGroupReferencingSupport": "disable",
        },
    )  # fmt: skip


def joined(built: Built, id_: str, attachment: str, outward: str, inward: str) -> None:
    """What is attached goes by the table outward, and is found by the table inward."""
    ec2.CfnTransitGatewayRouteTableAssociation(
        built.stack, f"{id_}Outward", transit_gateway_attachment_id=attachment, transit_gateway_route_table_id=outward
    )
    ec2.CfnTransitGatewayRouteTablePropagation(
        built.stack, f"{id_}Inward", transit_gateway_attachment_id=attachment, transit_gateway_route_table_id=inward
    )


def to_inspection(built: Built, through: Transit, inspection: Any) -> None:
    """Outward everything goes to the inspection VPC but private addresses; what it sends goes by the inward table."""
    ec2.CfnTransitGatewayRouteTableAssociation(
        built.stack, "InspectionInward", transit_gateway_attachment_id=inspection.ref,
        transit_gateway_route_table_id=through.inward.ref,
    )  # fmt: skip
    ec2.CfnTransitGatewayRoute(
        built.stack, "TransitOut", destination_cidr_block=ANYWHERE, transit_gateway_attachment_id=inspection.ref,
        transit_gateway_route_table_id=through.outward.ref,
    )  # fmt: skip
    for number, addresses in enumerate(PRIVATE, start=1):
        ec2.CfnTransitGatewayRoute(
            built.stack, f"TransitNowhere{number}", destination_cidr_block=addresses, blackhole=True,
            transit_gateway_route_table_id=through.outward.ref,
        )  # fmt: skip
