"""Guardrail decisions in Bedrock's response shape (API_runtime_GuardrailAssessment), for ApplyGuardrail and traces.

Built from the decisions that really ran, so it is the same for every guardrail adapter. The matched text is not
repeated: `match` names the rule instead.

>>> told = {"guardrail_id": "main", "guardrail_version": "3", "stage": "input"}
>>> word = GuardrailAction(**told, decision="blocked", rule="words.x")
>>> assessment((word,), guarded=10, total=10)["wordPolicy"]
{'customWords': [{'match': 'words.x', 'action': 'BLOCKED', 'detected': True}]}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from caisson.channels.messages import GuardrailAction

Json = dict[str, Any]

TEXT_UNIT_CHARACTERS = 1_000
"""Bedrock bills and reports in units of up to this many characters (AWS-FACTS D 15)."""
_ACTIONS = {"blocked": "BLOCKED", "masked": "ANONYMIZED", "flagged": "NONE"}
_CONFIDENCES = ((0.9, "HIGH"), (0.6, "MEDIUM"), (0.0, "LOW"))


def intervened(actions: Sequence[GuardrailAction]) -> bool:
    """Whether anything was blocked or masked."""
    return any(action.decision in ("blocked", "masked") for action in actions)


def assessment(actions: Sequence[GuardrailAction], *, guarded: int, total: int) -> Json:
    """One assessment. A policy is present only when one of its rules found something."""
    found: Json = {}
    for action in actions:
        if action.decision not in ("pass", "not_inspected"):
            _add(found, action)
    latency_ms = round(sum(action.latency_ms for action in actions))
    found["invocationMetrics"] = {
        "guardrailProcessingLatency": latency_ms,
        "usage": usage(total),
        "guardrailCoverage": coverage(guarded, total) | _images(actions),
    }
    return found


def _add(found: Json, action: GuardrailAction) -> None:
    family, _, name = action.rule.partition(".")
    outcome = _ACTIONS[action.decision]
    if family == "words":
        words = found.setdefault("wordPolicy", {}).setdefault("customWords", [])
        words.append({"match": action.rule, "action": outcome, "detected": True})
    elif family in ("injection", "content"):
        confidence = next(label for least, label in _CONFIDENCES if action.confidence >= least)
        kind = "PROMPT_ATTACK" if family == "injection" else name
        filters = found.setdefault("contentPolicy", {}).setdefault("filters", [])
        filters.append({"type": kind, "confidence": confidence, "action": outcome, "detected": True})
    elif family == "topics":
        topics = found.setdefault("topicPolicy", {}).setdefault("topics", [])
        topics.append({"name": name, "type": "DENY", "action": outcome, "detected": True})
    elif family == "pii":
        entities = found.setdefault("sensitiveInformationPolicy", {}).setdefault("piiEntities", [])
        entities.append({"match": action.rule, "type": name, "action": outcome, "detected": True})
    else:
        regexes = found.setdefault("sensitiveInformationPolicy", {}).setdefault("regexes", [])
        regexes.append({"name": action.rule, "match": action.rule, "action": outcome, "detected": True})


def usage(characters: int) -> Json:
    """Text units by policy. Words, patterns and injection rules all saw the text."""
    units = -(-characters // TEXT_UNIT_CHARACTERS)
    return {
        "topicPolicyUnits": 0,
        "contentPolicyUnits": units,
        "wordPolicyUnits": units,
        "sensitiveInformationPolicyUnits": units,
        "sensitiveInformationPolicyFreeUnits": 0,
        "contextualGroundingPolicyUnits": 0,
    }


def coverage(guarded: int, total: int) -> Json:
    """Characters that were inspected, of all there were."""
    return {"textCharacters": {"guarded": guarded, "total": total}}


def _images(actions: Sequence[GuardrailAction]) -> Json:
    """Images that went through uninspected; Bedrock tells them apart from text too."""
    passed = sum(action.rule == "media.image" for action in actions)
    return {"images": {"guarded": 0, "total": passed}} if passed else {}


def trace(actions: Sequence[GuardrailAction], *, guarded: int, total: int) -> Json:
    """`trace.guardrail` of the Converse response."""
    before = [action for action in actions if action.stage == "input"]
    after = [action for action in actions if action.stage == "output"]
    shown: Json = {}
    if before:
        shown["inputAssessment"] = {before[0].guardrail_id: assessment(before, guarded=guarded, total=total)}
    if after:
        shown["outputAssessments"] = {after[0].guardrail_id: [assessment(after, guarded=0, total=0)]}
    return shown
