"""The guardrail that AWS itself applies to every invocation in the accounts, whatever a request names (row S44).

An Organizations Bedrock policy enforces one guardrail, owned by the management account, beside the pinned one; the
stricter answer counts. The floor is therefore no stricter than the loosest guardrail of the file: it catches what got
past a wrong pin, and never decides what the file leaves open.

A wrong ARN in the policy fails every invocation in the accounts, and so does a caller who may not apply the floor
(Organizations user guide, orgs_manage_policies_bedrock_syntax).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from caisson.deploy.policies.statement import Statement
from caisson.system.guardrails import Guardrail
from caisson.system.tiers import STRENGTHS

CREDENTIAL_TYPES = ("AWS_ACCESS_KEY", "AWS_SECRET_KEY", "PASSWORD")
"""Types of Bedrock Guardrails that are credentials (Bedrock API reference, GuardrailPiiEntityConfig)."""
APPLY = ("bedrock:ApplyGuardrail", "bedrock:GetGuardrail")
"""What a guardrail's resource policy must grant to members (Bedrock user guide, guardrails-resource-based-policies)."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What the enforced guardrail evaluates."""

    prompt_attack: Literal["none", "low", "medium", "high"]
    """The weakest strength in the file; none when a guardrail of it only detects."""
    credentials: Literal["redact", "block"]
    """The mildest action in the file; credentials are acted on always."""


def floor_of(guardrails: Iterable[Guardrail]) -> Floor:
    """The floor under the guardrails that invocations name."""
    found = list(guardrails)
    strengths = [guardrail.prompt_attack if guardrail.mode == "enforce" else "none" for guardrail in found]
    return Floor(
        prompt_attack=min(strengths, key=STRENGTHS.index),
        credentials="block" if all(guardrail.credentials == "block" for guardrail in found) else "redact",
    )


def content_filters(floor: Floor) -> list[dict[str, Any]]:
    """The content filters of `AWS::Bedrock::Guardrail`; prompt attacks have no filter on answers."""
    if floor.prompt_attack == "none":
        return []
    return [
        {
            "type": "PROMPT_ATTACK",
            "inputStrength": floor.prompt_attack.upper(),
            "outputStrength": "NONE",
        }
    ]


def credential_rules(floor: Floor) -> list[dict[str, Any]]:
    """The sensitive-information rules of `AWS::Bedrock::Guardrail`."""
    action = "BLOCK" if floor.credentials == "block" else "ANONYMIZE"
    return [{"type": name, "action": action} for name in CREDENTIAL_TYPES]


def bedrock_policy(region: str, guardrail: Any) -> dict[str, Any]:
    """The Organizations Bedrock policy; `guardrail` is the ARN with `:version`, or what resolves to it."""
    return {
        "bedrock": {
            "guardrail_inference": {
                region: {
                    "config_1": {
                        "identifier": {"@@assign": guardrail},
                        "selective_content_guarding": {
                            "system": {"@@assign": "comprehensive"},
                            "messages": {"@@assign": "comprehensive"},  # the caller's tags exempt nothing
                        },
                    }
                }
            }
        }
    }


def applied_by_members(guardrail: Any, organization: str) -> Statement:
    """Members of the organization may apply the floor, and nobody else; only such conditions are taken here."""
    return Statement(
        sid="AppliedByMembers",
        effect="Allow",
        principals="*",  # AWS takes no list of accounts here; the condition holds it to the organization
        actions=APPLY,
        resources=(guardrail,),
        conditions={"StringEquals": {"aws:PrincipalOrgID": (organization,)}},
    )
