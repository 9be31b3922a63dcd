"""What a deployment's network must let through, so that one without any way keeps no promise (NET-01, NET-04).

- What invokes models reaches their endpoint.
- What writes or reads a channel reaches the endpoint of the service that carries it.
- What calls a tool, or asks the issuer, reaches its host through the firewall.

Each is asked of the workloads of an account: at least one must. Where an account has none in the templates, models and
hosts are asked of what could stand in its subnets with one of its security groups; channels of nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from caisson.assurance.network.claims import claim_of, listed_doubts
from caisson.assurance.network.declared import CARRIERS, NETWORK
from caisson.assurance.network.ground import Ground
from caisson.assurance.network.model import About, Interface, Role
from caisson.assurance.network.paths import End
from caisson.assurance.network.reach import answered_between, between, elsewhere, outgoing
from caisson.assurance.network.traffic import TCP, Traffic
from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.search import Proof
from caisson.assurance.verdict import Verdict

HTTPS = Traffic.of(TCP, 443, 443)
MODELS = "bedrock-runtime"
_PACKETS = frozenset({About.ROUTES, About.FILTERS})


@dataclass
class Needs:
    """Claims about what must still work."""

    ground: Ground

    def proofs(self) -> Iterator[Proof]:
        """Each claim with its verdict."""
        declared = self.ground.declared
        egress = any(NETWORK in declared.zones.get(account, ()) for account in self.ground.subnets)
        for account in self.ground.subnets:
            workers = self.ground.workers(account)
            senders = workers or [one for subnet in self.ground.subnets[account] for one in self.ground.guarded(subnet)]
            if any(zone in declared.invoking for zone in declared.zones.get(account, ())):
                yield self._service(account, "models", MODELS, senders)
            for channel in declared.channels(account) if workers else ():
                yield self._service(account, f"channel {channel.name}", CARRIERS[channel.name], senders)
            for host, traffic in sorted(declared.destinations(account).items()) if egress else ():
                yield self._host(account, host, traffic, senders)

    def _service(self, account: str, what: str, service: str, senders: list[Interface]) -> Proof:
        says = f"What needs it still reaches an endpoint of {service}."
        claim = self._claim(account, what, "NET-01", says)
        network = self.ground.survey.network
        ends = [one for one in self.ground.interfaces(account) if one.role is Role.ENDPOINT and one.service == service]
        for sender in senders:
            for end in ends:
                for path in between(network, sender, end):
                    if not HTTPS - path.traffic and answered_between(network, sender, path):
                        return self._found(claim, path.hops)
            tables = {network.subnets[id_].table for id_ in sender.subnets if id_ in network.subnets}
            for gateway in self.ground.gateways(account):
                if self.ground.service(gateway) == service and tables & set(self.ground.tables(gateway)):
                    return self._found(claim, (sender.id, gateway.name))
        return self._none(claim, f"an endpoint of {service} on {HTTPS}", account, senders)

    def _host(self, account: str, host: str, traffic: Traffic, senders: list[Interface]) -> Proof:
        says = "What needs it still reaches it through the firewall."
        claim = self._claim(account, f"host {host}", "NET-04", says)
        network = self.ground.survey.network
        everywhere = elsewhere(network)
        for sender in senders:
            missing = traffic
            for path in outgoing(network, sender, everywhere):
                if path.end is not End.INTERNET or not path.firewalls:
                    continue
                if path.domains is None or _covers(path.domains, host):
                    missing -= path.traffic
                    if not missing:
                        return self._found(claim, path.hops)
        return self._none(claim, f"{host} on {traffic} through a firewall", account, senders)

    def _claim(self, account: str, what: str, control: str, says: str) -> Claim:
        label = self.ground.declared.label(account)
        return claim_of("network.still", f"{label}: {what}", self.ground.place(account), control, says=says)

    def _found(self, claim: Claim, hops: tuple[str, ...]) -> Proof:
        doubts = self.ground.survey.bearing.against(hops)
        if doubts:
            return Proof(claim=claim, verdict=Verdict.UNDETERMINED, reason=listed_doubts(doubts))
        return Proof(claim=claim, verdict=Verdict.HOLDS, reason=f"the way {' → '.join(hops)}")

    def _none(self, claim: Claim, what: str, account: str, senders: list[Interface]) -> Proof:
        reason = f"nothing in {self.ground.declared.label(account)} reaches {what} and gets an answer"
        doubts = self.ground.survey.bearing.about(_PACKETS, *senders)
        if doubts:
            reason = f"{reason}, unless what is not known helps: {listed_doubts(doubts)}"
        return Proof(claim=claim, verdict=Verdict.UNDETERMINED if doubts else Verdict.BROKEN, reason=reason)


def _covers(names: frozenset[str], host: str) -> bool:
    """Whether a list of names has a host; `.example.com` has every host below example.com."""
    return host in names or any(name.startswith(".") and host.endswith(name) for name in names)
