"""Transit gateways out of templates: attachments, route tables, routes, propagations.

A gateway that nobody told otherwise puts every attachment into its default table and propagates it there
(`DefaultRouteTableAssociation`, `DefaultRouteTablePropagation`: guide of transit gateways, tgw-transit-gateways).
"""

from __future__ import annotations

from caisson.assurance.network.addresses import Block
from caisson.assurance.network.model import About, Attachment, TransitRoute, TransitTable
from caisson.assurance.network.reading import Reading, at
from caisson.assurance.templates import Resource

ATTACHMENTS = ("AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment")
GATEWAY = "AWS::EC2::TransitGateway"
TABLE = "AWS::EC2::TransitGatewayRouteTable"
ROUTES = About.ROUTES


def _default(gateway: str) -> str:
    return f"{gateway}.DefaultRouteTable"


def _by_default(reading: Reading, gateway: Resource | None, property_: str) -> bool:
    """Whether a gateway does by itself what the property says; one that is not in the templates may."""
    if gateway is None:
        return True
    return reading.text(ROUTES, gateway, property_, default="enable") == "enable"


def attachments(reading: Reading) -> dict[str, Attachment]:
    """VPCs at transit gateways."""
    associated = {}
    for resource in reading.of(ROUTES, "AWS::EC2::TransitGatewayRouteTableAssociation"):
        reading.joins(ROUTES, resource, TransitGatewayAttachmentId=ATTACHMENTS, TransitGatewayRouteTableId=(TABLE,))
        attachment = reading.id_of(at(resource, "TransitGatewayAttachmentId"), *ATTACHMENTS)
        associated[attachment] = reading.id_of(at(resource, "TransitGatewayRouteTableId"), TABLE)
    found = {}
    for resource in reading.of(ROUTES, *ATTACHMENTS):
        gateway = reading.target(at(resource, "TransitGatewayId"), GATEWAY)
        gateway_id = reading.id_of(at(resource, "TransitGatewayId"), GATEWAY)
        table = associated.get(resource.name, "")
        if not table and _by_default(reading, gateway, "DefaultRouteTableAssociation"):
            table = _default(gateway_id)
        if reading.target(at(resource, "VpcId"), "AWS::EC2::VPC") is None:
            reading.doubt(ROUTES, resource, "its VPC is not in the templates", "VpcId")
        found[resource.name] = Attachment(
            id=resource.name, gateway=gateway_id, vpc=reading.id_of(at(resource, "VpcId"), "AWS::EC2::VPC"),
            subnets=reading.ids(ROUTES, resource, "SubnetIds", types=("AWS::EC2::Subnet",)), table=table,
        )  # fmt: skip
        if gateway is None:
            reading.doubt(ROUTES, resource, "its transit gateway is not in the templates", "TransitGatewayId")
    return found


def tables(reading: Reading, lists: dict[str, tuple[Block, ...]]) -> dict[str, TransitTable]:
    """Route tables of transit gateways, the default ones too."""
    routes: dict[str, list[TransitRoute]] = {}
    for resource in reading.of(ROUTES, "AWS::EC2::TransitGatewayRoute"):
        table = reading.id_of(at(resource, "TransitGatewayRouteTableId"), TABLE)
        to = reading.block(ROUTES, resource, "DestinationCidrBlock")
        target = at(resource, "TransitGatewayAttachmentId")
        hole = reading.flag(ROUTES, resource, "Blackhole", default=False)
        if reading.target(target, *ATTACHMENTS) is None and not hole:
            reading.doubt(ROUTES, resource, "its attachment is not in the templates", "TransitGatewayAttachmentId")
        if to is not None:
            attachment = "" if hole else reading.id_of(target, *ATTACHMENTS)
            routes.setdefault(table, []).append(TransitRoute(to=(to,), attachment=attachment, place=resource.place))
    for resource in reading.of(ROUTES, "AWS::EC2::TransitGatewayPrefixListReference"):
        table = reading.id_of(at(resource, "TransitGatewayRouteTableId"), TABLE)
        blocks = lists.get(reading.id_of(at(resource, "PrefixListId")))
        if blocks is None:
            reading.doubt(ROUTES, resource, "its prefix list is not in the templates", "PrefixListId")
            continue
        hole = reading.flag(ROUTES, resource, "Blackhole", default=False)
        attachment = "" if hole else reading.id_of(at(resource, "TransitGatewayAttachmentId"), *ATTACHMENTS)
        routes.setdefault(table, []).append(TransitRoute(to=blocks, attachment=attachment, place=resource.place))
    propagated: dict[str, list[str]] = {}
    for resource in reading.of(ROUTES, "AWS::EC2::TransitGatewayRouteTablePropagation"):
        reading.joins(ROUTES, resource, TransitGatewayAttachmentId=ATTACHMENTS, TransitGatewayRouteTableId=(TABLE,))
        table = reading.id_of(at(resource, "TransitGatewayRouteTableId"), TABLE)
        propagated.setdefault(table, []).append(reading.id_of(at(resource, "TransitGatewayAttachmentId"), *ATTACHMENTS))
    names = [resource.name for resource in reading.of(ROUTES, TABLE)]
    for resource in reading.of(ROUTES, *ATTACHMENTS):
        gateway = reading.target(at(resource, "TransitGatewayId"), GATEWAY)
        name = _default(reading.id_of(at(resource, "TransitGatewayId"), GATEWAY))
        names.append(name)
        if _by_default(reading, gateway, "DefaultRouteTablePropagation"):
            propagated.setdefault(name, []).append(resource.name)
    return {
        name: TransitTable(id=name, routes=tuple(routes.get(name, ())), propagated=tuple(propagated.get(name, ())))
        for name in dict.fromkeys(names)
    }
