"""The networks of a deployment's zones as templates: no way out but through the firewall of the network account."""

# ruff: noqa: E501  (tables of templates)

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from caisson.assurance.templates import Templates, read
from caisson.system.schema import System
from deployments import aws
from network_templates import firewall, internet, ref, resource, route, subnet, through, vpc
from system_files import minimal, reading

Json = dict[str, Any]
REGION = "eu-west-1"
CHANNELS = ("sqs", "secretsmanager", "aoss")
"""Services that something in the runtime needs, beside S3."""


def system(**changes: Any) -> System:
    """A system with an account per zone and a judge."""
    judge = {"model": "judge", "guardrail": "main", "criteria": ["safety"]}
    identity = {"issuer": {"url": "https://api.example.com", "audience": "x"}, "groups": {"users": {}}}
    models = {"assistant": {"id": "amazon.nova-lite-v1:0"}, "judge": {"id": "amazon.nova-pro-v1:0"}}
    said = {"tier": 2, "models": models, "judge": judge, "aws": aws(), "identity": identity}
    return reading(minimal(**{**said, **changes})).require()


def rule(group: str, other: str, *, egress: bool, first: int = 443, last: int = 443) -> Json:
    """TCP from one security group to another."""
    side = {"DestinationSecurityGroupId": ref(other)} if egress else {"SourceSecurityGroupId": ref(other)}
    kind = "EC2::SecurityGroupEgress" if egress else "EC2::SecurityGroupIngress"
    return resource(kind, GroupId=ref(group), IpProtocol="tcp", FromPort=first, ToPort=last, **side)


def closed(name: str) -> Json:
    """A security group without rules."""
    nothing = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "127.0.0.1/32"}
    return {
        name: resource("EC2::SecurityGroup", GroupDescription=name, VpcId=ref("Vpc"), SecurityGroupEgress=[nothing])
    }


def endpoint(service: str, **properties: Any) -> Json:
    said = {
        "VpcEndpointType": "Interface", "ServiceName": f"com.amazonaws.{REGION}.{service}", "SubnetIds": [ref("Work")],
        "SecurityGroupIds": [ref("EndpointGroup")],
    }  # fmt: skip
    return resource("EC2::VPCEndpoint", VpcId=ref("Vpc"), **{**said, **properties})


def function() -> Json:
    """A workload."""
    return resource(
        "Lambda::Function", Code={"ZipFile": "x"}, Role="arn:aws:iam::333333333333:role/x",
        VpcConfig={"SubnetIds": [ref("Work")], "SecurityGroupIds": [ref("ZoneGroup")]},
    )  # fmt: skip


def zone(block: str = "10.64.0.0/20", *services: str) -> Json:
    """A zone's VPC: one subnet, endpoints, security groups that let the zone use them."""
    made = {
        **vpc("Vpc", block),
        **subnet("Work", block.replace("/20", "/24")),
        **closed("ZoneGroup"),
        **closed("EndpointGroup"),
        "ToEndpoints": rule("ZoneGroup", "EndpointGroup", egress=True),
        "FromZone": rule("EndpointGroup", "ZoneGroup", egress=False),
    }
    for service in ("bedrock-runtime", *services):
        name = "".join(word.capitalize() for word in service.replace(".", "-").split("-"))
        made[f"{name}Endpoint"] = endpoint(service)
    return made


def runtime() -> Json:
    """With a workload, everything it needs, and the way of its tools to the firewall."""
    block = "10.66.0.0/20"
    return {
        **zone(block, *CHANNELS),
        "Function": function(),
        "S3": endpoint(
            "s3", VpcEndpointType="Gateway", RouteTableIds=[ref("WorkTable")], SubnetIds=ref("AWS::NoValue"),
            SecurityGroupIds=ref("AWS::NoValue"),
        ),
        "Tools": resource("EC2::TransitGatewayVpcAttachment", TransitGatewayId=ref("TransitId"), VpcId=ref("Vpc"), SubnetIds=[ref("Work")]),
        "WorkRoute": route("WorkTable", TransitGatewayId=ref("TransitId")),
        "ToNames": resource("EC2::SecurityGroupEgress", GroupId=ref("ZoneGroup"), IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="0.0.0.0/0"),
    }  # fmt: skip


