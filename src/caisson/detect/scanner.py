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

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import re2

from caisson.detect.finding import Finding
from caisson.detect.horizon import Horizon
from caisson.detect.prefilter import prefilter
from caisson.detect.rule import CONTEXT_CHARACTERS, TAIL_CHARACTERS_MAX, Found, Rule, Tail
from caisson.detect.view import View, views
from caisson.detect.visible import INVISIBLE_RUN_MAX, prepare

BLOCK, MASK, FLAG = range(3)
"""Layers. At one place a block comes first."""
CONTEXT_KEPT = CONTEXT_CHARACTERS + INVISIBLE_RUN_MAX + 1
"""Characters before a scan's start that must stay in the text: what checks may read, and one visible character."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """How far a scan has come."""

    settled: int = 0
    """No finding that starts before this is still to be found."""
    ends: tuple[int, int, int] = (0, 0, 0)
    """End of the last finding of each layer."""

    def back(self, characters: int) -> Position:
        """The same position after that many characters were dropped from the front of the text."""
        block, mask, flag = self.ends
        return Position(
            settled=self.settled - characters, ends=(block - characters, mask - characters, flag - characters)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Scanned:
    """What a scan adds."""

    findings: Sequence[tuple[int, Finding]]
    """Layer and finding, by start of match."""
    position: Position


class RuleSet:
    """Rules compiled together."""

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
        self._rules = [
            _Compiled(rule, layer, number, tail_characters_max) for number, (layer, rule) in enumerate(layers)
        ]
        kinds: dict[str, list[_Compiled]] = {}
        for entry in self._rules:
            kinds.setdefault(entry.rule.id.partition(".")[0], []).append(entry)
        self._kinds = [(prefilter(tuple(entry.rule.pattern for entry in group)), group) for group in kinds.values()]
        """One prefilter a kind of rule, so that declaring a word does not compile the built-in rules anew."""
        self._horizon = Horizon(entry.rule for entry in self._rules)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, by layer."""
        return tuple(entry.rule for entry in self._rules)

    def scan(self, text: str, position: Position, *, final: bool) -> Scanned:
        """Findings from `position` on. `text` holds CONTEXT_KEPT characters before it, or all there are.

        Args:
            final: nothing follows the text.
        """
        seen = views(text)
        horizon = len(text) if final else self._settled(seen, position.settled)
        if horizon <= position.settled and not final:
            return Scanned(findings=(), position=position)
        sources = [
            _Source(group[number], view, final)
            for view in seen
            for filter_, group in self._kinds
            for number in filter_.hits(view.data)
        ]
        if not sources:
            return Scanned(findings=(), position=Position(settled=horizon, ends=position.ends))
        return _resolve(sources, position, horizon)

    def _settled(self, seen: Sequence[View], settled: int) -> int:
        return min(view.to_original(self._horizon.of(view, view.from_original(settled))) for view in seen)


def _resolve(sources: Sequence[_Source], position: Position, horizon: int) -> Scanned:
    found: list[tuple[int, Finding]] = []
    ends = list(position.ends)
    while True:
        best: _Candidate | None = None
        for source in sources:
            layer = source.compiled.layer
            candidate = source.next(max(position.settled, ends[layer]), horizon)
            if candidate is not None and (best is None or candidate.order < best.order):
                best = candidate
        if best is None:
            break
        if best.finding is None:
            horizon = best.start
            break
        layer = best.layer
        found.append((layer, best.finding))
        ends[layer] = best.finding.end
    block, mask, flag = ends
    return Scanned(findings=found, position=Position(settled=horizon, ends=(block, mask, flag)))


class _Compiled:
    """A rule with its layer and its RE2 program."""

    __slots__ = ("_program", "layer", "number", "rule", "tail_max")

    def __init__(self, rule: Rule, layer: int, number: int, tail_max: int) -> None:
        self.rule = rule
        self.layer = layer
        self.number = number
        self.tail_max = tail_max
        self._program: re2._Regexp | None = None

    @property
    def program(self) -> re2._Regexp:
        """Compiled at the first hit: most of ten thousand words never are."""
        if self._program is None:
            options = re2.Options()
            options.log_errors = False
            self._program = re2.compile(self.rule.pattern.encode(), options)
        return self._program


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
    start: int
    """Start of the match in the original."""
    layer: int
    order: tuple[int, int, int, int]
    """Start, layer, longest first, number of the rule."""
    finding: Finding | None
    """None while its tail is still open."""


class _Source:
    """The matches of one rule in one view, leftmost first."""

    __slots__ = ("_candidate", "_done", "_final", "_view", "compiled")

    def __init__(self, compiled: _Compiled, view: View, final: bool) -> None:
        self.compiled = compiled
        self._view = view
        self._final = final
        self._candidate: _Candidate | None = None
        self._done = False

    def next(self, floor: int, horizon: int) -> _Candidate | None:
        """The first valid match that starts at or after `floor` and before `horizon`."""
        if self._candidate is not None and self._candidate.start >= floor:
            return self._candidate
        if self._done:
            return None
        self._candidate = next(self._matches(floor, horizon), None)
        self._done = self._candidate is None
        return self._candidate

    def _matches(self, floor: int, horizon: int) -> Iterator[_Candidate]:
        view, search = self._view, self.compiled.program.search
        at = view.from_original(floor)
        while (match := search(view.data, view.byte(at))) is not None:
            first, last = match.span()
            start = view.character(first)
            origin = view.to_original(start)
            if origin >= horizon:
                return
            value_first, value_last = match.span(1) if self.compiled.program.groups else (first, last)
            if value_first < value_last:
                candidate = self._judge(origin, view.character(value_first), view.character(value_last))
                if candidate is not None:
                    yield candidate
            at = start + 1

    def _judge(self, origin: int, start: int, end: int) -> _Candidate | None:
        view, rule = self._view, self.compiled.rule
        score = rule.score
        if rule.check is not None:
            context = view.from_original(max(0, origin - CONTEXT_CHARACTERS))
            checked = rule.check(Found(view.text[start:end], view.text[context:start], view.text[end : end + 1]))
            if checked is None:
                return None
            score = checked
        settled, overlong = True, False
        if rule.tail is not None:
            begin, (end, settled) = end, _tail_end(view.text, end, rule.tail)
            if end - begin > self.compiled.tail_max:
                end, settled, overlong = begin + self.compiled.tail_max, True, True
            end = begin + len(view.text[begin:end].rstrip(rule.tail.trim)) if rule.tail.trim else end
        first, last = view.original(start, end)
        finding = None
        if settled or self._final:
            finding = Finding(
                start=first,
                end=last,
                rule=rule.id,
                type=rule.type,
                score=score,
                version=rule.version,
                normal=rule.normalise(view.text[start:end]),
                overlong=overlong,
            )
        order = (origin, self.compiled.layer, -last, self.compiled.number)
        return _Candidate(start=origin, layer=self.compiled.layer, order=order, finding=finding)


def _tail_end(text: str, begin: int, tail: Tail) -> tuple[int, bool]:
    """Where the tail from `begin` on ends, and whether that is certain."""
    rest = text[begin:]
    end = begin + len(rest) - len(rest.lstrip(tail.characters))
    if tail.closer:
        closer = text.find(tail.closer, begin, end)
        if closer >= 0:
            return closer + len(tail.closer), True
    return end, end < len(text)
