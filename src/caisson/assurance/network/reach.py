"""Who reaches whom: interfaces among each other, the internet from them, and them from the internet. Pure.

Every way is followed that packets can take, for one source and one target address of every kind that anything in
the network tells apart. Security groups remember connections, network ACLs do not: a way to the internet or from it
counts only where an answer finds back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from caisson.assurance.network.addresses import Address, atoms, internet, written
from caisson.assurance.network.filters import Packet, by_acl, by_groups
from caisson.assurance.network.model import Interface, Network, Subnet, Via
from caisson.assurance.network.paths import End, Path, arrive, blocked, firewall_at, paths
from caisson.assurance.network.traffic import ALL, EPHEMERAL, ICMP, ICMP6, REST, TCP, Traffic

CONNECTIONLESS = Traffic.of(ICMP) | Traffic.of(ICMP6) | Traffic.of(REST)
"""What needs no port for answers."""


RESERVED = 4
"""First addresses of a subnet that AWS keeps, beside the last (VPC user guide, subnet-sizing)."""


def addresses(network: Network, subnet: Subnet) -> list[Address]:
    """Addresses that an interface in a subnet may have, one of each kind."""
    free = [replace(block, first=block.first + RESERVED, last=block.last - 1) for block in subnet.blocks]
    return [address for block in free for address in atoms(block, network.blocks)]


def elsewhere(network: Network) -> list[Address]:
    """Addresses of the internet, one of each kind."""
    return internet(network.blocks)


def named(network: Network, address: Address) -> bool:
    """Whether anything in the network speaks of this part of the internet in particular."""
    return any(address in block for block in network.blocks if block.size < 2 ** (31 if block.version == 4 else 124))


def outgoing(network: Network, sender: Interface, targets: Sequence[Address]) -> Iterator[Path]:
    """Ways from an interface to addresses of the internet, and those that leave the templates before they are there."""
    for subnet, source in _places(network, sender):
        for target in targets:
            if target.version != source.version:
                continue
            leaves = by_groups(network, sender, None, target, egress=True)
            for path in paths(network, subnet.id, Packet(source=source, target=target), sender.id):
                traffic = path.traffic & leaves & _answered(network, subnet, target, leaving=False)
                arrives = path.end is End.INTERNET and (sender.public or source.version == 6 or path.translated)
                if traffic and (arrives or path.end is End.ELSEWHERE):
                    yield replace(path, traffic=traffic)


def incoming(network: Network, receiver: Interface, sources: Sequence[Address]) -> Iterator[Path]:
    """Ways from addresses of the internet to an interface."""
    for subnet, target in _places(network, receiver):
        vpc = network.vpcs.get(subnet.vpc)
        if vpc is None or not vpc.gateway or not (receiver.public or target.version == 6):
            continue
        if blocked(network, subnet, egress=False):
            continue
        for source in sources:
            packet = Packet(source=source, target=target)
            if source.version != target.version or not _finds_back(network, subnet, packet):
                continue
            enters = by_groups(network, receiver, None, source, egress=False)
            first = Path(hops=(f"internet ({written(source)})",), end=End.NOWHERE, packet=packet)
            for path in _through_gateway(network, vpc.gateway, subnet, first):
                traffic = path.traffic & enters & _answered(network, subnet, source, leaving=True)
                if path.end is End.SUBNET and path.at == subnet.id and traffic:
                    yield replace(path.on(f"{receiver.id} ({written(target)})"), traffic=traffic)


def between(network: Network, sender: Interface, receiver: Interface) -> Iterator[Path]:
    """Ways from one interface to another."""
    for subnet, source in _places(network, sender):
        for place, target in _places(network, receiver):
            if source.version != target.version:
                continue
            leaves = by_groups(network, sender, receiver, target, egress=True)
            for path in paths(network, subnet.id, Packet(source=source, target=target), sender.id):
                if path.end is not End.SUBNET or path.at != place.id:
                    continue
                hidden = None if path.translated else sender
                traffic = path.traffic & leaves & by_groups(network, receiver, hidden, path.packet.source, egress=False)
                if traffic:
                    yield replace(path.on(f"{receiver.id} ({written(target)})"), traffic=traffic)


def astray(network: Network, sender: Interface, receiver: Interface) -> Iterator[Path]:
    """Ways of packets for one interface that leave the templates: nobody knows where these end."""
    for subnet, source in _places(network, sender):
        for _, target in _places(network, receiver):
            if source.version == target.version:
                for path in paths(network, subnet.id, Packet(source=source, target=target), sender.id):
                    if path.end is End.ELSEWHERE:
                        yield path


def answered_between(network: Network, sender: Interface, path: Path) -> bool:
    """Whether a way from one interface to another gets answers by the network ACLs of both subnets.

    Answers go to ports that the sender's system chooses, 32768 to 60999 on Linux (VPC user guide,
    nacl-ephemeral-ports).
    """
    source = path.packet.source
    start = next((one for one, address in _places(network, sender) if address == source), None)
    end = network.subnets.get(path.at)
    if start is None or end is None or start.id == end.id:
        return start is not None and end is not None
    ports = Traffic.of(TCP, 32768, 60999)
    out = by_acl(network.acls.get(end.acl), source, egress=True)
    back = by_acl(network.acls.get(start.acl), path.packet.target, egress=False)
    return ports <= out and ports <= back


def _places(network: Network, interface: Interface) -> Iterator[tuple[Subnet, Address]]:
    for id_ in interface.subnets:
        if (subnet := network.subnets.get(id_)) is not None:
            yield from ((subnet, address) for address in addresses(network, subnet))


def _answered(network: Network, subnet: Subnet, other: Address, *, leaving: bool) -> Traffic:
    """What gets answers by the subnet's network ACL, whose ports are not known before.

    Args:
        leaving: answers go to the other address; else they come from it.
    """
    acl = network.acls.get(subnet.acl)
    if acl is None:
        return ALL
    back = by_acl(acl, other, egress=leaving) & EPHEMERAL
    found = CONNECTIONLESS
    for name, _ in back.held:
        found |= Traffic.of(name)
    return found


def _finds_back(network: Network, subnet: Subnet, packet: Packet) -> bool:
    """Whether the answer to a packet reaches the internet from a subnet, by whatever hops."""
    answer = Packet(source=packet.target, target=packet.source)
    return any(path.end is End.INTERNET for path in paths(network, subnet.id, answer, "answer"))


def _through_gateway(network: Network, gateway: str, subnet: Subnet, path: Path) -> Iterator[Path]:
    """In through an internet gateway, by its route table where it has one."""
    table = network.tables.get(network.ingress.get(gateway, ""))
    path = path.on(gateway)
    best = None
    for route in table.routes if table is not None else ():
        for block in route.to:
            if path.packet.target in block and (best is None or block.size < best[0].size):
                best = (block, route)
    if best is not None and best[1].via is Via.FIREWALL:
        yield from firewall_at(network, best[1].target, path)
        return
    yield from arrive(network, subnet.vpc, path)