def hub() -> Json:
    """The network account: transit gateway → firewall → NAT → internet, and back."""
    made = {
        "Transit": resource(
            "EC2::TransitGateway", DefaultRouteTableAssociation="disable", DefaultRouteTablePropagation="disable"
        ),
        **vpc("Hub", "10.1.0.0/16"),
        **internet("Hub"),
        **subnet("Enter", "10.1.1.0/24", "Hub"),
        **subnet("Inspect", "10.1.2.0/24", "Hub"),
        **subnet("Edge", "10.1.3.0/24", "Hub"),
        "EnterRoute": route("EnterTable", **through()),
        "InspectRoute": route("InspectTable", NatGatewayId=ref("Nat")),
        "InspectBack": route("InspectTable", "10.64.0.0/12", TransitGatewayId=ref("Transit")),
        "EdgeRoute": route("EdgeTable", GatewayId=ref("HubGateway")),
        "EdgeBack": route("EdgeTable", "10.64.0.0/12", **through()),
        "Nat": resource("EC2::NatGateway", SubnetId=ref("Edge"), AllocationId="eipalloc-0123456789abcdef0"),
        **firewall("Inspect", "Hub"),
        "AtHub": resource(
            "EC2::TransitGatewayVpcAttachment",
            TransitGatewayId=ref("Transit"),
            VpcId=ref("Hub"),
            SubnetIds=[ref("Enter")],
        ),
        "OutTable": resource("EC2::TransitGatewayRouteTable", TransitGatewayId=ref("Transit")),
        "BackTable": resource("EC2::TransitGatewayRouteTable", TransitGatewayId=ref("Transit")),
        "Out": resource(
            "EC2::TransitGatewayRoute",
            DestinationCidrBlock="0.0.0.0/0",
            TransitGatewayAttachmentId=ref("AtHub"),
            TransitGatewayRouteTableId=ref("OutTable"),
        ),
    }
    for kind, name, attachment, table in (
        ("Association", "HubIn", "AtHub", "BackTable"),
        ("Association", "ToolsIn", "ToolsId", "OutTable"),
        ("Propagation", "ToolsBack", "ToolsId", "BackTable"),
    ):
        made[name] = resource(
            f"EC2::TransitGatewayRouteTable{kind}", TransitGatewayAttachmentId=ref(attachment), TransitGatewayRouteTableId=ref(table)
        )  # fmt: skip
    return made


def deployment() -> dict[str, Json]:
    """Zone to resources."""
    made = {"runtime": runtime(), "evaluation": zone(), "network": hub()}
    return rules(made, passing("api.example.com"))


def rules(made: dict[str, Json], text: str) -> dict[str, Json]:
    """The firewall's names replaced by rules as text."""
    found = copy.deepcopy(made)
    found["network"]["FirewallRules"]["Properties"]["RuleGroup"]["RulesSource"] = {"RulesString": text}
    return found


def passing(*names: str, port: str = "443") -> str:
    """Rules that pass TLS to names; a dot in front means all below."""
    return "\n".join(
        f'pass tls $HOME_NET any -> any {port} (tls.sni; {"dotprefix; " if name.startswith(".") else ""}content:"{name}"; '
        f"{'' if name.startswith('.') else 'startswith; '}endswith; sid:{sid};)"
        for sid, name in enumerate(names, start=1)
    )


OUTPUTS = {
    "runtime": {"RuntimeVpc": "Vpc", "ToolsId": "Tools"},
    "evaluation": {"EvaluationVpc": "Vpc"},
    "network": {"TransitId": "Transit"},
}


def edited(made: dict[str, Json], zone_: str, **changes: Any) -> dict[str, Json]:
    """A deployment with resources of a zone replaced, added or (None) taken away."""
    found = copy.deepcopy(made)
    found[zone_] = {name: one for name, one in {**found[zone_], **changes}.items() if one is not None}
    return found


def written(folder: Path, made: dict[str, Json], accounts: dict[str, str] | None = None) -> Templates:
    """Templates as `synth` writes them: a stack per zone, parameters filled by outputs of others."""
    (folder / "templates").mkdir(parents=True)
    numbers = aws()["accounts"] if accounts is None else accounts
    stacks = []
    for name, resources in made.items():
        outputs = {key: {"Value": ref(id_)} for key, id_ in OUTPUTS.get(name, {}).items() if id_ in resources}
        text = json.dumps(resources)
        wanted = [(key, other) for other, held in OUTPUTS.items() for key in held if f'"Ref": "{key}"' in text]
        template: Json = {"Resources": resources}
        if outputs:
            template["Outputs"] = outputs
        if wanted:
            template["Parameters"] = {key: {"Type": "String"} for key, _ in wanted}
        (folder / f"templates/{name}.json").write_text(json.dumps(template))
        stacks.append(
            {
                "name": name, "account": numbers[name], "region": REGION, "template": f"templates/{name}.json",
                "parameters": [{"name": key, "output_of": other} for key, other in wanted],
            }
        )  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps({"caisson_deployment": 1, "stacks": stacks}))
    return read(folder)
