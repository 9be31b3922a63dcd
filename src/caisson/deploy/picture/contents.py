"""What each account of a deployment holds, in words: a line a stack, made of the types of its resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
MANAGEMENT = "management"
_NOTABLE: tuple[tuple[str, str, str], ...] = (
    ("AWS::Bedrock::Guardrail", "guardrail", "guardrails"),
    ("AWS::Bedrock::EnforcedGuardrailConfiguration", "enforced guardrail", "enforced guardrails"),
    ("AWS::Organizations::Policy", "policy", "policies"),
    ("AWS::CloudTrail::Trail", "trail", "trails"),
    ("AWS::SSO::PermissionSet", "permission set", "permission sets"),
    ("AWS::EC2::VPC", "network", "networks"),
    ("AWS::EC2::InternetGateway", "internet gateway", "internet gateways"),
    ("AWS::EC2::TransitGateway", "transit gateway", "transit gateways"),
    (
        "AWS::EC2::TransitGatewayVpcAttachment",
        "attachment to the transit gateway",
        "attachments to the transit gateway",
    ),
    ("AWS::EC2::TransitGatewayRouteTableAssociation", "route table association", "route table associations"),
    ("AWS::NetworkFirewall::Firewall", "firewall", "firewalls"),
    ("AWS::Route53Resolver::FirewallRuleGroup", "DNS firewall", "DNS firewalls"),
    ("AWS::EC2::NatGateway", "NAT gateway", "NAT gateways"),
    ("AWS::DynamoDB::Table", "table", "tables"),
    ("AWS::S3::Bucket", "bucket", "buckets"),
    ("AWS::SQS::Queue", "queue", "queues"),
    ("AWS::Lambda::Function", "function", "functions"),
    ("AWS::IAM::Role", "role", "roles"),
    ("AWS::KMS::Key", "key", "keys"),
    ("AWS::Logs::LogGroup", "log group", "log groups"),
    ("AWS::CloudWatch::Alarm", "alarm", "alarms"),
    ("AWS::Macie::Session", "Macie", "Macie"),
    ("AWS::Macie::CustomDataIdentifier", "identifier of Macie", "identifiers of Macie"),
    ("AWS::KinesisFirehose::DeliveryStream", "stream to a SIEM", "streams to SIEMs"),
    ("AWS::GuardDuty::Detector", "GuardDuty", "GuardDuty"),
    ("AWS::Config::ConfigurationRecorder", "recorder", "recorders"),
    ("AWS::Config::ConfigRule", "rule", "rules"),
)
"""Types that a line counts, in its order, with one and several of them; what belongs to another is left out."""

_EVERYWHERE = ("watching", "settings", "enforcement", "rules")
"""Parts whose names end in the zones of their account."""
_ZONE = {
    "guardrails": "control",
    "configuration": "control",
    "egress": "network",
    "egress-runtime": "network",
    "recordings": "logging",
    "stream": "logging",
}
"""Part to its zone, where the names differ."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """A box of the picture."""

    number: str
    zones: tuple[str, ...]
    """Zones in it, and `network`; `management` for the organization's."""
    stacks: tuple[tuple[str, str], ...]
    """Name of a stack's part without the zones of its account, and what it holds."""


def accounts(templates: Mapping[str, Json], manifest: Json) -> tuple[Account, ...]:
    """The accounts, that of the organization's management first, the others in the order of the deployment."""
    stacks = manifest["stacks"]
    numbers = dict.fromkeys(stack["account"] for stack in stacks)
    management = next(stack["account"] for stack in stacks if stack["part"] == "organization")
    held = {
        number: [(stack["part"], templates[stack["name"]]) for stack in stacks if stack["account"] == number]
        for number in sorted(numbers, key=lambda number: number != management)
    }
    return tuple(
        Account(
            number=number,
            zones=_zones(number == management, [part for part, _ in found]),
            stacks=tuple((_split(part)[0], contents(template)) for part, template in found),
        )
        for number, found in held.items()
    )


def contents(template: Json) -> str:
    """What a stack holds, in one line."""
    counts = Counter(resource["Type"] for resource in template["Resources"].values())
    said = [
        f"{counts[kind]} {many}" if counts[kind] > 1 else one if one[0].isupper() else f"{_article(one)} {one}"
        for kind, one, many in _NOTABLE
        if counts[kind]
    ]
    services = sorted(
        str(resource["Properties"]["ServiceName"]).rpartition(".")[2]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::EC2::VPCEndpoint"
    )
    if services:
        said.insert(
            1, f"endpoints for {', '.join(services)}" if len(services) > 1 else f"an endpoint for {services[0]}"
        )
    return ", ".join(said)


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _zones(management: bool, parts: list[str]) -> tuple[str, ...]:
    """The zones that the names of the parts tell."""
    named = [zone for part in parts for zone in _of_part(part)]
    return tuple(dict.fromkeys(([MANAGEMENT] if management else []) + named))


def _of_part(part: str) -> list[str]:
    if part in ("organization", "people"):
        return []
    kind, zones = _split(part)
    return zones or [_ZONE.get(kind, kind)]


def _split(part: str) -> tuple[str, list[str]]:
    """A part that every account has, and the zones of the account; other parts as they are."""
    kind, _, zones = part.partition("-")
    return (kind, zones.split("-")) if kind in _EVERYWHERE else (part, [])
