"""How much of an unfinished text is certain: where the first match could begin that more text might still change.

>>> from caisson.detect.rule import Rule, TOKEN
>>> rule = Rule(id="patterns.claim-id", type="CLAIM_ID", pattern=r"CLM-[0-9]{8}", alphabet=TOKEN)
>>> Horizon([rule]).of(View("see CLM-1234"), 0)
4
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from caisson.detect.expression import Expression
from caisson.detect.rule import ANY, TOKEN, Rule
from caisson.detect.view import View


class Horizon:
    """The bound for a set of rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        rules = tuple(rules)
        reaches: dict[str, int] = {}
        for rule in rules:
            alphabet, reach = (TOKEN, rule.opener_span) if rule.opener else (rule.alphabet, rule.span)
            reaches[alphabet] = max(reaches.get(alphabet, 0), reach)
        self._reaches = tuple(reaches.items())
        opened = [rule for rule in rules if rule.opener]
        self._opened_reach = max((rule.span for rule in opened), default=0)
        openers = "|".join(sorted({f"(?:{rule.opener})" for rule in opened}))
        self._opener = Expression(openers) if opened else None

    def of(self, view: View, settled: int) -> int:
        """Characters of the view before which no match can begin any more that is not complete.

        Args:
            view: an unfinished text.
            settled: what an earlier call answered for a beginning of the text.
        """
        text, length = view.text, len(view.text)
        horizon = length
        for alphabet, reach in self._reaches:
            closed = 0 if alphabet == ANY else len(text.rstrip(alphabet))
            horizon = min(horizon, max(length - reach, closed))
        if self._opener is not None and horizon > settled:
            start = max(length - self._opened_reach, settled, 0)
            opener, _ = self._opener.spans(view.data, view.byte(start))[0]
            if opener >= 0:
                horizon = min(horizon, view.character(opener))
        return horizon

    def of_all(self, seen: Sequence[View], settled: int) -> int:
        """The same in characters of the original, for all its views together."""
        return min(view.to_original(self.of(view, view.from_original(settled))) for view in seen)
