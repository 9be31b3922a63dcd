"""A guardrail of the system file as `AWS::Bedrock::Guardrail` evaluates it (NET-02, DAT-03, SEC-04; S53, S54, S68).

- The classic tier, without cross-Region inference: text stays in the region (row S74; Bedrock user guide,
  guardrails-tiers).
- `mode: detect` reports and does not act, except on credentials.
- What AWS has no type for (national identifiers beyond its own) stays with the gateway, which evaluates everything.
- Guardrails skip tool traffic and the system prompt (Bedrock user guide, guardrails-use-converse-api). The gateway
  covers those.

>>> strict = Guardrail(prompt_attack="none", credentials="block")
>>> settings_of(strict)["SensitiveInformationPolicyConfig"]["PiiEntitiesConfig"][0]
{'Type': 'AWS_ACCESS_KEY', 'Action': 'BLOCK'}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from caisson.detect.rules.credentials import CREDENTIALS
from caisson.system.entities import PII_TYPES
from caisson.system.guardrails import PATTERNS_MAX, Action, Guardrail

CREDENTIAL_TYPES = ("AWS_ACCESS_KEY", "AWS_SECRET_KEY", "PASSWORD")
"""Types of Bedrock Guardrails that are credentials (Bedrock API reference, GuardrailPiiEntityConfig)."""
CREDENTIAL_RULES = (
    "anthropic-key",
    "aws-bedrock-api-key",
    "github-fine-grained-token",
    "github-token",
    "huggingface-token",
    "npm-token",
    "openai-key",
    "pypi-token",
)
"""Rules of the gateway, `credentials.*`, for keys that AWS's services have no type for. Plain expressions only."""
OWN_PATTERNS_MAX = PATTERNS_MAX - len(CREDENTIAL_RULES)
"""Patterns that a file may declare for AWS beside these."""
TOPIC_CHARACTERS_MAX = 200
"""Definition of a topic in the classic tier (Bedrock user guide, guardrails-denied-topics)."""
CONTENT = {"hate": "HATE", "insults": "INSULTS", "sexual": "SEXUAL", "violence": "VIOLENCE", "misconduct": "MISCONDUCT"}
"""Content filters by the file's name."""
_ACTIONS: dict[Action, str] = {"block": "BLOCK", "pseudonymise": "ANONYMIZE", "flag": "NONE"}
"""Where the gateway pseudonymises, AWS masks what the gateway missed."""


def credential_pattern(name: str) -> str:
    """The expression of a rule of the gateway."""
    return next(rule.pattern for rule in CREDENTIALS if rule.id == f"credentials.{name}")


def settings_of(guardrail: Guardrail) -> dict[str, Any]:
    """The properties that decide what is evaluated and what happens then, as CloudFormation writes them."""
    found: dict[str, Any] = {
        "BlockedInputMessaging": guardrail.blocked_input_message,
        "BlockedOutputsMessaging": guardrail.blocked_output_message,
        "SensitiveInformationPolicyConfig": {
            "PiiEntitiesConfig": list(_types(guardrail)),
            "RegexesConfig": list(_expressions(guardrail)),
        },
    }
    if filters := list(_filters(guardrail)):
        found["ContentPolicyConfig"] = {"FiltersConfig": filters}
    if guardrail.topics:
        found["TopicPolicyConfig"] = {
            "TopicsConfig": [
                {
                    "Name": topic.name,
                    "Definition": topic.definition,
                    "Type": "DENY",
                    **({"Examples": list(topic.examples)} if topic.examples else {}),
                    **_both_ways(guardrail),
                }
                for topic in guardrail.topics
            ]
        }
    if guardrail.words:
        found["WordPolicyConfig"] = {
            "WordsConfig": [{"Text": word, **_both_ways(guardrail)} for word in guardrail.words]
        }
    if guardrail.grounding is not None:
        found["ContextualGroundingPolicyConfig"] = {
            "FiltersConfig": [{"Type": "GROUNDING", "Threshold": guardrail.grounding, "Action": _blocks(guardrail)}]
        }
    return found


def _filters(guardrail: Guardrail) -> Iterator[dict[str, Any]]:
    """Prompt attacks have no filter on answers."""
    if guardrail.prompt_attack != "none":
        yield {
            "Type": "PROMPT_ATTACK",
            "InputStrength": guardrail.prompt_attack.upper(),
            "OutputStrength": "NONE",
            "InputAction": _blocks(guardrail),
        }
    for name, type_ in CONTENT.items():
        strength = getattr(guardrail.content, name) if guardrail.content is not None else "none"
        if strength != "none":
            yield {
                "Type": type_,
                "InputStrength": strength.upper(),
                "OutputStrength": strength.upper(),
                **_both_ways(guardrail),
            }


def _types(guardrail: Guardrail) -> Iterator[dict[str, Any]]:
    yield from (_acted(guardrail, {"Type": name}) for name in CREDENTIAL_TYPES)
    for name, action in guardrail.pii.items():
        if name in PII_TYPES and name not in CREDENTIAL_TYPES:
            yield {"Type": name, "Action": _ACTIONS[action] if guardrail.mode == "enforce" else "NONE"}


def _expressions(guardrail: Guardrail) -> Iterator[dict[str, Any]]:
    for name in CREDENTIAL_RULES:
        yield _acted(guardrail, {"Name": f"credentials.{name}", "Pattern": credential_pattern(name)})
    for pattern in guardrail.patterns:
        action = _ACTIONS[pattern.action] if guardrail.mode == "enforce" else "NONE"
        yield {"Name": pattern.name, "Pattern": pattern.regex, "Action": action}


def _acted(guardrail: Guardrail, found: dict[str, Any]) -> dict[str, Any]:
    """Credentials are acted on in every mode."""
    return {**found, "Action": "BLOCK" if guardrail.credentials == "block" else "ANONYMIZE"}


def _blocks(guardrail: Guardrail) -> str:
    return "BLOCK" if guardrail.mode == "enforce" else "NONE"


def _both_ways(guardrail: Guardrail) -> dict[str, str]:
    return {"InputAction": _blocks(guardrail), "OutputAction": _blocks(guardrail)}
