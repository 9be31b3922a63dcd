"""What a system file and the channel table say of a deployment's network: zones, ways between them, services.

Every channel is carried by a service of AWS, so no zone sends packets to another. A zone reaches the services of the
channels that it writes or reads, its edges to the outside (`EDGES`), and what it keeps in its own account. The
network account is no zone: what leaves through the firewall leaves there, for the hosts of tools and of the issuer.

>>> sorted(services("evaluation") - OWN)
['bedrock', 'bedrock-runtime', 'config', 'events', 'sqs']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from caisson.assurance.network.traffic import TCP, Traffic
from caisson.channels.table import CHANNELS, Channel, Zone
from caisson.system.schema import System

NETWORK = "network"
"""Account of the firewall."""
CARRIERS = {
    "events": "sqs",
    "evaluations": "sqs",
    "requests": "sqs",
    "findings": "events",
    "proposals": "events",
    "configuration": "s3",
    "orders": "s3",
    "secrets": "secretsmanager",
    "indexes": "aoss",
}
"""Channel to the service that carries it on AWS, as endpoints are named."""
EDGES: Mapping[str, frozenset[str]] = {
    "runtime": frozenset({"bedrock", "bedrock-runtime", "config"}),
    "evaluation": frozenset({"bedrock", "bedrock-runtime", "config"}),
}
"""Zone to services outside of the channel table that it is there to use: models, settings of its account, and rules."""
OWN = frozenset({"dynamodb", "ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "s3", "sts"})
"""Services that hold what a zone has in its own account. Whose data they give is for policies to say."""
HTTPS = 443
WAYS = frozenset({("runtime", NETWORK)})
"""Pairs of accounts of which the first may send packets to the second: tools, through the firewall."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What the network of a deployment is to be."""

    zones: Mapping[str, tuple[str, ...]]
    """Account to its zones, `network` among them, in the order of the file; without the management account."""
    invoking: tuple[str, ...]
    """Zones that must reach a model."""
    hosts: Mapping[str, Traffic] = field(default_factory=dict)
    """Names on the internet that the runtime reaches, each on its TCP ports: those of tools and of the issuer."""
    tools: Mapping[str, Traffic] = field(default_factory=dict)
    """Those of tools, which what runs a tool in the network account reaches, too."""

    def label(self, account: str) -> str:
        """What an account is for: `runtime`, `runtime-evaluation`; an account that the file does not name says so."""
        return "-".join(self.zones.get(account, ())) or f"account {account}"

    def allows(self, sender: str, receiver: str) -> bool:
        """Whether one account may send packets to another."""
        return any((one, other) in WAYS for one in self.zones.get(sender, ()) for other in self.zones.get(receiver, ()))

    def destinations(self, account: str) -> Mapping[str, Traffic]:
        """Names on the internet that something in an account may reach through the firewall, and on which ports."""
        zones = self.zones.get(account, ())
        return {**(self.tools if NETWORK in zones else {}), **(self.hosts if "runtime" in zones else {})}

    def services(self, account: str) -> frozenset[str]:
        """Services that endpoints in an account may be for."""
        return frozenset[str]().union(*(services(zone) for zone in self.zones.get(account, ())))

    def channels(self, account: str) -> list[Channel]:
        """Channels that something in an account writes or reads."""
        return [one for one in CHANNELS.values() if any(_uses(zone, one) for zone in self.zones.get(account, ()))]


def declared(system: System) -> Declared | None:
    """What a system file declares; None without section `aws`."""
    if system.aws is None:
        return None
    zones: dict[str, tuple[str, ...]] = {}
    accounts = dict(system.aws.accounts)
    for zone, account in accounts.items():
        if zone != "management" and account != accounts["management"]:
            zones[account] = (*zones.get(account, ()), zone)
    invoking = ("runtime", "evaluation") if system.judge is not None else ("runtime",)
    tools = [tool.url for tool in system.tools.values()]
    issuer = [system.identity.issuer.url] if system.identity.issuer is not None else []
    return Declared(zones=zones, invoking=invoking, hosts=_hosts([*tools, *issuer]), tools=_hosts(tools))


def _hosts(urls: Iterable[object]) -> dict[str, Traffic]:
    found: dict[str, Traffic] = {}
    for one in (urlsplit(str(url)) for url in urls):
        host, port = str(one.hostname).lower(), one.port or HTTPS
        found[host] = found.get(host, Traffic()) | Traffic.of(TCP, port, port)
    return found


def services(zone: str) -> frozenset[str]:
    """Services that a zone's endpoints may be for; none for what is no zone."""
    if zone not in {one.label for one in Zone}:
        return frozenset()
    carried = {CARRIERS[name] for name, channel in CHANNELS.items() if _uses(zone, channel)}
    return OWN | carried | EDGES.get(zone, frozenset())


def _uses(zone: str, channel: Channel) -> bool:
    return zone in {one.label for one in (*channel.writers, *channel.readers)}
