"""A text's way through several rule sets, quick while nothing is found.

Every set sees what the ones before let through. As long as no set has found anything, all see the same text: one screen
over all their rules tells that, and no stage is needed. The first finding sets up the stages where the text stands, and
they go on until nothing that was found is in sight. What comes out, and what is found, is what they alone would say.

>>> from caisson.detect.rule import Rule
>>> course = Course(RuleSet((), [Rule(id="patterns.claim-id", type="CLAIM_ID", pattern=r"CLM-[0-9]{8}")], ()))
>>> flow = Flow(course, [lambda finding, text: "[…]"])
>>> [flow.take("see CLM-1234", final=False), flow.take("5678 ok", final=True)]
['', 'see […] ok']
"""

from __future__ import annotations

from collections.abc import Sequence

from caisson.detect.horizon import Horizon
from caisson.detect.invisible import InvisibleRuns
from caisson.detect.restoring import Restoring
from caisson.detect.scanner import CONTEXT_KEPT, Position, RuleSet, resolve
from caisson.detect.screen import Hits, Screen
from caisson.detect.stream import Hit, Mask, Passage, Pipe, Stage
from caisson.detect.view import views


class Course:
    """Rule sets one after the other, compiled together."""

    def __init__(self, *sets: RuleSet) -> None:
        self.sets = sets
        self.screen = Screen([rules.entries for rules in sets])
        self.horizon = Horizon(rule for rules in sets for rule in rules.rules)


class Flow:
    """One text on its course."""

    __slots__ = (
        "_calm", "_course", "_invisible", "_masks", "_passages", "_passed", "_pipe", "_restoring", "_settled", "_text",
        "blocked",
    )  # fmt: skip

    def __init__(
        self,
        course: Course,
        masks: Sequence[Mask],
        *,
        invisible: InvisibleRuns | None = None,
        restoring: Restoring | None = None,
    ) -> None:
        """`masks` has one for every set. `invisible` comes before them, `restoring` after."""
        self._course = course
        self._masks = masks
        self._invisible = invisible
        self._restoring = restoring
        self._calm = True
        """All sets see the same text, and nothing was found in what a finding to come could touch."""
        self._text = ""
        """While calm: what has not passed, and before it what a check may look back at."""
        self._settled = 0
        """Offset in `_text` of the first character that has not passed."""
        self._passed = 0
        """Characters that passed while the text was calm."""
        self._passages: dict[int, Passage] = {}
        """By number of the set, as far as they were needed."""
        self._pipe = Pipe()
        """While not calm: all stages."""
        self.blocked = False

    @property
    def hits(self) -> Sequence[Hit]:
        """What was found in the text up to where it ended."""
        if self._passages:
            return self._piped().hits
        return () if self._invisible is None else self._invisible.hits

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""
        if self.blocked:
            return ""
        if self._calm:
            if self._invisible is not None:
                text = self._invisible.take(text, final=final)
                self.blocked = self._invisible.blocked
            text = self._through(text, final=final or self.blocked)
        else:
            text = self._pipe.take(text, final=final)
            self.blocked = self._pipe.blocked
            self._calm_down()
        if self._restoring is not None:
            text = self._restoring.take(text, final=final or self.blocked)
        return text

    def _through(self, text: str, *, final: bool) -> str:
        text = self._text = self._text + text if self._text else text
        course, settled, horizon = self._course, self._settled, len(text)
        seen = views(text)
        if not final and (horizon := course.horizon.of_all(seen, settled)) <= settled:
            return ""
        hits = course.screen.hits(seen)
        if final:
            return self._last(hits) if hits else text[settled:]
        found, last = None, len(course.sets) - 1
        for place in sorted(hits):
            scanned = resolve(hits[place], Position(settled), horizon, final=False, closed=place == last)
            horizon = scanned.position.settled  # a candidate that is still open holds the text
            if scanned.findings:
                if place < last or max(scanned.position.ends) > horizon:
                    return self._set_up()
                found = scanned
        if horizon <= settled:
            return ""
        before, passed = text[:settled], text[settled:horizon]
        self._passed += horizon - settled
        self._settled = horizon
        drop = horizon - CONTEXT_KEPT
        if drop > CONTEXT_KEPT:
            self._text = text[drop:]
            self._settled = CONTEXT_KEPT
        if found is None:
            return passed
        passage = self._resumed(last, before, self._passed - len(passed))
        passed = passage.take_scanned(passed, found)  # no other set sees what the last one changes
        passage.leave(0, self._passed)
        self.blocked = passage.blocked
        return passed

    def _set_up(self) -> str:
        """All stages go on from where the text stands."""
        before, rest = self._text[: self._settled], self._text[self._settled :]
        for place in range(len(self._course.sets)):
            self._resumed(place, before, self._passed)
        self._calm, self._pipe = False, self._piped()
        passed = self._pipe.take(rest, final=False, skip=self._invisible is not None)
        self.blocked = self._pipe.blocked
        self._calm_down()
        return passed

    def _last(self, hits: Hits) -> str:
        """The rest of the text through the sets that may find something in it; the others let it pass as it is."""
        before, rest = self._text[: self._settled], self._text[self._settled :]
        places = len(self._course.sets)
        for place in range(places):
            if place not in hits:
                continue
            passage = self._resumed(place, before, self._passed)
            passed = passage.take_last(rest, hits[place])
            self.blocked = self.blocked or passage.blocked
            if passed != rest and place + 1 < places:
                hits = self._course.screen.hits(views(before + passed))
            rest = passed
        return rest

    def _resumed(self, place: int, before: str, at: int) -> Passage:
        passage = self._passages.get(place)
        if passage is None:
            rules, screen = self._course.sets[place], self._course.screen
            passage = self._passages[place] = Passage(rules, self._masks[place], screen=screen, place=place)
        passage.resume(before, at)
        return passage

    def _piped(self) -> Pipe:
        stages: list[Stage] = [] if self._invisible is None else [self._invisible]
        stages.extend(self._passages[place] for place in sorted(self._passages))
        return Pipe(*stages)

    def _calm_down(self) -> None:
        """Do without stages again, once what passed last has passed all of them unchanged."""
        passages = [self._passages[place] for place in reversed(range(len(self._course.sets)))]
        before, held = passages[0].before, ""
        lengths = []
        for passage in passages:
            held += passage.held
            lengths.append(len(held))
            if self.blocked or len(before) < CONTEXT_KEPT or not passage.clear(before + held, len(held)):
                return
        self._calm, self._text, self._settled = True, before + held, len(before)
        for passage, length in zip(passages, lengths, strict=True):
            passage.leave(length, self._passed)
