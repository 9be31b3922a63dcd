"""A VPC whose workloads reach the internet through a firewall and a NAT gateway, as templates."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def ref(name: str) -> Json:
    return {"Ref": name}


def resource(kind: str, **properties: Any) -> Json:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def subnet(name: str, block: str, vpc: str = "Vpc", **properties: Any) -> Json:
    """A subnet with a route table of its own: `Name` and `NameTable`."""
    return {
        name: resource("EC2::Subnet", VpcId=ref(vpc), CidrBlock=block, **properties),
        f"{name}Table": resource("EC2::RouteTable", VpcId=ref(vpc)),
        f"{name}Association": resource(
            "EC2::SubnetRouteTableAssociation", SubnetId=ref(name), RouteTableId=ref(f"{name}Table")
        ),
    }


def route(table: str, to: str = "0.0.0.0/0", **target: Any) -> Json:
    key = "DestinationIpv6CidrBlock" if ":" in to else "DestinationCidrBlock"
    return resource("EC2::Route", RouteTableId=ref(table), **{key: to}, **target)


def vpc(name: str, block: str) -> Json:
    return {name: resource("EC2::VPC", CidrBlock=block)}


def internet(name: str) -> Json:
    """An internet gateway at a VPC: `NameGateway`."""
    gateway = f"{name}Gateway"
    return {
        gateway: resource("EC2::InternetGateway"),
        f"{gateway}Attachment": resource("EC2::VPCGatewayAttachment", VpcId=ref(name), InternetGatewayId=ref(gateway)),
    }


def firewall(subnet_: str, vpc_: str = "Vpc", name: str = "Firewall") -> Json:
    """A firewall in strict order that lets TLS to api.example.com through."""
    source = {"GeneratedRulesType": "ALLOWLIST", "TargetTypes": ["TLS_SNI"], "Targets": ["api.example.com"]}
    strict = {"RuleOrder": "STRICT_ORDER"}
    return {
        f"{name}Rules": resource(
            "NetworkFirewall::RuleGroup", RuleGroupName="names", Type="STATEFUL", Capacity=10,
            RuleGroup={
                "StatefulRuleOptions": strict,
                "RuleVariables": {"IPSets": {"HOME_NET": {"Definition": ["10.0.0.0/8"]}}},
                "RulesSource": {"RulesSourceList": source},
            },
        ),
        f"{name}Policy": resource(
            "NetworkFirewall::FirewallPolicy", FirewallPolicyName="policy",
            FirewallPolicy={
                "StatelessDefaultActions": ["aws:forward_to_sfe"],
                "StatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
                "StatefulEngineOptions": strict,
                "StatefulDefaultActions": ["aws:drop_established"],
                "StatefulRuleGroupReferences": [{"ResourceArn": ref(f"{name}Rules"), "Priority": 1}],
            },
        ),
        name: resource(
            "NetworkFirewall::Firewall", FirewallName="firewall", VpcId=ref(vpc_),
            FirewallPolicyArn=ref(f"{name}Policy"), SubnetMappings=[{"SubnetId": ref(subnet_)}],
        ),
    }  # fmt: skip


def through(name: str = "Firewall") -> Json:
    """The endpoint of a firewall, as templates take it out of `EndpointIds`."""
    first = {"Fn::Select": [0, {"Fn::GetAtt": [name, "EndpointIds"]}]}
    return {"VpcEndpointId": {"Fn::Select": [1, {"Fn::Split": [":", first]}]}}


def task(where: str = "Work", *, public: bool = False) -> Json:
    return resource(
        "ECS::Service",
        NetworkConfiguration={
            "AwsvpcConfiguration": {
                "Subnets": [ref(where)], "SecurityGroups": [ref("Group")],
                "AssignPublicIp": "ENABLED" if public else "DISABLED",
            }
        },
    )  # fmt: skip


def inspected() -> Json:
    """Work → firewall → NAT → internet, in one VPC."""
    return {
        **vpc("Vpc", "10.0.0.0/16"),
        **internet("Vpc"),
        **subnet("Work", "10.0.1.0/24"),
        **subnet("Inspect", "10.0.2.0/24"),
        **subnet("Edge", "10.0.3.0/24", MapPublicIpOnLaunch=True),
        "WorkRoute": route("WorkTable", **through()),
        "InspectRoute": route("InspectTable", NatGatewayId=ref("Nat")),
        "EdgeRoute": route("EdgeTable", GatewayId=ref("VpcGateway")),
        "Nat": resource("EC2::NatGateway", SubnetId=ref("Edge"), AllocationId="eipalloc-0123456789abcdef0"),
        **firewall("Inspect"),
        "Group": resource("EC2::SecurityGroup", GroupDescription="work", VpcId=ref("Vpc")),
        "Task": task(),
    }


def centrally_inspected() -> Json:
    """Work → transit gateway → firewall in another VPC → NAT → internet."""
    made = {
        **vpc("Vpc", "10.0.0.0/16"),
        **subnet("Work", "10.0.1.0/24"),
        **vpc("Hub", "10.1.0.0/16"),
        **internet("Hub"),
        **subnet("Enter", "10.1.1.0/24", "Hub"),
        **subnet("Inspect", "10.1.2.0/24", "Hub"),
        **subnet("Edge", "10.1.3.0/24", "Hub"),
        "Transit": resource(
            "EC2::TransitGateway", DefaultRouteTableAssociation="disable", DefaultRouteTablePropagation="disable"
        ),
        "WorkRoute": route("WorkTable", TransitGatewayId=ref("Transit")),
        "EnterRoute": route("EnterTable", **through()),
        "InspectRoute": route("InspectTable", NatGatewayId=ref("Nat")),
        "EdgeRoute": route("EdgeTable", GatewayId=ref("HubGateway")),
        "Nat": resource("EC2::NatGateway", SubnetId=ref("Edge"), AllocationId="eipalloc-0123456789abcdef0"),
        **firewall("Inspect", "Hub"),
        "Group": resource("EC2::SecurityGroup", GroupDescription="work", VpcId=ref("Vpc")),
        "Task": task(),
    }
    for name, vpc_, where in (("AtWork", "Vpc", "Work"), ("AtHub", "Hub", "Enter")):
        made[name] = resource(
            "EC2::TransitGatewayVpcAttachment", TransitGatewayId=ref("Transit"), VpcId=ref(vpc_), SubnetIds=[ref(where)]
        )
        made[f"{name}Table"] = resource("EC2::TransitGatewayRouteTable", TransitGatewayId=ref("Transit"))
        made[f"{name}In"] = resource(
            "EC2::TransitGatewayRouteTableAssociation", TransitGatewayAttachmentId=ref(name),
            TransitGatewayRouteTableId=ref(f"{name}Table"),
        )  # fmt: skip
    made["ToHub"] = resource(
        "EC2::TransitGatewayRoute", DestinationCidrBlock="0.0.0.0/0", TransitGatewayAttachmentId=ref("AtHub"),
        TransitGatewayRouteTableId=ref("AtWorkTable"),
    )  # fmt: skip
    return made


def balancer(*, scheme: str = "internet-facing", mutual: bool = False, kind: str = "application") -> Json:
    """A load balancer in the edge subnet with a listener on 443."""
    open_ = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]
    groups = {"SecurityGroups": [ref("BalancerGroup")]} if kind == "application" else {}
    asks = {"MutualAuthentication": {"Mode": "verify", "TrustStoreArn": "arn:aws:x"}} if mutual else {}
    return {
        "BalancerGroup": resource(
            "EC2::SecurityGroup", GroupDescription="balancer", VpcId=ref("Vpc"), SecurityGroupIngress=open_
        ),
        "Balancer": resource(
            "ElasticLoadBalancingV2::LoadBalancer", Scheme=scheme, Type=kind, Subnets=[ref("Edge")], **groups
        ),
        "Listener": resource(
            "ElasticLoadBalancingV2::Listener", LoadBalancerArn=ref("Balancer"), Port=443,
            Protocol="HTTPS" if kind == "application" else "TLS", DefaultActions=[{"Type": "fixed-response"}], **asks,
        ),
    }  # fmt: skip
