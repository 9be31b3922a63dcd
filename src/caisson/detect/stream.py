"""A text passes while it is inspected: masked spans replaced, everything held that a finding could still claim.

- What comes out depends on the text alone: joined, it is the same for every way of cutting the text, and so are the
  findings reported.
- A finding of the block layer ends the passage where it starts; so does a candidate that outgrows its cap.

>>> from caisson.detect.rule import Rule
>>> rules = RuleSet([], [Rule(id="patterns.claim-id", type="CLAIM_ID", pattern=r"CLM-[0-9]{8}")], [])
>>> passage = Passage(rules, lambda layer, finding, text: "[…]")
>>> [passage.take("see CLM-1234", final=False), passage.take("5678 ok", final=True)]
['', 'see […] ok']
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from caisson.detect.finding import Finding
from caisson.detect.scanner import BLOCK, CONTEXT_KEPT, MASK, Position, RuleSet

OnFinding = Callable[[int, Finding, str], str]
"""Layer, finding (offsets within the whole text) and its text → what replaces it in the mask layer."""


class Stage(Protocol):
    """Text in, text out, cut anywhere."""

    @property
    def blocked(self) -> bool:
        """The text ended here; nothing more comes out."""

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""


class Passage:
    """A stage that runs a rule set."""

    def __init__(self, rules: RuleSet, on_finding: OnFinding) -> None:
        self._rules = rules
        self._on_finding = on_finding
        self._text = ""
        self._dropped = 0
        """Characters of the whole text that came before `_text`."""
        self._position = Position()
        self._passed = 0
        """Offset in `_text` of the first character that has not passed."""
        self._blocked = False

    @property
    def blocked(self) -> bool:
        """A finding of the block layer, or an overlong one, ended the text."""
        return self._blocked

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""
        if self._blocked or not (text or final):
            return ""
        self._text += text
        scanned = self._rules.scan(self._text, self._position, final=final)
        self._position = scanned.position
        pieces: list[str] = []
        for layer, finding in scanned.findings:
            replacement = self._report(layer, finding)
            if layer == BLOCK or (finding.overlong and layer == MASK):
                self._blocked = True
                self._pass(finding.start, pieces)
                return "".join(pieces)
            if layer == MASK:
                self._pass(finding.start, pieces)
                pieces.append(replacement)
                self._passed = finding.end
        self._pass(self._position.settled, pieces)
        self._drop()
        return "".join(pieces)

    def _report(self, layer: int, finding: Finding) -> str:
        whole = replace(finding, start=finding.start + self._dropped, end=finding.end + self._dropped)
        return self._on_finding(layer, whole, self._text[finding.start : finding.end])

    def _pass(self, end: int, pieces: list[str]) -> None:
        if end > self._passed:
            pieces.append(self._text[self._passed : end])
            self._passed = end

    def _drop(self) -> None:
        """Forget what has passed and no check may look back at."""
        drop = min(self._position.settled, self._passed) - CONTEXT_KEPT
        if drop > CONTEXT_KEPT:
            self._text = self._text[drop:]
            self._dropped += drop
            self._passed -= drop
            self._position = self._position.back(drop)


class Pipe:
    """Stages one after the other. What passes one is the text of the next; the end of one is the end of all."""

    def __init__(self, *stages: Stage) -> None:
        self._stages = stages

    @property
    def blocked(self) -> bool:
        """A stage ended the text."""
        return any(stage.blocked for stage in self._stages)

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""
        if self.blocked:
            return ""
        for stage in self._stages:
            text = stage.take(text, final=final)
            final = final or stage.blocked
        return text
