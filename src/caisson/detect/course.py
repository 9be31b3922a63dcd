"""A text's way through several rule sets, quick while nothing is found.

Every set sees what the ones before let through. As long as no set has found anything, all see the same text: one screen
over all their rules tells that, and no stage is needed. The first finding sets up the stages where the text stands, and
they go on by themselves; what comes out, and what is found, is what the stages alone would say.

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

    __slots__ = ("_course", "_dropped", "_invisible", "_masks", "_pipe", "_restoring", "_settled", "_text", "blocked")

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
        self._text = ""
        """What has not passed and what a check may look back at, while nothing is found."""
        self._dropped = 0
        """Characters of the whole text that came before `_text`."""
        self._settled = 0
        """Offset in `_text` of the first character that has not passed."""
        self._pipe: Pipe | None = None
        """The stages, once something is found."""
        self.blocked = False

    @property
    def hits(self) -> Sequence[Hit]:
        """What was found in the text up to where it ended."""
        if self._pipe is not None:
            return self._pipe.hits
        return self._invisible.hits if self._invisible is not None else ()

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""
        if self.blocked:
            return ""
        if self._pipe is not None:
            text = self._pipe.take(text, final=final)
            self.blocked = self._pipe.blocked
        else:
            if self._invisible is not None:
                text = self._invisible.take(text, final=final)
                self.blocked = self._invisible.blocked
            text = self._through(text, final=final or self.blocked)
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
        for sources in hits.values():
            scanned = resolve(sources, Position(settled), horizon, final=False)
            if scanned.findings:
                return self._set_up()
            horizon = scanned.position.settled  # a candidate that is still open holds the text
        if horizon <= settled:
            return ""
        drop = horizon - CONTEXT_KEPT
        if drop > CONTEXT_KEPT:
            self._text = text[drop:]
            self._dropped += drop
        self._settled = horizon - max(drop, 0) if drop > CONTEXT_KEPT else horizon
        return text[settled:horizon]

    def _set_up(self) -> str:
        """The stages, as if all that passed had passed them."""
        before, rest, screen = self._text[: self._settled], self._text[self._settled :], self._course.screen
        passages = [
            Passage(rules, mask, screen=screen, place=place, before=before, dropped=self._dropped)
            for place, (rules, mask) in enumerate(zip(self._course.sets, self._masks, strict=True))
        ]
        first: list[Stage] = [] if self._invisible is None else [self._invisible]
        self._pipe = Pipe(*first, *passages)
        passed = self._pipe.take(rest, final=False, skip=len(first))
        self.blocked = self._pipe.blocked
        self._text = ""
        return passed

    def _last(self, hits: Hits) -> str:
        """The rest of the text through the sets that may find something in it; the others let it pass as it is."""
        before, rest = self._text[: self._settled], self._text[self._settled :]
        sets, screen = self._course.sets, self._course.screen
        stages: list[Stage] = [] if self._invisible is None else [self._invisible]
        for place, (rules, mask) in enumerate(zip(sets, self._masks, strict=True)):
            if place not in hits:
                continue
            passage = Passage(rules, mask, before=before, dropped=self._dropped)
            stages.append(passage)
            passed = passage.take_last(rest, hits[place])
            self.blocked = self.blocked or passage.blocked
            if passed != rest and place + 1 < len(sets):
                hits = screen.hits(views(before + passed))
            rest = passed
        self._pipe = Pipe(*stages)
        return rest
