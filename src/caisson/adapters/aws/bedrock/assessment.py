"""What a guardrail of AWS says it found (API_runtime_GuardrailAssessment), as the decision rows of the record (LOG-02).

- `BLOCKED` is a block, `ANONYMIZED` a mask, found without an action a flag. What was looked for and not found is one
  pass row, and only when there is an assessment: what shows no evaluation is not recorded as evaluated.
- Rules have the names that our own have; matched text is never repeated.

>>> word = {"wordPolicy": {"customWords": [{"match": "falcon", "action": "BLOCKED"}]}}
>>> [(row.decision, row.rule) for row in actions_of(read(word), guardrail=("g1", "3"), stage="input")]
[('blocked', 'words.custom')]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from caisson.channels.messages import GuardrailAction
from caisson.ports.model import PinnedGuardrail

Stage = Literal["input", "output"]
Decision = Literal["masked", "blocked", "flagged"]

UNTRACED = "aws.untraced"
"""Rule of the row that says that a guardrail was asked for and showed no evaluation."""
UNEXPLAINED = "aws.unexplained"
"""Rule of the row that says that a guardrail intervened and did not say why."""
_DECISIONS: dict[str, Decision] = {"BLOCKED": "blocked", "ANONYMIZED": "masked"}
_CONFIDENCES = {"NONE": 0.0, "LOW": 0.3, "MEDIUM": 0.6, "HIGH": 0.9}


class Item(msgspec.Struct):
    """One entry of a policy; each policy fills in some of it."""

    action: str = "NONE"
    detected: bool | None = None
    type: str = ""
    name: str = ""
    confidence: str = "HIGH"


class Topics(msgspec.Struct):
    """Denied topics."""

    topics: list[Item] = []


class Filters(msgspec.Struct):
    """Content filters, and grounding."""

    filters: list[Item] = []


class Words(msgspec.Struct, rename="camel"):
    """Words of one's own and of AWS."""

    custom_words: list[Item] = []
    managed_word_lists: list[Item] = []


class Sensitive(msgspec.Struct, rename="camel"):
    """Personal data, and patterns of one's own."""

    pii_entities: list[Item] = []
    regexes: list[Item] = []


class Reasoning(msgspec.Struct):
    """Automated reasoning: each finding is a union by kind, with texts that are not read."""

    findings: list[dict[str, Any]] = []


class Characters(msgspec.Struct):
    """Of the text."""

    guarded: int = 0
    total: int = 0


class Coverage(msgspec.Struct, rename="camel"):
    """What was evaluated of all there was."""

    text_characters: Characters | None = None

    @property
    def is_whole(self) -> bool:
        """All of the text was evaluated. Saying nothing about it is not yes."""
        text = self.text_characters
        return text is not None and text.total > 0 and text.guarded == text.total


class Metrics(msgspec.Struct, rename="camel"):
    """How long it took."""

    guardrail_processing_latency: float = 0.0


class Applied(msgspec.Struct, rename="camel"):
    """Which guardrail it was."""

    guardrail_id: str = ""
    guardrail_version: str = ""
    guardrail_arn: str = ""


class Assessment(msgspec.Struct, rename="camel"):
    """One evaluation."""

    topic_policy: Topics | None = None
    content_policy: Filters | None = None
    word_policy: Words | None = None
    sensitive_information_policy: Sensitive | None = None
    contextual_grounding_policy: Filters | None = None
    automated_reasoning_policy: Reasoning | None = None
    invocation_metrics: Metrics | None = None
    applied_guardrail_details: Applied | None = None


class Trace(msgspec.Struct, rename="camel"):
    """`trace.guardrail` of Converse: assessments by guardrail id."""

    input_assessment: dict[str, Assessment] = {}
    output_assessments: dict[str, list[Assessment]] = {}


def read(value: object) -> Assessment:
    """The assessment in a JSON value.

    Raises:
        ValueError: it has not the shape.
    """
    return msgspec.convert(value, Assessment)


def actions_of(assessment: Assessment, *, guardrail: tuple[str, str], stage: Stage) -> tuple[GuardrailAction, ...]:
    """The rows of one evaluation, in the order of the policies. `guardrail` is its id and version where it does not
    say so itself."""
    applied = assessment.applied_guardrail_details or Applied()
    name, version = applied.guardrail_id or guardrail[0], applied.guardrail_version or guardrail[1]
    found = list(_found(assessment))
    latency_ms = assessment.invocation_metrics.guardrail_processing_latency if assessment.invocation_metrics else 0.0
    if not found:
        return (
            GuardrailAction(
                guardrail_id=name,
                guardrail_version=version,
                stage=stage,
                decision="pass",
                rationale="evaluated by Amazon Bedrock",
                latency_ms=latency_ms,
            ),
        )
    return tuple(
        GuardrailAction(
            guardrail_id=name,
            guardrail_version=version,
            stage=stage,
            decision=decision,
            rule=rule,
            confidence=confidence,
            rationale="found by Amazon Bedrock",
            count=count,
            latency_ms=latency_ms / len(found),
        )
        for (rule, decision), (confidence, count) in found
    )


