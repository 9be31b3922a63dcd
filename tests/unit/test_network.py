"""Networks out of templates: what goes past the firewall, what is open to the internet, and the hops that show it."""

# ruff: noqa: E501  (tables of templates)

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caisson.assurance.controls import CATALOGUE
from caisson.assurance.network.addresses import Address, atoms, block, internet, public, written
from caisson.assurance.network.claims import Survey
from caisson.assurance.network.traffic import ALL, Traffic
from caisson.assurance.proofs.search import Proof
from caisson.assurance.templates import read
from caisson.assurance.verdict import Verdict
from network_templates import (
    balancer,
    centrally_inspected,
    inspected,
    ref,
    resource,
    route,
    subnet,
    task,
    through,
    vpc,
)

Json = dict[str, Any]
EGRESS, EXPOSED = "network.egress: a.json/", "network.exposed: a.json/"


def proved(folder: Path, resources: Json, **sections: Any) -> dict[str, Proof]:
    (folder / "a.json").write_text(json.dumps({"Resources": resources, **sections}))
    return {proof.claim.id: proof for proof in Survey(read(folder)).proofs()}


def broken(folder: Path, resources: Json, **sections: Any) -> dict[str, str]:
    found = proved(folder, resources, **sections)
    return {name: proof.verdict.value for name, proof in found.items() if proof.verdict is not Verdict.HOLDS}


@pytest.mark.parametrize("made", [inspected, centrally_inspected])
def test_everything_passes_the_firewall(tmp_path: Path, made: Callable[[], Json]) -> None:
    found = proved(tmp_path, made())
    assert {proof.verdict for proof in found.values()} == {Verdict.HOLDS}, {k: v.reason for k, v in found.items()}
    assert f"{EGRESS}Task" in found and f"{EXPOSED}Task" in found


def edited(made: Json, **changes: Any) -> Json:
    """Resources with some replaced, added or (None) taken away."""
    found = {**copy.deepcopy(made), **changes}
    return {name: one for name, one in found.items() if one is not None}


def with_policy(**elements: Any) -> Json:
    made = inspected()
    made["FirewallPolicy"]["Properties"]["FirewallPolicy"].update(elements)
    return made


def with_rules(text: str) -> Json:
    """Rules as text instead of the list of names."""
    made = inspected()
    made["FirewallRules"]["Properties"]["RuleGroup"]["RulesSource"] = {"RulesString": text}
    return made


def in_default_order() -> Json:
    made = with_policy(StatefulEngineOptions={"RuleOrder": "DEFAULT_ACTION_ORDER"})
    del made["FirewallPolicy"]["Properties"]["FirewallPolicy"]["StatefulDefaultActions"]
    return made


def six(made: Json) -> Json:
    """With IPv6 in the subnet of the work, and a way out for it."""
    made["Work"]["Properties"]["Ipv6CidrBlock"] = "2600:1f18:0:1::/64"
    return edited(
        made, Six=resource("EC2::EgressOnlyInternetGateway", VpcId=ref("Vpc")),
        SixRoute=route("WorkTable", "::/0", EgressOnlyInternetGatewayId=ref("Six")),
    )  # fmt: skip


WAYS_PAST = {
    "nat": edited(inspected(), WorkRoute=route("WorkTable", NatGatewayId=ref("Nat"))),
    "a public address": edited(inspected(), WorkRoute=route("WorkTable", GatewayId=ref("VpcGateway")), Task=task(public=True)),
    "a more specific route": edited(inspected(), More=route("WorkTable", "8.0.0.0/8", NatGatewayId=ref("Nat"))),
    "half of the internet": edited(inspected(), More=route("WorkTable", "128.0.0.0/1", NatGatewayId=ref("Nat"))),
    "stateless pass": with_policy(StatelessDefaultActions=["aws:pass"]),
    "no default action": with_policy(StatefulDefaultActions=[]),
    "default order": in_default_order(),
    "no rules": with_policy(StatefulRuleGroupReferences=[], StatefulDefaultActions=[]),
    "pass everything": with_rules("pass ip any any -> any any (sid:1;)"),
    "pass one port": with_rules("pass tcp $HOME_NET any -> any 8443 (sid:1;)"),
    "pass by the other direction": with_rules("pass tcp any any <> $HOME_NET any (sid:1;)"),
    "drop what speaks TLS, pass the rest": with_rules("drop tls any any -> any any (sid:1;)\npass tcp any any -> any any (sid:2;)"),
    "ipv6": six(inspected()),
    "transit straight to the edge": edited(centrally_inspected(), EnterRoute=route("EnterTable", NatGatewayId=ref("Nat"))),
    "a function outside": edited(inspected(), Out=resource("Lambda::Function", Code={"ZipFile": "x"}, Role="arn:aws:iam::1:role/x")),
    "another table": edited(inspected(), WorkAssociation=resource("EC2::SubnetRouteTableAssociation", SubnetId=ref("Work"), RouteTableId=ref("InspectTable"))),
    "another subnet": edited(inspected(), Task=task("Inspect")),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS_PAST)
