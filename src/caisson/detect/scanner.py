"""Findings of a set of rules in a text, all at once or while it is still arriving.

- Rules stand in layers (block, mask, flag). Within a layer findings do not overlap: the next one is the leftmost match
  at or after the end of the last, then the longest, then that of the first rule. No layer hides another's findings.
- What is found depends on the text alone, never on how it arrived. A match is taken once nothing that follows could
  change it: every character that it could reach is there, or one that its rule's alphabet excludes follows its start.

>>> from caisson.detect.rule import Rule
>>> rules = RuleSet([], [Rule(id="patterns.claim-id", type="CLAIM_ID", pattern=r"CLM-[0-9]{8}")], [])
>>> [finding.start for _, finding in rules.scan("see CLM-12345678", Position(), final=True).findings]
[4]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from caisson.detect.finding import Finding
from caisson.detect.horizon import Horizon
from caisson.detect.matches import Candidate, Entry, Matches
from caisson.detect.rule import CONTEXT_CHARACTERS, TAIL_CHARACTERS_MAX, Rule
from caisson.detect.screen import Screen
from caisson.detect.view import View, views
from caisson.detect.visible import INVISIBLE_RUN_MAX, prepare

BLOCK, MASK, FLAG = range(3)
"""Layers. At one place a block comes first."""
CONTEXT_KEPT = CONTEXT_CHARACTERS + INVISIBLE_RUN_MAX + 1
"""Characters before a scan's start that must stay in the text: what checks may read, and one visible character."""


class Position(NamedTuple):
    """How far a scan has come."""

    settled: int = 0
    """No finding that starts before this is still to be found."""
    ends: tuple[int, int, int] = (0, 0, 0)
    """End of the last finding of each layer."""

    def back(self, characters: int) -> Position:
        """The same position after that many characters were dropped from the front of the text."""
        block, mask, flag = self.ends
        return Position(self.settled - characters, (block - characters, mask - characters, flag - characters))


class Scanned(NamedTuple):
    """What a scan adds."""

    findings: Sequence[tuple[int, Finding]]
    """Layer and finding, by start of match."""
    position: Position


class RuleSet:
    """Rules that act together."""

    def __init__(
        self,
        block: Iterable[Rule],
        mask: Iterable[Rule],
        flag: Iterable[Rule],
        *,
        tail_characters_max: int = TAIL_CHARACTERS_MAX,
    ) -> None:
        prepare()
        layers = [(layer, rule) for layer, rules in enumerate((block, mask, flag)) for rule in rules]
        self.entries = tuple(
            Entry(rule, layer, number, tail_characters_max) for number, (layer, rule) in enumerate(layers)
        )
        self._horizon = Horizon(entry.rule for entry in self.entries)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, by layer."""
        return tuple(entry.rule for entry in self.entries)

    def scan(
        self, text: str, position: Position, *, final: bool, screen: Screen | None = None, place: int = 0
    ) -> Scanned:
        """Findings from `position` on. `text` holds CONTEXT_KEPT characters before it, or all there are.

        Args:
            final: nothing follows the text.
            screen: of several sets, among which this one is number `place`; one of its own otherwise.
        """
        seen = views(text)
        horizon = len(text) if final else self._horizon.of_all(seen, position.settled)
        if horizon <= position.settled and not final:
            return Scanned((), position)
        hits = (screen or self._screen).hits(seen).get(place)
        if hits is None:
            return Scanned((), Position(horizon, position.ends))
        return resolve(hits, position, horizon, final=final)

    @cached_property
    def _screen(self) -> Screen:
        return Screen((self.entries,))


def resolve(
    hits: Sequence[tuple[Entry, View]], position: Position, horizon: int, *, final: bool, closed: bool = False
) -> Scanned:
    """Findings from `position` on that start before `horizon`, among the matches of one set's rules.

    Args:
        hits: rules and the views in which they may match, the original's first.
        final: nothing follows the text.
        closed: stop before a finding that ends after `horizon`.
    """
    sources = [Matches(entry, view, final) for entry, view in hits]
    settled, ends = position
    block, mask, flag = ends
    floors = [max(settled, block), max(settled, mask), max(settled, flag)]
    last = [block, mask, flag]
    found: list[tuple[int, Finding]] = []
    while True:
        best: Candidate | None = None
        for source in sources:
            candidate = source.first(floors[source.layer], horizon)
            if candidate is not None and (best is None or candidate.order < best.order):
                best = candidate
        if best is None:
            break
        _, layer, _, finding = best
        if finding is None or (closed and finding.end > horizon):
            horizon = best.start
            break
        found.append((layer, finding))
        floors[layer] = last[layer] = finding.end
    block, mask, flag = last
    return Scanned(found, Position(horizon, (block, mask, flag)))
