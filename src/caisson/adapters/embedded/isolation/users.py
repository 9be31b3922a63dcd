"""Own users: each zone runs under a numeric user and group of its own, when `up` is started by root.

- Numbers come from 61184 to 65519, which systemd reserves for users without an entry in passwd
  (https://systemd.io/UIDS-GIDS/). A block of eight belongs to one data folder: the first number is the group that all
  its zones share, the first number plus the zone's is the zone's user and group.
- The block is chosen by a hash of the folder's path, so that two systems on one machine differ; a block that anybody
  uses is passed over. What was chosen is recorded in the data folder and stays.
- Where another user could not even read Python or reach the data folder, own users are not used; the reason is kept.

>>> UserPlan(first=61184, reason="").user(Zone.LOGGING).uid
61190
"""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from caisson.adapters.embedded.isolation import runtime_paths
from caisson.channels.table import Zone
from caisson.errors import StartError

FIRST, LAST = 61184, 65519
BLOCK = 8
_BLOCKS = (LAST - FIRST + 1) // BLOCK


@dataclass(frozen=True, kw_only=True)
class User:
    """Whom a process runs as."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    """Supplementary groups; all others are dropped."""


@dataclass(frozen=True, kw_only=True)
class UserPlan:
    """Who runs each zone."""

    first: int | None
    """First number of the block; None: all zones run as whoever started `up`."""
    reason: str
    """Why there are no own users; empty when there are."""

    def user(self, zone: Zone) -> User | None:
        """The zone's own user; None without own users."""
        if self.first is None:
            return None
        number = self.first + zone
        return User(uid=number, gid=number, groups=(self.first,))

    @property
    def members(self) -> int | None:
        """The group that all zones of this data folder share, and nobody else has."""
        return self.first


def plan_users(data: Path, recorded: int | None) -> UserPlan:
    """Own users when they can be had here. `recorded` is the block that the data folder already has.

    Raises:
        StartError: no block is free.
    """
    if os.geteuid() != 0:
        return UserPlan(first=None, reason="not started by root")
    obstacle = unreachable((data.resolve().parent, Path(sys.executable), *_code()))
    if obstacle:
        return UserPlan(first=None, reason=obstacle)
    return UserPlan(first=recorded if recorded is not None else allocate(data, _in_use), reason="")


def _code() -> tuple[Path, ...]:
    return tuple(row.path for row in runtime_paths.table() if row.path.exists())


def allocate(data: Path, in_use: Callable[[range], bool]) -> int:
    """The first number of a free block, beginning where the path's hash says.

    Raises:
        StartError: all blocks are in use.
    """
    start = int.from_bytes(hashlib.sha256(os.fsencode(data.resolve())).digest()[:8])
    for step in range(_BLOCKS):
        first = FIRST + BLOCK * ((start + step) % _BLOCKS)
        if not in_use(range(first, first + BLOCK)):
            return first
    raise StartError(f"expected a free block of users between {FIRST} and {LAST}, found all {_BLOCKS} in use")


def _in_use(block: range) -> bool:
    """Whether a user, a group or a running process has one of the numbers."""
    return any(_has_entry(number) for number in block) or any(
        process.name.isdigit() and _owner(process) in block for process in Path("/proc").iterdir()
    )


def _has_entry(number: int) -> bool:
    for look_up in (pwd.getpwuid, grp.getgrgid):
        try:
            look_up(number)
        except KeyError:
            continue
        return True
    return False


def _owner(process: Path) -> int:
    try:
        return process.stat().st_uid
    except OSError:  # it ended meanwhile
        return -1


def unreachable(paths: tuple[Path, ...]) -> str:
    """Why a user without any rights of its own could not read one of the paths; empty when it could read all."""
    for path in paths:
        for step in (path.absolute(), path.resolve()):
            closed = next((parent for parent in step.parents if not parent.stat().st_mode & stat.S_IXOTH), None)
            if closed is not None:
                return f"other users cannot reach {str(step)!r}, because {str(closed)!r} is closed to them"
        mode = path.stat().st_mode
        needed = stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
        if not mode & needed:
            return f"other users cannot read {str(path)!r}"
    return ""
