"""Network Firewall out of templates: firewalls, policies, rule groups.

- Lists of domains match connections from `HOME_NET` only, which is the firewall's own VPC unless the group says
  otherwise (Network Firewall developer guide, stateful-rule-groups-domain-names).
- In default order an allow-list drops other TLS and HTTP, and nothing else: whoever speaks another protocol passes.
- Rules as text are read as far as `suricata` knows them. A rule that is not understood is a doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from caisson.assurance.network.addresses import EVERYTHING, Block, block
from caisson.assurance.network.model import About, Firewall, FirewallRule, Vpc
from caisson.assurance.network.reading import Reading, at, listed
from caisson.assurance.network.suricata import Misunderstood, Variables, parsed, ports, rule_of
from caisson.assurance.network.traffic import ALL, NUMBERS, REST, TCP, Traffic
from caisson.assurance.templates import Resource, integer, known

FILTERS = About.FILTERS
POLICY, RULES = "AWS::NetworkFirewall::FirewallPolicy", "AWS::NetworkFirewall::RuleGroup"
DROPS = frozenset({"aws:drop_strict", "aws:drop_established", "aws:drop_established_app_layer"})
_STATELESS = {"aws:pass": "pass", "aws:drop": "drop", "aws:forward_to_sfe": "forward"}


def firewalls(reading: Reading, vpcs: Mapping[str, Vpc]) -> dict[str, Firewall]:
    """Every firewall with what its policy says."""
    found = {}
    for resource in reading.of(About.ROUTES, "AWS::NetworkFirewall::Firewall"):
        vpc = reading.id_of(at(resource, "VpcId"), "AWS::EC2::VPC")
        if at(resource, "TransitGatewayId") is not None:
            reading.doubt(About.ROUTES, resource, "a firewall at a transit gateway is not modelled", "TransitGatewayId")
        places = [one.get("SubnetId") for one in listed(at(resource, "SubnetMappings")) if isinstance(one, dict)]
        subnets = [reading.id_of(one, "AWS::EC2::Subnet") for one in places]
        policy = reading.target(at(resource, "FirewallPolicyArn"), POLICY)
        own = vpcs[vpc].blocks if vpc in vpcs else ()
        made = Firewall(
            id=resource.name, vpc=vpc, subnets=tuple(subnets), stateless=(), stateless_default="pass", strict=True,
            stateful=(), drops=False, place=resource.place,
        )  # fmt: skip
        if policy is None:
            reading.doubt(FILTERS, resource, "its policy is not in the templates", "FirewallPolicyArn")
        else:
            made = _with_policy(reading, made, policy, own)
        found[resource.name] = made
    return found


def _with_policy(reading: Reading, made: Firewall, policy: Resource, own: tuple[Block, ...]) -> Firewall:
    path = ("FirewallPolicy",)
    order = reading.text(FILTERS, policy, *path, "StatefulEngineOptions", "RuleOrder", default="DEFAULT_ACTION_ORDER")
    strict = order == "STRICT_ORDER"
    variables = _variables(reading, policy, {"HOME_NET": own}, *path, "PolicyVariables", "RuleVariables")
    defaults = listed(at(policy, *path, "StatefulDefaultActions"))
    stateful: list[FirewallRule] = []
    for group in _groups(reading, policy, "StatefulRuleGroupReferences", by_priority=strict):
        stateful += _stateful(reading, group, variables, strict=strict)
    stateless: list[FirewallRule] = []
    for group in _groups(reading, policy, "StatelessRuleGroupReferences", by_priority=True):
        stateless += _stateless(reading, group)
    actions = [
        _STATELESS.get(str(one))
        for name in ("StatelessDefaultActions", "StatelessFragmentDefaultActions")
        for one in listed(at(policy, *path, name))
        if str(one) in _STATELESS
    ]
    default = "pass" if "pass" in actions or not actions else "forward" if "forward" in actions else "drop"
    return replace(
        made, stateless=tuple(stateless), stateless_default=str(default), strict=strict, stateful=tuple(stateful),
        drops=strict and any(str(one) in DROPS for one in defaults),
    )  # fmt: skip


def _groups(reading: Reading, policy: Resource, name: str, *, by_priority: bool) -> Iterator[Resource]:
    """Rule groups of a policy, in their order."""
    held = [one for one in listed(at(policy, "FirewallPolicy", name)) if isinstance(one, dict)]
    if by_priority:
        held.sort(key=lambda one: integer(one.get("Priority")) or 0)
    for one in held:
        if isinstance(one.get("Override"), dict):
            continue  # DROP_TO_ALERT: its drops do nothing, and what passes is passed by others
        group = reading.target(one.get("ResourceArn"), RULES)
        if group is None:
            reading.doubt(
                FILTERS, policy, f"its rule group {str(one.get('ResourceArn'))[:100]} is not in the templates"
            )
        else:
            yield group


def _variables(reading: Reading, resource: Resource, held: Variables, *path: str) -> Variables:
    """Sets of addresses by name, those of a resource over those that are there."""
    found = dict(held)
    for name, value in (at(resource, *path) or {}).items() if isinstance(at(resource, *path), dict) else ():
        blocks: list[Block] = []
        for one in listed(value.get("Definition") if isinstance(value, dict) else None):
            try:
                blocks.append(block(one))
            except (ValueError, AttributeError):
                reading.doubt(FILTERS, resource, "the addresses of this variable are not known", *path, name)
        found[name] = tuple(blocks)
    return found


def _stateful(reading: Reading, group: Resource, variables: Variables, *, strict: bool) -> Iterator[FirewallRule]:
    path = ("RuleGroup", "RulesSource")
    if at(group, "RuleGroup", "ReferenceSets") is not None:
        reading.doubt(FILTERS, group, "sets that are referred to are not modelled", "RuleGroup", "ReferenceSets")
    variables = _variables(reading, group, variables, "RuleGroup", "RuleVariables", "IPSets")
    if at(group, "RuleGroup", "RuleVariables", "PortSets") is not None:
        reading.doubt(FILTERS, group, "sets of ports are not modelled", "RuleGroup", "RuleVariables", "PortSets")
    if isinstance(at(group, *path, "RulesSourceList"), dict):
        yield from _domains(reading, group, variables, strict=strict)
    for index, one in enumerate(listed(at(group, *path, "StatefulRules"))):
        yield from _tuple(reading, group, one, variables, index)
    text = at(group, *path, "RulesString")
    if text is not None and not isinstance(text, str):
        reading.doubt(FILTERS, group, "its rules are not known", *path, "RulesString")
    for line, said in parsed(text if isinstance(text, str) else ""):
        try:
            found = rule_of(said, variables, group.at(*path, "RulesString"))
        except Misunderstood as error:
            reading.doubt(FILTERS, group, f"line {line} is not understood: {error}", *path, "RulesString")
            continue
        if found is not None:
            yield found


def _domains(reading: Reading, group: Resource, variables: Variables, *, strict: bool) -> Iterator[FirewallRule]:
    path = ("RuleGroup", "RulesSource", "RulesSourceList")
    targets = listed(at(group, *path, "Targets"))
    kind = reading.text(FILTERS, group, *path, "GeneratedRulesType")
    if not known(targets):
        reading.doubt(FILTERS, group, "its domains are not known", *path, "Targets")
    names = frozenset(str(one).lower() for one in targets)
    rule = FirewallRule(
        action="pass", sources=variables.get("HOME_NET", ()), targets=EVERYTHING, traffic=Traffic.of(TCP),
        domains=names, place=group.at(*path),
    )  # fmt: skip
    if kind == "ALLOWLIST":
        yield rule
        if not strict:  # other names are dropped, but only where the protocol is TLS or HTTP
            yield replace(rule, action="drop", domains=None, partial=True)
    elif kind in ("DENYLIST", "REJECTLIST"):
        yield replace(rule, action="drop")
    elif kind != "ALERTLIST":
        reading.doubt(FILTERS, group, "its kind is not known", *path, "GeneratedRulesType")


def _tuple(reading: Reading, group: Resource, one: Any, variables: Variables, index: int) -> Iterator[FirewallRule]:
    path = ("RuleGroup", "RulesSource", "StatefulRules", index)
    header = one.get("Header") if isinstance(one, dict) else None
    if not isinstance(header, dict) or not known(header):
        reading.doubt(FILTERS, group, "this rule is not known", *path)
        return
    words = [str(header.get(name, "")) for name in ("Protocol", "Source", "SourcePort")]
    arrow = "<>" if header.get("Direction") == "ANY" else "->"
    action = str(one.get("Action", "")).lower()
    line = " ".join([action, *words, arrow, str(header.get("Destination")), str(header.get("DestinationPort"))])
    options = []
    for option in listed(one.get("RuleOptions")):
        settings = [str(each) for each in listed(option.get("Settings"))]
        options.append(option.get("Keyword", "") + (":" + ",".join(settings) if settings else "") + ";")
    try:
        found = rule_of(f"{line} ({' '.join(options)})", variables, group.at(*path))
    except Misunderstood as error:
        reading.doubt(FILTERS, group, f"this rule is not understood: {error}", *path)
        return
    if found is not None:
        yield found


def _stateless(reading: Reading, group: Resource) -> Iterator[FirewallRule]:
    path = ("RuleGroup", "RulesSource", "StatelessRulesAndCustomActions", "StatelessRules")
    rules = [one for one in listed(at(group, *path)) if isinstance(one, dict)]
    for index, one in enumerate(sorted(rules, key=lambda rule: integer(rule.get("Priority")) or 0)):
        definition = one.get("RuleDefinition")
        found = _stateless_rule(group, definition) if isinstance(definition, dict) and known(definition) else None
        if found is None:
            reading.doubt(FILTERS, group, "a stateless rule is not understood", *path, index)
        else:
            yield found


def _stateless_rule(group: Resource, definition: dict[str, Any]) -> FirewallRule | None:
    match = definition.get("MatchAttributes")
    action = next((_STATELESS[str(one)] for one in listed(definition.get("Actions")) if str(one) in _STATELESS), None)
    if not isinstance(match, dict) or action is None:
        return None
    try:
        sides = [
            tuple(block(one["AddressDefinition"]) for one in listed(match.get(name))) or EVERYTHING
            for name in ("Sources", "Destinations")
        ]
        traffic = _stateless_traffic(match)
    except (KeyError, TypeError, ValueError):
        return None
    narrow = bool(match.get("TCPFlags") or match.get("SourcePorts"))
    partial = narrow and action == "drop"
    return FirewallRule(
        action=action, sources=sides[0], targets=sides[1], traffic=Traffic() if partial else traffic, place=group.at(),
    )  # fmt: skip


def _stateless_traffic(match: dict[str, Any]) -> Traffic:
    listed_ports = [(integer(one["FromPort"]), integer(one["ToPort"])) for one in listed(match.get("DestinationPorts"))]
    found = Traffic()
    protocols = listed(match.get("Protocols"))
    if not protocols:
        return ALL if not listed_ports else ports(ALL, [pair for pair in listed_ports if None not in pair])
    for number in protocols:
        name = NUMBERS.get(str(number), REST)
        for first, last in listed_ports or [(0, 65535)]:
            if first is None or last is None:
                raise ValueError("a port is no number")
            found |= Traffic.of(name, first, last)
    return found
