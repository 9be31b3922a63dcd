"""What an unknown bears on: which answers depend on it.

A rule bears on its group, an association on its two ends, a rule group on every firewall whose policy has it. A way
that is found against a claim is one whatever an unknown is that bears on nothing of the way, or that can only let more
through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from caisson.assurance.network.model import About, Doubt, Interface, Network
from caisson.assurance.templates import Reference, Resource, Symbol, Templates, symbols

_CARRIED = frozenset(
    {"AWS::NetworkFirewall::RuleGroup", "AWS::NetworkFirewall::FirewallPolicy", "AWS::EC2::PrefixList"}
)
"""Types that mean something only through what names them."""
_WHOLE = frozenset({"AWS::EC2::VPC", "AWS::EC2::TransitGateway"})
"""Types that nearly everything names, which says nothing."""
_LINKS_WHOLE = frozenset({"AWS::EC2::VPCGatewayAttachment", "AWS::EC2::VPCCidrBlock"})


@dataclass
class Bearing:
    """The doubts of a network, and what each bears on."""

    templates: Templates
    network: Network
    _names: dict[Doubt, frozenset[str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if not self.network.doubts:
            return
        by_name = {one.name: one for one in self.templates.resources()}
        named = {name: _named(self.templates, one) for name, one in by_name.items()}
        naming: dict[str, list[Resource]] = {}
        for one in by_name.values():
            for target in named[one.name]:
                naming.setdefault(target, []).append(one)
        for doubt in self.network.doubts:
            waiting = [by_name[doubt.resource]] if doubt.resource in by_name else _at(doubt, by_name.values())
            found: set[str] = set()
            while waiting:
                one = waiting.pop()
                if one.name in found:
                    continue
                ends = {
                    name
                    for name in named[one.name]
                    if one.type in _LINKS_WHOLE or (name in by_name and by_name[name].type not in _WHOLE)
                }
                found |= {one.name, *ends}
                if one.type in _CARRIED:
                    waiting += naming.get(one.name, [])
            self._names[doubt] = frozenset(found)

    def about(self, kinds: Iterable[About], *interfaces: Interface) -> list[Doubt]:
        """What is not known of routes and firewalls anywhere, and of the filters that concern some interfaces."""
        held = frozenset(kinds)
        near = {name for one in interfaces for name in self._around(one)}
        others = {*self.network.interfaces, *self.network.groups, *self.network.acls} - near
        found = []
        for doubt in self.network.doubts:
            names = self._names[doubt]
            apart = doubt.about is not About.ROUTES and names & others and not names & near
            if doubt.about in held and not apart:
                found.append(doubt)
        return found

    def against(self, hops: Iterable[str], *interfaces: Interface) -> list[Doubt]:
        """What is not known and stands on a way, so that the way may be none."""
        text = " ".join(hops)
        there = {name for one in interfaces for name in self._around(one)}
        there |= {subnet.acl for subnet in self.network.subnets.values() if subnet.acl and _says(text, subnet.id)}
        return [
            doubt
            for doubt in self.network.doubts
            if not doubt.adds
            and (not self._names[doubt] or any(name in there or _says(text, name) for name in self._names[doubt]))
        ]

    def _around(self, interface: Interface) -> Iterator[str]:
        yield interface.id
        yield from interface.groups or ()
        for id_ in interface.subnets:
            if (subnet := self.network.subnets.get(id_)) is not None and subnet.acl:
                yield subnet.acl


def _named(templates: Templates, resource: Resource) -> set[str]:
    """Resources that a resource's properties name, by id, ARN or attribute."""
    found = {f"{one.stack}/{one.id}" for one in symbols(resource.properties) if isinstance(one, Reference)}
    waiting: list[Any] = [resource.properties]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, (str, Symbol)) and (target := templates.find(one)) is not None:
            found.add(target.name)
    return found - {resource.name}


def _at(doubt: Doubt, resources: Iterable[Resource]) -> list[Resource]:
    """Resources that stand where a problem does."""
    parts = doubt.place.pointer.split("/")
    if len(parts) < 3 or parts[1] != "Resources":
        return []
    return [one for one in resources if one.id == parts[2] and one.place.file == doubt.place.file]


def _says(text: str, name: str) -> bool:
    """Whether hops name a resource."""
    return re.search(rf"(?<![\w/.-]){re.escape(name)}(?!\w)", text) is not None
