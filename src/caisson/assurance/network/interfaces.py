"""What has network interfaces in subnets, and with which security groups.

A type that names subnets and is not known here is a doubt: something is there, and nothing is known of its filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from caisson.assurance.network.model import About, Interface, Nat, Role, Subnet
from caisson.assurance.network.reading import Reading, at, listed
from caisson.assurance.templates import Reference, Resource, Symbol, symbols

GROUP, SUBNET = "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet"
FILTERS = About.FILTERS
LAMBDA = "AWS::Lambda::Function"


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Where a type says its subnets and groups."""

    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    role: Role = Role.WORKLOAD
    service: str = ""


_AGENT_CORE = _Kind(
    subnets=("NetworkConfiguration", "VpcConfig", "Subnets"),
    groups=("NetworkConfiguration", "VpcConfig", "SecurityGroups"),
)
_AWSVPC = ("NetworkConfiguration", "AwsvpcConfiguration")
KINDS = {
    "AWS::ApiGatewayV2::VpcLink": _Kind(subnets=("SubnetIds",), groups=("SecurityGroupIds",)),
    "AWS::BedrockAgentCore::BrowserCustom": _AGENT_CORE,
    "AWS::BedrockAgentCore::CodeInterpreterCustom": _AGENT_CORE,
    "AWS::BedrockAgentCore::Runtime": _Kind(
        subnets=("NetworkConfiguration", "NetworkModeConfig", "Subnets"),
        groups=("NetworkConfiguration", "NetworkModeConfig", "SecurityGroups"),
    ),
    "AWS::CodeBuild::Project": _Kind(subnets=("VpcConfig", "Subnets"), groups=("VpcConfig", "SecurityGroupIds")),
    "AWS::EC2::NetworkInterface": _Kind(subnets=("SubnetId",), groups=("GroupSet",)),
    "AWS::ECS::Service": _Kind(subnets=(*_AWSVPC, "Subnets"), groups=(*_AWSVPC, "SecurityGroups")),
    "AWS::EFS::MountTarget": _Kind(subnets=("SubnetId",), groups=("SecurityGroups",)),
    LAMBDA: _Kind(subnets=("VpcConfig", "SubnetIds"), groups=("VpcConfig", "SecurityGroupIds")),
    "AWS::OpenSearchServerless::VpcEndpoint": _Kind(
        subnets=("SubnetIds",), groups=("SecurityGroupIds",), role=Role.ENDPOINT, service="aoss"
    ),
}
"""Types that say them in two properties."""
ASIDE = frozenset(
    {
        "AWS::EC2::FlowLog", "AWS::EC2::NatGateway", "AWS::EC2::NetworkAcl", "AWS::EC2::RouteTable", SUBNET,
        "AWS::EC2::SubnetCidrBlock", "AWS::EC2::SubnetNetworkAclAssociation", "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment", "AWS::EC2::LaunchTemplate",
        "AWS::EC2::VPCBlockPublicAccessExclusion", "AWS::NetworkFirewall::Firewall", "AWS::RAM::ResourceShare",
        "AWS::RDS::DBSubnetGroup", "AWS::SSM::Parameter",
    }
)  # fmt: skip
"""Types that name subnets without having an interface of their own that sends or answers."""
_REGIONAL = "com.amazonaws."


def interfaces(reading: Reading, subnets: Mapping[str, Subnet]) -> dict[str, Interface]:
    """Every interface, by the name of its resource."""
    found = {}
    for resource in reading.templates.resources():
        made = _made(reading, resource, subnets)
        if made is not None:
            if resource.condition:
                reading.doubt(FILTERS, resource, f"whether it exists depends on {resource.condition}")
            found[resource.name] = made
        elif resource.type not in ASIDE and _in_subnet(resource):
            reading.doubt(FILTERS, resource, f"{resource.type} is in a subnet and not modelled")
    return found


def _in_subnet(resource: Resource) -> bool:
    if resource.type in KINDS or resource.type in _OWN:
        return False
    return any(isinstance(one, Reference) and one.type == SUBNET for one in symbols(resource.properties))


def _made(reading: Reading, resource: Resource, subnets: Mapping[str, Subnet]) -> Interface | None:
    if resource.type in _OWN:
        return _OWN[resource.type](reading, resource, subnets)
    kind = KINDS.get(resource.type)
    if kind is None or at(resource, *kind.subnets) is None:
        return None
    public = False
    if resource.type == "AWS::ECS::Service":
        public = reading.text(FILTERS, resource, *_AWSVPC, "AssignPublicIp", default="DISABLED") == "ENABLED"
    elif resource.type == "AWS::EC2::NetworkInterface":
        public = _has_address(reading, resource)
    return _interface(
        reading, resource, subnets, at(resource, *kind.subnets), at(resource, *kind.groups), kind.role,
        public=public, service=kind.service,
    )  # fmt: skip


