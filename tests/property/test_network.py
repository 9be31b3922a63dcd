"""Reach in small networks, compared with a packet that is looked at step by step, one port at a time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.assurance.network.addresses import EVERYTHING, Address, Block, atoms, block
from caisson.assurance.network.model import (
    Acl,
    AclRule,
    Group,
    GroupRule,
    Interface,
    Network,
    Peering,
    Role,
    Route,
    RouteTable,
    Subnet,
    Via,
    Vpc,
)
from caisson.assurance.network.reach import between, outgoing
from caisson.assurance.network.traffic import ALL, TCP, Traffic
from caisson.assurance.templates import Place

HERE = Place(file="a.json")
BLOCKS = [
    block(one)
    for one in (
        "10.0.0.0/26", "10.0.0.0/27", "10.0.0.32/27", "10.1.0.0/26", "10.1.0.0/27", "0.0.0.0/0", "10.0.0.8/29",
        "8.8.0.0/16",
    )
]  # fmt: skip
SUBNETS = {"a": "10.0.0.0/27", "b": "10.0.0.32/27", "c": "10.1.0.0/27", "d": "10.1.0.32/27"}
PORTS = (22, 80, 443)
TRAFFIC = st.sampled_from(
    [Traffic.of(TCP, 80, 443), Traffic.of(TCP, 443, 443), Traffic.of(TCP, 0, 79), ALL, Traffic.of("udp")]
)
SOMEWHERE = st.sampled_from(BLOCKS)


@st.composite
def routes(draw: st.DrawFn) -> tuple[Route, ...]:
    found = []
    for to in draw(st.lists(SOMEWHERE, max_size=3, unique=True)):
        via = draw(st.sampled_from([Via.PEERING, Via.INTERNET, Via.LOCAL]))
        target = {Via.PEERING: "peer", Via.INTERNET: "gateway", Via.LOCAL: "local"}[via]
        found.append(Route(to=(to,), via=via, target=target, place=HERE))
    return tuple(found)


@st.composite
def groups(draw: st.DrawFn, name: str) -> Group:
    rules = []
    if draw(st.booleans()):  # else few packets would arrive anywhere
        rules += [GroupRule(egress=egress, traffic=ALL, blocks=EVERYTHING, place=HERE) for egress in (True, False)]
    for _ in range(draw(st.integers(0, 3))):
        egress, traffic = draw(st.booleans()), draw(TRAFFIC)
        if draw(st.booleans()):
            rules.append(GroupRule(egress=egress, traffic=traffic, blocks=(draw(SOMEWHERE),), place=HERE))
        else:
            rules.append(GroupRule(egress=egress, traffic=traffic, group=draw(st.sampled_from("gh")), place=HERE))
    return Group(id=name, vpc="v", rules=tuple(rules))


@st.composite
def acls(draw: st.DrawFn) -> Acl:
    made = st.builds(
        AclRule, number=st.just(0), egress=st.booleans(), allow=st.booleans(), block=SOMEWHERE, traffic=TRAFFIC
    )
    rules = [replace(rule, number=at) for at, rule in enumerate(draw(st.lists(made, max_size=4)))]
    for at, egress in enumerate(draw(st.sampled_from([(True, False), (True, False), (True,), (False,)]))):
        rules.append(AclRule(number=90 + at, egress=egress, allow=True, block=EVERYTHING[0], traffic=ALL))
    return Acl(id="acl", rules=tuple(rules))


@st.composite
def networks(draw: st.DrawFn) -> Network:
    return Network(
        vpcs={
            "v": Vpc(id="v", account="1", blocks=(block("10.0.0.0/26"),), gateway="gateway", place=HERE),
            "w": Vpc(id="w", account="1", blocks=(block("10.1.0.0/26"),), gateway="", place=HERE),
        },
        subnets={
            name: Subnet(
                id=name, vpc="v" if name in "ab" else "w", blocks=(block(text),), table=f"table-{name}",
                acl=draw(st.sampled_from(["acl", ""])), public_ip=False, place=HERE,
            )
            for name, text in SUBNETS.items()
        },
        tables={f"table-{name}": RouteTable(id=f"table-{name}", routes=draw(routes())) for name in SUBNETS},
        acls={"acl": draw(acls())},
        groups={name: draw(groups(name)) for name in "gh"},
        peerings={"peer": Peering(id="peer", ends=("v", "w"))},
        interfaces={
            name: Interface(
                id=name, type="", role=Role.WORKLOAD, vpc="v", account="1", subnets=(name,),
                groups=draw(st.sampled_from([("g",), ("h",), ("g", "h")])), public=draw(st.booleans()), place=HERE,
            )
            for name in SUBNETS
        },
        blocks=tuple(BLOCKS),
    )  # fmt: skip


def one_step(network: Network, sender: Interface, source: Address, target: Address, port: int) -> str:
    """Where a TCP packet ends: a subnet, `internet`, or nowhere. Without the receiver's security groups."""
    subnet = network.subnets[sender.subnets[0]]
    receiver = next((one for one in network.subnets.values() if target in one.blocks[0]), None)
    peer = network.interfaces[receiver.id] if receiver is not None else None
    if not let(network, sender, peer, target, port, egress=True):
        return ""
    if receiver is not None and receiver.id == subnet.id:
        return subnet.id
    if not listed(network, subnet, target, port, egress=True):
        return ""
    best: tuple[int, Route | None] = (-1, None)
    for route in network.tables[subnet.table].routes:
        if target in route.to[0] and bits(route.to[0]) > best[0]:
            best = (bits(route.to[0]), route)
    own = network.vpcs[subnet.vpc].blocks[0]
    local = target in own and bits(own) >= best[0]
    via = Via.LOCAL if local or best[1] is None else best[1].via
    if best[1] is None and not local:
        return ""
    if via is Via.INTERNET:
        public = (target.number >> 24) not in (0, 10)
        return "internet" if network.vpcs[subnet.vpc].gateway and public else ""
    there = subnet.vpc if via is Via.LOCAL else {"v": "w", "w": "v"}[subnet.vpc]
    if receiver is None or receiver.vpc != there or not listed(network, receiver, source, port, egress=False):
        return ""
    return receiver.id


