"""What an inspection decided, as the rows that the log keeps (LOG-02): one a rule, decision and place, with a count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from caisson.adapters.embedded.guardrail.rulebook import Rulebook
from caisson.channels.messages import GuardrailAction
from caisson.detect.finding import Finding
from caisson.detect.scanner import BLOCK, FLAG, MASK

Stage = Literal["input", "output"]
Decision = Literal["masked", "blocked", "flagged"]
_DECISIONS: dict[int, Decision] = {BLOCK: "blocked", MASK: "masked", FLAG: "flagged"}
_REASONS = {
    "credentials": "has the form of a credential",
    "pii": "has the form of personal data of this type",
    "words": "a word that the system file declares",
    "patterns": "a pattern that the system file declares",
    "injection": "reads like an attempt to take over the model",
    "pseudonyms": "looked like a pseudonym and was escaped",
}


@dataclass
class _Row:
    score: float
    rationale: str
    count: int = 0


class Decisions:
    """Collects the rows of one stage."""

    def __init__(self, rulebook: Rulebook, stage: Stage) -> None:
        self._rulebook = rulebook
        self._stage = stage
        self._rows: dict[tuple[str, Decision, str], _Row] = {}
        self.seconds = 0.0
        """Time that the evaluation took."""
        self.characters = 0
        """Characters that went through it."""
        self._blocked: tuple[str, Decision, str] | None = None

    def add(self, layer: int, finding: Finding, location: str) -> None:
        """Count a finding."""
        decision: Decision = "blocked" if finding.overlong and layer == MASK else _DECISIONS[layer]
        key = (finding.rule, decision, location)
        row = self._rows.get(key)
        if row is None:
            reason = _REASONS[finding.rule.partition(".")[0]]
            if finding.overlong:
                reason += ", longer than can be held"
            row = self._rows[key] = _Row(score=finding.score, rationale=f"{reason}; rule version {finding.version}")
        row.score = max(row.score, finding.score)
        row.count += 1
        if decision == "blocked" and self._blocked is None:
            self._blocked = key

    @property
    def blocked(self) -> GuardrailAction | None:
        """The first decision that stops the text."""
        return None if self._blocked is None else self._action(self._blocked, 0.0)

    @property
    def actions(self) -> tuple[GuardrailAction, ...]:
        """All rows; a pass when text was inspected and nothing found. Their latencies add up to the time it took."""
        latency_ms = self.seconds * 1000
        if self._rows:
            return tuple(self._action(key, latency_ms / len(self._rows)) for key in self._rows)
        passed = GuardrailAction(
            guardrail_id=self._rulebook.name,
            guardrail_version=self._rulebook.version,
            stage=self._stage,
            decision="pass",
            rationale=f"{self.characters} characters inspected",
            latency_ms=latency_ms,
        )
        return (passed,)

    def _action(self, key: tuple[str, Decision, str], latency_ms: float) -> GuardrailAction:
        rule, decision, location = key
        row = self._rows[key]
        return GuardrailAction(
            guardrail_id=self._rulebook.name,
            guardrail_version=self._rulebook.version,
            stage=self._stage,
            decision=decision,
            rule=rule,
            confidence=row.score,
            rationale=row.rationale,
            location=location,
            count=row.count,
            latency_ms=latency_ms,
        )
