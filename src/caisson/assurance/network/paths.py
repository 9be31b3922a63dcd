"""Follows packets along routes: from a subnet, for one source and one target address, to where they arrive.

What is followed is every way that a packet may take: all subnets of a firewall or an attachment, whatever their zone.
Network ACLs are asked where packets leave and enter subnets of interfaces and of NAT gateways; at firewall endpoints
and transit gateway attachments they are taken to let everything through, which can only find more paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from caisson.assurance.network.addresses import Address, Block, public, written
from caisson.assurance.network.filters import Packet, Passed, by_acl, by_firewall
from caisson.assurance.network.model import Attachment, Network, Route, Subnet, TransitTable, Via
from caisson.assurance.network.traffic import ALL, Traffic

HOPS_MAX = 64
"""Longest path that is followed; a longer one is a doubt."""


class End(Enum):
    """Where a path ends."""

    SUBNET = "subnet"
    INTERNET = "internet"
    SERVICE = "service of AWS"
    ELSEWHERE = "outside of the templates"
    NOWHERE = "nowhere"


@dataclass(frozen=True, kw_only=True)
class Path:
    """A way that packets can take."""

    hops: tuple[str, ...]
    """Readable, in order."""
    end: End
    at: str = ""
    """Subnet or gateway where it ends."""
    traffic: Traffic = ALL
    """What passes everything on the way, without security groups."""
    firewalls: tuple[str, ...] = ()
    domains: frozenset[str] | None = None
    """Only connections to these names pass; None for any."""
    packet: Packet
    """As it arrives: NAT changes the source."""
    translated: bool = False
    """Whether a NAT gateway gave it another source."""
    seen: frozenset[tuple[str, Packet]] = frozenset()

    def on(self, hop: str, **changes: object) -> Path:
        """One hop further."""
        return replace(self, hops=(*self.hops, hop), **changes)  # type: ignore[arg-type]


def paths(network: Network, subnet: str, packet: Packet, first: str) -> Iterator[Path]:
    """Every way of a packet that an interface in a subnet sends.

    Args:
        first: how the sender is called in the hops.
    """
    start = Path(hops=(f"{first} ({written(packet.source)})",), end=End.NOWHERE, packet=packet)
    yield from _leave(network, network.subnets[subnet], start)


def _leave(network: Network, subnet: Subnet, path: Path) -> Iterator[Path]:
    """Out of a subnet whose network ACL is asked."""
    target = path.packet.target
    if any(target in one for one in subnet.blocks):
        yield path.on(f"within {subnet.id}", end=End.SUBNET, at=subnet.id)
        return
    traffic = path.traffic & by_acl(network.acls.get(subnet.acl), target, egress=True)
    if traffic:
        yield from _route(network, subnet, replace(path, traffic=traffic))


def _route(network: Network, subnet: Subnet, path: Path) -> Iterator[Path]:
    """By the route table of a subnet."""
    state = (subnet.id, path.packet)
    if state in path.seen or len(path.hops) > HOPS_MAX:
        yield path.on(f"{subnet.id} again: packets go round", end=End.NOWHERE)
        return
    path = replace(path, seen=path.seen | {state})
    table = network.tables.get(subnet.table)
    found = _longest(network, subnet, path.packet.target)
    name = table.id if table is not None else f"main route table of {subnet.vpc}"
    if found is None:
        yield path.on(f"{name}: no route", end=End.NOWHERE)
        return
    matched, route = found
    if route is None:
        yield from arrive(network, subnet.vpc, path.on(f"{name}: {matched} local"))
        return
    yield from _take(network, subnet, route, path.on(f"{name}: {matched} → {route.via.value} {route.target}"))


def _longest(network: Network, subnet: Subnet, target: Address) -> tuple[Block, Route | None] | None:
    """The most specific route; None as route for the local one, which loses only to more specific ones."""
    vpc = network.vpcs.get(subnet.vpc)
    best: tuple[Block, Route | None] | None = None
    for one in vpc.blocks if vpc is not None else ():
        if target in one and (best is None or one.size < best[0].size):
            best = (one, None)
    table = network.tables.get(subnet.table)
    for route in table.routes if table is not None else ():
        for one in route.to:
            if target in one and (best is None or one.size < best[0].size):
                best = (one, None if route.via is Via.LOCAL else route)
    return best


def _take(network: Network, subnet: Subnet, route: Route, path: Path) -> Iterator[Path]:
    match route.via:
        case Via.INTERNET | Via.EGRESS_ONLY:
            yield from _internet(network, subnet, route, path)
        case Via.NAT:
            yield from _nat(network, route, path)
        case Via.TRANSIT:
            yield from _transit(network, subnet.vpc, route.target, path)
        case Via.PEERING:
            peering = network.peerings.get(route.target)
            other = next((end for end in peering.ends if end != subnet.vpc), "") if peering is not None else ""
            if peering is None or subnet.vpc not in peering.ends or other not in network.vpcs:
                yield path.on("a VPC that the templates do not have", end=End.ELSEWHERE, at=route.target)
            else:
                yield from arrive(network, other, path)
        case Via.FIREWALL:
            yield from firewall_at(network, route.target, path)
        case Via.SERVICE:
            yield path.on(f"service behind {route.target}", end=End.SERVICE, at=route.target)
        case _:
            yield path.on("outside of the templates", end=End.ELSEWHERE, at=route.target)


def arrive(network: Network, vpc: str, path: Path) -> Iterator[Path]:
    """At a VPC: into the subnet that has the address. From another VPC only what is in its blocks comes in."""
    for subnet in network.subnets.values():
        if subnet.vpc == vpc and any(path.packet.target in one for one in subnet.blocks):
            acl = network.acls.get(subnet.acl)
            traffic = path.traffic & by_acl(acl, path.packet.source, egress=False)
            if traffic:
                yield path.on(f"{subnet.id}", end=End.SUBNET, at=subnet.id, traffic=traffic)
            return
    yield path.on(f"no subnet of {vpc} has the address", end=End.NOWHERE)


def _internet(network: Network, subnet: Subnet, route: Route, path: Path) -> Iterator[Path]:
    vpc = network.vpcs.get(subnet.vpc)
    if vpc is None or (route.via is Via.INTERNET and vpc.gateway != route.target):
        yield path.on(f"{route.target} is not attached to {subnet.vpc}", end=End.NOWHERE)
    elif not public(path.packet.target):
        yield path.on("not an address of the internet", end=End.NOWHERE)
    elif blocked(network, subnet, egress=True):
        yield path.on("blocked by VPC block public access", end=End.NOWHERE)
    else:
        yield path.on(f"internet ({written(path.packet.target)})", end=End.INTERNET, at=route.target)


def blocked(network: Network, subnet: Subnet, *, egress: bool) -> bool:
    """Whether block public access keeps a subnet from the internet, or the internet from it."""
    vpc = network.vpcs[subnet.vpc]
    access = network.access.get(vpc.account)
    if access is None or (egress and not access.blocks_egress):
        return False
    for id_ in (subnet.id, vpc.id):
        if id_ in access.excluded:
            return not egress and not access.excluded[id_]
    return True


def _nat(network: Network, route: Route, path: Path) -> Iterator[Path]:
    nat = network.nats.get(route.target)
    subnet = network.subnets.get(nat.subnet) if nat is not None else None
    if nat is None or subnet is None:
        yield path.on("a NAT gateway that the templates do not have", end=End.ELSEWHERE, at=route.target)
        return
    acl = network.acls.get(subnet.acl)
    traffic = path.traffic & by_acl(acl, path.packet.source, egress=False)
    source = next(
        (Address(one.version, one.first) for one in subnet.blocks if one.version == path.packet.target.version), None
    )
    if not traffic or source is None:
        return
    packet = Packet(source=source, target=path.packet.target)
    moved = path.on(f"{nat.id} in {subnet.id}", traffic=traffic, packet=packet, translated=True)
    for found in _leave(network, subnet, moved):
        if found.end is End.INTERNET and not nat.public:
            yield found.on(f"{nat.id} is private and has no public address", end=End.NOWHERE)
        else:
            yield found


def firewall_at(network: Network, id_: str, path: Path) -> Iterator[Path]:
    firewall = network.firewalls.get(id_)
    if firewall is None:
        yield path.on("a firewall that the templates do not have", end=End.ELSEWHERE, at=id_)
        return
    for passed in by_firewall(firewall, path.packet):
        traffic = path.traffic & passed.traffic
        if not traffic:
            continue
        through = path.on(
            _said(firewall.id, passed), traffic=traffic, firewalls=(*path.firewalls, firewall.id),
            domains=_narrowed(path.domains, passed.domains),
        )  # fmt: skip
        for subnet in firewall.subnets:
            if subnet in network.subnets:
                yield from _route(network, network.subnets[subnet], through)


def _said(firewall: str, passed: Passed) -> str:
    if passed.domains is None:
        return f"{firewall} lets {passed.traffic} through"
    names = sorted(passed.domains)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{firewall} lets connections to {', '.join(names[:3])}{more} through"


def _narrowed(held: frozenset[str] | None, new: frozenset[str] | None) -> frozenset[str] | None:
    if held is None or new is None:
        return new if held is None else held
    return held & new


def _transit(network: Network, vpc: str, gateway: str, path: Path) -> Iterator[Path]:
    """Through a transit gateway: by the table of the attachment that the packet came in through."""
    entered = [one for one in network.attachments.values() if one.gateway == gateway and one.vpc == vpc]
    if not entered and "/" not in gateway:  # an id: resources of the templates are called Stack/LogicalId
        yield path.on(f"a transit gateway that the templates do not have ({gateway})", end=End.ELSEWHERE, at=gateway)
        return
    if not entered:
        yield path.on(f"{vpc} has no attachment to {gateway}", end=End.NOWHERE)
        return
    for attachment in entered:
        table = network.transit.get(attachment.table)
        if table is None:
            yield path.on(f"{attachment.id} has no route table", end=End.NOWHERE)
            continue
        found = _transit_longest(network, table, path.packet.target)
        if found is None:
            yield path.on(f"{table.id}: no route", end=End.NOWHERE)
            continue
        matched, out = found
        if out is None:
            yield path.on(f"{table.id}: {matched} black hole", end=End.NOWHERE)
            continue
        moved = path.on(f"{table.id}: {matched} → {out.id}")
        if out.vpc not in network.vpcs:
            yield moved.on("outside of the templates", end=End.ELSEWHERE, at=out.id)
            continue
        for subnet in out.subnets:
            if subnet in network.subnets:
                yield from _route(network, network.subnets[subnet], moved)


def _transit_longest(network: Network, table: TransitTable, target: Address) -> tuple[Block, Attachment | None] | None:
    best: tuple[Block, Attachment | None] | None = None
    for route in table.routes:
        for one in route.to:
            if target in one and (best is None or one.size < best[0].size):
                best = (one, network.attachments.get(route.attachment))
    for id_ in table.propagated:
        attachment = network.attachments.get(id_)
        vpc = network.vpcs.get(attachment.vpc) if attachment is not None else None
        for one in vpc.blocks if vpc is not None else ():
            if target in one and (best is None or one.size < best[0].size):
                best = (one, attachment)
    return best
