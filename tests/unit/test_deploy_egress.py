"""The one way to the internet: walked in both directions in each availability zone, and every opening is noticed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from caisson.assurance.network import examine
from caisson.assurance.network.addresses import Address, block
from caisson.assurance.network.building import network
from caisson.assurance.network.filters import Packet
from caisson.assurance.network.ground import anything
from caisson.assurance.network.model import Via
from caisson.assurance.network.paths import End, paths
from caisson.assurance.network.reach import elsewhere, outgoing
from caisson.assurance.proofs.search import Proof
from caisson.assurance.templates import read
from caisson.assurance.verdict import Verdict
from caisson.deploy.destinations import HOSTS_MAX, destinations, unreachable
from caisson.deploy.egress_zone.names import endpoint_names
from caisson.deploy.egress_zone.rules import rules
from caisson.deploy.output import write
from caisson.deploy.synthesis import Deployment, synthesize
from caisson.errors import SystemFileError
from deployments import aws, deployed, readings, template
from system_files import minimal, reading

Json = dict[str, Any]
Change = Callable[[Json], None]
EGRESS = "templates/caisson-claims-eu-egress.json"
RUNTIME = "templates/caisson-claims-eu-runtime.json"
TOOL = {"kind": "http", "url": "https://pay.example.com:8443", "operations": {"status": {"class": "read_only"}}}
ISSUER = {"issuer": {"url": "https://idp.example.com", "audience": "x"}, "groups": {"users": {}}}
BODY_BYTES_MAX = 51_200
"""Longest template that is sent whole (CloudFormation API reference, CreateChangeSet)."""


def edited(folder: Path, changes: dict[str, Change]) -> dict[str, Proof]:
    """Verdicts on the example with a function among the tools and templates changed."""
    found = deployed("example")
    files = dict(found.files)
    for name, change in {EGRESS: lambda _: None, **changes}.items():
        made = json.loads(files[name])
        if name == EGRESS:
            made["Resources"]["Function"] = {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"ZipFile": "x"},
                    "Role": "arn:aws:iam::666666666666:role/x",
                    "VpcConfig": {
                        "SubnetIds": [{"Ref": "ToolSubnet1"}, {"Ref": "ToolSubnet2"}],
                        "SecurityGroupIds": [{"Fn::GetAtt": ["ToolGroup", "GroupId"]}],
                    },
                },
            }
        change(made["Resources"])
        files[name] = json.dumps(made)
    write(folder / "out", files, found.manifest)
    return {one.claim.id: one for one in examine(read(folder / "out"), readings()["example"].require())}


@cache
def made(folder: str) -> Any:
    found = deployed("example")
    write(Path(folder), found.files, found.manifest)
    return network(read(Path(folder)))


def said(resources: Json, name: str, *path: str) -> Json:
    """The mapping at a path of a resource's properties."""
    held = resources[name]["Properties"]
    for key in path:
        held = held[key]
    return dict(held) if not isinstance(held, dict) else held


