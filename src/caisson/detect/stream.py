"""A text passes while it is inspected: masked spans replaced, everything held that a finding could still claim.

- What comes out depends on the text alone: joined, it is the same for every way of cutting the text, and so are the
  findings.
- A finding of the block layer ends the passage where it starts; so does a candidate that outgrows its cap.

>>> from caisson.detect.rule import Rule
>>> rules = RuleSet([], [Rule(id="patterns.claim-id", type="CLAIM_ID", pattern=r"CLM-[0-9]{8}")], [])
>>> passage = Passage(rules, lambda finding, text: "[…]")
>>> [passage.take("see CLM-1234", final=False), passage.take("5678 ok", final=True)]
['', 'see […] ok']
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from caisson.detect.finding import Finding
from caisson.detect.matches import Entry
from caisson.detect.scanner import BLOCK, CONTEXT_KEPT, FLAG, MASK, Position, RuleSet, Scanned, resolve
from caisson.detect.screen import Screen
from caisson.detect.view import View

Mask = Callable[[Finding, str], str | None]
"""A finding of the mask layer and its text → what replaces it. The text itself: it passes, flagged. None: the text ends
there."""


class Hit(NamedTuple):
    """A finding and what became of it."""

    layer: int
    finding: Finding
    """With offsets in the whole text that came in."""
    at: int
    """Where it stands in the text that came out."""
    width: int
    """Characters that stand there in its place."""
    ends: bool
    """The text ended there."""


class Stage(Protocol):
    """Text in, text out, cut anywhere."""

    @property
    def blocked(self) -> bool:
        """The text ended here; nothing more comes out."""

    @property
    def hits(self) -> Sequence[Hit]:
        """What was found so far, in order."""

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""

    def source(self, at: int) -> int:
        """Offset in the text that came in of what stands at `at` in the text that came out."""


class Passage:
    """A stage that runs a rule set."""

    __slots__ = (
        "_dropped", "_left", "_mask", "_out", "_passed", "_place", "_position", "_rules", "_screen", "_text", "blocked",
        "hits",
    )  # fmt: skip

    def __init__(self, rules: RuleSet, mask: Mask, *, screen: Screen | None = None, place: int = 0) -> None:
        """`screen` is that of several sets, among which `rules` is number `place`."""
        self._rules = rules
        self._mask = mask
        self._screen = screen
        self._place = place
        self._text = ""
        self._dropped = 0
        """Characters of the whole text that came before `_text`."""
        self._position = Position()
        self._passed = 0
        """Offset in `_text` of the first character that has not passed."""
        self._out = 0
        """Characters that came out."""
        self._left = 0
        self.blocked = False
        self.hits: list[Hit] = []

    def take(self, text: str, *, final: bool) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece."""
        if self.blocked or not (text or final):
            return ""
        self._text += text
        return self._follow(
            self._rules.scan(self._text, self._position, final=final, screen=self._screen, place=self._place)
        )

    def take_last(self, text: str, hits: Sequence[tuple[Entry, View]]) -> str:
        """Take the rest, when it is known which rules may match in the text that has not been dropped."""
        self._text += text
        return self._follow(resolve(hits, self._position, len(self._text), final=True))

    def take_scanned(self, text: str, scanned: Scanned) -> str:
        """Take the next piece, in which it is known what is found."""
        self._text += text
        return self._follow(scanned)

    @property
    def before(self) -> str:
        """What came in last of what has passed; CONTEXT_KEPT characters, fewer at the beginning of a text."""
        return self._text[max(0, self._passed - CONTEXT_KEPT) : self._passed]

    @property
    def held(self) -> str:
        """What has not passed."""
        return self._text[self._passed :]

    def clear(self, end: str, characters: int) -> bool:
        """Whether what came in ends in `end`, and no finding so far, nor one that is open, reaches into its last
        `characters` or is still to be found before them."""
        start = len(self._text) - characters
        return max(self._position.ends) <= start <= self._position.settled and self._text.endswith(end)

    def leave(self, characters: int, at: int) -> None:
        """Forget the text, and its last `characters` as if they had never come. `at` counts what passed elsewhere."""
        start = len(self._text) - characters
        self._out -= self._passed - start
        self._dropped += start
        self._text = ""
        self._left = at

    def resume(self, before: str, at: int) -> None:
        """Go on after what passed elsewhere since the text was left or began.

        Args:
            before: what came last, CONTEXT_KEPT characters or all there are.
            at: characters that ever passed elsewhere.
        """
        self._text = before
        self._dropped += at - self._left - len(before)
        self._out += at - self._left
        self._passed = len(before)
        self._position = Position(len(before))

    def _follow(self, scanned: Scanned) -> str:
        self._position = scanned.position
        pieces: list[str] = []
        for layer, finding in scanned.findings:
            self._apply(layer, finding, pieces)
            if self.blocked:
                return "".join(pieces)
        self._pass(self._position.settled, pieces)
        self._drop()
        return "".join(pieces)

    def source(self, at: int) -> int:
        """Offset in the text that came in of what stands at `at` in the text that came out."""
        origin = at
        for hit in self.hits:
            if hit.layer == MASK and not hit.ends and hit.at <= at:
                inside = at < hit.at + hit.width
                origin = hit.finding.start if inside else at + hit.finding.end - hit.at - hit.width
        return origin

    def _apply(self, layer: int, finding: Finding, pieces: list[str]) -> None:
        self.blocked = layer == BLOCK or (finding.overlong and layer == MASK)
        at = self._out + max(0, finding.start - self._passed)
        whole = finding
        if self._dropped:
            whole = finding._replace(start=finding.start + self._dropped, end=finding.end + self._dropped)
        if self.blocked or layer == MASK:
            self._pass(finding.start, pieces)
        width = finding.end - finding.start
        if layer == MASK and not self.blocked:
            text = self._text[finding.start : finding.end]
            replaced = self._mask(whole, text)
            self.blocked = replaced is None
            if replaced is not None:
                pieces.append(replaced)
                self._passed = finding.end
                width = len(replaced)
                self._out += width
                layer = FLAG if replaced == text else MASK
        self.hits.append(Hit(layer, whole, at, width, self.blocked))

    def _pass(self, end: int, pieces: list[str]) -> None:
        if end > self._passed:
            pieces.append(self._text[self._passed : end])
            self._passed = end
            self._out += len(pieces[-1])

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

    __slots__ = ("_stages", "blocked")

    def __init__(self, *stages: Stage) -> None:
        self._stages = stages
        self.blocked = False

    def take(self, text: str, *, final: bool, skip: int = 0) -> str:
        """Take the next piece; return what may pass. Nothing follows a final piece.

        Args:
            skip: stages that this piece has passed already.
        """
        if self.blocked:
            return ""
        for stage in self._stages[skip:]:
            text = stage.take(text, final=final or self.blocked)
            self.blocked = self.blocked or stage.blocked
        return text

    @property
    def hits(self) -> list[Hit]:
        """What was found in the text up to where it ended.

        An early stage may have read on beyond the end that a later one found, how far depends on how the text was cut;
        what it found there does not count.
        """
        counted: list[Hit] = []
        end: int | None = None
        for stage in reversed(self._stages):
            kept = [hit for hit in stage.hits if end is None or hit.at <= end]
            counted[:0] = kept
            ending = next((hit for hit in kept if hit.ends), None)
            if ending is not None:
                end = ending.finding.start
            elif end is not None:
                end = stage.source(end)
        return counted
