"""The detectors by kind, as a system with every rule on uses them: text in, findings in it out.

`caisson bench detect` and `caisson scan` call these, so that what is measured is what runs. Each kind goes through the
same stages as in the gateway and in the log's redaction: credentials by form, then by surroundings, then personal data,
each reading what the stage before let through. Findings carry offsets of the original text.

>>> [(f.type, f.start, f.end) for f in detector("pii")("mail alice@example.com")]
[('EMAIL', 5, 22)]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal

from caisson.detect.finding import Finding
from caisson.detect.injection import Mode, findings
from caisson.detect.redaction import rule_sets
from caisson.detect.rules.injection import Strength
from caisson.detect.scanner import RuleSet
from caisson.detect.stream import Passage, Pipe

Kind = Literal["secrets", "pii", "injection"]
Detector = Callable[[str], Sequence[Finding]]
STRENGTH: Strength = "medium"
"""Of the prompt attack filter: what a system of tier 2 has unless its file says otherwise."""
_CREDENTIAL_STAGES = 2
"""Stages of the redactor that look for credentials; the rest looks for personal data."""
_MASKED = "["
"""Stands where a stage masked something, one for every character: as little of a value as a pseudonym's bracket."""


@cache
def detector(kind: Kind, *, data: bool = False) -> Detector:
    """The detector of a kind.

    Args:
        data: the text is a document or a tool's result, which has no business giving orders (injection only).
    """
    if kind == "injection":
        mode: Mode = "data" if data else "user"
        return lambda text: findings(text, STRENGTH, mode)
    if kind == "secrets":
        return lambda text: through(rule_sets()[:_CREDENTIAL_STAGES], text)
    return _personal


def _personal(text: str) -> Sequence[Finding]:
    return through(rule_sets(), text)


def through(stages: Sequence[RuleSet], text: str) -> list[Finding]:
    """What the stages find one after the other, in the order of the text."""
    passages = [Passage(rules, _blank) for rules in stages]
    Pipe(*passages).take(text, final=True)
    found = [hit.finding for passage in passages for hit in passage.hits]
    return sorted(found, key=lambda finding: (finding.start, -finding.end))


def _blank(finding: Finding, _text: str) -> str:
    return _MASKED * (finding.end - finding.start)
