"""What a deployment's network must not let through, decided (NET-01, NET-03, NET-04, NET-05, NET-06).

- No zone sends packets to another: not from any of its subnets, whatever stands there with whatever security groups.
- No zone has a way to the internet past the firewall, through it to what the file does not name, or from the internet.
- Endpoints are for services that the channel table, an edge to the outside or the zone's own account needs.

What it must let through is in `needs`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from caisson.assurance.network.claims import claim_of, listed_doubts
from caisson.assurance.network.declared import NETWORK
from caisson.assurance.network.ground import Ground, anything
from caisson.assurance.network.model import About, Interface, Subnet
from caisson.assurance.network.paths import End, Path
from caisson.assurance.network.reach import astray, between, elsewhere, incoming, outgoing
from caisson.assurance.network.traffic import Traffic
from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.search import Proof
from caisson.assurance.verdict import Verdict

_PACKETS = frozenset({About.ROUTES, About.FILTERS})
_LOST = "a way leads out of the templates, and nobody knows where it ends"
_CONTROLS = {"evaluation": "NET-03", "ingestion": "NET-05", "control": "NET-06"}


@dataclass
class Zones:
    """Claims about the zones of a deployment."""

    ground: Ground

    def proofs(self) -> Iterator[Proof]:
        """Each claim with its verdict."""
        accounts, declared = self.ground.subnets, self.ground.declared
        for sender in accounts:
            for receiver in accounts:
                if sender != receiver and not declared.allows(sender, receiver):
                    yield self._apart(sender, receiver)
        for account in accounts:
            yield from self._inside(account)
            yield from self._endpoints(account)

    def _apart(self, sender: str, receiver: str) -> Proof:
        ground, declared, survey = self.ground, self.ground.declared, self.ground.survey
        from_, to = declared.label(sender), declared.label(receiver)
        zones = {*declared.zones.get(sender, ()), *declared.zones.get(receiver, ())}
        controls = ("NET-01", *(control for zone, control in _CONTROLS.items() if zone in zones))
        says = "No packet of the one arrives at the other, whatever security groups allow."
        answers = declared.allows(receiver, sender)
        if answers:  # there are routes back for answers: security groups alone tell who starts a connection
            says = "Nothing that the one starts passes a security group of the other."
        claim = claim_of("network.apart", f"{from_} → {to}", ground.place(sender), *controls, says=says)
        senders = [anything(subnet) for subnet in ground.subnets[sender]]
        receivers = [
            there
            for subnet in ground.subnets[receiver]
            for there in (ground.guarded(subnet) if answers else [anything(subnet)])
        ]
        for here in senders:
            for there in receivers:
                for path in between(survey.network, here, there):
                    reason = f"packets of {from_} arrive at {to}"
                    return survey.against(claim, path.hops, reason, path.traffic, there)
        lost = next(
            (path for here in senders for there in receivers for path in astray(survey.network, here, there)), None
        )
        if lost is not None:
            return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=_LOST, way=lost.hops)
        return self._holds(claim, "every route of the one was followed, none leads to the other", *senders, *receivers)

    def _inside(self, account: str) -> Iterator[Proof]:
        """Of an account; of that of the firewall, the networks in which it does not stand."""
        inside = self.ground.subnets[account]
        if NETWORK in self.ground.declared.zones.get(account, ()):
            guarding = {one.vpc for one in self.ground.survey.network.firewalls.values()}
            inside = [subnet for subnet in inside if subnet.vpc not in guarding]
        if inside:
            yield self._shut(account, inside)

    def _shut(self, account: str, subnets: Sequence[Subnet]) -> Proof:
        ground, survey = self.ground, self.ground.survey
        says = "It has no way to the internet but through a firewall to hosts of the file, and none from there."
        label = ground.declared.label(account)
        claim = claim_of("network.inside", label, ground.place(account), "NET-01", "NET-04", says=says)
        everywhere = elsewhere(survey.network)
        lost: Path | None = None
        if account not in ground.declared.zones and (unsaid := self._unsaid()):
            return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=unsaid[0])
        inside = [anything(subnet) for subnet in subnets]
        for one in inside:
            for path in outgoing(survey.network, one, everywhere):
                if path.end is End.ELSEWHERE:
                    lost = lost or (path if not path.firewalls else None)
                elif reason := survey.past(path) or self._undeclared(account, path):
                    return survey.against(claim, path.hops, reason, path.traffic)
            for path in incoming(survey.network, one, everywhere):
                return survey.against(claim, path.hops, "the internet reaches it", path.traffic)
        if lost is not None:
            return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=_LOST, way=lost.hops)
        return self._holds(claim, "every route of its subnets was followed", *inside)

    def _undeclared(self, account: str, path: Path) -> str:
        """What is wrong with a way through a firewall; empty for one to declared hosts alone."""
        declared, label = self.ground.declared, self.ground.declared.label(account)
        if path.domains is None:
            return f"{path.firewalls[-1]} lets it reach addresses, and the file names hosts"
        allowed = declared.destinations(account)
        for host in sorted(path.domains):
            if more := path.traffic - allowed.get(host, Traffic()):
                on = f" on {more}" if host in allowed else ""
                return f"{path.firewalls[-1]} lets it reach {host}{on}, which nothing declares for {label}"
        return ""

    def _endpoints(self, account: str) -> Iterator[Proof]:
        """Interface endpoints, and gateway endpoints."""
        label, allowed = self.ground.declared.label(account), self.ground.declared.services(account)
        says = "It is for a service that the channel table, an edge or the zone's own account needs."
        for name, place, service in self.ground.services(account):
            claim = claim_of("network.endpoint", name, place, "NET-01", says=says)
            if service in allowed:
                yield Proof(claim=claim, verdict=Verdict.HOLDS, reason=f"{service} is declared for {label}")
            elif unsaid := self._unsaid():
                yield Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=unsaid[0])
            elif not service:
                yield Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=f"{place}: its service is not known")
            else:
                way, reason = (f"anything in {label}", name, service), f"nothing declares {service} for {label}"
                yield Proof(claim=claim, verdict=Verdict.BROKEN, reason=reason, way=way)

    def _unsaid(self) -> list[str]:
        """Stacks of which nobody knows whose they are."""
        return [
            f"{stack.file}: which account it is deployed to is not known"
            for stack in self.ground.survey.templates.stacks
            if not isinstance(stack.account, str)
        ]

    def _holds(self, claim: Claim, reason: str, *interfaces: Interface) -> Proof:
        unknown = self._unsaid()
        doubts = self.ground.survey.bearing.about(_PACKETS, *interfaces)
        if unknown or doubts:
            said = unknown[0] if unknown else listed_doubts(doubts)
            return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=said)
        return Proof(claim=claim, verdict=Verdict.HOLDS, reason=reason)
