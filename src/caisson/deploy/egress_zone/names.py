"""DNS Firewall: a network resolves the names that it needs, and no other (row S50).

A query carries data out where packets cannot, since the resolver of the VPC asks whoever answers for a name. What is
not listed has no answer (NODATA). A VPC fails closed unless a person sets it otherwise (Resolver developer guide,
resolver-dns-firewall-vpc-configuration); CloudFormation has no type that could.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_route53resolver as resolver

from caisson.deploy.landscape import Landscape
from caisson.deploy.stacks import Built

PRIORITY = 101
"""First one that a group of ours may have (API reference, AssociateFirewallRuleGroup)."""


def endpoint_names(services: Sequence[str], region: str) -> list[str]:
    """Names of endpoints, as their private hosted zones have them.

    >>> endpoint_names(["com.amazonaws.eu-west-1.ecr.api"], "eu-west-1")
    ['api.ecr.eu-west-1.amazonaws.com', '*.api.ecr.eu-west-1.amazonaws.com']
    """
    found = []
    for service in services:
        words = service.removeprefix(f"com.amazonaws.{region}.").split(".")
        name = ".".join([*reversed(words), region, "amazonaws.com"])
        found += [name, f"*.{name}"]
    return found


def endpoints_of(built: Built, land: Landscape) -> list[str]:
    """Names of every endpoint of a stack."""
    made = [one for one in built.stack.node.children if isinstance(one, ec2.CfnVPCEndpoint)]
    return endpoint_names([str(one.service_name) for one in made], land.region)


def names_allowed(built: Built, land: Landscape, what: str, vpc: Any, names: Sequence[str]) -> None:
    """Lists, rules, and the VPC that they are for."""
    id_ = "".join(word.capitalize() for word in what.split("-"))
    lists = [
        resolver.CfnFirewallDomainList(
            built.stack, f"{id_}Names{kind}", name=land.names.of(f"{what}-names-{kind.lower()}", longest=64),
            domains=list(held),
        )
        for kind, held in (("Allowed", names), ("Others", ["*"]))
    ]  # fmt: skip
    group = resolver.CfnFirewallRuleGroup(
        built.stack, f"{id_}Names", name=land.names.of(f"{what}-names", longest=64),
        firewall_rules=[
            # a host's own aliases are its owner's to choose
            resolver.CfnFirewallRuleGroup.FirewallRuleProperty(
                action="ALLOW", priority=1, firewall_domain_list_id=lists[0].attr_id,
                firewall_domain_redirection_action="TRUST_REDIRECTION_DOMAIN",
            ),
            resolver.CfnFirewallRuleGroup.FirewallRuleProperty(
                action="BLOCK", block_response="NODATA", priority=2, firewall_domain_list_id=lists[1].attr_id
            ),
        ],
    )  # fmt: skip
    joined = resolver.CfnFirewallRuleGroupAssociation(
        built.stack, f"{id_}NamesJoined", firewall_rule_group_id=group.attr_id, priority=PRIORITY, vpc_id=vpc.ref,
        name=land.names.of(f"{what}-names", longest=64),
    )  # fmt: skip
    for resource in (*lists, group, joined):
        built.carries(resource, ("S50",))
