"""A network out of templates, whole.

VPCs and subnets are in `places`, routes in `routing`, security groups and network ACLs in `filtering`, what has an
address in `interfaces`, transit gateways in `transit`, firewalls in `firewalls`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from caisson.assurance.network import filtering, places, routing, transit
from caisson.assurance.network.addresses import Block
from caisson.assurance.network.firewalls import firewalls
from caisson.assurance.network.interfaces import interfaces, nats
from caisson.assurance.network.model import About, Doubt, Network
from caisson.assurance.network.reading import Reading, at
from caisson.assurance.templates import Templates

_UNMODELLED = (
    "AWS::EC2::CarrierGateway", "AWS::EC2::ClientVpnEndpoint", "AWS::EC2::LocalGatewayRoute", "AWS::EC2::RouteServer",
    "AWS::EC2::SecurityGroupVpcAssociation", "AWS::EC2::TransitGatewayConnect",
    "AWS::EC2::TransitGatewayPeeringAttachment", "AWS::EC2::VPNConnection", "AWS::EC2::VPNGatewayRoutePropagation",
    "AWS::NetworkFirewall::VpcEndpointAssociation", "AWS::NetworkManager::VpcAttachment",
    "AWS::VpcLattice::ServiceNetworkVpcAssociation",
)  # fmt: skip
"""Types that carry packets and are not modelled."""


def network(templates: Templates) -> Network:
    """The network that templates make. What is not modelled or not known is in `doubts`."""
    reading = Reading(templates=templates)
    for problem in templates.problems:
        for about in About:
            reading.doubts[Doubt(about=about, place=problem.place, message=problem.message)] = None
    for resource in reading.of(About.ROUTES, *_UNMODELLED):
        reading.doubt(About.ROUTES, resource, f"{resource.type} is not modelled")
    for resource in reading.of(About.LISTENERS, "AWS::ElasticLoadBalancingV2::Listener"):
        if reading.target(at(resource, "LoadBalancerArn")) is None:
            message = "its load balancer is not in the templates"
            reading.doubt(About.LISTENERS, resource, message, "LoadBalancerArn", adds=True)
    vpcs = dict(places.vpcs(reading))
    subnets = dict(places.subnets(reading))
    lists = routing.prefix_lists(reading)
    made = Network(
        vpcs=vpcs,
        subnets=subnets,
        tables=routing.tables(reading, lists),
        acls=filtering.acls(reading),
        groups=filtering.groups(reading, vpcs, lists),
        interfaces=interfaces(reading, subnets),
        nats=nats(reading),
        peerings=routing.peerings(reading),
        attachments=transit.attachments(reading),
        transit=transit.tables(reading, lists),
        firewalls=firewalls(reading, vpcs),
        access=filtering.access(reading),
        ingress=routing.ingress(reading),
    )
    return replace(made, blocks=tuple(dict.fromkeys(_blocks(made))), doubts=tuple(reading.doubts))


def _blocks(made: Network) -> Iterator[Block]:
    """Every block that something compares addresses with."""
    for vpc in made.vpcs.values():
        yield from vpc.blocks
    for subnet in made.subnets.values():
        yield from subnet.blocks
    for table in made.tables.values():
        for route in table.routes:
            yield from route.to
    for acl in made.acls.values():
        yield from (rule.block for rule in acl.rules)
    for group in made.groups.values():
        for rule in group.rules:
            yield from rule.blocks
    for transits in made.transit.values():
        for row in transits.routes:
            yield from row.to
    for firewall in made.firewalls.values():
        for one in (*firewall.stateless, *firewall.stateful):
            yield from (*one.sources, *one.targets)
