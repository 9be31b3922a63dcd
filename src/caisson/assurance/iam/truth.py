"""Three-valued truth: yes, no, or unknown with the reasons why.

Unknown never wins and never vanishes: `every` is no as soon as one part is no, `some` is yes as soon as one part is
yes, and otherwise one unknown part makes the whole unknown (Kleene's strong logic).

>>> every([YES, unknown("operator X"), NO]).value is False
True
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Truth:
    """An answer."""

    value: bool | None
    """Whether it holds; None when that cannot be told."""
    reasons: tuple[str, ...] = ()
    """What stands in the way, when `value` is None."""

    @property
    def known_yes(self) -> bool:
        """It holds."""
        return self.value is True

    @property
    def possible(self) -> bool:
        """It holds, or may."""
        return self.value is not False


YES = Truth(True)
NO = Truth(False)


def of(value: bool) -> Truth:
    """A known answer."""
    return YES if value else NO


def unknown(*reasons: str) -> Truth:
    """An answer that cannot be told."""
    return Truth(None, reasons)


def every(parts: Iterable[Truth]) -> Truth:
    """All hold. Parts after the first no are not looked at."""
    reasons: dict[str, None] = {}
    uncertain = False
    for part in parts:
        if part.value is False:
            return NO
        if part.value is None:
            uncertain = True
            reasons.update(dict.fromkeys(part.reasons))
    return Truth(None, tuple(reasons)) if uncertain else YES


def some(parts: Iterable[Truth]) -> Truth:
    """At least one holds. Parts after the first yes are not looked at."""
    return negated(every(negated(part) for part in parts))


def negated(part: Truth) -> Truth:
    """The opposite; unknown stays unknown."""
    return part if part.value is None else of(not part.value)


def agreed(first: Truth, second: Truth, reason: str) -> Truth:
    """What two readings of one text have in common: their answer where they agree, else unknown for `reason`."""
    if first.value is second.value and first.value is not None:
        return first
    return unknown(*dict.fromkeys((*first.reasons, *second.reasons, reason)))
