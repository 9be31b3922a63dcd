"""Changes of a deployment's templates, beside the organization's policies, that open something: by a list of operators.

>>> [mutant.name for mutant in opened(templates)][:2]  # doctest: +SKIP
['logging: TrailKey Administration to everybody', …]
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy_mutations import as_list, nothing

Json = dict[str, Any]

OWN = {
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
}
"""Types of resources with a policy of their own, and where it stands."""
TRUST, ENDPOINT = "AWS::IAM::Role", "AWS::EC2::VPCEndpoint"
IDENTITY = {"AWS::IAM::ManagedPolicy": "PolicyDocument", "AWS::SSO::PermissionSet": "InlinePolicy"}
ZONES = {"runtime", "evaluation"}
"""Parts whose networks have no way to the internet of their own."""
TOOLS = {"Ref": "ToolVpc"}
"""The network of the egress part that has none; the others are tried by `test_deploy_egress`."""
HARMLESS = {"kms:DescribeKey", "s3:GetBucketAcl"}
"""What tells nothing of what is kept."""
RIGHTS = {
    "models without a guardrail": ("bedrock:InvokeModel", "guardrail.pinned"),
    "batch": ("bedrock:CreateModelInvocationJob", "guardrail.no-way-around"),
    "agents": ("bedrock:InvokeAgent", "guardrail.no-way-around"),
}
"""What anybody must not be given: name to action, and the claim that says so."""
WORKLOAD = {
    "its own guardrail": ("bedrock:UpdateGuardrail", "management.governs"),
    "the end of the log": ("bedrock:DeleteModelInvocationLoggingConfiguration", "management.governs"),
    "the end of the trail": ("cloudtrail:StopLogging", "management.governs"),
    "rights to give": ("iam:AttachRolePolicy", "escalation.iam"),
    "users to make": ("iam:CreateAccessKey", "escalation.iam"),
    "any role to pass": ("iam:PassRole", "escalation.pass-role"),
}
"""What a workload must not be given."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Templates with one change."""

    name: str
    templates: dict[str, Json]
    claims: tuple[str, ...]
    """How the ids of the claims begin of which one must no longer hold."""
    grants: bool = False
    """A principal is given a right that these claims say it never has: where they hold, another policy denies it."""


def opened(templates: dict[str, Json]) -> Iterator[Change]:
    """Every change, one at a time."""
    for file, template in templates.items():
        part = Path(file).stem.rpartition("-")[2]
        for id_, resource in template["Resources"].items():
            for name, properties, claims in _of(template, resource):
                if properties == resource.get("Properties"):
                    continue
                made = copy.deepcopy(templates)
                made[file]["Resources"][id_]["Properties"] = properties
                grants = resource["Type"] in IDENTITY and " with " in f" {name}"
                yield Change(name=f"{part}: {id_} {name}", templates=made, claims=claims, grants=grants)
            for name, more, claims in _beside(part, id_, resource):
                made = copy.deepcopy(templates)
                made[file]["Resources"].update(more)
                yield Change(name=f"{part}: {id_} {name}", templates=made, claims=claims)


def _of(template: Json, resource: Json) -> Iterator[tuple[str, Json, tuple[str, ...]]]:
    """What a resource's properties become."""
    type_, properties = resource["Type"], resource.get("Properties", {})
    if type_ in OWN:
        yield from _document(properties, OWN[type_], _resource(type_, properties))
    elif type_ == TRUST:
        yield from _document(properties, "AssumeRolePolicyDocument", ("sessions.", "roles.assumed"), trust=True)
    elif type_ == ENDPOINT:
        claims = ("endpoint.", "guardrail.pinned", "guardrail.no-way-around")
        yield from _document(properties, "PolicyDocument", claims)
        yield "policy removed", {key: value for key, value in properties.items() if key != "PolicyDocument"}, claims
    elif type_ in IDENTITY:
        yield from _identity(template, type_, properties)


