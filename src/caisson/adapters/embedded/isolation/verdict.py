"""What isolation holds on this machine, and which controls are broken without it (NET-01, LOG-07).

Two mechanisms each keep the zones apart: Landlock with the socket filter, and own users. Where neither can be had, the
runtime could read or cut the log and speak as the owner, so the controls that rest on it read `broken`.

>>> Isolation(landlock=Mechanism(holds=False, detail="no Landlock"), users=Mechanism(holds=True, detail="61184")).broken
()
"""

from __future__ import annotations

from dataclasses import dataclass

from caisson.adapters.embedded.isolation import landlock, seccomp
from caisson.adapters.embedded.isolation.landlock import Rules
from caisson.adapters.embedded.isolation.users import BLOCK, UserPlan

LANDLOCK_ABI_MIN = 3
"""Before it, any process of the same user can truncate a file by name, and so cut the log (landlock.rst, ABI < 3)."""
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
    return judge(abi=landlock.abi(), sockets=seccomp.available(), plan=plan)


def judge(*, abi: int, sockets: bool, plan: UserPlan) -> Isolation:
    """The verdict over what the kernel offers and who runs the zones. Pure."""
    return Isolation(landlock=_landlock(abi, sockets), users=_users(plan))


def _landlock(abi: int, sockets: bool) -> Mechanism:
    if abi < 1:
        return Mechanism(holds=False, detail="none: this kernel has no Landlock (5.13 or later, and enabled at boot)")
    lacking = landlock.missing(abi, Rules()) + (() if sockets else (seccomp.MISSING,))
    detail = f"Landlock ABI {abi}" + (f"; not refused: {', '.join(lacking)}" if lacking else "")
    return Mechanism(holds=abi >= LANDLOCK_ABI_MIN and sockets, detail=detail)


def _users(plan: UserPlan) -> Mechanism:
    if plan.first is None:
        return Mechanism(holds=False, detail=f"none: {plan.reason}")
    return Mechanism(holds=True, detail=f"each zone under its own user ({plan.first} to {plan.first + BLOCK - 1})")
