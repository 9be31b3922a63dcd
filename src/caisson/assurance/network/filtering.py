"""Security groups, network ACLs and block public access out of templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from caisson.assurance.network.addresses import EVERYTHING, Block
from caisson.assurance.network.model import (
    About,
    Acl,
    AclRule,
    Group,
    GroupRule,
    PublicAccess,
    Vpc,
)
from caisson.assurance.network.reading import Reading, at, block_of, reference_in
from caisson.assurance.network.traffic import ALL, ICMP, ICMP6, NUMBERS, REST, TCP, UDP, Traffic
from caisson.assurance.templates import Resource, Value, integer

ROUTES, FILTERS = About.ROUTES, About.FILTERS
VPC, SUBNET = "AWS::EC2::VPC", "AWS::EC2::Subnet"


def _protocol(value: Any, first: int | None, last: int | None) -> Traffic | None:
    """Traffic of a rule; None where it cannot be read. -1 is everything, as ports are of no matter then."""
    if not isinstance(value, str):
        return None
    name = {**NUMBERS, "icmp": ICMP, "icmpv6": ICMP6, "tcp": TCP, "udp": UDP}.get(value.lower())
    if value == "-1":
        return ALL
    if name is None:
        return Traffic.of(REST) if value.isdigit() else None
    if first is None or first == -1:
        return Traffic.of(name)
    if name in (ICMP, ICMP6):
        return Traffic.of(name, first, first)
    return Traffic.of(name, first, first if last is None else last)


def acls(reading: Reading) -> dict[str, Acl]:
    rules: dict[str, list[AclRule]] = {}
    for resource in reading.of(FILTERS, "AWS::EC2::NetworkAclEntry"):
        acl = reading.id_of(at(resource, "NetworkAclId"))
        reading.joins(FILTERS, resource, NetworkAclId=("AWS::EC2::NetworkAcl",))
        number = integer(at(resource, "RuleNumber"))
        ports = at(resource, "PortRange") or {}
        icmp = at(resource, "Icmp", "Type")
        first = integer(icmp if icmp is not None else ports.get("From") if isinstance(ports, dict) else None)
        last = integer(ports.get("To")) if isinstance(ports, dict) else None
        traffic = _protocol(at(resource, "Protocol"), first, last)
        action = reading.text(FILTERS, resource, "RuleAction")
        blocks = [reading.block(FILTERS, resource, name) for name in ("CidrBlock", "Ipv6CidrBlock")]
        if number is None or traffic is None or action not in ("allow", "deny") or not any(blocks):
            reading.doubt(FILTERS, resource, "its number, protocol, action or addresses are not known")
            continue
        egress = reading.flag(FILTERS, resource, "Egress", default=False)
        for one in blocks:
            if one is not None:
                rule = AclRule(number=number, egress=egress, allow=action == "allow", block=one, traffic=traffic)
                rules.setdefault(acl, []).append(rule)
    return {
        resource.name: Acl(
            id=resource.name, rules=tuple(sorted(rules.get(resource.name, ()), key=lambda rule: rule.number))
        )
        for resource in reading.of(FILTERS, "AWS::EC2::NetworkAcl")
    }


def groups(reading: Reading, vpcs: dict[str, Vpc], lists: dict[str, tuple[Block, ...]]) -> dict[str, Group]:
    """Security groups with their rules."""
    return _with_rules(reading, _without_rules(reading, vpcs), lists)


def _without_rules(reading: Reading, vpcs: dict[str, Vpc]) -> dict[str, Group]:
    """Security groups without rules, and the default one of each VPC, which allows itself and everything out."""
    found = {}
    for resource in reading.of(FILTERS, "AWS::EC2::SecurityGroup"):
        found[resource.name] = Group(id=resource.name, vpc=reading.id_of(at(resource, "VpcId"), VPC))
    for vpc in vpcs.values():
        id_ = default_group(vpc.id)
        rules = (
            GroupRule(egress=True, traffic=ALL, blocks=EVERYTHING, place=vpc.place),
            GroupRule(egress=False, traffic=ALL, group=id_, place=vpc.place),
        )
        found[id_] = Group(id=id_, vpc=vpc.id, rules=rules)
    return found


def default_group(vpc: str) -> str:
    """What the default security group of a VPC is called here."""
    return f"{vpc}.DefaultSecurityGroup"


def _with_rules(reading: Reading, groups: dict[str, Group], lists: dict[str, tuple[Block, ...]]) -> dict[str, Group]:
    rules: dict[str, list[GroupRule]] = {}
    lifted: set[str] = set()
    for resource in reading.of(FILTERS, "AWS::EC2::SecurityGroup"):
        for name, egress in (("SecurityGroupIngress", False), ("SecurityGroupEgress", True)):
            value = at(resource, name)
            if value is not None and not isinstance(value, list):
                reading.doubt(FILTERS, resource, f"its {name} is not known", name, adds=True)
            for index, entry in enumerate(value if isinstance(value, list) else ()):
                found = _rule(reading, resource, entry, lists, (name, index), egress=egress)
                rules.setdefault(resource.name, []).extend(found)
            if egress and value:
                lifted.add(resource.name)
    for type_, egress in (("AWS::EC2::SecurityGroupIngress", False), ("AWS::EC2::SecurityGroupEgress", True)):
        for resource in reading.of(FILTERS, type_):
            id_ = reading.id_of(at(resource, "GroupId"))
            if id_ not in groups:
                id_ = _default_of(at(resource, "GroupId")) or id_
            if id_ not in groups:
                reading.doubt(FILTERS, resource, "its security group is not in the templates", "GroupId", adds=True)
            rules.setdefault(id_, []).extend(_rule(reading, resource, resource.properties, lists, (), egress=egress))
    made = {}
    for id_, group in groups.items():
        own = [*group.rules, *rules.get(id_, ())]
        # Only egress rules of the group itself take away the rule that lets everything out; that rules beside it do, is
        # not documented (CloudFormation user guide, AWS::EC2::SecurityGroup).
        if not group.rules and id_ not in lifted:
            place = next(one.place for one in reading.templates.resources() if one.name == id_)
            own.append(GroupRule(egress=True, traffic=ALL, blocks=EVERYTHING, place=place))
        made[id_] = Group(id=id_, vpc=group.vpc, rules=tuple(own))
    return made


def _default_of(value: Value) -> str:
    found = reference_in(value, VPC, "DefaultSecurityGroup")
    return default_group(f"{found.stack}/{found.id}") if found is not None else ""


def _rule(
    reading: Reading, resource: Resource, entry: Any, lists: dict[str, tuple[Block, ...]], path: tuple[str | int, ...],
    *, egress: bool,
) -> Iterator[GroupRule]:  # fmt: skip
    if not isinstance(entry, dict):
        reading.doubt(FILTERS, resource, "this rule is not known", *path, adds=True)
        return
    ports = entry.get("FromPort"), entry.get("ToPort")
    traffic = _protocol(entry.get("IpProtocol"), integer(ports[0]), integer(ports[1]))
    if traffic is None or any(port is not None and integer(port) is None for port in ports):
        reading.doubt(FILTERS, resource, "the protocol or ports of this rule are not known", *path, adds=True)
        return
    side = "Destination" if egress else "Source"
    place = resource.at(*path)
    for name in ("CidrIp", "CidrIpv6"):
        if (value := entry.get(name)) is not None:
            found = block_of(value)
            if found is None:
                reading.doubt(FILTERS, resource, "the addresses of this rule are not known", *path, name, adds=True)
            else:
                yield GroupRule(egress=egress, traffic=traffic, blocks=(found,), place=place)
    if (value := entry.get(f"{side}SecurityGroupId")) is not None:
        group = _default_of(value) or reading.id_of(value)
        if reading.target(value, "AWS::EC2::SecurityGroup") is None and not _default_of(value):
            reading.doubt(FILTERS, resource, "the group of this rule is not in the templates", *path, adds=True)
        yield GroupRule(egress=egress, traffic=traffic, group=group, place=place)
    if (value := entry.get(f"{side}PrefixListId")) is not None:
        id_ = reading.id_of(value)
        if id_ in lists:
            yield GroupRule(egress=egress, traffic=traffic, blocks=lists[id_], place=place)
        else:
            reading.doubt(FILTERS, resource, "the prefix list of this rule is not in the templates", *path, adds=True)
    if entry.get("SourceSecurityGroupName") is not None:
        name = "SourceSecurityGroupName"
        reading.doubt(FILTERS, resource, "a group by name is not modelled", *path, name, adds=True)


def access(reading: Reading) -> dict[str, PublicAccess]:
    found: dict[str, PublicAccess] = {}
    excluded: dict[str, dict[str, bool]] = {}
    for resource in reading.of(ROUTES, "AWS::EC2::VPCBlockPublicAccessExclusion"):
        reading.joins(ROUTES, resource, VpcId=(VPC,), SubnetId=(SUBNET,))
        both = reading.text(ROUTES, resource, "InternetGatewayExclusionMode") == "allow-bidirectional"
        for name in ("VpcId", "SubnetId"):
            if (value := at(resource, name)) is not None:
                excluded.setdefault(reading.account_of(resource), {})[reading.id_of(value)] = both
    for resource in reading.templates.resources("AWS::EC2::VPCBlockPublicAccessOptions"):
        if resource.condition:  # nothing is blocked by what may not exist
            reading.doubt(ROUTES, resource, f"whether it exists depends on {resource.condition}")
            continue
        account = reading.account_of(resource)
        mode = reading.text(ROUTES, resource, "InternetGatewayBlockMode")
        if mode in ("block-bidirectional", "block-ingress"):
            found[account] = PublicAccess(
                blocks_egress=mode == "block-bidirectional", excluded=excluded.get(account, {})
            )
    return found
