"""Ways to the internet by transit gateways, firewalls and NAT, compared with one packet that is sent step by step."""

# ruff: noqa: E501  (tables of networks)

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.assurance.network.addresses import EVERYTHING, Address, Block, block
from caisson.assurance.network.filters import Packet, by_firewall
from caisson.assurance.network.model import (
    Acl,
    AclRule,
    Attachment,
    Firewall,
    FirewallRule,
    Group,
    GroupRule,
    Interface,
    Nat,
    Network,
    Role,
    Route,
    RouteTable,
    Subnet,
    TransitRoute,
    TransitTable,
    Via,
    Vpc,
)
from caisson.assurance.network.paths import End
from caisson.assurance.network.reach import addresses, outgoing
from caisson.assurance.network.traffic import ALL, TCP, Traffic
from caisson.assurance.templates import Place

HERE = Place(file="a.json")
WHOLE, NEAR, ODD = EVERYTHING[0], block("8.0.0.0/7"), block("9.0.0.0/8")
SUBNETS = {
    "a": "10.0.0.0/28",
    "b": "10.0.0.16/28",
    "enter": "10.1.0.0/28",
    "inspect": "10.1.0.16/28",
    "edge": "10.1.0.32/28",
}
VPCS = {"work": "10.0.0.0/24", "hub": "10.1.0.0/24"}
TARGETS = [Address(4, (8 << 24) + 1), Address(4, (9 << 24) + 1), Address(4, (20 << 24) + 1)]
PORTS = (80, 443)
TRAFFIC = st.sampled_from([ALL, Traffic.of(TCP, 443, 443), Traffic.of(TCP, 0, 100), Traffic.of("udp")])
PLACES = st.sampled_from([WHOLE, WHOLE, NEAR, ODD, block("10.0.0.0/28"), block("10.1.0.32/28")])
TARGET_OF = {Via.TRANSIT: "transit", Via.FIREWALL: "firewall", Via.NAT: "nat", Via.INTERNET: "gateway"}


@st.composite
def tables(draw: st.DrawFn, name: str) -> RouteTable:
    """Mostly the way that leads on, sometimes another or none."""
    usual = {"a": Via.TRANSIT, "b": Via.TRANSIT, "enter": Via.FIREWALL, "inspect": Via.NAT, "edge": Via.INTERNET}[name]
    if name == "enter" and draw(st.booleans()):
        usual = Via.NAT
    routes = []
    if draw(st.integers(0, 19)):
        routes.append(Route(to=(WHOLE,), via=usual, target=TARGET_OF[usual], place=HERE))
    for to in draw(st.lists(st.sampled_from([NEAR, ODD]), max_size=2, unique=True)):
        via = draw(st.sampled_from(list(TARGET_OF)))
        routes.append(Route(to=(to,), via=via, target=TARGET_OF[via], place=HERE))
    return RouteTable(id=name, routes=tuple(draw(st.permutations(routes))))


@st.composite
def firewalls(draw: st.DrawFn) -> Firewall:
    made = st.builds(
        FirewallRule, action=st.sampled_from(["pass", "drop"]), sources=st.tuples(PLACES), targets=st.tuples(PLACES),
        traffic=TRAFFIC, place=st.just(HERE),
    )  # fmt: skip
    first = [replace(rule, action="forward") if number % 2 else rule for number, rule in
             enumerate(draw(st.lists(made, max_size=2)))]  # fmt: skip
    rules = draw(st.lists(made, max_size=3))
    if draw(st.booleans()):  # else little would pass
        rules.append(FirewallRule(action="pass", sources=(WHOLE,), targets=(WHOLE,), traffic=ALL, place=HERE))
    return Firewall(
        id="firewall", vpc="hub", subnets=("inspect",), stateless=tuple(first),
        stateless_default=draw(st.sampled_from(["forward", "forward", "pass", "drop"])), strict=True,
        stateful=tuple(rules), drops=draw(st.booleans()), place=HERE,
    )  # fmt: skip


@st.composite
def acls(draw: st.DrawFn) -> Acl:
    made = st.builds(
        AclRule, number=st.just(0), egress=st.booleans(), allow=st.booleans(), block=PLACES, traffic=TRAFFIC
    )
    rules = [replace(rule, number=at) for at, rule in enumerate(draw(st.lists(made, max_size=3)))]
    rules += [AclRule(number=90, egress=egress, allow=True, block=WHOLE, traffic=ALL) for egress in (True, False)]
    return Acl(id="acl", rules=tuple(rules))


