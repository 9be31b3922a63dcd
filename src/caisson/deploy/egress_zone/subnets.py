"""Subnets with a route table of their own, so that a route is of one availability zone."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from caisson.deploy.stacks import Built


def subnet(built: Built, vpc: Any, id_: str, addresses: str, zone: int) -> tuple[Any, Any]:
    """A subnet in an availability zone, counted from 0, and its route table `<id>Routes`."""
    made = ec2.CfnSubnet(
        built.stack, id_, vpc_id=vpc.ref, cidr_block=addresses, map_public_ip_on_launch=False,
        availability_zone=cdk.Fn.select(zone, cdk.Fn.get_azs()),
    )  # fmt: skip
    table = ec2.CfnRouteTable(built.stack, f"{id_}Routes", vpc_id=vpc.ref)
    ec2.CfnSubnetRouteTableAssociation(
        built.stack, f"{id_}RoutesJoined", subnet_id=made.ref, route_table_id=table.ref
    )  # fmt: skip
    return made, table
