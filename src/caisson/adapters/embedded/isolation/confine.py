"""A zone process confines itself before it reads input (NET-01).

- All or an error: what the kernel offers is enforced, what it lacks is returned by name, and what it refuses raises.
- Landlock binds the calling thread and those it starts, so this runs while there is one thread.
- Open files stay open: keys and listening sockets are opened before.

>>> restrict(Rules(read=(Path("/usr/lib"),), write=(Path("state"),)))  # doctest: +SKIP
Enforced(landlock_abi=7, filtered=True, missing=())
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from caisson.adapters.embedded.isolation import landlock, process, seccomp
from caisson.adapters.embedded.isolation.landlock import Rules
from caisson.errors import DeveloperError, StartError

_SELF = Path("/proc/self")
_TASKS = Path("/proc/self/task")


@dataclass(frozen=True, kw_only=True)
class Enforced:
    """What holds from now on."""

    landlock_abi: int
    """0: no Landlock."""
    filtered: bool
    """Whether new sockets are held to the families that the rules need."""
    missing: tuple[str, ...]
    """What the rules ask for and this kernel cannot refuse, in words."""


def restrict(rules: Rules) -> Enforced:
    """Take away everything that the rules do not name, for good.

    Raises:
        DeveloperError: the process has more than one thread, and the others would stay free.
        StartError: a path does not exist, or the kernel has a protection and refuses to apply it.
    """
    threads = len(os.listdir(_TASKS))  # noqa: PTH208 - names alone
    if threads != 1:
        raise DeveloperError(f"expected to be restricted while there is one thread, found {threads}; restrict first")
    abi = landlock.abi()
    filtered = seccomp.available()
    try:
        process.give_up_privileges()
        if abi >= landlock.ABI_MIN:
            _pin_self(rules)
            landlock.apply(rules, abi)
        else:
            abi = 0
        if filtered:
            families = () if _connects_nowhere(rules) else seccomp.INTERNET
            seccomp.refuse_calls(families=families, truncate=abi < landlock.TRUNCATE_ABI)
    except OSError as error:
        raise StartError(f"expected the kernel to restrict this process, found {error}; nothing was started") from error
    return Enforced(
        landlock_abi=min(abi, landlock.ABI_KNOWN_MAX),
        filtered=filtered,
        missing=landlock.missing(abi, rules, filtered=filtered),
    )


def _connects_nowhere(rules: Rules) -> bool:
    return rules.connect_ports == () and rules.bind_ports == ()


def _pin_self(rules: Rules) -> None:
    """Keep /proc/self known to the kernel for as long as this process lives.

    A rule belongs to an inode. The kernel forgets those of /proc under memory pressure and makes new ones, which the
    rule would not match; an open descriptor prevents that.
    """
    if _SELF in rules.read:
        os.open(_SELF, os.O_PATH | os.O_CLOEXEC)
