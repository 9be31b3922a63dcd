"""Who reaches whom across accounts, as the templates say: roles' policies, transit, trails, alarms, people.

A relation is what a resource of one account names of another account, by its ARN or by a parameter that an output of
another account's stack fills. Policies of keys, queues and buckets are the other side of the same, and not drawn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
POLICIES = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::IAM::RolePolicy")
_ACCOUNT = re.compile(r'(?<=:)\d{12}(?=:)|(?<=-)\d{12}(?=["/])')
"""In an ARN, or at the end of a bucket's name."""
_SAID: tuple[tuple[str, str], ...] = (
    ("sqs:SendMessage", "{who} sends {what} to its queue"),
    ("sqs:ReceiveMessage", "{who} reads its queue"),
    ("bedrock:ApplyGuardrail", "{who} invokes models with its guardrails, in a pinned version"),
    ("s3:PutObject", "{who} writes to its buckets"),
    ("s3:GetObject", "{who} reads configuration and orders in its bucket"),
    ("sts:AssumeRole", "{who} becomes a role of it"),
)
"""An action to what a role does with it; keys are used for what they encrypt, and said with that."""
_OTHERS = (
    ("AWS::EC2::TransitGatewayVpcAttachment", "what it sends outside passes its firewall"),
    ("AWS::CloudTrail::Trail", "the organization's trail goes to its bucket"),
    ("AWS::Bedrock::EnforcedGuardrailConfiguration", "enforces its guardrail on every invocation"),
    ("AWS::CloudWatch::Alarm", "alarms go to its topic"),
    ("AWS::Config::DeliveryChannel", "recordings go to its bucket"),
)


@dataclass(frozen=True, order=True)
class Relation:
    """An arrow of the picture."""

    source: str
    """Number of an account."""
    target: str
    """Number of another."""
    says: str


def relations(templates: Mapping[str, Json], manifest: Json) -> tuple[Relation, ...]:
    """Every relation once, in the order of the deployment."""
    found: dict[Relation, None] = {}
    account_of = {stack["name"]: stack["account"] for stack in manifest["stacks"]}
    for stack in manifest["stacks"]:
        own = stack["account"]
        filled = {one["name"]: account_of.get(one["output_of"]) for one in stack["parameters"]}
        for id_, resource in templates[stack["name"]]["Resources"].items():
            for target, says in _told(id_, resource, filled):
                if target != own and target in account_of.values():
                    found[Relation(own, target, says)] = None
    return tuple(found)


def _told(id_: str, resource: Json, filled: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    kind, properties = resource["Type"], resource.get("Properties", {})
    if kind in POLICIES:
        who = re.sub(r"(Role|Policy)$", "", id_).lower()
        for statement in _statements(properties):
            for action, says in _SAID:
                if statement["Effect"] == "Allow" and action in _listed(statement["Action"]):
                    told = f"the role {says.format(who=who, what=_sent(statement))}"
                    yield from ((target, told) for target in _named(statement["Resource"], filled))
    if kind == "AWS::SSO::Assignment":
        name = properties["PermissionSetArn"]["Fn::GetAtt"][0]
        yield str(properties["TargetId"]), f"people enter as {name.lower()}"
    for other, says in _OTHERS:
        if kind == other:
            yield from ((target, says) for target in _named(properties, filled))


def _sent(statement: Json) -> str:
    """What goes into a queue, by the channel that the statement is called after: names of queues may be shortened."""
    return "what is to be evaluated" if statement.get("Sid") == "SendEvaluations" else "events"


def _statements(properties: Json) -> Iterator[Json]:
    documents = [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    documents += [one["PolicyDocument"] for one in properties.get("Policies", ())]
    for document in documents:
        yield from document["Statement"]


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _named(value: Any, filled: Mapping[str, str | None]) -> list[str]:
    """Accounts whose ARNs stand in a value, or whose stacks fill parameters in it."""
    text = json.dumps(value)
    told = [account for name, account in filled.items() if account and f'"Ref": "{name}"' in text]
    return sorted({*_ACCOUNT.findall(text), *told})
