"""Network Firewall: strict order, TLS inspection, and only the file's hosts (row S50).

- One firewall an availability zone under one policy. The endpoints of a firewall in several zones come in no known
  order (AWS::NetworkFirewall::Firewall, EndpointIds), so a route could not name that of its own zone.
- Only TCP is asked about: the default actions drop what is in a connection, and a datagram needs none.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_networkfirewall as nfw

from caisson.deploy.destinations import destinations
from caisson.deploy.egress_zone.addresses import ANYWHERE, RUNTIME, TOOLS
from caisson.deploy.egress_zone.rules import CAPACITY, RUNTIME_NET, TOOLS_NET, rules
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies.statement import Parameter
from caisson.deploy.stacks import Built

ROWS = ("S50",)
TCP = 6
DROP = ("aws:drop_established", "aws:alert_established")


def authority(land: Landscape) -> Parameter:
    """The certificate authority whose key the firewall signs with, imported into ACM of the network account."""
    prefix = f"arn:{land.partition}:acm:{land.region}:{land.accounts['network']}:certificate/"
    return Parameter(
        name="EgressAuthority",
        description="ARN in ACM of the certificate authority that TLS inspection signs with",
        pattern=f"^{prefix}[0-9a-f-]{{36}}$",
        example=prefix + "f" * 36,
    )


def firewalls(built: Built, land: Landscape, vpc: Any, subnets: list[Any], *, runtime: bool, tools: bool) -> list[Any]:
    """A firewall in each subnet."""
    home = [RUNTIME] * runtime + [TOOLS] * tools
    policy = _policy(built, land, home, runtime=runtime, tools=tools)
    made = []
    for number, place in enumerate(subnets, start=1):
        firewall = nfw.CfnFirewall(
            built.stack, f"Firewall{number}", firewall_name=land.names.of(f"egress-{number}"),
            firewall_policy_arn=policy.attr_firewall_policy_arn, vpc_id=vpc.ref,
            subnet_mappings=[nfw.CfnFirewall.SubnetMappingProperty(subnet_id=place.ref)],
            delete_protection=True, subnet_change_protection=True, firewall_policy_change_protection=True,
        )  # fmt: skip
        built.carries(firewall, ROWS)
        made.append(firewall)
    return made


def _policy(built: Built, land: Landscape, home: list[str], *, runtime: bool, tools: bool) -> Any:
    sets = {"HOME_NET": home} | ({RUNTIME_NET: [RUNTIME]} if runtime else {}) | ({TOOLS_NET: [TOOLS]} if tools else {})
    hosts = nfw.CfnRuleGroup(
        built.stack, "FirewallHosts", rule_group_name=land.names.of("egress-hosts"), type="STATEFUL",
        capacity=CAPACITY, description="Hosts of the system file",
    )  # fmt: skip
    hosts.add_property_override(
        "RuleGroup",
        {
            "RuleVariables": {"IPSets": {name: {"Definition": one} for name, one in sets.items()}},
            "RulesSource": {"RulesString": rules(destinations(land.system), runtime=runtime)},
            "StatefulRuleOptions": {"RuleOrder": "STRICT_ORDER"},
        },
    )
    tcp = nfw.CfnRuleGroup(
        built.stack, "FirewallTcp", rule_group_name=land.names.of("egress-tcp"), type="STATELESS", capacity=1,
        description="TCP is asked about",
    )  # fmt: skip
    match = {"Actions": ["aws:forward_to_sfe"], "MatchAttributes": {"Protocols": [TCP]}}
    only = {"StatelessRules": [{"Priority": 1, "RuleDefinition": match}]}
    tcp.add_property_override("RuleGroup", {"RulesSource": {"StatelessRulesAndCustomActions": only}})
    inspection = _inspection(built, land, home)
    policy = nfw.CfnFirewallPolicy(
        built.stack, "FirewallPolicy", firewall_policy_name=land.names.of("egress"),
        firewall_policy=nfw.CfnFirewallPolicy.FirewallPolicyProperty(
            stateless_default_actions=["aws:drop"], stateless_fragment_default_actions=["aws:drop"]
        ),
    )  # fmt: skip
    for name, said in {
        "PolicyVariables": {"RuleVariables": {"HOME_NET": {"Definition": home}}},
        "StatelessRuleGroupReferences": [{"Priority": 1, "ResourceArn": tcp.attr_rule_group_arn}],
        "StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER", "StreamExceptionPolicy": "DROP"},
        "StatefulDefaultActions": list(DROP),
        "StatefulRuleGroupReferences": [{"Priority": 1, "ResourceArn": hosts.attr_rule_group_arn}],
        "TLSInspectionConfigurationArn": inspection.attr_tls_inspection_configuration_arn,
        "EnableTLSSessionHolding": True,
    }.items():
        policy.add_property_override(f"FirewallPolicy.{name}", said)
    for resource in (hosts, tcp, inspection, policy):
        built.carries(resource, ROWS)
    return policy


def _inspection(built: Built, land: Landscape, home: list[str]) -> Any:
    """TLS from here to any address is opened on the ports of the file's hosts."""
    ports = sorted({found.port for found in destinations(land.system)})
    made = nfw.CfnTLSInspectionConfiguration(
        built.stack, "FirewallTls", tls_inspection_configuration_name=land.names.of("egress"),
        description="What is said inside TLS",
        tls_inspection_configuration=nfw.CfnTLSInspectionConfiguration.TLSInspectionConfigurationProperty(),
    )  # fmt: skip
    opened = {
        "CertificateAuthorityArn": cdk.Fn.ref(authority(land).name),
        # many authorities answer no question about revocation any more, so unknown passes
        "CheckCertificateRevocationStatus": {"RevokedStatusAction": "REJECT", "UnknownStatusAction": "PASS"},
        "Scopes": [
            {
                "Protocols": [TCP],
                "Sources": [{"AddressDefinition": one} for one in home],
                "SourcePorts": [{"FromPort": 0, "ToPort": 65535}],
                "Destinations": [{"AddressDefinition": ANYWHERE}],
                "DestinationPorts": [{"FromPort": one, "ToPort": one} for one in ports],
            }
        ],
    }
    made.add_property_override("TLSInspectionConfiguration.ServerCertificateConfigurations", [opened])
    return made
