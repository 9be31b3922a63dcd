"""VPCs and subnets out of templates."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.network.addresses import Block, block
from caisson.assurance.network.model import (
    About,
    Subnet,
    Vpc,
)
from caisson.assurance.network.reading import Reading, at
from caisson.assurance.templates import Resource

ROUTES, FILTERS = About.ROUTES, About.FILTERS
VPC, SUBNET = "AWS::EC2::VPC", "AWS::EC2::Subnet"


def vpcs(reading: Reading) -> Iterator[tuple[str, Vpc]]:
    more: dict[str, list[Block]] = {}
    for resource in reading.of(ROUTES, "AWS::EC2::VPCCidrBlock"):
        reading.joins(ROUTES, resource, VpcId=(VPC,))
        for name in ("CidrBlock", "Ipv6CidrBlock"):
            if (found := reading.block(ROUTES, resource, name)) is not None:
                more.setdefault(reading.id_of(at(resource, "VpcId"), VPC), []).append(found)
    gateways: dict[str, str] = {}
    for resource in reading.of(ROUTES, "AWS::EC2::VPCGatewayAttachment"):
        reading.joins(ROUTES, resource, VpcId=(VPC,))
        gateway = at(resource, "InternetGatewayId")
        if gateway is not None:
            gateways[reading.id_of(at(resource, "VpcId"), VPC)] = reading.id_of(gateway)
    for resource in reading.of(ROUTES, VPC):
        own = reading.block(ROUTES, resource, "CidrBlock")
        if own is None and at(resource, "CidrBlock") is None:
            reading.doubt(ROUTES, resource, "its addresses come from IPAM, which is not modelled")
        six = [found for subnet in reading.templates.resources(SUBNET) if _of(reading, subnet, resource)
               for found in [_six(reading, subnet)] if found is not None]  # fmt: skip
        blocks = [*([own] if own is not None else []), *more.get(resource.name, []), *six]
        yield resource.name, Vpc(
            id=resource.name, account=reading.account_of(resource), blocks=tuple(dict.fromkeys(blocks)),
            gateway=gateways.get(resource.name, ""), place=resource.place,
        )  # fmt: skip


def _of(reading: Reading, resource: Resource, vpc: Resource) -> bool:
    return reading.target(at(resource, "VpcId"), VPC) is vpc


def _six(reading: Reading, subnet: Resource) -> Block | None:
    """The IPv6 block of a subnet; one that AWS will assign gets a number of its own, which nothing else has."""
    more = [
        one
        for one in reading.templates.resources("AWS::EC2::SubnetCidrBlock")
        if reading.target(at(one, "SubnetId"), SUBNET) is subnet
    ]
    said = next((one for one in (subnet, *more) if at(one, "Ipv6CidrBlock") is not None), more[0] if more else None)
    if said is None:
        return None
    if isinstance(at(said, "Ipv6CidrBlock"), str):
        return reading.block(ROUTES, said, "Ipv6CidrBlock")
    number = sorted(one.name for one in reading.templates.resources(SUBNET)).index(subnet.name)
    return block(f"2600:1f18:0:{number:x}::/64")


def subnets(reading: Reading) -> Iterator[tuple[str, Subnet]]:
    tables: dict[str, str] = {}
    for resource in reading.of(ROUTES, "AWS::EC2::SubnetRouteTableAssociation"):
        reading.joins(ROUTES, resource, SubnetId=(SUBNET,))
        tables[reading.id_of(at(resource, "SubnetId"), SUBNET)] = reading.id_of(at(resource, "RouteTableId"))
    acls: dict[str, str] = {}
    for resource in reading.of(FILTERS, "AWS::EC2::SubnetNetworkAclAssociation"):
        reading.joins(FILTERS, resource, SubnetId=(SUBNET,))
        acls[reading.id_of(at(resource, "SubnetId"), SUBNET)] = reading.id_of(at(resource, "NetworkAclId"))
    for resource in reading.of(ROUTES, SUBNET):
        vpc = reading.id_of(at(resource, "VpcId"), VPC)
        if reading.target(at(resource, "VpcId"), VPC) is None:
            reading.doubt(ROUTES, resource, "its VPC is not in the templates", "VpcId")
        own = reading.block(ROUTES, resource, "CidrBlock")
        six = _six(reading, resource)
        for held, kind, of in ((tables, "AWS::EC2::RouteTable", ROUTES), (acls, "AWS::EC2::NetworkAcl", FILTERS)):
            known = {one.name for one in reading.templates.resources(kind)}
            if held.get(resource.name, "") and held[resource.name] not in known:
                reading.doubt(of, resource, f"its {kind.rpartition('::')[2]} is not in the templates")
        yield resource.name, Subnet(
            id=resource.name, vpc=vpc, blocks=tuple(one for one in (own, six) if one is not None),
            table=tables.get(resource.name, ""), acl=acls.get(resource.name, ""),
            public_ip=reading.flag(ROUTES, resource, "MapPublicIpOnLaunch", default=False), place=resource.place,
        )  # fmt: skip
