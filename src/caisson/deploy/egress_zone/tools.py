"""The tool VPC: private subnets in two availability zones, no gateway, one way to the firewall (rows S48, S49).

What will run there does not exist yet. Its security group calls the ports of the tools' hosts and is called by nobody.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_ec2 as ec2

from caisson.deploy.destinations import Destination
from caisson.deploy.egress_zone.addresses import ANYWHERE, TOOL_SUBNETS, TOOL_TRANSIT, TOOLS
from caisson.deploy.egress_zone.subnets import subnet
from caisson.deploy.egress_zone.transit import Transit, attach, joined
from caisson.deploy.stacks import Built, suppress
from caisson.deploy.zone_network import DEFAULT_GROUP


def tool_network(built: Built, through: Transit, hosts: tuple[Destination, ...]) -> Any:
    """The VPC, attached."""
    vpc = ec2.CfnVPC(
        built.stack, "ToolVpc", cidr_block=TOOLS, enable_dns_support=True, enable_dns_hostnames=True
    )  # fmt: skip
    suppress(vpc, {"NIST.800.53.R5-VPCDefaultSecurityGroupClosed": DEFAULT_GROUP})
    inside = [subnet(built, vpc, f"ToolSubnet{n + 1}", one, n) for n, one in enumerate(TOOL_SUBNETS)]
    ends = [subnet(built, vpc, f"ToolTransitSubnet{n + 1}", one, n) for n, one in enumerate(TOOL_TRANSIT)]
    attachment = attach(
        built, "ToolAttachment", through.gateway.ref, vpc, [one for one, _ in ends], appliance=False
    )  # fmt: skip
    joined(built, "Tool", attachment.ref, through.outward.ref, through.inward.ref)
    for number, (made, table) in enumerate(inside, start=1):
        route = ec2.CfnRoute(
            built.stack, f"ToolOut{number}", route_table_id=table.ref, destination_cidr_block=ANYWHERE,
            transit_gateway_id=through.gateway.ref,
        )  # fmt: skip
        route.add_resource_dependency(attachment)
        built.carries(made, ("S48",))
    ec2.CfnSecurityGroup(
        built.stack, "ToolGroup", vpc_id=vpc.ref, group_description="What runs as a tool",
        security_group_egress=[
            ec2.CfnSecurityGroup.EgressProperty(
                ip_protocol="tcp", from_port=port, to_port=port, cidr_ip=ANYWHERE,
                description="Hosts of tools, which the firewall knows by name",
            )
            for port in sorted({one.port for one in hosts if one.of_tool})
        ],
    )  # fmt: skip
    built.carries(vpc, ("S48",))
    built.carries(attachment, ("S49",))
    return vpc