def _interface(
    reading: Reading, resource: Resource, subnets: Mapping[str, Subnet], places: Any, groups: Any, role: Role,
    *, public: bool = False, service: str = "", filtered: bool = True,
) -> Interface:  # fmt: skip
    """An interface out of what a resource says; without groups it has the default one of its VPC."""
    where = []
    if not isinstance(places, (list, str)) and next(symbols(places), None) is None:
        reading.doubt(FILTERS, resource, "its subnets are not known")
    for one in listed(places):
        target = reading.target(one, SUBNET)
        if target is None:
            reading.doubt(FILTERS, resource, f"its subnet {str(one)[:80]} is not in the templates")
        else:
            where.append(target.name)
    vpc = next((subnets[one].vpc for one in where if one in subnets), "")
    named = []
    for one in listed(groups):
        target = reading.target(one, GROUP)
        default = _default(one)
        if target is None and not default:
            reading.doubt(FILTERS, resource, f"its security group {str(one)[:80]} is not in the templates")
        named.append(target.name if target is not None else default)
    held = tuple(one for one in named if one)
    if not listed(groups) and filtered:
        held = (f"{vpc}.DefaultSecurityGroup",)
    return Interface(
        id=resource.name, type=resource.type, role=role, vpc=vpc, account=reading.account_of(resource),
        subnets=tuple(where), groups=held if filtered or listed(groups) else None, public=public, service=service,
        place=resource.place,
    )  # fmt: skip


def _default(value: Any) -> str:
    for one in symbols(value):
        if isinstance(one, Reference) and one.attribute == "DefaultSecurityGroup":
            return f"{one.stack}/{one.id}.DefaultSecurityGroup"
    return ""


def _instance(reading: Reading, resource: Resource, subnets: Mapping[str, Subnet]) -> Interface | None:
    cards = [one for one in listed(at(resource, "NetworkInterfaces")) if isinstance(one, dict)]
    places = [one["SubnetId"] for one in cards if "SubnetId" in one] or at(resource, "SubnetId")
    groups = [group for one in cards for group in listed(one.get("GroupSet"))]
    groups = groups or listed(at(resource, "SecurityGroupIds"))
    if not places:
        reading.doubt(FILTERS, resource, "its subnet is not in the templates")
        return None
    public = any(str(one.get("AssociatePublicIpAddress")).lower() == "true" for one in cards)
    made = _interface(reading, resource, subnets, places, groups, Role.WORKLOAD)
    public = public or any(subnets[one].public_ip for one in made.subnets if one in subnets)
    public = public or _has_address(reading, resource)
    return Interface(**{**vars(made), "public": public})


def _has_address(reading: Reading, resource: Resource) -> bool:
    """Whether an elastic address is given to it, or may be."""
    for one in reading.templates.resources("AWS::EC2::EIP", "AWS::EC2::EIPAssociation"):
        for name in ("InstanceId", "NetworkInterfaceId"):
            value = at(one, name)
            target = reading.target(value)
            if target is resource:
                return True
            if isinstance(value, Symbol) and target is None:
                message = "what has this address is not in the templates"
                reading.doubt(About.LISTENERS, one, message, name, adds=True)
    return False


def _group_of_instances(reading: Reading, resource: Resource, subnets: Mapping[str, Subnet]) -> Interface | None:
    template = at(resource, "LaunchTemplate", "LaunchTemplateId") or at(
        resource, "MixedInstancesPolicy", "LaunchTemplate", "LaunchTemplateSpecification", "LaunchTemplateId"
    )
    launch = reading.target(template, "AWS::EC2::LaunchTemplate")
    if launch is None:
        reading.doubt(FILTERS, resource, "its launch template is not in the templates")
        return None
    data = "LaunchTemplateData"
    cards = [one for one in listed(at(launch, data, "NetworkInterfaces")) if isinstance(one, dict)]
    groups = [group for one in cards for group in listed(one.get("Groups"))]
    groups = groups or listed(at(launch, data, "SecurityGroupIds"))
    made = _interface(reading, resource, subnets, at(resource, "VPCZoneIdentifier"), groups, Role.WORKLOAD)
    public = any(str(one.get("AssociatePublicIpAddress")).lower() == "true" for one in cards)
    public = public or any(subnets[one].public_ip for one in made.subnets if one in subnets)
    return Interface(**{**vars(made), "public": public})


def _balancer(reading: Reading, resource: Resource, subnets: Mapping[str, Subnet]) -> Interface:
    mapped = [one.get("SubnetId") for one in listed(at(resource, "SubnetMappings")) if isinstance(one, dict)]
    places = at(resource, "Subnets") or mapped
    kind = reading.text(FILTERS, resource, "Type", default="application")
    groups = at(resource, "SecurityGroups")
    return _interface(
        reading, resource, subnets, places, groups, Role.BALANCER,
        public=reading.text(FILTERS, resource, "Scheme", default="internet-facing") == "internet-facing",
        filtered=kind == "application",
    )  # fmt: skip


