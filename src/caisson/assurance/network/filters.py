"""What security groups, network ACLs and firewalls let through, for one source and one target address. Pure.

- Security groups allow, and remember connections: answers need no rule (VPC user guide, vpc-security-groups).
- Network ACLs go by number, first match decides, nothing is remembered (vpc-network-acls).
- Network Firewall asks stateless rules first, then stateful ones in strict order, or in default order: pass, then drop
  (network-firewall, suricata-rule-evaluation-order).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from caisson.assurance.network.addresses import Address
from caisson.assurance.network.model import Acl, Firewall, FirewallRule, Interface, Network
from caisson.assurance.network.traffic import ALL, NOTHING, Traffic


@dataclass(frozen=True, kw_only=True)
class Packet:
    """From where to where."""

    source: Address
    target: Address


@dataclass(frozen=True, kw_only=True)
class Passed:
    """What a firewall lets through."""

    traffic: Traffic
    domains: frozenset[str] | None = None
    """Only to these names, as TLS or HTTP say them; None for any."""


def by_groups(network: Network, here: Interface, there: Interface | None, other: Address, *, egress: bool) -> Traffic:
    """What the security groups of an interface let out to, or in from, another one at an address.

    Args:
        there: None for what is no interface of the templates.
    """
    if here.groups is None:
        return ALL
    found = NOTHING
    for id_ in here.groups:
        group = network.groups.get(id_)
        for rule in group.rules if group is not None else ():
            if rule.egress is not egress:
                continue
            named = bool(rule.group) and there is not None and rule.group in (there.groups or ())
            if named or any(other in one for one in rule.blocks):
                found |= rule.traffic
    return found


def by_acl(acl: Acl | None, other: Address, *, egress: bool) -> Traffic:
    """What a network ACL lets out to, or in from, an address."""
    if acl is None:
        return ALL
    left, allowed = ALL, NOTHING
    for rule in acl.rules:
        if rule.egress is not egress or other not in rule.block:
            continue
        if rule.allow:
            allowed |= left & rule.traffic
        left -= rule.traffic
    return allowed


def by_firewall(firewall: Firewall, packet: Packet) -> list[Passed]:
    """What a firewall lets through, each part with the names that it is limited to."""
    found: list[Passed] = []
    left, asked = ALL, NOTHING
    for rule in firewall.stateless:
        part = left & _matched(rule, packet)
        if rule.action == "pass":
            found.append(Passed(traffic=part))
        elif rule.action == "forward":
            asked |= part
        left -= part
    if firewall.stateless_default == "pass":
        found.append(Passed(traffic=left))
    elif firewall.stateless_default == "forward":
        asked |= left
    found += _stateful(firewall, packet, asked)
    return [one for one in found if one.traffic]


def _stateful(firewall: Firewall, packet: Packet, asked: Traffic) -> list[Passed]:
    rules: Iterable[FirewallRule] = firewall.stateful
    if not firewall.strict:
        rules = sorted(firewall.stateful, key=lambda rule: rule.action != "pass")
    found: list[Passed] = []
    left = asked
    for rule in rules:
        part = left & _matched(rule, packet)
        if not part:
            continue
        if rule.action == "pass":
            found.append(Passed(traffic=part, domains=rule.domains))
            if rule.domains is None and not rule.partial:
                left -= part
        elif rule.domains is None and not rule.partial:
            left -= part  # a drop by name stops only who says that name
    if not firewall.drops:
        found.append(Passed(traffic=left))
    return found


def _matched(rule: FirewallRule, packet: Packet) -> Traffic:
    def between(source: Address, target: Address) -> bool:
        return any(source in one for one in rule.sources) and any(target in one for one in rule.targets)

    if between(packet.source, packet.target) or (rule.both_ways and between(packet.target, packet.source)):
        return rule.traffic
    return NOTHING
