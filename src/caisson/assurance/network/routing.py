"""Route tables, gateways and peering out of templates."""

from __future__ import annotations

from caisson.assurance.network.addresses import Block
from caisson.assurance.network.model import (
    About,
    Peering,
    Route,
    RouteTable,
    Via,
)
from caisson.assurance.network.reading import Reading, at, block_of, listed, reference_in
from caisson.assurance.templates import Resource, Value

ROUTES, FILTERS = About.ROUTES, About.FILTERS
VPC, SUBNET = "AWS::EC2::VPC", "AWS::EC2::Subnet"
_TARGETS = {
    "CarrierGatewayId": Via.ELSEWHERE,
    "CoreNetworkArn": Via.ELSEWHERE,
    "EgressOnlyInternetGatewayId": Via.EGRESS_ONLY,
    "InstanceId": Via.ELSEWHERE,
    "LocalGatewayId": Via.ELSEWHERE,
    "NatGatewayId": Via.NAT,
    "NetworkInterfaceId": Via.ELSEWHERE,
    "OdbNetworkArn": Via.ELSEWHERE,
    "TransitGatewayId": Via.TRANSIT,
    "VpcPeeringConnectionId": Via.PEERING,
}
"""Property of a route to what it leads to."""


def prefix_lists(reading: Reading) -> dict[str, tuple[Block, ...]]:
    found: dict[str, tuple[Block, ...]] = {}
    for resource in reading.of(FILTERS, "AWS::EC2::PrefixList"):
        blocks: list[Block] = []
        for index, entry in enumerate(listed(at(resource, "Entries"))):
            cidr = entry.get("Cidr") if isinstance(entry, dict) else None
            one = block_of(cidr)
            if one is None:
                reading.doubt(FILTERS, resource, "its addresses are not known", "Entries", index)
            else:
                blocks.append(one)
        found[resource.name] = tuple(blocks)
    return found


def tables(reading: Reading, lists: dict[str, tuple[Block, ...]]) -> dict[str, RouteTable]:
    routes: dict[str, list[Route]] = {}
    for resource in reading.of(ROUTES, "AWS::EC2::Route"):
        table = reading.id_of(at(resource, "RouteTableId"))
        if reading.target(at(resource, "RouteTableId"), "AWS::EC2::RouteTable") is None:
            reading.doubt(ROUTES, resource, "its route table is not in the templates", "RouteTableId")
        to = _route_to(reading, resource, lists)
        routes.setdefault(table, []).append(_route(reading, resource, to))
    for resource in reading.of(ROUTES, "AWS::EC2::VPCEndpoint"):
        if reading.text(ROUTES, resource, "VpcEndpointType", default="Gateway") == "Gateway":
            for id_ in reading.ids(ROUTES, resource, "RouteTableIds", types=("AWS::EC2::RouteTable",)):
                routes.setdefault(id_, [])  # its prefix list is AWS's; reached by name, not by address
    return {
        resource.name: RouteTable(id=resource.name, routes=tuple(routes.get(resource.name, ())))
        for resource in reading.of(ROUTES, "AWS::EC2::RouteTable")
    }


def _route_to(reading: Reading, resource: Resource, lists: dict[str, tuple[Block, ...]]) -> tuple[Block, ...]:
    found = [reading.block(ROUTES, resource, name) for name in ("DestinationCidrBlock", "DestinationIpv6CidrBlock")]
    prefix = at(resource, "DestinationPrefixListId")
    if prefix is not None:
        id_ = reading.id_of(prefix)
        if id_ not in lists:
            reading.doubt(ROUTES, resource, "its prefix list is not in the templates", "DestinationPrefixListId")
        found += lists.get(id_, ())
    return tuple(one for one in found if one is not None)


def _route(reading: Reading, resource: Resource, to: tuple[Block, ...]) -> Route:
    if (gateway := at(resource, "GatewayId")) is not None:
        return _to_gateway(reading, resource, to, gateway)
    if (endpoint := at(resource, "VpcEndpointId")) is not None:
        firewall = reference_in(endpoint, "AWS::NetworkFirewall::Firewall", "EndpointIds")
        if firewall is not None:
            return Route(to=to, via=Via.FIREWALL, target=f"{firewall.stack}/{firewall.id}", place=resource.place)
        reading.doubt(ROUTES, resource, "its endpoint is no firewall's, which is not modelled", "VpcEndpointId")
        return Route(to=to, via=Via.ELSEWHERE, target=reading.id_of(endpoint), place=resource.place)
    for name, via in _TARGETS.items():
        if (target := at(resource, name)) is not None:
            if via is Via.ELSEWHERE:
                reading.doubt(ROUTES, resource, f"where {name} leads to is not modelled", name)
            return Route(to=to, via=via, target=reading.id_of(target), place=resource.place)
    reading.doubt(ROUTES, resource, "its target is not known")
    return Route(to=to, via=Via.ELSEWHERE, target="?", place=resource.place)


def _to_gateway(reading: Reading, resource: Resource, to: tuple[Block, ...], gateway: Value) -> Route:
    if gateway == "local":
        return Route(to=to, via=Via.LOCAL, target="local", place=resource.place)
    found = reading.target(gateway)
    if found is not None and found.type == "AWS::EC2::InternetGateway":
        return Route(to=to, via=Via.INTERNET, target=found.name, place=resource.place)
    if isinstance(gateway, str) and gateway.startswith("igw-"):
        return Route(to=to, via=Via.INTERNET, target=gateway, place=resource.place)
    reading.doubt(ROUTES, resource, "its gateway is no internet gateway of the templates", "GatewayId")
    return Route(to=to, via=Via.ELSEWHERE, target=reading.id_of(gateway), place=resource.place)


def ingress(reading: Reading) -> dict[str, str]:
    """Internet gateways to the route table that what comes in through them goes by."""
    found = {}
    for resource in reading.of(ROUTES, "AWS::EC2::GatewayRouteTableAssociation"):
        reading.joins(
            ROUTES, resource, GatewayId=("AWS::EC2::InternetGateway", "AWS::EC2::VPNGateway"),
            RouteTableId=("AWS::EC2::RouteTable",),
        )  # fmt: skip
        found[reading.id_of(at(resource, "GatewayId"))] = reading.id_of(at(resource, "RouteTableId"))
    return found


def peerings(reading: Reading) -> dict[str, Peering]:
    found = {}
    for resource in reading.of(ROUTES, "AWS::EC2::VPCPeeringConnection"):
        ends = [reading.id_of(at(resource, name), VPC) for name in ("VpcId", "PeerVpcId")]
        for name, end in zip(("VpcId", "PeerVpcId"), ends, strict=True):
            if reading.target(at(resource, name), VPC) is None:
                reading.doubt(ROUTES, resource, f"{end} is not in the templates", name)
        found[resource.name] = Peering(id=resource.name, ends=(ends[0], ends[1]))
    return found
