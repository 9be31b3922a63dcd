"""What is not known of a network: it makes an answer undetermined where it bears on it, and nowhere else."""

# ruff: noqa: E501  (tables of templates)

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from caisson.assurance.network.claims import Survey
from caisson.assurance.proofs.search import Proof
from caisson.assurance.templates import read
from caisson.assurance.verdict import Verdict
from network_templates import balancer, inspected, ref, resource, route, subnet, vpc

Json = dict[str, Any]
EGRESS, EXPOSED = "network.egress: a.json/", "network.exposed: a.json/"
SECTIONS: Json = {
    "Parameters": {"P": {"Type": "String"}},
    "Conditions": {"C": {"Fn::Equals": [ref("P"), "x"]}},
}


def proved(folder: Path, resources: Json, claim: str) -> Proof:
    made = {name: one for name, one in copy.deepcopy(resources).items() if one is not None}
    (folder / "a.json").write_text(json.dumps({**SECTIONS, "Resources": made}))
    return {proof.claim.id: proof for proof in Survey(read(folder)).proofs()}[claim]


def on_condition(made: Json) -> Json:
    return {**made, "Condition": "C"}


def entry(number: int, action: str, block: Any, *, egress: bool = True) -> Json:
    return resource(
        "EC2::NetworkAclEntry", NetworkAclId=ref("Acl"), RuleNumber=number, Egress=egress, Protocol=-1, RuleAction=action,
        CidrBlock=block,
    )  # fmt: skip


PAST = {**inspected(), "WorkRoute": route("WorkTable", NatGatewayId=ref("Nat"))}
LISTED = {
    **PAST,
    "Acl": resource("EC2::NetworkAcl", VpcId=ref("Vpc")),
    "AclOfWork": resource("EC2::SubnetNetworkAclAssociation", SubnetId=ref("Work"), NetworkAclId=ref("Acl")),
    "Out": entry(100, "allow", "0.0.0.0/0"),
    "In": entry(100, "allow", "0.0.0.0/0", egress=False),
}
RULES = {
    **inspected(),
    "FirewallRules": resource(
        "NetworkFirewall::RuleGroup", RuleGroupName="r", Type="STATEFUL", Capacity=10,
        RuleGroup={"RulesSource": {"RulesString": 'drop tcp any any -> any any (pcre:"/x/"; sid:1;)\npass ip any any -> any any (sid:2;)'}},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("made", "where"),
    [
        ({**PAST, "WorkRoute": on_condition(PAST["WorkRoute"])}, "/Resources/WorkRoute"),
        ({**LISTED, "Deny": entry(1, "deny", ref("P"))}, "/Resources/Deny"),
        ({**LISTED, "AclOfWork": None, "Deny": entry(1, "deny", ref("P")),
          "AclOfEdge": resource("EC2::SubnetNetworkAclAssociation", SubnetId=ref("Edge"), NetworkAclId=ref("Acl"))}, "/Resources/Deny"),
        (RULES, "/Resources/FirewallRules"),
        ({**PAST, "VpcGatewayAttachment": on_condition(PAST["VpcGatewayAttachment"])}, "/Resources/VpcGatewayAttachment"),
        ({**PAST, "WorkAssociation": on_condition(PAST["WorkAssociation"])}, "/Resources/WorkAssociation"),
    ],
)  # fmt: skip
def test_a_way_that_may_be_none_is_no_finding(tmp_path: Path, made: Json, where: str) -> None:
    proof = proved(tmp_path, made, f"{EGRESS}Task")
    assert proof.verdict is Verdict.UNDETERMINED and where in proof.reason
    assert proof.way  # it is shown all the same


@pytest.mark.parametrize(
    "more",
    [
        {"More": resource("EC2::SecurityGroupIngress", GroupId=ref("Group"), IpProtocol=ref("P"), CidrIp="10.0.0.0/8")},
        {"More": resource("EC2::SecurityGroupEgress", GroupId=ref("Group"), IpProtocol="-1", CidrIp=ref("P"))},
        {"More": resource("EC2::VPNConnection", Type="ipsec.1")},
        {**vpc("Other", "10.9.0.0/16"), **subnet("There", "10.9.1.0/24", "Other"), "More": route("ThereTable", GatewayId=ref("P"))},
        {"More": on_condition(resource("EC2::SecurityGroup", GroupDescription="g", VpcId=ref("Vpc")))},
    ],
)  # fmt: skip
def test_what_is_not_known_elsewhere_hides_no_finding(tmp_path: Path, more: Json) -> None:
    proof = proved(tmp_path, {**PAST, **more}, f"{EGRESS}Task")
    assert proof.verdict is Verdict.BROKEN and proof.way


@pytest.mark.parametrize(
    "more",
    [
        {"VpcGatewayAttachment": resource("EC2::VPCGatewayAttachment", VpcId=ref("P"), InternetGatewayId=ref("VpcGateway"))},
        {"More": resource("EC2::SubnetRouteTableAssociation", SubnetId=ref("P"), RouteTableId=ref("EdgeTable"))},
        {"More": resource("EC2::SubnetNetworkAclAssociation", SubnetId=ref("P"), NetworkAclId="acl-1")},
        {"More": resource("EC2::VPCCidrBlock", VpcId=ref("P"), CidrBlock="10.9.0.0/16")},
        {"More": resource("EC2::GatewayRouteTableAssociation", GatewayId=ref("P"), RouteTableId=ref("EdgeTable"))},
        {"More": resource("EC2::TransitGatewayRouteTablePropagation", TransitGatewayAttachmentId=ref("P"), TransitGatewayRouteTableId="tgw-rtb-1")},
        {"More": resource("EC2::TransitGatewayRouteTableAssociation", TransitGatewayAttachmentId=ref("P"), TransitGatewayRouteTableId="tgw-rtb-1")},
        {"Block": resource("EC2::VPCBlockPublicAccessExclusion", InternetGatewayExclusionMode="allow-egress", VpcId=ref("P"))},
    ],
)  # fmt: skip
def test_what_may_join_anything_bears_on_everything(tmp_path: Path, more: Json) -> None:
    proof = proved(tmp_path, {**inspected(), **more}, f"{EGRESS}Task")
    assert proof.verdict is Verdict.UNDETERMINED and f"/Resources/{next(iter(more))}" in proof.reason


def test_what_is_not_known_of_others_filters_bears_on_nothing_here(tmp_path: Path) -> None:
    out = [{"IpProtocol": "-1", "CidrIp": ref("P")}]
    made = {
        **inspected(),
        "Other": resource("EC2::SecurityGroup", GroupDescription="o", VpcId=ref("Vpc"), SecurityGroupEgress=out),
        "Acl": resource("EC2::NetworkAcl", VpcId=ref("Vpc")),
        "Entry": entry(1, "allow", ref("P")),
    }
    assert proved(tmp_path, made, f"{EGRESS}Task").verdict is Verdict.HOLDS
    made["Group"]["Properties"]["SecurityGroupEgress"] = out
    assert proved(tmp_path, made, f"{EGRESS}Task").verdict is Verdict.UNDETERMINED


def test_a_listener_of_nobody_knows_what_bears_on_load_balancers_alone(tmp_path: Path) -> None:
    stray = resource("ElasticLoadBalancingV2::Listener", LoadBalancerArn=ref("P"), Port=80, Protocol="HTTP")
    made = {**inspected(), **balancer(mutual=True), "Stray": stray}
    proof = proved(tmp_path, made, f"{EXPOSED}Balancer")
    assert proof.verdict is Verdict.UNDETERMINED and "/Resources/Stray" in proof.reason
    assert proved(tmp_path, made, f"{EGRESS}Task").verdict is Verdict.HOLDS


# -- addresses and doors that are easily overlooked -------------------------------------------------------------------

OPEN = resource("EC2::SecurityGroup", GroupDescription="o", VpcId=ref("Vpc"), SecurityGroupIngress=[
    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}])  # fmt: skip