def with_gateway(resources: Json) -> None:
    """An internet gateway at the tool network, a route to it and public addresses."""
    resources["Gateway"] = {"Type": "AWS::EC2::InternetGateway"}
    resources["Attached"] = {
        "Type": "AWS::EC2::VPCGatewayAttachment",
        "Properties": {"VpcId": {"Ref": "ToolVpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
    }
    resources["Nat"] = copy.deepcopy(resources["Nat1"])
    resources["Nat"]["Properties"]["SubnetId"] = {"Ref": "ToolTransitSubnet1"}
    for id_, table, target in (
        ("Direct", "ToolSubnet1Routes", {"NatGatewayId": {"Ref": "Nat"}}),
        ("Beyond", "ToolTransitSubnet1Routes", {"GatewayId": {"Ref": "Gateway"}}),
    ):
        resources[id_] = {
            "Type": "AWS::EC2::Route",
            "Properties": {"RouteTableId": {"Ref": table}, "DestinationCidrBlock": "0.0.0.0/1", **target},
        }


def no_block(resources: Json) -> None:
    with_gateway(resources)
    del resources["PublicAccessBlocked"]


def past(resources: Json) -> None:
    held = resources["Enter2"]["Properties"]
    del held["VpcEndpointId"]
    held["NatGatewayId"] = {"Ref": "Nat2"}


def default_order(resources: Json) -> None:
    said(resources, "FirewallPolicy", "FirewallPolicy", "StatefulEngineOptions")["RuleOrder"] = "DEFAULT_ACTION_ORDER"


def no_drop(resources: Json) -> None:
    said(resources, "FirewallPolicy", "FirewallPolicy")["StatefulDefaultActions"] = ["aws:alert_established"]


def datagrams(resources: Json) -> None:
    said(resources, "FirewallPolicy", "FirewallPolicy")["StatelessDefaultActions"] = ["aws:pass"]


def any_domain(resources: Json) -> None:
    source = said(resources, "FirewallHosts", "RuleGroup", "RulesSource")
    source["RulesString"] += "\npass tls any any -> any any (sid:99;)"


def another(resources: Json) -> None:
    source = said(resources, "FirewallHosts", "RuleGroup", "RulesSource")
    source["RulesString"] = source["RulesString"].replace("idp.example.com", "evil.example")


def gone(*names: str) -> Change:
    def change(resources: Json) -> None:
        for name in names:
            del resources[name]

    return change


FUNCTION = "network.egress: caisson-claims-eu-egress/Function"
HOST = "network.still: runtime: host payments.example.com"
BROKEN: dict[str, tuple[dict[str, Change], str]] = {
    "a direct route from the tool network": ({EGRESS: no_block}, FUNCTION),
    "past the firewall in one zone": ({EGRESS: past}, FUNCTION),
    "no strict order": ({EGRESS: default_order}, FUNCTION),
    "no default drop": ({EGRESS: no_drop}, "network.inside: runtime"),
    "datagrams": ({EGRESS: datagrams}, "network.inside: runtime"),
    "any domain": ({EGRESS: any_domain}, FUNCTION),
    "a host that nothing declares": ({EGRESS: another}, "network.inside: runtime"),
    "the issuer is not let through": ({EGRESS: another}, "network.still: runtime: host idp.example.com"),
    "no way to the firewall": ({EGRESS: gone("TransitOut")}, HOST),
    "no NAT": ({EGRESS: gone("Inspected1", "Inspected2")}, HOST),
    "the runtime without a route": ({RUNTIME: gone("ToFirewall")}, HOST),
}


def test_every_claim_holds(tmp_path: Path) -> None:
    found = edited(tmp_path, {})
    assert {one.verdict for one in found.values()} == {Verdict.HOLDS}
    assert {FUNCTION, HOST, "network.inside: runtime", "network.still: runtime: host idp.example.com"} <= set(found)


@pytest.mark.parametrize("name", BROKEN)
def test_what_opens_or_closes_a_way_is_noticed(tmp_path: Path, name: str) -> None:
    changes, claim = BROKEN[name]
    proof = edited(tmp_path, changes)[claim]
    assert proof.verdict is Verdict.BROKEN, proof.reason


def test_block_public_access_stops_a_gateway_that_somebody_adds(tmp_path: Path) -> None:
    assert edited(tmp_path, {EGRESS: with_gateway})[FUNCTION].verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("stack", "subnet", "names"),
    [
        ("egress", "ToolSubnet", {"payments.example.com"}),
        ("runtime", "Subnet", {"payments.example.com", "idp.example.com"}),
    ],
)
def test_the_way_out_passes_the_firewall_of_its_zone(
    tmp_path_factory: pytest.TempPathFactory, stack: str, subnet: str, names: set[str]
) -> None:
    walked = made(str(tmp_path_factory.getbasetemp() / "egress-out"))
    for number in (1, 2):
        start = walked.subnets[f"caisson-claims-eu-{stack}/{subnet}{number}"]
        found = list(outgoing(walked, anything(start), elsewhere(walked)))
        assert found and {path.end for path in found} == {End.INTERNET}
        assert {name for path in found for name in path.domains or {"anything"}} == names
        assert all(path.translated for path in found)
        for path in found:
            (wall,) = path.firewalls
            zone = wall[-1]
            text = " ".join(path.hops)
            assert f"caisson-claims-eu-egress/Nat{zone} in caisson-claims-eu-egress/PublicSubnet{zone}" in text


def test_answers_pass_the_same_firewall(tmp_path_factory: pytest.TempPathFactory) -> None:
    walked = made(str(tmp_path_factory.getbasetemp() / "egress-out"))
    for number in (1, 2):
        public = walked.subnets[f"caisson-claims-eu-egress/PublicSubnet{number}"].id
        wall = f"caisson-claims-eu-egress/Firewall{number}"
        for target in ("10.64.0.10", "10.64.16.10"):
            answer = Packet(source=_address("198.51.100.7"), target=_address(target))
            matching = [route for route in walked.tables[f"{public}Routes"].routes if answer.target in route.to[0]]
            route = min(matching, key=lambda one: one.to[0].size)
            assert (route.via, route.target) == (Via.FIREWALL, wall)
            inspected = walked.subnets[f"caisson-claims-eu-egress/FirewallSubnet{number}"].id
            back = list(paths(walked, inspected, answer, "answer"))
            assert back and all(one.end is End.SUBNET and "TransitInward" in " ".join(one.hops) for one in back)


def _address(text: str) -> Address:
    found = block(f"{text}/32")
    return Address(found.version, found.first)


def test_attachments_do_not_reach_each_other(tmp_path_factory: pytest.TempPathFactory) -> None:
    walked = made(str(tmp_path_factory.getbasetemp() / "egress-out"))
    packet = Packet(source=_address("10.64.0.10"), target=_address("10.64.16.10"))
    (path,) = paths(walked, "caisson-claims-eu-runtime/Subnet1", packet, "runtime")
    assert path.end is End.NOWHERE and "black hole" in path.hops[-1]


def test_only_the_inspection_vpc_has_a_gateway_and_appliance_mode() -> None:
    resources = template("example", "egress")["Resources"]
    (gateway,) = [one for one in resources.values() if one["Type"] == "AWS::EC2::VPCGatewayAttachment"]
    assert gateway["Properties"]["VpcId"] == {"Ref": "InspectionVpc"}
    modes = {
        name: one["Properties"]["Options"]["ApplianceModeSupport"]
        for name, one in resources.items()
        if one["Type"] == "AWS::EC2::TransitGatewayVpcAttachment"
    }
    assert modes == {"InspectionAttachment": "enable", "ToolAttachment": "disable"}
    assert resources["PublicAccessBlocked"]["Properties"] == {"InternetGatewayBlockMode": "block-bidirectional"}
    excluded = [one for one in resources.values() if one["Type"] == "AWS::EC2::VPCBlockPublicAccessExclusion"]
    assert [one["Properties"]["VpcId"] for one in excluded] == [{"Ref": "InspectionVpc"}]
    assert {one["Properties"]["InternetGatewayExclusionMode"] for one in excluded} == {"allow-egress"}


def test_the_gateway_is_shared_with_the_runtime_alone_and_routes_nothing_by_itself() -> None:
    resources = template("example", "egress")["Resources"]
    share = resources["TransitShare"]["Properties"]
    assert (share["Principals"], share["AllowExternalPrincipals"]) == (["222222222222"], False)
    gateway = resources["Transit"]["Properties"]
    assert gateway["DefaultRouteTableAssociation"] == gateway["DefaultRouteTablePropagation"] == "disable"
    alone = _synthesized(identity=ISSUER, tier=1, aws=aws(network="3" * 12))
    held = json.loads(alone.files["templates/caisson-tiny-egress.json"])["Resources"]
    assert "TransitShare" not in held
    assert held["Transit"]["Properties"]["AutoAcceptSharedAttachments"] == "disable"


def test_names_are_allowed_one_by_one() -> None:
    for part, prefix, names in (
        ("egress", "Tools", ["payments.example.com"]),
        ("runtime", "Runtime", ["payments.example.com", "idp.example.com", *endpoint_names(
            [f"com.amazonaws.eu-west-1.{one}" for one in ("bedrock-runtime", "s3", "dynamodb", "sts", "sqs")],
            "eu-west-1")]),
    ):  # fmt: skip
        resources = template("example", part)["Resources"]
        assert resources[f"{prefix}NamesAllowed"]["Properties"]["Domains"] == names
        first, last = resources[f"{prefix}Names"]["Properties"]["FirewallRules"]
        assert (first["Action"], first["FirewallDomainListId"]["Fn::GetAtt"][0]) == ("ALLOW", f"{prefix}NamesAllowed")
        assert (last["Action"], last["BlockResponse"]) == ("BLOCK", "NODATA")
        assert first["Priority"] < last["Priority"]
        assert resources[f"{prefix}NamesOthers"]["Properties"]["Domains"] == ["*"]


def test_everything_is_recorded_for_a_year_under_a_key() -> None:
    resources = template("example", "egress")["Resources"]
    groups = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::Logs::LogGroup"}
    assert set(groups) == {"QueriesLog", "FlowsLog", "FirewallAlertLog", "FirewallFlowLog", "FirewallTlsLog"}
    assert all(one["RetentionInDays"] == 365 and one["KmsKeyId"] for one in groups.values())
    for number in (1, 2):
        configured = resources[f"Firewall{number}Logs"]["Properties"]["LoggingConfiguration"]["LogDestinationConfigs"]
        assert {one["LogType"] for one in configured} == {"ALERT", "FLOW", "TLS"}
    for vpc in ("InspectionVpc", "ToolVpc"):
        assert {f"FlowsOf{vpc}", f"QueriesOf{vpc}"} <= set(resources)


def test_a_host_has_a_rule_for_the_handshake_and_one_for_the_request() -> None:
    found = destinations(reading(minimal(identity=ISSUER, tools={"pay": TOOL})).require())
    assert [(one.host, one.port, one.reason) for one in found] == [
        ("pay.example.com", 8443, "tool pay"), ("idp.example.com", 443, "issuer"),
    ]  # fmt: skip
    both, alone = rules(found, runtime=True).splitlines(), rules(found, runtime=False).splitlines()
    assert both[0] == (
        'pass tls [$RUNTIME_NET,$TOOLS_NET] any -> $EXTERNAL_NET 8443 (tls.sni; content:"pay.example.com"; startswith; '
        'endswith; nocase; flow:to_server; msg:"tool pay"; sid:1; rev:1;)'
    )
    assert both[3].startswith("pass http [$RUNTIME_NET] any -> $EXTERNAL_NET 443 (http.host;")
    assert len(both) == 4 and len(alone) == 2 and not any("RUNTIME_NET" in one for one in alone)


def _synthesized(**changes: Any) -> Deployment:
    return synthesize(reading(minimal(**{"aws": aws(), **changes})))


def test_without_tools_there_is_no_tool_network_and_without_hosts_no_stack() -> None:
    issuer = deployed("every-key")
    assert "ToolVpc" not in template("every-key", "egress")["Resources"]
    assert "no tool" in json.loads(issuer.files["rows.missing.json"])["S48"]
    none = deployed("three-accounts")
    missing = json.loads(none.files["rows.missing.json"])
    assert all("nothing has a way to the internet" in missing[row] for row in ("S48", "S49", "S50", "S51"))
    assert not any("egress" in stack["part"] for stack in none.manifest["stacks"])
    assert "EgressGateway" not in template("three-accounts", "runtime").get("Parameters", {})


def test_as_many_hosts_as_are_taken_fit_into_a_template() -> None:
    def many(count: int) -> Json:
        return {
            f"tool-{n}": {**copy.deepcopy(TOOL), "url": f"https://a-service-with-a-name-{n:03}.example.com"}
            for n in range(count)
        }

    found = _synthesized(
        tools=many(HOSTS_MAX),
        identity__issuer={"url": "https://a-service-with-a-name-000.example.com", "audience": "x"},
    )
    for name in ("egress", "runtime", "egress-runtime"):
        body = json.dumps(json.loads(found.files[f"templates/caisson-tiny-{name}.json"]), separators=(",", ":"))
        assert len(body.encode()) < BODY_BYTES_MAX
    with pytest.raises(SystemFileError, match=f"at most {HOSTS_MAX} hosts, found {HOSTS_MAX + 1}"):
        _synthesized(tools=many(HOSTS_MAX + 1))


@pytest.mark.parametrize(
    "url",
    ["https://203.0.113.7", "https://intranet", "https://pay.example.com:0", "https://pay.example.com:99999",
     "https://-pay.example.com", "https://pay..example.com", "https://1.2.3"],
)  # fmt: skip
def test_what_has_no_name_is_refused_where_it_stands(url: str) -> None:
    system = reading(minimal(tools={"pay": {**TOOL, "url": url}})).require()
    ((path, message),) = unreachable(system)
    assert path == ("tools", "pay", "url") and url in message


def test_an_issuer_of_one_machine_is_refused() -> None:
    system = reading(minimal(identity__issuer={"url": "http://localhost:8080", "audience": "x"})).require()
    assert [path for path, _ in unreachable(system)] == [("identity", "issuer", "url")]


def test_the_authority_is_one_of_the_network_account() -> None:
    import re

    pattern = template("example", "egress")["Parameters"]["EgressAuthority"]["AllowedPattern"]
    good = "arn:aws:acm:eu-west-1:666666666666:certificate/12345678-1234-1234-1234-123456789012"
    assert re.fullmatch(pattern, good)
    for bad in (good.replace("6" * 12, "2" * 12), good.replace("eu-west-1", "us-east-1"), good + "x"):
        assert not re.fullmatch(pattern, bad)
