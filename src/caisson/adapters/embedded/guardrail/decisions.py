"""What an inspection decided, as the rows that the log keeps (LOG-02): one a rule, decision and place, with a count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from caisson.adapters.embedded.guardrail.rulebook import Rulebook
from caisson.channels.messages import GuardrailAction
from caisson.detect.course import Flow
from caisson.detect.scanner import BLOCK, FLAG, MASK
from caisson.detect.stream import Hit

Stage = Literal["input", "output"]
Decision = Literal["masked", "blocked", "flagged"]
_DECISIONS: dict[int, Decision] = {BLOCK: "blocked", MASK: "masked", FLAG: "flagged"}
_REASONS = {
    "credentials": "has the form of a credential",
    "pii": "has the form of personal data of this type",
    "people": "stands where a name or an address of a person does",
    "words": "a word that the system file declares",
    "patterns": "a pattern that the system file declares",
    "injection": "reads like an attempt to take over the model",
    "leakage": "repeats the system prompt",
    "classification": "is marked so; the caller's clearance decides",
    "pseudonyms": "looked like a pseudonym and was escaped",
}


RATIONALES_MAX = 1_024
"""Wordings remembered."""


@dataclass(slots=True)
class _Row:
    rule: str
    decision: Decision
    location: str
    rationale: str
    score: float = 0.0
    count: int = 0


class Inspected(Protocol):
    """What was found in one text."""

    @property
    def blocked(self) -> bool:
        """It stops the text."""

    @property
    def hits(self) -> Sequence[Hit]:
        """In order."""


class Decisions:
    """The rows of one stage, made from what the texts' flows found."""

    def __init__(self, rulebook: Rulebook, stage: Stage) -> None:
        self._rulebook = rulebook
        self._stage = stage
        self._inspected: list[tuple[str, Inspected]] = []
        self.seconds = 0.0
        """Time that the evaluation took."""
        self.characters = 0
        """Characters that went through it."""

    def inspect(self, location: str, flow: Flow) -> Flow:
        """Count what `flow` finds in the text at `location`."""
        self._inspected.append((location, flow))
        return flow

    def add(self, location: str, judged: Inspected) -> None:
        """Count what was found in the text at `location`."""
        self._inspected.append((location, judged))

    @property
    def blocked(self) -> GuardrailAction | None:
        """The first decision that stops a text."""
        if not any(flow.blocked for _, flow in self._inspected):
            return None
        return next((self._action(row, 0.0) for row in self._rows() if row.decision == "blocked"), None)

    @property
    def actions(self) -> tuple[GuardrailAction, ...]:
        """All rows; a pass when nothing was found. Their latencies add up to the time it took."""
        rows: Sequence[_Row | None] = tuple(self._rows()) or (None,)
        return tuple(self._action(row, self.seconds * 1000 / len(rows)) for row in rows)

    def _rows(self) -> Iterator[_Row]:
        """By place, then in the order of the stages, which does not depend on how a text was cut."""
        for location, flow in self._inspected:
            rows: dict[tuple[str, Decision], _Row] = {}
            for layer, finding, _, _, ends in flow.hits:
                key = (finding.rule, "blocked" if ends else _DECISIONS[layer])
                row = rows.get(key)
                if row is None:
                    rationale = _rationale(finding.rule, finding.version, finding.overlong)
                    row = rows[key] = _Row(*key, location, rationale)
                row.score = max(row.score, finding.score)
                row.count += 1
            yield from rows.values()

    def _action(self, row: _Row | None, latency_ms: float) -> GuardrailAction:
        name, version = self._rulebook.name, self._rulebook.version
        if row is None:
            return GuardrailAction(
                guardrail_id=name,
                guardrail_version=version,
                stage=self._stage,
                decision="pass",
                rationale=f"{self.characters} characters inspected",
                latency_ms=latency_ms,
            )
        return GuardrailAction(
            guardrail_id=name,
            guardrail_version=version,
            stage=self._stage,
            decision=row.decision,
            rule=row.rule,
            confidence=row.score,
            rationale=row.rationale,
            location=row.location,
            count=row.count,
            latency_ms=latency_ms,
        )


@lru_cache(maxsize=RATIONALES_MAX)
def _rationale(rule: str, version: str, overlong: bool) -> str:
    reason = _REASONS[rule.partition(".")[0]]
    if overlong:
        reason += ", longer than can be held"
    return f"{reason}; rule version {version}"