CARD = resource("EC2::NetworkInterface", SubnetId=ref("Edge"), GroupSet=[ref("Open")])
PLACES = resource("RDS::DBSubnetGroup", DBSubnetGroupDescription="d", SubnetIds=[ref("Edge")])
CLUSTER = resource(
    "RDS::DBCluster", Engine="aurora-mysql", DBSubnetGroupName=ref("Places"), VpcSecurityGroupIds=[ref("Open")]
)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"Card": CARD, "Ip": resource("EC2::EIPAssociation", AllocationId="eipalloc-1", NetworkInterfaceId=ref("Card"))}, "Card"),
        ({"Places": PLACES, "Db": resource("RDS::DBInstance", DBSubnetGroupName=ref("Places"), VPCSecurityGroups=[ref("Open")])}, "Db"),
        ({"Places": PLACES, "Cluster": CLUSTER, "Db": resource("RDS::DBInstance", DBClusterIdentifier=ref("Cluster"), PubliclyAccessible=True)}, "Db"),
        ({"Speed": resource("GlobalAccelerator::EndpointGroup", EndpointConfigurations=[{"EndpointId": "arn:aws:x"}])}, "Speed"),
        ({"App": resource("AppRunner::Service", SourceConfiguration={})}, "App"),
        ({"Graph": resource("AppSync::GraphQLApi", Name="g", AuthenticationType="API_KEY")}, "Graph"),
        ({"Search": resource("OpenSearchService::Domain")}, "Search"),
        ({"Files": resource("Transfer::Server")}, "Files"),
        ({"Eks": resource("EKS::Cluster", RoleArn="arn:aws:iam::1:role/x", ResourcesVpcConfig={"SubnetIds": []})}, "Eks"),
        ({"Kafka": resource("MSK::Cluster", BrokerNodeGroupInfo={"ConnectivityInfo": {"PublicAccess": {"Type": "SERVICE_PROVIDED_EIPS"}}})}, "Kafka"),
        ({"House": resource("RedshiftServerless::Workgroup", PubliclyAccessible=True)}, "House"),
    ],
)  # fmt: skip
def test_open_to_the_internet(tmp_path: Path, more: Json, name: str) -> None:
    proof = proved(tmp_path, {**inspected(), "Open": OPEN, **more}, f"{EXPOSED}{name}")
    assert proof.verdict is Verdict.BROKEN and proof.way[0].startswith("internet")