def bits(one: Block) -> int:
    return 32 - (one.size - 1).bit_length()


def let(network: Network, here: Interface, there: Interface | None, other: Address, port: int, *, egress: bool) -> bool:
    for id_ in here.groups or ():
        for rule in network.groups[id_].rules:
            same = rule.egress is egress and Traffic.of(TCP, port, port) <= rule.traffic
            by_group = there is not None and rule.group and rule.group in (there.groups or ())
            if same and (by_group or any(other in one for one in rule.blocks)):
                return True
    return False


def listed(network: Network, subnet: Subnet, other: Address, port: int, *, egress: bool) -> bool:
    if not subnet.acl:
        return True
    for rule in network.acls[subnet.acl].rules:
        if rule.egress is egress and other in rule.block and Traffic.of(TCP, port, port) <= rule.traffic:
            return rule.allow
    return False


@settings(max_examples=150, deadline=None)
@given(network=networks())
def test_reach_is_what_single_packets_do(network: Network) -> None:
    for sender in network.interfaces.values():
        for receiver in network.interfaces.values():
            if sender is receiver:
                continue
            found = {
                (path.packet.source, path.packet.target, port)
                for path in between(network, sender, receiver)
                for port in PORTS
                if Traffic.of(TCP, port, port) <= path.traffic
            }
            for source in free(network, sender):
                for target in free(network, receiver):
                    for port in PORTS:
                        arrives = one_step(network, sender, source, target, port) == receiver.id
                        enters = let(network, receiver, sender, source, port, egress=False)
                        assert ((source, target, port) in found) is (arrives and enters)


def free(network: Network, interface: Interface) -> list[Address]:
    """Addresses of an interface's subnet, one of each kind."""
    whole = network.subnets[interface.subnets[0]].blocks[0]
    return list(atoms(Block(4, whole.first + 4, whole.last - 1), network.blocks))


@settings(max_examples=100, deadline=None)
@given(network=networks())
def test_the_internet_is_reached_where_single_packets_do(network: Network) -> None:
    targets = [Address(4, (8 << 24) + (8 << 16) + 1), Address(4, (9 << 24) + 1)]
    for sender in network.interfaces.values():
        found = {
            (path.packet.target, port)
            for path in outgoing(network, sender, targets)
            for port in PORTS
            if Traffic.of(TCP, port, port) <= path.traffic
        }
        subnet = network.subnets[sender.subnets[0]]
        for target in targets:
            answers = any(listed(network, subnet, target, port, egress=False) for port in (1024, 50_000))
            for port in PORTS:
                sent = any(
                    one_step(network, sender, source, target, port) == "internet" for source in free(network, sender)
                )
                assert ((target, port) in found) is (sent and answers and sender.public)


@settings(max_examples=60, deadline=None)
@given(network=networks(), traffic=TRAFFIC, where=SOMEWHERE)
def test_a_rule_more_takes_no_reach_away(network: Network, traffic: Traffic, where: Block) -> None:
    """And the order of a security group's rules means nothing."""
    group = network.groups["g"]
    more = (*reversed(group.rules), GroupRule(egress=False, traffic=traffic, blocks=(where,), place=HERE))
    wider = replace(network, groups={**network.groups, "g": replace(group, rules=more)})
    other = replace(network, groups={**network.groups, "g": replace(group, rules=more[:-1])})
    assert reached(other) == reached(network)
    before, after = reached(network), reached(wider)
    assert all(before[key] <= after[key] for key in before)


def reached(network: Network) -> dict[tuple[str, str], Traffic]:
    found: dict[tuple[str, str], Traffic] = {}
    for sender in network.interfaces.values():
        for receiver in network.interfaces.values():
            whole = Traffic()
            for path in between(network, sender, receiver) if sender is not receiver else ():
                whole |= path.traffic
            found[sender.id, receiver.id] = whole
    return found
