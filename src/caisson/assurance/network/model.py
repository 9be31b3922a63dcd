"""A network as values: what routes, what filters, and what sends and listens. No templates, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from caisson.assurance.network.addresses import Block
from caisson.assurance.network.traffic import Traffic
from caisson.assurance.templates import Place

Id = str
"""`Stack/LogicalId`, or what stands for a thing that the templates do not have."""


class Via(Enum):
    """What a route leads to."""

    LOCAL = "local"
    INTERNET = "internet gateway"
    EGRESS_ONLY = "egress-only internet gateway"
    NAT = "NAT gateway"
    TRANSIT = "transit gateway"
    PEERING = "peering connection"
    FIREWALL = "firewall endpoint"
    SERVICE = "gateway endpoint"
    ELSEWHERE = "outside of the templates"


class About(Enum):
    """What a doubt is about."""

    ROUTES = "routes"
    FILTERS = "filters"
    LISTENERS = "listeners"


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Something that is not modelled or not known: what depends on it is undetermined."""

    about: About
    place: Place
    message: str
    resource: Id = ""
    """What it is about; empty where that is not known."""
    adds: bool = False
    """What is not known can only let more through: a way that was found is one all the same."""

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Route:
    """A row of a route table."""

    to: tuple[Block, ...]
    """Several for a prefix list."""
    via: Via
    target: Id
    place: Place


@dataclass(frozen=True, kw_only=True)
class RouteTable:
    """Routes beside the local one."""

    id: Id
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AclRule:
    """An entry of a network ACL."""

    number: int
    egress: bool
    allow: bool
    block: Block
    traffic: Traffic


@dataclass(frozen=True, kw_only=True)
class Acl:
    """A network ACL: stateless, by number, deny at the end."""

    id: Id
    rules: tuple[AclRule, ...]
    """In order of their numbers."""


@dataclass(frozen=True, kw_only=True)
class GroupRule:
    """An entry of a security group. Exactly one of blocks and group says with whom."""

    egress: bool
    traffic: Traffic
    blocks: tuple[Block, ...] = ()
    group: Id = ""
    place: Place


@dataclass(frozen=True, kw_only=True)
class Group:
    """A security group: stateful, only allows."""

    id: Id
    vpc: Id
    rules: tuple[GroupRule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A subnet."""

    id: Id
    vpc: Id
    blocks: tuple[Block, ...]
    table: Id
    """Empty for the main table of the VPC, which has local routes only."""
    acl: Id
    """Empty for the default one, which allows everything."""
    public_ip: bool
    """Whether interfaces get public addresses on launch."""
    place: Place


@dataclass(frozen=True, kw_only=True)
class Vpc:
    """A VPC."""

    id: Id
    account: str
    blocks: tuple[Block, ...]
    gateway: Id
    """Internet gateway that is attached; empty for none."""
    place: Place


class Role(Enum):
    """What an interface is for."""

    WORKLOAD = "workload"
    BALANCER = "load balancer"
    ENDPOINT = "interface endpoint"
    NAT = "NAT gateway"
    FIREWALL = "firewall"
    TRANSIT = "transit gateway attachment"


@dataclass(frozen=True, kw_only=True)
class Interface:
    """Network interfaces of one resource."""

    id: Id
    type: str
    role: Role
    vpc: Id
    account: str
    subnets: tuple[Id, ...]
    groups: tuple[Id, ...] | None
    """Security groups; None for what has none, which filters nothing."""
    public: bool = False
    """Whether it has, or may get, a public address."""
    service: str = ""
    """Of an interface endpoint: `sqs`, `bedrock-runtime`, or the whole name of a service that is not of the region."""
    place: Place


@dataclass(frozen=True, kw_only=True)
class Nat:
    """A NAT gateway."""

    id: Id
    subnet: Id
    public: bool


@dataclass(frozen=True, kw_only=True)
class Peering:
    """A peering connection; an end that the templates do not have is empty."""

    id: Id
    ends: tuple[Id, Id]


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A VPC at a transit gateway."""

    id: Id
    gateway: Id
    vpc: Id
    """Empty for what is no VPC, or none of the templates."""
    subnets: tuple[Id, ...]
    table: Id
    """Route table of the transit gateway that its traffic is looked up in; empty for none."""


@dataclass(frozen=True, kw_only=True)
class TransitRoute:
    """A row of a transit gateway's table; without attachment a black hole."""

    to: tuple[Block, ...]
    attachment: Id
    place: Place


@dataclass(frozen=True, kw_only=True)
class TransitTable:
    """A route table of a transit gateway. Static routes win over propagated ones of the same length."""

    id: Id
    routes: tuple[TransitRoute, ...] = ()
    propagated: tuple[Id, ...] = ()
    """Attachments whose VPC's blocks are routes."""


@dataclass(frozen=True, kw_only=True)
class PublicAccess:
    """VPC block public access of one account."""

    blocks_egress: bool
    """`block-bidirectional`; `block-ingress` lets egress pass."""
    excluded: Mapping[Id, bool] = field(default_factory=dict)
    """VPC or subnet to whether ingress is let in, too."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """All of it."""

    vpcs: Mapping[Id, Vpc] = field(default_factory=dict)
    subnets: Mapping[Id, Subnet] = field(default_factory=dict)
    tables: Mapping[Id, RouteTable] = field(default_factory=dict)
    acls: Mapping[Id, Acl] = field(default_factory=dict)
    groups: Mapping[Id, Group] = field(default_factory=dict)
    interfaces: Mapping[Id, Interface] = field(default_factory=dict)
    nats: Mapping[Id, Nat] = field(default_factory=dict)
    peerings: Mapping[Id, Peering] = field(default_factory=dict)
    attachments: Mapping[Id, Attachment] = field(default_factory=dict)
    transit: Mapping[Id, TransitTable] = field(default_factory=dict)
    firewalls: Mapping[Id, Firewall] = field(default_factory=dict)
    access: Mapping[str, PublicAccess] = field(default_factory=dict)
    """By account."""
    ingress: Mapping[Id, Id] = field(default_factory=dict)
    """Gateway to the route table of what comes in through it."""
    blocks: tuple[Block, ...] = ()
    """Every block that anything here compares addresses with."""
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FirewallRule:
    """A rule of Network Firewall. What it matches, it matches whole."""

    action: str
    """`pass` or `drop`; rules that only alert decide nothing and are left out."""
    sources: tuple[Block, ...]
    targets: tuple[Block, ...]
    traffic: Traffic
    domains: frozenset[str] | None = None
    """Only connections to these names."""
    partial: bool = False
    """Matches only some of this, by what is in the packets: a drop of it may drop nothing."""
    both_ways: bool = False
    place: Place


@dataclass(frozen=True, kw_only=True)
class Firewall:
    """A firewall with its policy."""

    id: Id
    vpc: Id
    subnets: tuple[Id, ...]
    stateless: tuple[FirewallRule, ...]
    """In order. Actions `pass`, `drop`, `forward`."""
    stateless_default: str
    strict: bool
    stateful: tuple[FirewallRule, ...]
    """In the order in which they are evaluated."""
    drops: bool
    """What no stateful rule matches is dropped."""
    place: Place