def traced(trace: Trace | None, pin: PinnedGuardrail | None, *, intervened: bool) -> tuple[GuardrailAction, ...]:
    """The rows of a Converse trace, plus what it fails to show.

    Args:
        trace: None when the endpoint sent none.
        pin: the guardrail that was asked for.
        intervened: the answer's stop reason says that a guardrail stopped it.
    """
    rows: list[GuardrailAction] = []
    shown = trace or Trace()
    version = pin.version if pin is not None else ""
    for name, one in shown.input_assessment.items():
        rows += actions_of(one, guardrail=(name, version), stage="input")
    for name, several in shown.output_assessments.items():
        for one in several:
            rows += actions_of(one, guardrail=(name, version), stage="output")
    identifier = pin.identifier.rpartition("/")[2] if pin is not None else ""
    if pin is not None and not any(row.guardrail_id in (identifier, pin.identifier) for row in rows):
        rows.append(_own(identifier, version, "flagged", UNTRACED, "asked for, and the endpoint showed no evaluation"))
    if intervened and not any(row.decision in ("blocked", "masked") for row in rows):
        rows.append(_own(identifier, version, "blocked", UNEXPLAINED, "the endpoint's guardrail did not say why"))
    return tuple(rows)


def _own(name: str, version: str, decision: Decision, rule: str, rationale: str) -> GuardrailAction:
    return GuardrailAction(
        guardrail_id=name or "aws",
        guardrail_version=version,
        stage="output",
        decision=decision,
        rule=rule,
        rationale=rationale,
    )


_Row = tuple[tuple[str, Decision], tuple[float, int]]


def _found(assessment: Assessment) -> Iterator[_Row]:
    """Rule and decision, confidence and count: one row for each rule and decision."""
    rows: dict[tuple[str, Decision], tuple[float, int]] = {}
    for rule, item in _items(assessment):
        decision = _DECISIONS.get(item.action)
        if decision is None and item.action == "NONE" and not item.detected:
            continue
        # An action that this version does not know is at least shown.
        key = (rule, decision or "flagged")
        confidence, count = rows.get(key, (0.0, 0))
        rows[key] = (max(confidence, _CONFIDENCES.get(item.confidence, 1.0)), count + 1)
    yield from rows.items()


def _items(assessment: Assessment) -> Iterator[tuple[str, Item]]:
    topics, content = assessment.topic_policy or Topics(), assessment.content_policy or Filters()
    words, sensitive = assessment.word_policy or Words(), assessment.sensitive_information_policy or Sensitive()
    grounding = assessment.contextual_grounding_policy or Filters()
    yield from _named("topics", topics.topics, lambda item: item.name)
    for item in content.filters:
        yield ("injection.aws" if item.type == "PROMPT_ATTACK" else f"content.{item.type}"), item
    yield from _named("words", words.custom_words, lambda _: "custom")
    yield from _named("words", words.managed_word_lists, lambda item: item.type)
    yield from _named("pii", sensitive.pii_entities, lambda item: item.type)
    yield from _named("patterns", sensitive.regexes, lambda item: item.name or "unnamed")
    yield from _named("grounding", grounding.filters, lambda item: item.type)
    reasoning = assessment.automated_reasoning_policy or Reasoning()
    for finding in reasoning.findings:
        # Automated reasoning reports and does not act (API_runtime_GuardrailAutomatedReasoningFinding).
        for kind in finding:
            yield f"reasoning.{kind}", Item(detected=kind != "valid")


def _named(family: str, items: Sequence[Item], name: Any) -> Iterator[tuple[str, Item]]:
    for item in items:
        yield f"{family}.{name(item)}", item


def blocked_of(actions: Sequence[GuardrailAction]) -> GuardrailAction | None:
    """The first row that stops a text."""
    return next((row for row in actions if row.decision == "blocked"), None)


def at(actions: Sequence[GuardrailAction], location: str) -> tuple[GuardrailAction, ...]:
    """The rows with the place of what was inspected."""
    return tuple(msgspec.structs.replace(row, location=location) for row in actions)


def coverage_of(body: Mapping[str, Any]) -> Coverage:
    """`guardrailCoverage` of an ApplyGuardrail answer.

    Raises:
        ValueError: it has not the shape.
    """
    return msgspec.convert(body.get("guardrailCoverage") or {}, Coverage)
