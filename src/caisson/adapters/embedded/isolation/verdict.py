"""What isolation holds on this machine, and which controls are broken without it (NET-01, LOG-07).

Two mechanisms each keep the zones apart: Landlock with the call filter, and own users. Where neither can be had, the
runtime could read or cut the log and speak as the owner, so the controls that rest on it read `broken`.

>>> Isolation(landlock=Mechanism(holds=False, detail="no Landlock"), users=Mechanism(holds=True, detail="61184")).broken
()
"""

from __future__ import annotations

from dataclasses import dataclass

from caisson.adapters.embedded.isolation import landlock, seccomp
from caisson.adapters.embedded.isolation.landlock import Rules
from caisson.adapters.embedded.isolation.users import BLOCK, UserPlan

CONTROLS = ("NET-01", "LOG-07")


@dataclass(frozen=True, kw_only=True)
class Mechanism:
    """One of the two ways."""

    holds: bool
    detail: str
    """What holds, with what is missing; or why it cannot be had."""

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """What keeps the zones of this machine apart."""

    landlock: Mechanism
    users: Mechanism

    @property
    def broken(self) -> tuple[str, ...]:
        """Controls that read `broken` because neither way can be had."""
        return () if self.landlock.holds or self.users.holds else CONTROLS


def isolation(plan: UserPlan) -> Isolation:
    """What zones will have here, before any is started."""
    return judge(abi=landlock.abi(), filtered=seccomp.available(), plan=plan)


def judge(*, abi: int, filtered: bool, plan: UserPlan) -> Isolation:
    """The verdict over what the kernel offers and who runs the zones. Pure."""
    return Isolation(landlock=_landlock(abi, filtered), users=_users(plan))


def _landlock(abi: int, filtered: bool) -> Mechanism:
    if abi < landlock.ABI_MIN:
        found = f"Landlock ABI {abi}" if abi else "no Landlock"
        return Mechanism(holds=False, detail=f"none: expected Linux 5.19 with Landlock enabled, found {found}")
    lacking = landlock.missing(abi, Rules(), filtered=filtered)
    detail = f"Landlock ABI {abi}" + (f"; not refused: {', '.join(lacking)}" if lacking else "")
    return Mechanism(holds=filtered, detail=detail)


def _users(plan: UserPlan) -> Mechanism:
    if plan.first is None:
        return Mechanism(holds=False, detail=f"none: {plan.reason}")
    return Mechanism(holds=True, detail=f"each zone under its own user ({plan.first} to {plan.first + BLOCK - 1})")