def _resource(type_: str, properties: Json) -> tuple[str, ...]:
    return {"AWS::KMS::Key": ("keys.",)}.get(type_, ("custody.",))


def _document(
    properties: Json, element: str, claims: tuple[str, ...], *, trust: bool = False
) -> Iterator[tuple[str, Json, tuple[str, ...]]]:
    """Statements of a policy of a resource, opened one at a time."""
    statements = properties[element]["Statement"]

    def with_(changed: list[Json]) -> Json:
        return {**copy.deepcopy(properties), element: {**properties[element], "Statement": changed}}

    for at, statement in enumerate(statements):
        before, after, sid = statements[:at], statements[at + 1 :], statement.get("Sid", f"statement {at}")
        bare = {key: value for key, value in statement.items() if key != "Condition"}
        if statement["Effect"] == "Deny":
            yield f"{sid} dropped", with_([*before, *after] or [nothing() | {"Principal": "*"}]), claims
            continue
        if {*as_list(statement["Action"])} <= HARMLESS:
            continue
        yield f"{sid} to everybody", with_([*before, {**bare, "Principal": "*"}, *after]), claims
        if set(statement["Principal"]) == {"Service"}:
            continue  # what a service does for whom is `perimeter.no-deputy`
        if not _manages(statement) and (
            claims[0] != "endpoint." or "bedrock:InvokeModel" in as_list(statement["Action"])
        ):
            yield (
                f"{sid} for every action",
                with_([*before, {**statement, "Action": _service(statement)}, *after]),
                claims,
            )
        for operator, block in statement.get("Condition", {}).items():
            rest = {name: one for name, one in statement["Condition"].items() if name != operator}
            yield (
                f"{sid} without {operator}",
                with_([*before, bare | ({"Condition": rest} if rest else {}), *after]),
                claims,
            )
            loose = {**rest, f"{operator}IfExists": block}
            if operator != "Null" and "aws:PrincipalArn" not in block:  # which AWS always says
                yield f"{sid} with {operator}IfExists", with_([*before, {**bare, "Condition": loose}, *after]), claims
            for key in block:
                wide = {**rest, operator.replace("Equals", "Like"): {**block, key: "*"}}
                yield f"{sid} for any {key}", with_([*before, {**bare, "Condition": wide}, *after]), claims
    everybody: Json = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole" if trust else "*"}
    yield "open to everybody", with_([*statements, everybody if trust else {**everybody, "Resource": "*"}]), claims


def _manages(statement: Json) -> bool:
    """Whether it is for the deployment, which writes a key's policy and so may give itself whatever it lacks."""
    return str(statement.get("Condition", {}).get("ArnLike", {}).get("aws:PrincipalArn")).endswith("-deployment")


def _service(statement: Json) -> list[str]:
    return sorted({str(action).partition(":")[0] + ":*" for action in as_list(statement["Action"])})


