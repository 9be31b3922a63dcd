"""The stages that a text passes: bounded invisible runs, look-alikes, credentials, what has a form, names, restoring.

Each stage sees what the one before let through, so a credential inside a web address is gone before the address is
looked at, and what restoring puts back is never inspected again. A marking above the caller's clearance ends the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from caisson.adapters.embedded.guardrail.rulebook import Rulebook
from caisson.detect.course import Flow
from caisson.detect.finding import Finding
from caisson.detect.invisible import InvisibleRuns
from caisson.detect.people.stage import People, recogniser
from caisson.detect.pseudonyms import Pseudonyms, escaped
from caisson.detect.restoring import Restoring
from caisson.detect.rules import classification
from caisson.detect.stream import Mask
from caisson.policy.clearance import may_read
from caisson.system.identity import Classification


class Passages:
    """Makes the flows of one inspection's texts. All share pseudonyms."""

    def __init__(self, rulebook: Rulebook, pseudonyms: Pseudonyms, clearance: Classification | None) -> None:
        self._rulebook = rulebook
        self._pseudonyms = pseudonyms
        self._clearance = clearance

    def of_input(self, restorable: dict[str, str] | None, *, compared: bool) -> Flow:
        """An input's text.

        Args:
            restorable: gets the values that the last set masks, when it is given.
            compared: whether markings count; else they are the caller's own words.
        """

        def remember(finding: Finding, text: str) -> str | None:
            if finding.type == classification.TYPE:
                return self._mask(finding, text) if compared else text
            pseudonym = self._pseudonyms.of(finding.type, finding.normal)
            if restorable is not None:
                restorable.setdefault(pseudonym, text)
            return pseudonym

        masks = (_escape, self._mask, self._mask, remember)
        return Flow(self._rulebook.input, masks, invisible=InvisibleRuns(), after=self._people(remember))

    def of_output(self, restorable: Mapping[str, str]) -> Flow:
        """An answer's text. Values of `restorable` go back in at the end."""
        restoring = Restoring(restorable) if restorable else None
        masks = (self._mask, self._mask, self._mask)
        people = self._people(self._mask)
        return Flow(self._rulebook.output, masks, invisible=InvisibleRuns(), after=people, restoring=restoring)

    def _people(self, mask: Mask) -> People | None:
        """The stage for names and addresses, where the guardrail asks for them."""
        return People(recogniser(), self._rulebook.people, mask) if self._rulebook.people else None

    def _mask(self, finding: Finding, text: str) -> str | None:
        if finding.type == classification.TYPE:
            return text if self._readable(finding) else None
        return self._pseudonyms.of(finding.type, finding.normal)

    def _readable(self, marking: Finding) -> bool:
        if self._clearance is None:
            return True
        return may_read(cast("Classification", marking.rule.removeprefix(classification.KIND)), self._clearance)


def _escape(_finding: Finding, text: str) -> str:
    return escaped(text)
