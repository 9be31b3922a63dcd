"""Counts of a detector's hits and misses, and the figures made of them.

>>> tally = Tally(found=8, missed=2, flagged=1, passed=99)
>>> tally.recall, tally.fpr
(0.8, 0.01)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

Z95 = 1.959964
"""Two-sided 95 % of the normal distribution."""
_DIGITS = 4


def wilson(hits: int, of: int) -> tuple[float, float] | None:
    """95 % score interval of a proportion (Wilson 1927); None when nothing was tried.

    >>> wilson(8, 10)
    (0.4902, 0.9433)
    """
    if of == 0:
        return None
    share, square = hits / of, Z95 * Z95
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z95 * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return round(max(0.0, middle - half), _DIGITS), round(min(1.0, middle + half), _DIGITS)


@dataclass(slots=True)
class Tally:
    """What happened to the rows or spans of one name."""

    found: int = 0
    """Wanted, and found."""
    missed: int = 0
    """Wanted, and not found."""
    right: int = 0
    """Findings that belong to something wanted. Several may belong to one, and one to several."""
    wrong: int = 0
    """Findings that belong to nothing labelled."""
    flagged: int = 0
    """Clean rows with a finding."""
    passed: int = 0
    """Clean rows without one."""

    @property
    def n(self) -> int:
        """Rows or spans that were scored."""
        return self.found + self.missed + self.flagged + self.passed

    @property
    def recall(self) -> float | None:
        """Share of what is wanted that was found."""
        return _share(self.found, self.found + self.missed)

    @property
    def precision(self) -> float | None:
        """Share of findings that are right; a flagged clean row counts as one wrong finding."""
        return _share(self.right, self.right + self.wrong + self.flagged)

    @property
    def fpr(self) -> float | None:
        """Share of clean rows with a finding."""
        return _share(self.flagged, self.flagged + self.passed)

    def f(self, beta: float) -> float | None:
        """F measure: recall counts `beta` times as much as precision."""
        if self.recall is None or self.precision is None:
            return None
        weight, total = beta * beta, beta * beta * self.precision + self.recall
        return round((1 + weight) * self.precision * self.recall / total, _DIGITS) if total else 0.0

    def want(self, found: bool, findings: int = 1) -> None:
        """Count something wanted, and how many findings it has."""
        if found:
            self.found += 1
            self.right += findings
        else:
            self.missed += 1

    def clean(self, flagged: bool) -> None:
        """Count a clean row."""
        if flagged:
            self.flagged += 1
        else:
            self.passed += 1

    def figures(self) -> dict[str, Any]:
        """As JSON. `ci` is the interval of recall, or of the false-positive rate where nothing was wanted."""
        recall = wilson(self.found, self.found + self.missed)
        fpr = wilson(self.flagged, self.flagged + self.passed)
        precision = wilson(self.right, self.right + self.wrong + self.flagged)
        return {
            "n": self.n, "recall": self.recall, "precision": self.precision, "fpr": self.fpr, "f1": self.f(1),
            "f2": self.f(2), "ci": recall or fpr, "ci_of": {"recall": recall, "precision": precision, "fpr": fpr},
        }  # fmt: skip


class Tallies:
    """Tallies by name, in the order in which names first came."""

    def __init__(self) -> None:
        self.overall = Tally()
        self._by: dict[str, Tally] = {}

    def __getitem__(self, name: str) -> Tally:
        return self._by.setdefault(name, Tally())

    def figures(self) -> dict[str, Any]:
        """`{by: {NAME: figures}, overall: figures}`."""
        return {"by": {name: tally.figures() for name, tally in self._by.items()}, "overall": self.overall.figures()}


def _share(hits: int, of: int) -> float | None:
    return round(hits / of, _DIGITS) if of else None
