"""The stages that a text passes: bounded invisible runs, look-alikes, credentials, everything else, restoring.

Each stage sees what the one before let through, so a credential inside a web address is gone before the address is
looked at, and what restoring puts back is never inspected again.
"""

from __future__ import annotations

from collections.abc import Mapping

from caisson.adapters.embedded.guardrail.decisions import Decisions
from caisson.adapters.embedded.guardrail.rulebook import LOOK_ALIKE, LOOK_ALIKES, Rulebook
from caisson.detect.finding import Finding
from caisson.detect.invisible import InvisibleRuns
from caisson.detect.pseudonyms import Pseudonyms, escaped
from caisson.detect.restoring import Restoring
from caisson.detect.rules.credentials import TYPE as CREDENTIAL
from caisson.detect.scanner import BLOCK, MASK, RuleSet
from caisson.detect.stream import Passage, Pipe, Stage

_INVISIBLE_RULE = "injection.invisible-run"


class Passages:
    """Makes the stages of one inspection's texts. All share pseudonyms and decisions."""

    def __init__(self, rulebook: Rulebook, decisions: Decisions, pseudonyms: Pseudonyms) -> None:
        self._rulebook = rulebook
        self._decisions = decisions
        self._pseudonyms = pseudonyms

    def of_input(self, rules: RuleSet, location: str, restorable: dict[str, str] | None) -> Pipe:
        """Stages of an input's text. Values that `rules` mask are added to `restorable`, when that is given."""
        return Pipe(
            self._invisible(location),
            self._passage(LOOK_ALIKES, location, None),
            self._passage(self._rulebook.credentials, location, None),
            self._passage(rules, location, restorable),
        )

    def of_output(self, location: str, restorable: Mapping[str, str]) -> Pipe:
        """Stages of an answer's text. Values of `restorable` go back in at the end."""
        stages: list[Stage] = [
            self._invisible(location),
            self._passage(self._rulebook.credentials, location, None),
            self._passage(self._rulebook.output, location, None),
        ]
        if restorable:
            stages.append(Restoring(restorable))
        return Pipe(*stages)

    def _invisible(self, location: str) -> InvisibleRuns:
        def found(offset: int) -> None:
            finding = Finding(
                start=offset, end=offset, rule=_INVISIBLE_RULE, type="PROMPT_ATTACK", score=1.0, version="1"
            )
            self._decisions.add(BLOCK, finding, location)

        return InvisibleRuns(found)

    def _passage(self, rules: RuleSet, location: str, restorable: dict[str, str] | None) -> Passage:
        def found(layer: int, finding: Finding, text: str) -> str:
            self._decisions.add(layer, finding, location)
            if layer != MASK:
                return ""
            if finding.rule == LOOK_ALIKE.id:
                return escaped(text)
            pseudonym = self._pseudonyms.of(finding.type, finding.normal)
            if restorable is not None and finding.type != CREDENTIAL:
                restorable.setdefault(pseudonym, text)
            return pseudonym

        return Passage(rules, found)
