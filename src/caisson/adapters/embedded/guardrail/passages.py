"""The stages that a text passes: bounded invisible runs, look-alikes, credentials, everything else, restoring.

Each stage sees what the one before let through, so a credential inside a web address is gone before the address is
looked at, and what restoring puts back is never inspected again.
"""

from __future__ import annotations

from collections.abc import Mapping

from caisson.adapters.embedded.guardrail.rulebook import LOOK_ALIKES, Rulebook
from caisson.detect.finding import Finding
from caisson.detect.invisible import InvisibleRuns
from caisson.detect.pseudonyms import Pseudonyms, escaped
from caisson.detect.restoring import Restoring
from caisson.detect.scanner import RuleSet
from caisson.detect.stream import Passage, Pipe, Stage


class Passages:
    """Makes the pipes of one inspection's texts. All share pseudonyms."""

    def __init__(self, rulebook: Rulebook, pseudonyms: Pseudonyms) -> None:
        self._rulebook = rulebook
        self._pseudonyms = pseudonyms

    def of_input(self, rules: RuleSet, restorable: dict[str, str] | None) -> Pipe:
        """Stages of an input's text. Values that `rules` mask are added to `restorable`, when that is given."""

        def remember(finding: Finding, text: str) -> str:
            pseudonym = self._mask(finding, text)
            if restorable is not None:
                restorable.setdefault(pseudonym, text)
            return pseudonym

        return Pipe(
            InvisibleRuns(),
            Passage(LOOK_ALIKES, lambda _, text: escaped(text)),
            *self._credentials(),
            Passage(rules, remember),
        )

    def of_output(self, restorable: Mapping[str, str]) -> Pipe:
        """Stages of an answer's text. Values of `restorable` go back in at the end."""
        stages: list[Stage] = [
            InvisibleRuns(),
            *self._credentials(),
            Passage(self._rulebook.output, self._mask),
        ]
        if restorable:
            stages.append(Restoring(restorable))
        return Pipe(*stages)

    def _credentials(self) -> list[Passage]:
        return [Passage(rules, self._mask) for rules in self._rulebook.credentials]

    def _mask(self, finding: Finding, _text: str) -> str:
        return self._pseudonyms.of(finding.type, finding.normal)
