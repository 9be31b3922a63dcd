"""What can be said of a control or of a check, and how several become one.

- Missing evidence is never `holds`: nothing combined is `undetermined`.
- One `broken` outweighs everything; then one `undetermined`. `not_applicable` and `manual` do not take part.

>>> combined([Verdict.HOLDS, Verdict.UNDETERMINED])
<Verdict.UNDETERMINED: 'undetermined'>
>>> exit_code([Verdict.HOLDS, Verdict.MANUAL])
0
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """Exactly one of these."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNDETERMINED = "undetermined"
    NOT_APPLICABLE = "not_applicable"
    MANUAL = "manual"


_ASIDE = (Verdict.NOT_APPLICABLE, Verdict.MANUAL)


def combined(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict over parts that must all hold."""
    found = set(verdicts)
    deciding = found - set(_ASIDE)
    if Verdict.BROKEN in deciding:
        return Verdict.BROKEN
    if deciding == {Verdict.HOLDS}:
        return Verdict.HOLDS
    if not deciding and Verdict.MANUAL in found:
        return Verdict.MANUAL
    return Verdict.UNDETERMINED


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """0 holds, 1 broken, 3 undetermined; 1 beats 3 beats 0. `manual` and `not_applicable` change nothing."""
    found = set(verdicts)
    if Verdict.BROKEN in found:
        return 1
    if Verdict.UNDETERMINED in found or not found:
        return 3
    return 0