def test_ways_past_the_firewall(tmp_path: Path, name: str) -> None:
    found = [proof for id_, proof in proved(tmp_path, WAYS_PAST[name]).items() if id_.startswith("network.egress")]
    (proof,) = [proof for proof in found if proof.verdict is Verdict.BROKEN]
    assert proof.way[0].startswith("a.json/") and "internet" in " ".join(proof.way)
    if name not in ("a function outside",):
        assert proof.way[-1].startswith("carries ")


NO_WAY = {
    "no route": edited(inspected(), WorkRoute=None),
    "no gateway": edited(inspected(), VpcGatewayAttachment=None, EdgeRoute=None),
    "straight to the gateway without an address": edited(inspected(), WorkRoute=route("WorkTable", GatewayId=ref("VpcGateway"))),
    "a private nat": edited(inspected(), WorkRoute=route("WorkTable", NatGatewayId=ref("Nat")),
                            Nat=resource("EC2::NatGateway", SubnetId=ref("Edge"), ConnectivityType="private")),
    "block public access": edited(inspected(), WorkRoute=route("WorkTable", NatGatewayId=ref("Nat")),
                                  Block=resource("EC2::VPCBlockPublicAccessOptions", InternetGatewayBlockMode="block-bidirectional")),
    "drop all": with_rules("drop ip any any -> any any (sid:1;)"),
    "pass by name": with_rules('pass tls $HOME_NET any -> any 443 (tls.sni; content:"x.example"; startswith; endswith; sid:1;)'),
    "pass to some addresses": with_rules("pass tcp $HOME_NET any -> 198.51.100.0/24 443 (sid:1;)"),
    "alert": with_rules("alert ip any any -> any any (sid:1;)"),
    "a black hole": edited(centrally_inspected(), ToHub=resource(
        "EC2::TransitGatewayRoute", DestinationCidrBlock="0.0.0.0/0", Blackhole=True, TransitGatewayRouteTableId=ref("AtWorkTable"))),
    "peering, which does not pass on": edited(
        {**inspected(), **vpc("Other", "10.9.0.0/16"), **subnet("There", "10.9.1.0/24", "Other")},
        Peer=resource("EC2::VPCPeeringConnection", VpcId=ref("Vpc"), PeerVpcId=ref("Other")),
        WorkRoute=route("WorkTable", VpcPeeringConnectionId=ref("Peer"))),
    "a network acl that lets nothing out": edited(
        inspected(), WorkRoute=route("WorkTable", NatGatewayId=ref("Nat")), Acl=resource("EC2::NetworkAcl", VpcId=ref("Vpc")),
        AclOfWork=resource("EC2::SubnetNetworkAclAssociation", SubnetId=ref("Work"), NetworkAclId=ref("Acl"))),
    "a network acl that lets no answer in": edited(
        inspected(), WorkRoute=route("WorkTable", NatGatewayId=ref("Nat")), Acl=resource("EC2::NetworkAcl", VpcId=ref("Vpc")),
        AclOfWork=resource("EC2::SubnetNetworkAclAssociation", SubnetId=ref("Work"), NetworkAclId=ref("Acl")),
        Out=resource("EC2::NetworkAclEntry", NetworkAclId=ref("Acl"), RuleNumber=1, Egress=True, Protocol=6, RuleAction="allow",
                     CidrBlock="0.0.0.0/0", PortRange={"From": 0, "To": 65535})),
    "a security group that lets nothing out": edited(
        inspected(), WorkRoute=route("WorkTable", NatGatewayId=ref("Nat")),
        Group=resource("EC2::SecurityGroup", GroupDescription="g", VpcId=ref("Vpc"), SecurityGroupEgress=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}])),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_WAY)
def test_what_is_no_way(tmp_path: Path, name: str) -> None:
    assert broken(tmp_path, NO_WAY[name]) == {}


def test_what_is_the_same_changes_nothing(tmp_path: Path) -> None:
    """Other names, another order, routes and rules in other resources."""
    made = inspected()
    text = json.dumps(dict(reversed(made.items())))
    for name in made:
        if name != "FirewallPolicy":  # a property, too
            text = text.replace(f'"{name}"', f'"Other{name}"')
    assert broken(tmp_path, json.loads(text)) == {}
    split = edited(
        inspected(),
        WorkRoute=route("WorkTable", "0.0.0.0/1", **through()),
        WorkRoute2=route("WorkTable", "128.0.0.0/1", **through()),
    )
    assert broken(tmp_path, split) == {}


class TestExposed:
    @pytest.mark.parametrize(
        ("made", "name"),
        [
            ({**inspected(), **balancer()}, "Balancer"),
            ({**inspected(), **balancer(kind="network")}, "Balancer"),
            (edited(inspected(), Box=resource("EC2::Instance", SubnetId=ref("Edge"), SecurityGroupIds=[ref("Group")]),
                    Open=resource("EC2::SecurityGroupIngress", GroupId=ref("Group"), IpProtocol="-1", CidrIp="0.0.0.0/0")), "Box"),
            (edited(inspected(), Box=resource("EC2::Instance", SubnetId=ref("Edge"), SecurityGroupIds=[ref("Group")]),
                    Open=resource("EC2::SecurityGroupIngress", GroupId=ref("Group"), IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="198.51.100.7/32")), "Box"),
            ({"Api": resource("ApiGateway::RestApi", Name="x")}, "Api"),
            ({"Api": resource("ApiGatewayV2::Api", Name="x", ProtocolType="HTTP")}, "Api"),
            ({"Url": resource("Lambda::Url", AuthType="AWS_IAM", TargetFunctionArn="f")}, "Url"),
            ({"Api": resource("ApiGateway::RestApi", Name="x", DisableExecuteApiEndpoint=True),
              "Name": resource("ApiGateway::DomainName", DomainName="a.example"),
              "Map": resource("ApiGateway::BasePathMapping", DomainName=ref("Name"), RestApiId=ref("Api"))}, "Api"),
        ],
    )  # fmt: skip
    def test_broken(self, tmp_path: Path, made: Json, name: str) -> None:
        proof = proved(tmp_path, made)[f"{EXPOSED}{name}"]
        assert proof.verdict is Verdict.BROKEN and proof.way[0].startswith("internet")

    @pytest.mark.parametrize(
        "made",
        [
            {**inspected(), **balancer(mutual=True)},
            {**inspected(), **balancer(scheme="internal")},
            edited({**inspected(), **balancer()}, EdgeRoute=None),
            edited({**inspected(), **balancer()}, Listener=None),
            edited({**inspected(), **balancer()}, Block=resource("EC2::VPCBlockPublicAccessOptions", InternetGatewayBlockMode="block-ingress")),
            edited(inspected(), Box=resource("EC2::Instance", SubnetId=ref("Inspect"), SecurityGroupIds=[ref("Group")])),
            {"Api": resource("ApiGateway::RestApi", Name="x", EndpointConfiguration={"Types": ["PRIVATE"]})},
            {"Api": resource("ApiGateway::RestApi", Name="x", DisableExecuteApiEndpoint=True),
             "Name": resource("ApiGateway::DomainName", DomainName="a.example", MutualTlsAuthentication={"TruststoreUri": "s3://x/y"}),
             "Map": resource("ApiGateway::BasePathMapping", DomainName=ref("Name"), RestApiId=ref("Api"))},
        ],
    )  # fmt: skip
    def test_holds(self, tmp_path: Path, made: Json) -> None:
        found = proved(tmp_path, made)
        assert {p.verdict for id_, p in found.items() if id_.startswith("network.exposed")} <= {Verdict.HOLDS}

    def test_excluded_from_the_block(self, tmp_path: Path) -> None:
        made = edited(
            {**inspected(), **balancer()},
            Block=resource("EC2::VPCBlockPublicAccessOptions", InternetGatewayBlockMode="block-ingress"),
            But=resource(
                "EC2::VPCBlockPublicAccessExclusion",
                InternetGatewayExclusionMode="allow-bidirectional",
                SubnetId=ref("Edge"),
            ),
        )
        assert broken(tmp_path, made) == {f"{EXPOSED}Balancer": "broken"}


class TestUnknown:
    SECTIONS = {"Parameters": {"P": {"Type": "String"}}}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("made", "place"),
        [
            (edited(inspected(), WorkRoute=route("WorkTable", NatGatewayId=ref("P"))), "/WorkTable"),
            (edited(inspected(), More=resource("EC2::Route", RouteTableId=ref("WorkTable"), DestinationCidrBlock=ref("P"), NatGatewayId=ref("Nat"))), "/Resources/More"),
            (edited(inspected(), More=resource("EC2::VPNConnection", Type="ipsec.1")), "/Resources/More"),
            (with_rules('pass tls any any -> any any (pcre:"/x/"; sid:1;)'), "/Resources/FirewallRules"),
            (edited(inspected(), FirewallPolicy=None, Firewall=resource("NetworkFirewall::Firewall", FirewallName="f", VpcId=ref("Vpc"), FirewallPolicyArn="arn:aws:x", SubnetMappings=[{"SubnetId": ref("Inspect")}])), "/Resources/Firewall"),
        ],
    )  # fmt: skip
    def test_is_undetermined_with_its_place(self, tmp_path: Path, made: Json, place: str) -> None:
        proof = proved(tmp_path, made, **self.SECTIONS)[f"{EGRESS}Task"]
        assert proof.verdict is Verdict.UNDETERMINED
        assert place in proof.reason or f"a.json/{place.rpartition('/')[2]}" in " ".join(proof.way)

    def test_without_a_firewall_nothing_is_claimed_of_it(self, tmp_path: Path) -> None:
        made = edited(
            inspected(),
            Firewall=None,
            FirewallPolicy=None,
            FirewallRules=None,
            WorkRoute=route("WorkTable", NatGatewayId=ref("Nat")),
        )
        assert not any(name.startswith(EGRESS) for name in proved(tmp_path, made))


def test_claims_name_controls_of_the_catalogue(tmp_path: Path) -> None:
    found = proved(tmp_path, {**inspected(), **balancer()})
    assert (
        {control for proof in found.values() for control in proof.claim.controls}
        == {"NET-04", "NET-07"}
        <= set(CATALOGUE)
    )


def test_the_way_of_the_docs(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/prove.md").read_text(encoding="utf-8")
    block_ = page.partition("    network.egress: net/Task")[2].partition("\n\n")[0].splitlines()[1:]
    proof = proved(tmp_path, WAYS_PAST["nat"])[f"{EGRESS}Task"]
    assert [line.strip().removeprefix("→ ") for line in block_] == [hop.replace("a.json/", "net/") for hop in proof.way]


def test_addresses() -> None:
    assert public(Address(4, int.from_bytes(bytes([8, 8, 8, 8])))) and not public(
        Address(4, int.from_bytes(bytes([10, 0, 0, 1])))
    )
    assert [written(one) for one in atoms(block("10.0.0.0/30"), [block("10.0.0.2/31")])] == ["10.0.0.0", "10.0.0.2"]
    found = internet([block("8.0.0.0/8"), block("0.0.0.0/0")])
    assert any(one in block("8.0.0.0/8") for one in found) and any(one not in block("8.0.0.0/8") for one in found)


def test_traffic() -> None:
    web = Traffic.of("tcp", 443, 443) | Traffic.of("tcp", 80, 80)
    assert str(web) == "tcp 80, 443" and str(ALL) == "any traffic" and not web - ALL
    assert ALL - web | web == ALL and web <= ALL and not web >= ALL
