"""What the organization's trail records beyond management events (rows S26, S77).

Guardrail evaluations, retrievals, agents and everything on bedrock-mantle are data events: a trail of management events
alone misses them (Bedrock user guide, logging-using-cloudtrail, logging-cloudtrail-mantle). The types are those of the
CloudTrail user guide, logging-data-events-with-cloudtrail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BEDROCK = (
    "AWS::Bedrock::AgentAlias",
    "AWS::Bedrock::AsyncInvoke",
    "AWS::Bedrock::FlowAlias",
    "AWS::Bedrock::Guardrail",
    "AWS::Bedrock::InlineAgent",
    "AWS::Bedrock::KnowledgeBase",
    "AWS::Bedrock::Model",
    "AWS::Bedrock::PromptVersion",
    "AWS::BedrockMantle::Project",
)
"""Denied paths are recorded too: an attempt is evidence."""
AGENTCORE = (
    "AWS::BedrockAgentCore::Browser",
    "AWS::BedrockAgentCore::CodeInterpreter",
    "AWS::BedrockAgentCore::Gateway",
    "AWS::BedrockAgentCore::Memory",
    "AWS::BedrockAgentCore::OAuth2CredentialProvider",
    "AWS::BedrockAgentCore::Policy",
    "AWS::BedrockAgentCore::PolicyEngine",
    "AWS::BedrockAgentCore::Runtime",
    "AWS::BedrockAgentCore::RuntimeEndpoint",
    "AWS::BedrockAgentCore::TokenVault",
    "AWS::BedrockAgentCore::WorkloadIdentity",
)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A field of an event and what it must be."""

    field: str
    equals: tuple[str, ...] = ()
    starts_with: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Events that match all conditions are recorded."""

    name: str
    conditions: tuple[Condition, ...]


def selectors(evidence: Sequence[str]) -> tuple[Selector, ...]:
    """The trail's selectors. `evidence` begins the ARNs of every object of a bucket of evidence.

    Reads of the evidence are recorded, writes are not: CloudTrail's own deliveries would be recorded without end.
    """
    data = Condition(field="eventCategory", equals=("Data",))
    return (
        Selector(name="Management events", conditions=(Condition(field="eventCategory", equals=("Management",)),)),
        *(
            Selector(name=type_, conditions=(data, Condition(field="resources.type", equals=(type_,))))
            for type_ in (*BEDROCK, *AGENTCORE)
        ),
        Selector(
            name="Reads of the evidence",
            conditions=(
                data,
                Condition(field="resources.type", equals=("AWS::S3::Object",)),
                Condition(field="resources.ARN", starts_with=tuple(evidence)),
                Condition(field="readOnly", equals=("true",)),
            ),
        ),
    )