@st.composite
def networks(draw: st.DrawFn) -> Network:
    routes = draw(
        st.lists(
            st.builds(TransitRoute, to=st.tuples(PLACES), attachment=st.sampled_from(["to-hub", "to-hub", "to-work", ""]), place=st.just(HERE)),
            max_size=3,
        )
    )  # fmt: skip
    attached = {
        name: Attachment(id=name, gateway="transit", vpc=vpc, subnets=(subnet,), table="out")
        for name, vpc, subnet in (("to-work", "work", "b"), ("to-hub", "hub", "enter"))
    }
    if draw(st.integers(0, 9)):
        routes.append(TransitRoute(to=(WHOLE,), attachment="to-hub", place=HERE))
    blocks = [block(one) for one in (*SUBNETS.values(), *VPCS.values())]
    return Network(
        vpcs={
            name: Vpc(id=name, account="1", blocks=(block(text),), gateway=draw(st.sampled_from(["gateway", "gateway", "other"])) if name == "hub" else "", place=HERE)
            for name, text in VPCS.items()
        },
        subnets={
            name: Subnet(
                id=name, vpc="work" if name in "ab" else "hub", blocks=(block(text),), table=name,
                acl=draw(st.sampled_from(["acl", "", ""])), public_ip=False, place=HERE,
            )
            for name, text in SUBNETS.items()
        },
        tables={name: draw(tables(name)) for name in SUBNETS},
        acls={"acl": draw(acls())},
        groups={"g": Group(id="g", vpc="work", rules=(GroupRule(egress=True, traffic=draw(st.one_of(st.just(ALL), TRAFFIC)), blocks=EVERYTHING, place=HERE),))},
        nats={"nat": Nat(id="nat", subnet="edge", public=draw(st.sampled_from([True, True, False])))},
        attachments=attached,
        transit={"out": TransitTable(id="out", routes=tuple(routes), propagated=draw(st.sampled_from([(), ("to-hub",), ("to-hub", "to-work")])))},
        firewalls={"firewall": draw(firewalls())},
        interfaces={
            "sender": Interface(
                id="sender", type="", role=Role.WORKLOAD, vpc="work", account="1", subnets=("a",), groups=("g",),
                public=draw(st.booleans()), place=HERE,
            )
        },
        blocks=(WHOLE, NEAR, ODD, *blocks),
    )  # fmt: skip


def sent(network: Network, source: Address, target: Address, port: int) -> str:
    """`firewall` or `free` for a TCP packet that gets to the internet from subnet a; empty for one that does not."""
    here, seen, kind = network.subnets["a"], set(), "free"
    sender = network.interfaces["sender"]
    public = sender.public
    if not covers(network.groups["g"].rules[0].traffic, port) or not allows(network, here, target, port, egress=True):
        return ""
    while (here.id, source) not in seen:
        seen.add((here.id, source))
        best: tuple[int, Route | None] = (1 << 33, None)
        for route in network.tables[here.table].routes:
            if target in route.to[0] and route.to[0].size < best[0]:
                best = (route.to[0].size, route)
        if best[1] is None:
            return ""
        match best[1].via:
            case Via.INTERNET:
                attached = network.vpcs[here.vpc].gateway == best[1].target
                return kind if attached and public else ""
            case Via.FIREWALL:
                if not through(network.firewalls["firewall"], source, target, port):
                    return ""
                here, kind = network.subnets["inspect"], "firewall"
            case Via.NAT:
                here = network.subnets["edge"]
                if not allows(network, here, source, port, egress=False):
                    return ""
                source, public = Address(4, here.blocks[0].first), network.nats["nat"].public
                if not allows(network, here, target, port, egress=True):
                    return ""
            case _:
                next_ = switched(network, target)
                if next_ is None:
                    return ""
                here = network.subnets[next_]
    return ""


def switched(network: Network, target: Address) -> str | None:
    """The subnet that the transit gateway takes a packet to."""
    held: list[tuple[int, int, str]] = []
    table = network.transit["out"]
    for number, route in enumerate(table.routes):
        if target in route.to[0]:
            held.append((route.to[0].size, number, route.attachment))
    if not held:
        return None
    attachment = network.attachments.get(min(held)[2])
    return attachment.subnets[0] if attachment is not None else None


def through(firewall: Firewall, source: Address, target: Address, port: int) -> bool:
    def matches(rule: FirewallRule) -> bool:
        return source in rule.sources[0] and target in rule.targets[0] and covers(rule.traffic, port)

    first = next((rule.action for rule in firewall.stateless if matches(rule)), firewall.stateless_default)
    if first != "forward":
        return first == "pass"
    return next((rule.action == "pass" for rule in firewall.stateful if matches(rule)), not firewall.drops)


def allows(network: Network, subnet: Subnet, other: Address, port: int, *, egress: bool) -> bool:
    if not subnet.acl:
        return True
    return next(
        (rule.allow for rule in network.acls["acl"].rules
         if rule.egress is egress and other in rule.block and covers(rule.traffic, port)), False,
    )  # fmt: skip


def covers(traffic: Traffic, port: int) -> bool:
    return any(name == TCP and any(first <= port <= last for first, last in ranges) for name, ranges in traffic.held)


def free(where: Block) -> Block:
    return Block(4, where.first + 4, where.last - 1)


@settings(max_examples=200, deadline=None)
@given(network=networks())
def test_the_internet_is_reached_where_single_packets_get_there(network: Network) -> None:
    sender = network.interfaces["sender"]
    found = {
        (path.packet.target, port, "firewall" if path.firewalls else "free")
        for path in outgoing(network, sender, TARGETS)
        for port in PORTS
        if path.end is End.INTERNET and covers(path.traffic, port)
    }
    expected = set()
    for source in addresses(network, network.subnets["a"]):
        for target in TARGETS:
            answered = any(allows(network, network.subnets["a"], target, port, egress=False) for port in (1024, 50_000))
            for port in PORTS:
                kind = sent(network, source, target, port) if answered else ""
                if kind:
                    expected.add((target, port, kind))
    assert found == expected


@settings(max_examples=200, deadline=None)
@given(firewall=firewalls(), port=st.sampled_from(PORTS))
def test_a_firewall_passes_what_the_first_rule_that_matches_says(firewall: Firewall, port: int) -> None:
    for source in (Address(4, block(SUBNETS[name]).first + 4) for name in ("a", "edge")):
        for target in TARGETS:
            passed = by_firewall(firewall, Packet(source=source, target=target))
            assert any(covers(one.traffic, port) for one in passed) is through(firewall, source, target, port)