def _identity(template: Json, type_: str, properties: Json) -> Iterator[tuple[str, Json, tuple[str, ...]]]:
    element = IDENTITY[type_]
    statements = properties[element]["Statement"]

    def with_(changed: list[Json]) -> Json:
        return {**copy.deepcopy(properties), element: {**properties[element], "Statement": changed}}

    given = RIGHTS | (WORKLOAD if type_ == "AWS::IAM::ManagedPolicy" and _works(template, properties) else {})
    for name, (action, claim) in given.items():
        more = {"Effect": "Allow", "Action": action, "Resource": "*"}
        yield f"with {name}", with_([*statements, more]), (claim,)
    for at, statement in enumerate(statements):
        before, after = statements[:at], statements[at + 1 :]
        for operator, block in statement.get("Condition", {}).items():
            if "LeadingKeys" not in str(block):
                continue
            rest = {name: one for name, one in statement["Condition"].items() if name != operator}
            wide = {**statement, "Condition": rest}
            yield f"{statement['Sid']} without {operator}", with_([*before, wide, *after]), ("isolation.tags",)
            if operator.startswith("ForAllValues"):
                like = {**rest, operator: {"dynamodb:LeadingKeys": "${aws:PrincipalTag/SessionId}*"}}
                for name, condition in (
                    ("for what begins alike", like),
                    ("for any one key", {**rest, operator.replace("ForAll", "ForAny"): block}),
                    (
                        "for every key",
                        {**rest, operator: {"dynamodb:LeadingKeys": ["${aws:PrincipalTag/SessionId}", "*"]}},
                    ),
                ):
                    changed = {**statement, "Condition": condition}
                    yield f"{statement['Sid']} {name}", with_([*before, changed, *after]), ("isolation.tags",)
        if "LeadingKeys" in str(statement):
            added = {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": statement["Resource"]}
            scans = {**statement, "Action": "dynamodb:*", "Condition": {
                name: one for name, one in statement["Condition"].items() if name != "Null"}}  # fmt: skip
            yield "with a scan", with_([*statements, {**added, "Action": "dynamodb:Scan"}, scans]), ("isolation.tags",)


def _works(template: Json, properties: Json) -> bool:
    """Whether a service runs something as one of the roles that a policy is attached to."""
    roles = [
        template["Resources"].get(one.get("Ref"), {}) for one in properties.get("Roles", []) if isinstance(one, dict)
    ]
    return any("Service" in str(one.get("Properties", {}).get("AssumeRolePolicyDocument")) for one in roles)


def _beside(part: str, id_: str, resource: Json) -> Iterator[tuple[str, Json, tuple[str, ...]]]:
    """What is put beside a resource."""
    type_, properties = resource["Type"], resource.get("Properties", {})
    if type_ == "AWS::EC2::RouteTable" and (part in ZONES or properties["VpcId"] == TOOLS):
        inside = ("network.inside", "network.egress", "network.apart")
        gateway: Json = {
            "OpenedGateway": {"Type": "AWS::EC2::InternetGateway"},
            "OpenedAttachment": {
                "Type": "AWS::EC2::VPCGatewayAttachment",
                "Properties": {"VpcId": properties["VpcId"], "InternetGatewayId": {"Ref": "OpenedGateway"}},
            },
        }
        routes = {"everything": "0.0.0.0/0", "half of everything": "128.0.0.0/1", "one network": "8.8.8.0/24"}
        for name, block in routes.items() if part in ZONES else ():  # block public access holds that of the tools
            route = _route(id_, DestinationCidrBlock=block, GatewayId={"Ref": "OpenedGateway"})
            yield f"with a route for {name} to the internet", {**gateway, "OpenedRoute": route}, inside
        peer: Json = {"PeerVpcId": "vpc-0123456789abcdef0", "PeerOwnerId": "999999999999", "VpcId": properties["VpcId"]}
        peering: Json = {"OpenedPeering": {"Type": "AWS::EC2::VPCPeeringConnection", "Properties": peer}}
        for name, block in (("everything", "0.0.0.0/0"), ("private networks", "10.0.0.0/8")):
            route = _route(id_, DestinationCidrBlock=block, VpcPeeringConnectionId={"Ref": "OpenedPeering"})
            yield f"with a route for {name} to a peer", {**peering, "OpenedRoute": route}, inside
        through = _route(id_, DestinationCidrBlock="128.0.0.0/1", TransitGatewayId="tgw-0123456789abcdef0")
        yield "with a route to a transit gateway of somebody", {"OpenedRoute": through}, inside
    if type_ == ENDPOINT:
        for service in ("sns", "execute-api", "bedrock-agent-runtime", "ec2", "ssm"):
            name = {"Fn::Join": ["", ["com.amazonaws.", {"Ref": "AWS::Region"}, f".{service}"]]}
            other = {**copy.deepcopy(resource), "Properties": {**copy.deepcopy(properties), "ServiceName": name}}
            yield f"with another for {service}", {"OpenedEndpoint": other}, ("network.endpoint",)


def _route(table: str, **properties: Any) -> Json:
    return {"Type": "AWS::EC2::Route", "Properties": {"RouteTableId": {"Ref": table}, **properties}}
