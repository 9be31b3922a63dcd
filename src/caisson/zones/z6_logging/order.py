"""Numbered things that must come once each and in order: what is missing, out of place, or there twice.

>>> order, verdicts = Order(), []
>>> [order.take(number) for number in (0, 2, 1, 1)]
['next', 'gap', 'late', 'again']
>>> order.gaps
[]
"""

from __future__ import annotations

from typing import Literal

GAPS_MAX = 100_000
"""Gaps kept apart; further ones count as one with the last."""


class Order:
    """What came so far, as the next expected number and the gaps below it."""

    def __init__(self, start: int = 0) -> None:
        self.expected = start
        self.gaps: list[tuple[int, int]] = []
        """Missing ranges, both ends included, in order."""

    def take(self, number: int) -> Literal["next", "gap", "late", "again"]:
        """Note a number; how it relates to those before."""
        if number == self.expected:
            self.expected += 1
            return "next"
        if number > self.expected:
            self.skip_to(number)
            self.expected = number + 1
            return "gap"
        for at, (first, last) in enumerate(self.gaps):
            if first <= number <= last:
                self.gaps[at : at + 1] = [
                    (low, high) for low, high in ((first, number - 1), (number + 1, last)) if low <= high
                ]
                return "late"
        return "again"

    def skip_to(self, number: int) -> None:
        """What is below `number` and has not come is missing."""
        if number <= self.expected:
            return
        if len(self.gaps) < GAPS_MAX:
            self.gaps.append((self.expected, number - 1))
        else:
            self.gaps[-1] = (self.gaps[-1][0], number - 1)
        self.expected = number
