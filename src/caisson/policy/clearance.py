"""Who may read what (DAT-06): classifications are ordered, and a caller has the highest clearance of their groups.

Once any group of a system file states a clearance, a caller whose groups state none may read what is public. While none
does, nothing is compared.

>>> may_read("internal", "confidential"), may_read("restricted", "confidential")
(True, False)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

from caisson.system.identity import Classification, Group

LEVELS: tuple[Classification, ...] = get_args(Classification)
"""From what everybody may read to what few may."""


def clearance_of(member_of: Iterable[str], groups: Mapping[str, Group]) -> Classification | None:
    """The clearance of a caller in these groups; None where the system file compares nothing."""
    if all(group.clearance is None for group in groups.values()):
        return None
    stated = [groups[name].clearance for name in member_of if name in groups]
    return max((level for level in stated if level is not None), key=LEVELS.index, default=LEVELS[0])


def may_read(classification: Classification, clearance: Classification) -> bool:
    """Whether the clearance suffices."""
    return LEVELS.index(classification) <= LEVELS.index(clearance)
