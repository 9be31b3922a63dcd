"""The runtime's VPC at the transit gateway: its one way to tools and the issuer, through the firewall (rows S49, S50).

Beside what `zone_network` makes, whose resources it finds by their ids.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from caisson.deploy.destinations import destinations
from caisson.deploy.egress_zone.addresses import ANYWHERE, RUNTIME_TRANSIT
from caisson.deploy.egress_zone.names import endpoints_of, names_allowed
from caisson.deploy.egress_zone.records import deliveries, queries
from caisson.deploy.egress_zone.subnets import subnet
from caisson.deploy.egress_zone.transit import GATEWAY, RUNTIME_ATTACHMENT, attach
from caisson.deploy.landscape import Landscape
from caisson.deploy.stacks import Built


def way_to_hosts(built: Built, land: Landscape, key: Any) -> None:
    """Attachment, route, security group and names. Call it when every endpoint of the stack is made."""
    find = built.stack.node.find_child
    vpc, table, inside = find("Vpc"), find("Routes"), find("ZoneGroup")
    gateway, hosts = str(cdk.Fn.ref(GATEWAY.name)), destinations(land.system)
    ends = [subnet(built, vpc, f"TransitSubnet{n + 1}", one, n) for n, one in enumerate(RUNTIME_TRANSIT)]
    attachment = attach(built, "Attachment", gateway, vpc, [one for one, _ in ends], appliance=False)
    route = ec2.CfnRoute(
        built.stack, "ToFirewall", route_table_id=table.ref, destination_cidr_block=ANYWHERE,
        transit_gateway_id=gateway,
    )  # fmt: skip
    route.add_resource_dependency(attachment)
    for port in sorted({one.port for one in hosts}):
        ec2.CfnSecurityGroupEgress(
            built.stack, f"ZoneToHosts{port}", group_id=inside.attr_group_id, ip_protocol="tcp", from_port=port,
            to_port=port, cidr_ip=ANYWHERE, description="Tools and issuer, which the firewall knows by name",
        )  # fmt: skip
    cdk.CfnOutput(
        built.stack, RUNTIME_ATTACHMENT.name, value=attachment.ref, description=RUNTIME_ATTACHMENT.description
    )  # fmt: skip
    built.outputs.append(RUNTIME_ATTACHMENT.name)
    built.carries(attachment, ("S49",))
    names = [*dict.fromkeys(one.host for one in hosts), *endpoints_of(built, land)]
    names_allowed(built, land, "runtime", vpc, names)
    queries(built, land, "queries-runtime", key, [vpc], deliveries(built, land, "queries-"))