@pytest.mark.parametrize(
    "more",
    [
        {"Card": CARD},
        {"Places": PLACES, "Db": resource("RDS::DBInstance", DBSubnetGroupName=ref("Places"), VPCSecurityGroups=[ref("Open")], PubliclyAccessible=False)},
        {"Places": PLACES, "Cluster": CLUSTER, "Db": resource("RDS::DBInstance", DBClusterIdentifier=ref("Cluster"), PubliclyAccessible=False)},
        {"Speed": resource("GlobalAccelerator::EndpointGroup")},
        {"App": resource("AppRunner::Service", NetworkConfiguration={"IngressConfiguration": {"IsPubliclyAccessible": False}})},
        {"Graph": resource("AppSync::GraphQLApi", Visibility="PRIVATE")},
        {"Search": resource("OpenSearchService::Domain", VPCOptions={"SubnetIds": []})},
        {"Eks": resource("EKS::Cluster", ResourcesVpcConfig={"SubnetIds": [], "EndpointPublicAccess": False})},
        {"Kafka": resource("MSK::Cluster", BrokerNodeGroupInfo={})},
    ],
)  # fmt: skip
def test_not_open_to_the_internet(tmp_path: Path, more: Json) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"Resources": {**inspected(), "Open": OPEN, **more}}))
    found = {p.claim.id: p.verdict for p in Survey(read(tmp_path)).proofs() if p.claim.id.startswith("network.exposed")}
    assert set(found.values()) == {Verdict.HOLDS}, found


@pytest.mark.parametrize(
    ("made", "where"),
    [
        ({"Api": resource("ApiGateway::RestApi", DisableExecuteApiEndpoint=True),
          "Map": resource("ApiGateway::BasePathMapping", DomainName="a.example", RestApiId=ref("Api"))}, "/Resources/Map"),
        ({"Api": resource("ApiGateway::RestApi", DisableExecuteApiEndpoint=True),
          "Name": resource("ApiGateway::DomainName", DomainName="a.example", MutualTlsAuthentication={"Fn::If": ["C", {"TruststoreUri": "s3://x/y"}, ref("AWS::NoValue")]}),
          "Map": resource("ApiGateway::BasePathMapping", DomainName=ref("Name"), RestApiId=ref("Api"))}, "/Resources/Name"),
        ({"Api": resource("ApiGateway::RestApi", EndpointConfiguration={"Types": [ref("P")]})}, "/Resources/Api"),
        ({"Api": on_condition(resource("ApiGateway::RestApi", Name="x"))}, "open"),
        ({"Api": resource("ElasticBeanstalk::Environment")}, "/Resources/Api"),
        ({"Api": resource("AppRunner::Service", NetworkConfiguration={"IngressConfiguration": {"IsPubliclyAccessible": ref("P")}})}, "/Resources/Api"),
    ],
)  # fmt: skip
def test_doors_of_which_nobody_knows(tmp_path: Path, made: Json, where: str) -> None:
    proof = proved(tmp_path, made, f"{EXPOSED}Api")
    assert proof.verdict is Verdict.UNDETERMINED and where in proof.reason


def test_addresses_of_ipv6_that_a_resource_beside_the_subnet_gives(tmp_path: Path) -> None:
    made = {
        **inspected(),
        "SixBlock": resource("EC2::SubnetCidrBlock", SubnetId=ref("Work"), Ipv6CidrBlock="2600:1f18:0:1::/64"),
        "Six": resource("EC2::EgressOnlyInternetGateway", VpcId=ref("Vpc")),
        "SixRoute": route("WorkTable", "::/0", EgressOnlyInternetGatewayId=ref("Six")),
    }
    proof = proved(tmp_path, made, f"{EGRESS}Task")
    assert proof.verdict is Verdict.BROKEN and "2600:1f18:0:1:" in proof.way[0]
