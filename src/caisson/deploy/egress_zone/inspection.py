"""The inspection VPC: transit gateway, firewall, NAT and internet gateway in a row, both ways (rows S49, S50).

In each availability zone: out of the transit subnet to the firewall, from there to NAT, from there to the internet; the
answers from NAT to the firewall, and from there to the transit gateway. Nothing else has an internet gateway, and block
public access keeps it so.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from caisson.deploy.egress_zone.addresses import (
    ANYWHERE,
    INSPECTION,
    INSPECTION_FIREWALL,
    INSPECTION_PUBLIC,
    INSPECTION_TRANSIT,
    RUNTIME,
    TOOLS,
)
from caisson.deploy.egress_zone.firewall import firewalls
from caisson.deploy.egress_zone.subnets import subnet
from caisson.deploy.egress_zone.transit import Transit, attach, to_inspection
from caisson.deploy.landscape import Landscape
from caisson.deploy.stacks import Built, suppress
from caisson.deploy.zone_network import DEFAULT_GROUP

PUBLIC_ROUTE = (
    "the one way to the internet of the deployment: only NAT gateways are in this subnet, and the firewall stands "
    "before them in both directions"
)


def inspection(built: Built, land: Landscape, through: Transit, *, runtime: bool, tools: bool) -> tuple[Any, list[Any]]:
    """The VPC and its firewalls."""
    vpc = ec2.CfnVPC(built.stack, "InspectionVpc", cidr_block=INSPECTION, enable_dns_support=True)
    suppress(vpc, {"NIST.800.53.R5-VPCDefaultSecurityGroupClosed": DEFAULT_GROUP})
    placed = {
        name: [subnet(built, vpc, f"{name}Subnet{n + 1}", one, n) for n, one in enumerate(addresses)]
        for name, addresses in (
            ("Transit", INSPECTION_TRANSIT), ("Firewall", INSPECTION_FIREWALL), ("Public", INSPECTION_PUBLIC),
        )
    }  # fmt: skip
    gateway = ec2.CfnInternetGateway(built.stack, "Internet")
    attached = ec2.CfnVPCGatewayAttachment(
        built.stack, "InternetAttached", vpc_id=vpc.ref, internet_gateway_id=gateway.ref
    )  # fmt: skip
    at_transit = attach(
        built, "InspectionAttachment", through.gateway.ref, vpc, [one for one, _ in placed["Transit"]], appliance=True
    )
    made = firewalls(built, land, vpc, [one for one, _ in placed["Firewall"]], runtime=runtime, tools=tools)
    spokes = [("Runtime", RUNTIME)] * runtime + [("Tools", TOOLS)] * tools
    for number, firewall in enumerate(made, start=1):
        (_, entering), (_, inspected), (public, outside) = (
            placed[name][number - 1] for name in ("Transit", "Firewall", "Public")
        )
        endpoint = cdk.Fn.select(1, cdk.Fn.split(":", cdk.Fn.select(0, firewall.attr_endpoint_ids)))
        nat = _nat(built, public, number, attached)
        _route(built, f"Enter{number}", entering, ANYWHERE, vpc_endpoint_id=endpoint)
        _route(built, f"Inspected{number}", inspected, ANYWHERE, nat_gateway_id=nat.ref)
        way_out = _route(built, f"Leave{number}", outside, ANYWHERE, gateway_id=gateway.ref)
        way_out.add_resource_dependency(attached)
        suppress(way_out, {"NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW": PUBLIC_ROUTE})
        for name, addresses in spokes:
            _route(built, f"Answer{name}{number}", outside, addresses, vpc_endpoint_id=endpoint)
            back = _route(built, f"Return{name}{number}", inspected, addresses, transit_gateway_id=through.gateway.ref)
            back.add_resource_dependency(at_transit)
    to_inspection(built, through, at_transit)
    built.carries(at_transit, ("S49",))
    _block_public_access(built, vpc)
    return vpc, made


def _nat(built: Built, public: Any, number: int, attached: Any) -> Any:
    address = ec2.CfnEIP(built.stack, f"Address{number}", domain="vpc")
    address.add_resource_dependency(attached)
    nat = ec2.CfnNatGateway(
        built.stack, f"Nat{number}", subnet_id=public.ref, allocation_id=address.attr_allocation_id
    )  # fmt: skip
    nat.add_resource_dependency(attached)
    built.carries(nat, ("S49",))
    return nat


def _route(built: Built, id_: str, table: Any, to: str, **target: Any) -> Any:
    return ec2.CfnRoute(built.stack, id_, route_table_id=table.ref, destination_cidr_block=to, **target)


def _block_public_access(built: Built, vpc: Any) -> None:
    """No VPC of the account and region reaches the internet, or is reached; the inspection VPC reaches it by NAT."""
    spared = ec2.CfnVPCBlockPublicAccessExclusion(
        built.stack, "InspectionExcluded", vpc_id=vpc.ref, internet_gateway_exclusion_mode="allow-egress"
    )
    blocked = ec2.CfnVPCBlockPublicAccessOptions(
        built.stack, "PublicAccessBlocked", internet_gateway_block_mode="block-bidirectional"
    )
    blocked.add_resource_dependency(spared)
    built.carries(blocked, ("S49",))
