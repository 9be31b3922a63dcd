"""The matches of one rule in one view of a text: which of them its check lets be findings, and what is still open."""

from __future__ import annotations

from typing import NamedTuple

from caisson.detect.expression import Expression
from caisson.detect.finding import Finding
from caisson.detect.rule import CONTEXT_CHARACTERS, Found, Rule, Tail
from caisson.detect.view import View


class Entry:
    """A rule of a set: its layer, its place in the set and its RE2 program."""

    __slots__ = ("_expression", "layer", "number", "rule", "tail_max")

    def __init__(self, rule: Rule, layer: int, number: int, tail_max: int) -> None:
        self.rule = rule
        self.layer = layer
        self.number = number
        self.tail_max = tail_max
        """Longest tail in characters."""
        self._expression: Expression | None = None

    @property
    def expression(self) -> Expression:
        """Compiled at the first hit: most of ten thousand words never are."""
        if self._expression is None:
            self._expression = Expression(self.rule.pattern)
        return self._expression


class Candidate(NamedTuple):
    """A valid match."""

    start: int
    """Start of the match in the original."""
    layer: int
    order: tuple[int, int, int, int]
    """Start, layer, longest first, number of the rule."""
    finding: Finding | None
    """None while its tail is still open."""


class Matches:
    """The valid matches, leftmost first."""

    __slots__ = ("_candidate", "_done", "_entry", "_final", "_view", "layer")

    def __init__(self, entry: Entry, view: View, final: bool) -> None:
        self.layer = entry.layer
        self._entry = entry
        self._view = view
        self._final = final
        self._candidate: Candidate | None = None
        self._done = False

    def first(self, floor: int, horizon: int) -> Candidate | None:
        """The first one that starts at or after `floor` and before `horizon`. Neither ever goes back."""
        candidate = self._candidate
        if self._done or (candidate is not None and candidate.start >= floor):
            return candidate
        self._candidate = candidate = self._search(floor, horizon)
        self._done = candidate is None
        return candidate

    def _search(self, floor: int, horizon: int) -> Candidate | None:
        view, spans = self._view, self._entry.expression.spans
        data, plain = view.data, view.plain
        at = floor if plain else view.from_original(floor)
        while True:
            found = spans(data, at if plain else view.byte(at))
            first, last = found[0]
            if first < 0:
                return None
            start = origin = first
            if not plain:
                start = view.character(first)
                origin = view.to_original(start)
            if origin >= horizon:
                return None
            if len(found) > 1:
                first, last = found[1]
            if first < last:
                if not plain:
                    first, last = view.character(first), view.character(last)
                candidate = self._judge(origin, first, last)
                if candidate is not None:
                    return candidate
            at = start + 1

    def _judge(self, origin: int, start: int, end: int) -> Candidate | None:
        view, entry = self._view, self._entry
        text, rule = view.text, entry.rule
        score = rule.score
        if rule.check is not None:
            context = view.from_original(max(0, origin - CONTEXT_CHARACTERS))
            checked = rule.check(Found(text[start:end], text[context:start], text[end : end + 1]))
            if checked is None:
                return None
            score = checked
        settled, overlong = True, False
        if rule.tail is not None:
            begin, (end, settled) = end, _tail_end(text, end, rule.tail)
            if end - begin > entry.tail_max:
                end, settled, overlong = begin + entry.tail_max, True, True
            end = begin + len(text[begin:end].rstrip(rule.tail.trim)) if rule.tail.trim else end
        first, last = view.original(start, end)
        finding = None
        if settled or self._final:
            normal = rule.normalise(text[start:end])
            finding = Finding(first, last, rule.id, rule.type, score, rule.version, normal, overlong)
        return Candidate(origin, entry.layer, (origin, entry.layer, -last, entry.number), finding)


def _tail_end(text: str, begin: int, tail: Tail) -> tuple[int, bool]:
    """Where the tail from `begin` on ends, and whether that is certain."""
    rest = text[begin:]
    end = begin + len(rest) - len(rest.lstrip(tail.characters))
    if tail.closer:
        closer = text.find(tail.closer, begin, end)
        if closer >= 0:
            return closer + len(tail.closer), True
    return end, end < len(text)
