"""Redaction for the log: no credential and no detectable personal data in it, whatever the guardrail lets through.

>>> Redactor().redact("mail alice@example.com", bytes(32))[1]
1
"""

from __future__ import annotations

from functools import cache

from caisson.detect.course import Course, Flow
from caisson.detect.finding import Finding
from caisson.detect.pseudonyms import Pseudonyms
from caisson.detect.rules.credentials import BY_FORM, BY_SURROUNDINGS
from caisson.detect.rules.pii import PII
from caisson.detect.scanner import RuleSet

SLICE_CHARACTERS = 32_768
"""How much of a text is inspected at a time."""
_TAIL_CHARACTERS_MAX = 1 << 40
"""Nothing is held for the log, so that a candidate may be as long as it likes."""


@cache
def rule_sets() -> tuple[RuleSet, ...]:
    """The stages: credentials by form, credentials by surroundings, personal data. Each masks what it finds."""
    personal = [rule for rules in PII.values() for rule in rules]
    return tuple(
        RuleSet((), rules, (), tail_characters_max=_TAIL_CHARACTERS_MAX)
        for rules in (BY_FORM, BY_SURROUNDINGS, personal)
    )


@cache
def _course() -> Course:
    return Course(*rule_sets())


class Redactor:
    """Replaces credentials and every detectable type of personal data by pseudonyms."""

    def __init__(self) -> None:
        self._course = _course()

    def redact(self, text: str, pseudonym_key: bytes) -> tuple[str, int]:
        """The redacted text and how many spans were replaced.

        Args:
            text: what to redact.
            pseudonym_key: 32 bytes of the session, so that its pseudonyms are the same in the log.
        """
        pseudonyms = Pseudonyms(pseudonym_key)

        def mask(finding: Finding, _text: str) -> str:
            return pseudonyms.of(finding.type, finding.normal)

        flow = Flow(self._course, [mask] * len(self._course.sets))
        last = max(0, len(text) - 1) // SLICE_CHARACTERS
        pieces = [
            flow.take(text[number * SLICE_CHARACTERS : (number + 1) * SLICE_CHARACTERS], final=number == last)
            for number in range(last + 1)
        ]
        return "".join(pieces), len(flow.hits)