def _endpoint(reading: Reading, resource: Resource, subnets: Mapping[str, Subnet]) -> Interface | None:
    kind = reading.text(FILTERS, resource, "VpcEndpointType", default="Gateway")
    if kind == "Gateway":
        return None
    if kind != "Interface":
        reading.doubt(About.ROUTES, resource, f"an endpoint of type {kind} is not modelled", "VpcEndpointType")
        return None
    return _interface(
        reading, resource, subnets, at(resource, "SubnetIds"), at(resource, "SecurityGroupIds"), Role.ENDPOINT,
        service=service_of(reading, resource),
    )  # fmt: skip


def service_of(reading: Reading, resource: Resource) -> str:
    """What an endpoint is for: `sqs` for `com.amazonaws.eu-west-1.sqs`; the whole name where it is not the region's."""
    name = at(resource, "ServiceName")
    region = reading.templates.stack(resource.stack).region
    text = str(name)
    beginning = f"{_REGIONAL}{region}."
    if text.startswith(beginning):
        return text.removeprefix(beginning)
    if not isinstance(name, str):
        reading.doubt(About.ROUTES, resource, "its service is not known", "ServiceName")
    return text


def _database(reading: Reading, resource: Resource, subnets: Mapping[str, Subnet]) -> Interface | None:
    """A database; an instance of a cluster has the subnets and security groups of that.

    What does not say whether it is public may be, where its VPC has an internet gateway (RDS API, CreateDBInstance).
    """
    cluster = reading.target(at(resource, "DBClusterIdentifier"), "AWS::RDS::DBCluster")
    said = resource if cluster is None else cluster
    group = reading.target(at(said, "DBSubnetGroupName"), "AWS::RDS::DBSubnetGroup")
    if group is None:
        reading.doubt(FILTERS, resource, "its subnets are not in the templates")
        return None
    groups = at(said, "VPCSecurityGroups") or at(said, "VpcSecurityGroupIds")
    of_instances = resource.type == "AWS::RDS::DBCluster" and str(at(resource, "Engine")).startswith("aurora")
    return _interface(
        reading, resource, subnets, at(group, "SubnetIds"), groups, Role.WORKLOAD,
        public=reading.flag(FILTERS, resource, "PubliclyAccessible", default=not of_instances),
    )  # fmt: skip


def _resolver(reading: Reading, resource: Resource, subnets: Mapping[str, Subnet]) -> Interface:
    places = [one.get("SubnetId") for one in listed(at(resource, "IpAddresses")) if isinstance(one, dict)]
    return _interface(reading, resource, subnets, places, at(resource, "SecurityGroupIds"), Role.WORKLOAD)


_OWN = {
    "AWS::AutoScaling::AutoScalingGroup": _group_of_instances,
    "AWS::EC2::Instance": _instance,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::RDS::DBCluster": _database,
    "AWS::RDS::DBInstance": _database,
    "AWS::Route53Resolver::ResolverEndpoint": _resolver,
}
"""Types with rules of their own."""

_OUTSIDE = {
    "AWS::BedrockAgentCore::BrowserCustom": ("NetworkConfiguration", "VpcConfig"),
    "AWS::BedrockAgentCore::CodeInterpreterCustom": ("NetworkConfiguration", "VpcConfig"),
    "AWS::BedrockAgentCore::Runtime": ("NetworkConfiguration", "NetworkModeConfig"),
    "AWS::CodeBuild::Project": ("VpcConfig",),
    LAMBDA: ("VpcConfig",),
}
"""Types that run code, and reach the internet by themselves where they are in no VPC."""


def outside(reading: Reading) -> Iterator[Resource]:
    """What runs code outside of a VPC, where no route and no firewall applies."""
    for type_, path in _OUTSIDE.items():
        for resource in reading.templates.resources(type_):
            mode = str(at(resource, "NetworkConfiguration", "NetworkMode") or "")
            if at(resource, *path) is None and mode != "SANDBOX":
                yield resource


def nats(reading: Reading) -> dict[str, Nat]:
    """NAT gateways."""
    found = {}
    for resource in reading.of(About.ROUTES, "AWS::EC2::NatGateway"):
        subnet = reading.target(at(resource, "SubnetId"), SUBNET)
        if subnet is None:
            reading.doubt(About.ROUTES, resource, "its subnet is not in the templates", "SubnetId")
        found[resource.name] = Nat(
            id=resource.name, subnet=subnet.name if subnet is not None else "",
            public=reading.text(About.ROUTES, resource, "ConnectivityType", default="public") == "public",
        )  # fmt: skip
    return found
