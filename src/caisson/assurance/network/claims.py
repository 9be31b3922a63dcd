"""What is claimed of the network that templates make, whoever wrote them (NET-04, NET-07).

- What is in a VPC of templates with a firewall sends to the internet only through it, and only to what it lists.
- What the internet reaches refuses callers without a client certificate, but for distributions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from caisson.assurance.network.bearing import Bearing
from caisson.assurance.network.building import network as network_of
from caisson.assurance.network.doors import Door, doors
from caisson.assurance.network.interfaces import outside
from caisson.assurance.network.model import About, Doubt, Interface, Network, Role
from caisson.assurance.network.paths import End, Path
from caisson.assurance.network.reach import elsewhere, incoming, named, outgoing
from caisson.assurance.network.reading import Reading
from caisson.assurance.network.traffic import TCP, Traffic
from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.search import Proof
from caisson.assurance.templates import Templates
from caisson.assurance.verdict import Verdict

RECEIVES = frozenset({Role.WORKLOAD, Role.BALANCER})
REASONS_SHOWN = 3
_SENDING = frozenset({About.ROUTES, About.FILTERS})


def egress(name: str, place: str) -> Claim:
    """Nothing goes past the firewall."""
    says = "What it sends to the internet passes a firewall, to what that lists."
    return claim_of("network.egress", name, place, "NET-04", says=says)


def exposed(name: str, place: str) -> Claim:
    """Nothing is open to anybody."""
    says = "Nobody reaches it from the internet without a client certificate."
    return claim_of("network.exposed", name, place, "NET-07", says=says)


def claim_of(kind: str, name: str, place: str, *controls: str, says: str) -> Claim:
    """A claim about a network."""
    return Claim(id=f"{kind}: {name}", controls=controls, says=says, accounts=(), actions=(), about=name, place=place)


@dataclass
class Survey:
    """Every claim about one folder of templates."""

    templates: Templates
    network: Network = field(init=False)
    bearing: Bearing = field(init=False)
    reading: Reading = field(init=False)

    def __post_init__(self) -> None:
        self.network = network_of(self.templates)
        self.bearing = Bearing(self.templates, self.network)
        self.reading = Reading(templates=self.templates)

    def __len__(self) -> int:
        """How many claims there are."""
        return len(self._senders) + len(self._receivers) + len(self._outside) + len(self._doors)

    def proofs(self) -> Iterator[Proof]:
        """Each claim with its verdict."""
        for interface in self._senders:
            yield self._egress(interface)
        for name, place in self._outside:
            reason = "it is in no VPC, and reaches the internet past every firewall"
            yield Proof(
                claim=egress(name, place),
                verdict=Verdict.BROKEN,
                reason=reason,
                way=(name, f"no VPC ({place})", "internet"),
            )
        for interface in self._receivers:
            yield self._exposed(interface)
        for door in self._doors:
            verdict = Verdict.HOLDS if door.closed else Verdict.UNDETERMINED if door.doubt else Verdict.BROKEN
            way = () if door.closed else ("internet", f"{door.name} ({door.place})")
            yield Proof(claim=exposed(door.name, door.place), verdict=verdict, reason=door.reason, way=way)

    # -- who is asked about -------------------------------------------------------------------------------------------

    @cached_property
    def _senders(self) -> list[Interface]:
        """Only where there is a firewall at all: it says that what goes past it is not meant to."""
        if not self.network.firewalls:
            return []
        return [one for one in self.network.interfaces.values() if one.role is Role.WORKLOAD]

    @cached_property
    def _receivers(self) -> list[Interface]:
        return [one for one in self.network.interfaces.values() if one.role in RECEIVES]

    @cached_property
    def _outside(self) -> list[tuple[str, str]]:
        if not self.network.firewalls:
            return []
        return [(one.name, str(one.place)) for one in outside(self.reading)]

    @cached_property
    def _doors(self) -> list[Door]:
        return list(doors(self.templates))

    # -- what is answered ---------------------------------------------------------------------------------------------

    def _egress(self, sender: Interface) -> Proof:
        claim = egress(sender.id, str(sender.place))
        lost: Path | None = None
        for path in outgoing(self.network, sender, elsewhere(self.network)):
            if path.end is End.ELSEWHERE:
                lost = lost or (path if not path.firewalls else None)
            elif reason := self.past(path):
                return self.against(claim, path.hops, reason, path.traffic, sender)
        if lost is not None:
            reason = "a way leads out of the templates before it passes a firewall"
            return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=reason, way=lost.hops)
        return self._holds(claim, sender, "every way to the internet was followed", _SENDING)

    def _exposed(self, receiver: Interface) -> Proof:
        claim = exposed(receiver.id, str(receiver.place))
        open_ports = _open(self.templates, receiver)
        for path in incoming(self.network, receiver, elsewhere(self.network)):
            traffic = path.traffic if open_ports is None else path.traffic & open_ports
            if traffic:
                who = "it" if open_ports is None else "a listener of it that asks for no client certificate"
                reason = f"{who} is reached from the internet"
                return self.against(claim, path.hops, reason, traffic, receiver)
        return self._holds(claim, receiver, "no way from the internet leads to it", frozenset(About))

    def past(self, path: Path) -> str:
        """What is wrong with a way to the internet; empty for one through a firewall to what that lists."""
        if not path.firewalls:
            return "a way to the internet passes no firewall"
        if path.domains is None and not named(self.network, path.packet.target):
            return f"a way to the internet passes {path.firewalls[-1]}, which lets it go anywhere"
        return ""

    def against(
        self, claim: Claim, hops: tuple[str, ...], reason: str, traffic: Traffic, *interfaces: Interface
    ) -> Proof:
        """A way against a claim; undetermined where something on it is not known."""
        doubts = self.bearing.against(hops, *interfaces)
        if doubts:
            reason = f"{reason}, unless what is not known keeps it: {listed_doubts(doubts)}"
        verdict = Verdict.UNDETERMINED if doubts else Verdict.BROKEN
        return Proof(claim=claim, verdict=verdict, reason=reason, way=(*hops, f"carries {traffic}"))

    def _holds(self, claim: Claim, interface: Interface, reason: str, kinds: frozenset[About]) -> Proof:
        doubts = self.bearing.about(kinds, interface)
        if doubts:
            return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=listed_doubts(doubts))
        return Proof(claim=claim, verdict=Verdict.HOLDS, reason=reason)


def _open(templates: Templates, receiver: Interface) -> Traffic | None:
    """Ports of a load balancer's listeners that take callers without certificate; None for what is no load balancer."""
    if receiver.role is not Role.BALANCER:
        return None
    found = Traffic()
    for listener in templates.resources("AWS::ElasticLoadBalancingV2::Listener"):
        balancer = templates.find(listener.properties.get("LoadBalancerArn"))
        if balancer is None or balancer.name != receiver.id:
            continue
        mutual = listener.properties.get("MutualAuthentication")
        if isinstance(mutual, dict) and mutual.get("Mode") == "verify":
            continue
        port = listener.properties.get("Port")
        first = int(port) if isinstance(port, str) and port.isdigit() else None
        found |= Traffic.of(TCP) if first is None else Traffic.of(TCP, first, first)
        if str(listener.properties.get("Protocol")) in ("UDP", "TCP_UDP", "QUIC", "TCP_QUIC"):
            found |= Traffic.of("udp") if first is None else Traffic.of("udp", first, first)
    return found


def listed_doubts(doubts: Sequence[Doubt]) -> str:
    """The first of them, and how many more there are."""
    shown = "; ".join(map(str, doubts[:REASONS_SHOWN]))
    more = len(doubts) - REASONS_SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown
