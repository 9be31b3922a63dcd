"""A deployment's zones: every mutation that opens or closes a way is noticed, with hops; harmless ones change nothing."""

# ruff: noqa: E501  (tables of templates)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caisson.assurance.controls import CATALOGUE
from caisson.assurance.network import examine
from caisson.assurance.network.declared import CARRIERS, EDGES, OWN, WAYS, declared, services
from caisson.assurance.network.traffic import TCP, Traffic
from caisson.assurance.proofs.search import Proof
from caisson.assurance.templates import read
from caisson.assurance.verdict import Verdict
from caisson.channels.table import CHANNELS, Zone
from caisson.deploy.output import write
from deployments import ZONES, aws, deployed, readings
from network_templates import ref, resource, route, subnet
from system_files import minimal, reading
from zone_templates import closed, deployment, edited, endpoint, function, passing, rule, rules, system, written, zone

Json = dict[str, Any]
ANYWHERE = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
MADE = deployment()


def proved(
    folder: Path, made: dict[str, Json], accounts: dict[str, str] | None = None, **changes: Any
) -> dict[str, Proof]:
    return {proof.claim.id: proof for proof in examine(written(folder, made, accounts), system(**changes))}


def not_held(found: dict[str, Proof]) -> dict[str, str]:
    return {name: proof.verdict.value for name, proof in found.items() if proof.verdict is not Verdict.HOLDS}


def test_the_deployment_is_as_declared(tmp_path: Path) -> None:
    found = proved(tmp_path, MADE)
    assert not_held(found) == {}
    assert {name.partition(": ")[0] for name in found} == {
        "network.egress", "network.exposed", "network.apart", "network.inside", "network.endpoint", "network.still",
    }  # fmt: skip
    assert "network.apart: runtime → network" not in found and "network.apart: network → runtime" in found
    assert {"network.still: runtime: host api.example.com", "network.still: evaluation: models"} <= set(found)
    assert {control for proof in found.values() for control in proof.claim.controls} <= set(CATALOGUE)


def names(made: dict[str, Json], *targets: str, port: str = "443") -> dict[str, Json]:
    return rules(made, passing(*targets, port=port))


def peered(made: dict[str, Json], *, back: bool = True) -> dict[str, Json]:
    """Runtime and evaluation joined, as their addresses differ."""
    found = edited(
        made, "evaluation",
        Peer=resource("EC2::VPCPeeringConnection", VpcId=ref("Vpc"), PeerVpcId=ref("RuntimeVpc"), PeerOwnerId="3" * 12),
        ToRuntime=route("WorkTable", "10.66.0.0/20", VpcPeeringConnectionId=ref("Peer")),
    )  # fmt: skip
    if back:
        found["runtime"]["ToEvaluation"] = route("WorkTable", "10.64.0.0/20", VpcPeeringConnectionId=ref("PeerId"))
    return found


def with_gateway(made: dict[str, Json], zone_: str) -> dict[str, Json]:
    gateway = {
        "Gateway": resource("EC2::InternetGateway"),
        "Attached": resource("EC2::VPCGatewayAttachment", VpcId=ref("Vpc"), InternetGatewayId=ref("Gateway")),
        "WayOut": route("WorkTable", "0.0.0.0/1", GatewayId=ref("Gateway")),
    }
    return edited(made, zone_, **gateway)


def listed_acl(made: dict[str, Json], zone_: str, *entries: tuple[bool, str, int, int]) -> dict[str, Json]:
    """A network ACL at a zone's subnet: direction, block, first and last TCP port that is allowed."""
    found = {
        "Acl": resource("EC2::NetworkAcl", VpcId=ref("Vpc")),
        "AclOfWork": resource("EC2::SubnetNetworkAclAssociation", SubnetId=ref("Work"), NetworkAclId=ref("Acl")),
    }
    for number, (egress, block, first, last) in enumerate(entries):
        found[f"Entry{number}"] = resource(
            "EC2::NetworkAclEntry", NetworkAclId=ref("Acl"), RuleNumber=100 + number, Egress=egress, Protocol=6,
            RuleAction="allow", CidrBlock=block, PortRange={"From": first, "To": last},
        )  # fmt: skip
    return edited(made, zone_, **found)


def attached(made: dict[str, Json]) -> dict[str, Json]:
    """The evaluation at the transit gateway, in the table that leads out."""
    found = edited(
        made, "evaluation",
        Tools=resource("EC2::TransitGatewayVpcAttachment", TransitGatewayId=ref("TransitId"), VpcId=ref("Vpc"), SubnetIds=[ref("Work")]),
        WorkRoute=route("WorkTable", TransitGatewayId=ref("TransitId")),
    )  # fmt: skip
    found["network"]["Transit"]["Properties"] = {}  # every attachment into the default table
    return found


def without(made: dict[str, Json], zone_: str, *taken: str) -> dict[str, Json]:
    return edited(made, zone_, **dict.fromkeys(taken))


OPENED = {
    "peering": (peered(MADE, back=False), "network.apart: evaluation → runtime", "VPCPeering|Peer"),
    "an internet gateway": (with_gateway(MADE, "runtime"), "network.inside: runtime", "runtime/Gateway"),
    "an internet gateway at the judge": (with_gateway(MADE, "evaluation"), "network.inside: evaluation", "evaluation/Gateway"),
    "another name in the firewall": (names(MADE, "api.example.com", "evil.example"), "network.inside: runtime", "evil.example"),
    "a name with all below it": (names(MADE, ".example.com"), "network.inside: runtime", ".example.com"),
    "another port of the name": (names(MADE, "api.example.com", port="any"), "network.inside: runtime", "carries tcp"),
    "a port beside": (names(MADE, "api.example.com", port="[443,8443]"), "network.inside: runtime", "carries tcp 443, 8443"),
    "addresses in the firewall": (rules(MADE, "pass tcp $HOME_NET any -> 198.51.100.0/24 443 (sid:1;)"), "network.inside: runtime", "network/Firewall"),
    "a firewall that passes everything": (rules(MADE, "pass ip any any -> any any (sid:1;)"), "network.inside: runtime", "network/Firewall"),
    "past the firewall": (edited(MADE, "network", EnterRoute=route("EnterTable", NatGatewayId=ref("Nat"))), "network.inside: runtime", "network/EnterTable"),
    "a more specific way past the firewall": (edited(MADE, "network", More=route("EnterTable", "8.0.0.0/7", NatGatewayId=ref("Nat"))), "network.inside: runtime", "8.0.0.0/7"),
    "the judge through the firewall": (attached(MADE), "network.apart: evaluation → network", "evaluation/Tools|network/AtHub"),
    "a security group that lets the network account in": (
        edited(MADE, "runtime", Open=resource("EC2::SecurityGroupIngress", GroupId=ref("ZoneGroup"), **ANYWHERE)),
        "network.apart: network → runtime", "runtime/ZoneGroup"),
    "an endpoint for another service": (edited(MADE, "evaluation", More=endpoint("bedrock-mantle")), "network.endpoint: evaluation/More", "bedrock-mantle"),
    "an endpoint for somebody's service": (
        edited(MADE, "runtime", More=endpoint("x", ServiceName="com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0")),
        "network.endpoint: runtime/More", "vpce-svc-0123456789abcdef0"),
    "sessions by another way": (edited(MADE, "evaluation", More=endpoint("ssmmessages")), "network.endpoint: evaluation/More", "ssmmessages"),
    "a queue at the control zone's expense": (edited(MADE, "evaluation", More=endpoint("secretsmanager")), "network.endpoint: evaluation/More", "secretsmanager"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPENED)
def test_what_opens_a_way_is_noticed_with_its_hops(tmp_path: Path, name: str) -> None:
    made, claim, hop = OPENED[name]
    proof = proved(tmp_path, made)[claim]
    assert proof.verdict is Verdict.BROKEN, proof.reason
    shown = " ".join((proof.reason, *proof.way))
    assert len(proof.way) >= 3 and any(one in shown for one in hop.split("|")), proof.way


CLOSED = {
    "no endpoint for models": (without(MADE, "evaluation", "BedrockRuntimeEndpoint"), "network.still: evaluation: models"),
    "no rule out": (without(MADE, "evaluation", "ToEndpoints"), "network.still: evaluation: models"),
    "no rule in": (without(MADE, "evaluation", "FromZone"), "network.still: evaluation: models"),
    "rules for other ports": (
        edited(MADE, "evaluation", ToEndpoints=rule("ZoneGroup", "EndpointGroup", egress=True, first=80, last=442),
               FromZone=rule("EndpointGroup", "ZoneGroup", egress=False, first=80, last=442)),
        "network.still: evaluation: models"),
    "a rule for another group": (edited(MADE, "runtime", FromZone=rule("EndpointGroup", "EndpointGroup", egress=False)), "network.still: runtime: channel events"),
    "no queue": (without(MADE, "runtime", "SqsEndpoint"), "network.still: runtime: channel evaluations"),
    "no table of the gateway endpoint": (
        edited(MADE, "runtime", S3=endpoint("s3", VpcEndpointType="Gateway", RouteTableIds=[], SubnetIds=ref("AWS::NoValue"), SecurityGroupIds=ref("AWS::NoValue"))),
        "network.still: runtime: channel configuration"),
    "another name in the firewall": (names(MADE, "other.example"), "network.still: runtime: host api.example.com"),
    "a firewall that drops everything": (rules(MADE, "drop ip any any -> any any (sid:1;)"), "network.still: runtime: host api.example.com"),
    "past the firewall": (edited(MADE, "network", EnterRoute=route("EnterTable", NatGatewayId=ref("Nat"))), "network.still: runtime: host api.example.com"),
    "a firewall that passes another port": (rules(MADE, "pass tcp $HOME_NET any -> any 80 (sid:1;)"), "network.still: runtime: host api.example.com"),
    "no route to the firewall": (without(MADE, "network", "EnterRoute"), "network.still: runtime: host api.example.com"),
    "no NAT": (without(MADE, "network", "InspectRoute"), "network.still: runtime: host api.example.com"),
    "no route to the transit gateway": (without(MADE, "runtime", "WorkRoute"), "network.still: runtime: host api.example.com"),
    "no association in the transit gateway": (without(MADE, "network", "ToolsIn"), "network.still: runtime: host api.example.com"),
    "a security group that lets no host be called": (without(MADE, "runtime", "ToNames"), "network.still: runtime: host api.example.com"),
    "the firewall dropped with its routes": (
        without(MADE, "network", "Firewall", "FirewallPolicy", "FirewallRules", "EnterRoute", "EdgeBack"), "network.still: runtime: host api.example.com"),
    "a network ACL without answers": (
        listed_acl(MADE, "runtime", (True, "0.0.0.0/0", 443, 443)), "network.still: runtime: host api.example.com"),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_what_closes_a_way_that_is_needed_is_noticed(tmp_path: Path, name: str) -> None:
    made, claim = CLOSED[name]
    proof = proved(tmp_path, made)[claim]
    assert proof.verdict is Verdict.BROKEN and "and gets an answer" in proof.reason


def test_endpoints_in_another_subnet_need_answers_by_both_network_acls(tmp_path: Path) -> None:
    made = edited(MADE, "evaluation", **subnet("There", "10.64.1.0/24"))
    made["evaluation"]["BedrockRuntimeEndpoint"]["Properties"]["SubnetIds"] = [ref("There")]
    made["evaluation"]["Judge"] = {**MADE["runtime"]["Function"]}
    claim = "network.still: evaluation: models"
    assert proved(tmp_path / "none", made)[claim].verdict is Verdict.HOLDS
    out = (True, "10.64.0.0/20", 443, 443)
    for number, (back, verdict) in enumerate(
        [((False, "10.64.0.0/20", 1024, 65535), Verdict.HOLDS), ((False, "10.64.0.0/20", 443, 443), Verdict.BROKEN),
         ((False, "10.65.0.0/16", 1024, 65535), Verdict.BROKEN), ((False, "10.64.0.0/20", 32768, 50000), Verdict.BROKEN)]
    ):  # fmt: skip
        found = proved(tmp_path / str(number), listed_acl(made, "evaluation", out, back))
        assert found[claim].verdict is verdict, back
    for number, (last, verdict) in enumerate([(65535, Verdict.HOLDS), (50000, Verdict.BROKEN)]):
        there = listed_acl(made, "evaluation", (False, "10.64.0.0/24", 443, 443), (True, "10.64.0.0/24", 1024, last))
        there["evaluation"]["AclOfWork"]["Properties"]["SubnetId"] = ref("There")
        assert proved(tmp_path / f"there{number}", there)[claim].verdict is verdict, last


def test_a_static_route_wins_over_one_that_is_propagated(tmp_path: Path) -> None:
    """So a black hole closes what the open security group of the runtime lets in from the network account."""
    made = OPENED["a security group that lets the network account in"][0]
    hole = resource(
        "EC2::TransitGatewayRoute",
        DestinationCidrBlock="10.66.0.0/20",
        Blackhole=True,
        TransitGatewayRouteTableId=ref("BackTable"),
    )
    claim = "network.apart: network → runtime"
    assert proved(tmp_path / "open", made)[claim].verdict is Verdict.BROKEN
    assert proved(tmp_path / "hole", edited(made, "network", Hole=hole))[claim].verdict is Verdict.HOLDS


def test_a_host_has_the_port_of_its_address(tmp_path: Path) -> None:
    identity = {"issuer": {"url": "https://api.example.com:8443", "audience": "x"}, "groups": {"users": {}}}
    claim = "network.still: runtime: host api.example.com"
    moved = names(MADE, "api.example.com", port="8443")
    assert proved(tmp_path / "a", moved, identity=identity)[claim].verdict is Verdict.BROKEN  # the group lets 443 out
    more = {"More": resource("EC2::SecurityGroupEgress", GroupId=ref("ZoneGroup"), **ANYWHERE)}
    found = proved(tmp_path / "b", edited(moved, "runtime", **more), identity=identity)
    assert found[claim].verdict is found["network.inside: runtime"].verdict is Verdict.HOLDS
    found = proved(tmp_path / "c", edited(MADE, "runtime", **more), identity=identity)
    assert found[claim].verdict is found["network.inside: runtime"].verdict is Verdict.BROKEN  # 443 is not declared


def test_a_host_is_reached_on_each_of_its_ports(tmp_path: Path) -> None:
    """A tool and the issuer at one name: both ports must pass, and may."""
    tools = {
        "pay": {
            "kind": "http",
            "url": "https://api.example.com:8443/x",
            "operations": {"status": {"class": "read_only"}},
        }
    }
    claim = "network.still: runtime: host api.example.com"
    more = {"More": resource("EC2::SecurityGroupEgress", GroupId=ref("ZoneGroup"), **ANYWHERE)}
    both = passing("api.example.com") + "\n" + passing("api.example.com", port="8443").replace("sid:1;", "sid:2;")
    found = proved(tmp_path / "a", edited(rules(MADE, both), "runtime", **more), tools=tools)
    assert found[claim].verdict is found["network.inside: runtime"].verdict is Verdict.HOLDS
    assert proved(tmp_path / "b", edited(MADE, "runtime", **more), tools=tools)[claim].verdict is Verdict.BROKEN


HARMLESS = {
    "another order": {name: dict(reversed(made.items())) for name, made in reversed(MADE.items())},
    "one route as two": edited(MADE, "runtime", WorkRoute=route("WorkTable", "0.0.0.0/1", TransitGatewayId=ref("TransitId")),
                               WorkRoute2=route("WorkTable", "128.0.0.0/1", TransitGatewayId=ref("TransitId"))),
    "rules in the group itself": edited(
        without(MADE, "evaluation", "ToEndpoints", "FromZone"), "evaluation",
        EndpointGroup=resource("EC2::SecurityGroup", GroupDescription="e", VpcId=ref("Vpc"), SecurityGroupIngress=[
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "SourceSecurityGroupId": ref("ZoneGroup")}]),
        To=rule("ZoneGroup", "EndpointGroup", egress=True)),
    "a zone with the same addresses": {**MADE, "ingestion": without({"x": zone()}, "x", "BedrockRuntimeEndpoint")["x"]},
    "peering that no route uses": edited(MADE, "evaluation", Peer=resource(
        "EC2::VPCPeeringConnection", VpcId=ref("Vpc"), PeerVpcId=ref("RuntimeVpc"))),
    "rules that only alert": rules(MADE, 'alert ip any any -> any any (sid:1;)\n' + passing("api.example.com").replace("sid:1;", "sid:2;") + ''),
    "a rule that says the same": edited(MADE, "evaluation", **closed("More"), Again=rule("EndpointGroup", "ZoneGroup", egress=False)),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_changes_change_nothing(tmp_path: Path, name: str) -> None:
    assert not_held(proved(tmp_path, HARMLESS[name])) == {}


@pytest.mark.parametrize("callers", [("config",), ("events",), ("config", "events"), ()], ids=str)
def test_what_aws_config_alone_asks_runs_no_zone(tmp_path: Path, callers: tuple[str, ...]) -> None:
    """It reaches no model and need not; whatever else calls it too runs something of the zone."""
    made = function()
    made["Properties"]["VpcConfig"]["SecurityGroupIds"] = [ref("Alone")]
    asks = {
        f"Asks{caller}": resource(
            "Lambda::Permission", FunctionName={"Fn::GetAtt": ["Asked", "Arn"]}, Action="lambda:InvokeFunction",
            Principal=f"{caller}.amazonaws.com",
        )
        for caller in callers
    }  # fmt: skip
    found = proved(tmp_path, edited(MADE, "evaluation", Asked=made, **closed("Alone"), **asks))
    verdict = Verdict.HOLDS if callers == ("config",) else Verdict.BROKEN
    assert found["network.still: evaluation: models"].verdict is verdict


def test_other_names_change_nothing(tmp_path: Path) -> None:
    text = json.dumps(MADE["evaluation"])
    for name in ("Work", "ZoneGroup", "EndpointGroup", "BedrockRuntimeEndpoint"):
        text = text.replace(f'"{name}', f'"Other{name}')
    assert not_held(proved(tmp_path, {**MADE, "evaluation": json.loads(text)})) == {}


def test_networks_of_an_account_that_the_file_does_not_name(tmp_path: Path) -> None:
    numbers = {**aws()["accounts"], "evaluation": "888888888888"}
    found = not_held(proved(tmp_path, MADE, numbers))
    assert found == {"network.endpoint: evaluation/BedrockRuntimeEndpoint": "broken"}


def test_accounts_that_the_folder_does_not_say(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"Resources": zone()}))
    found = {proof.claim.id: proof for proof in examine(read(tmp_path), system())}
    (inside,) = [proof for name, proof in found.items() if name.startswith("network.inside")]
    assert inside.verdict is Verdict.UNDETERMINED and "account" in inside.reason


@pytest.mark.parametrize(
    "more",
    [
        {"More": resource("EC2::VPNConnection", Type="ipsec.1")},
        {"More": resource("VpcLattice::ServiceNetworkVpcAssociation", VpcIdentifier=ref("Vpc"))},
    ],
)  # fmt: skip
def test_what_is_not_modelled_holds_nothing(tmp_path: Path, more: Json) -> None:
    found = proved(tmp_path, edited(MADE, "evaluation", **more))
    for claim in ("network.apart: evaluation → runtime", "network.inside: evaluation"):
        assert found[claim].verdict is Verdict.UNDETERMINED and "/Resources/More" in found[claim].reason


def test_a_way_out_of_the_templates_holds_nothing(tmp_path: Path) -> None:
    """The peering connection of a route stands in none of them."""
    out = route("WorkTable", "0.0.0.0/0", VpcPeeringConnectionId="pcx-0123456789abcdef0")
    found = proved(tmp_path, edited(MADE, "evaluation", More=out))
    for claim in ("network.apart: evaluation → runtime", "network.inside: evaluation"):
        assert found[claim].verdict is Verdict.UNDETERMINED and "pcx-0123456789abcdef0" in " ".join(found[claim].way)


def test_a_service_that_nobody_knows(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    written(folder, MADE)
    path = folder / "templates/evaluation.json"
    more = {"More": endpoint("x", ServiceName=ref("Name"))}
    said = json.loads(path.read_text())
    path.write_text(
        json.dumps({"Resources": {**said["Resources"], **more}, "Parameters": {"Name": {"Type": "String"}}})
    )
    found = {proof.claim.id: proof for proof in examine(read(folder), system())}
    assert found["network.endpoint: evaluation/More"].verdict is Verdict.UNDETERMINED


# -- what is declared ---------------------------------------------------------------------------------------------------


def test_every_channel_has_a_service_that_its_row_names() -> None:
    said = {"sqs": "SQS", "events": "EventBridge", "s3": "TUF", "secretsmanager": "Secrets Manager", "aoss": "index"}
    assert set(CARRIERS) == set(CHANNELS)
    assert all(said[CARRIERS[name]] in channel.aws for name, channel in CHANNELS.items())


def test_services_are_those_of_the_channel_table_and_the_edges() -> None:
    assert services("evaluation") - OWN == {"sqs", "events", "bedrock", "bedrock-runtime", "config"}
    assert services("ingestion") - OWN == {"sqs", "events", "aoss"}
    assert "secretsmanager" not in services("ingestion") and services("network") == services("elsewhere") == frozenset()
    assert set(EDGES) <= {zone_.label for zone_ in Zone} and {one for pair in WAYS for one in pair} <= set(ZONES)


def test_what_a_file_declares() -> None:
    found = declared(system(judge=None))
    assert (
        found is not None
        and found.invoking == ("runtime",)
        and found.hosts == {"api.example.com": Traffic.of(TCP, 443, 443)}
    )
    assert declared(reading(minimal()).require()) is None
    shared = declared(system(aws=aws(ingestion="3" * 12)))
    assert shared is not None and shared.label("3" * 12) == "runtime-ingestion" and shared.label("9") == "account 9"


@pytest.mark.parametrize("name", ["every-key"])
def test_what_synth_writes_keeps_every_claim(tmp_path: Path, name: str) -> None:
    made = deployed(name)
    write(tmp_path / "out", made.files, made.manifest)
    found = examine(read(tmp_path / "out"), readings()[name].require())
    assert [proof for proof in found if proof.verdict is not Verdict.HOLDS] == []


def test_the_page_names_every_claim_and_counts_the_mutations(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/prove-network.md").read_text(encoding="utf-8")
    kinds = {name.partition(": ")[0] for name in proved(tmp_path, MADE)}
    assert all(f"`{kind}" in page for kind in kinds)
    assert f"each of {len(OPENED)} mutations that open a way and {len(CLOSED)} that close one" in page
