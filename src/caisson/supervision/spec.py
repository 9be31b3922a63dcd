"""What the supervisor must know of a process to run it.

- The environment is made from nothing: no credentials, no proxies and no Python settings of the caller's shell reach a
  zone (SEC-02).

>>> sorted(zone_environment())
['LANG', 'PATH', 'PYTHONDONTWRITEBYTECODE', 'PYTHONNOUSERSITE', 'PYTHONSAFEPATH', 'PYTHONUNBUFFERED']
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from caisson.errors import DeveloperError

READY_SECONDS_MAX = 30.0
"""A zone that has said nothing for this long will not."""
_BASE = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONSAFEPATH": "1",
    "PYTHONUNBUFFERED": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""OpenBLAS, below numpy, starts a thread a core unless told otherwise; a zone confines itself while it has one."""
_REFUSED_PREFIXES = ("AWS_", "LD_")
_REFUSED_SUFFIXES = ("_PROXY",)


class RunAs(Protocol):
    """Whom a process runs as."""

    @property
    def uid(self) -> int:
        """User number."""

    @property
    def gid(self) -> int:
        """Group number."""

    @property
    def groups(self) -> tuple[int, ...]:
        """Supplementary groups; all others are dropped."""


def zone_environment(**extra: str) -> dict[str, str]:
    """The whole environment of a zone process.

    Raises:
        DeveloperError: `extra` holds what must never come from an environment.
    """
    for name in extra:
        upper = name.upper()
        if upper.startswith(_REFUSED_PREFIXES) or upper.endswith(_REFUSED_SUFFIXES):
            raise DeveloperError(f"expected no credentials, proxies or loader settings for a zone, found {name!r}")
    return {**_BASE, **extra}


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """One process."""

    name: str
    """As it stands in logs, state and events: `gateway`."""
    argv: tuple[str, ...]
    """With absolute paths: the process starts in `/`."""
    environment: Mapping[str, str] = field(default_factory=zone_environment)
    user: RunAs | None = None
    """None: as the supervisor."""
    waits: bool = False
    """It waits for its turn once its program is loaded (`readiness.wait_for_turn`), so it can be started early."""
    after: tuple[str, ...] | None = None
    """Processes that must be ready before its turn at the first start; None: all that are listed before it."""
    ready_seconds_max: float = READY_SECONDS_MAX
    group: str = ""
    """Processes of one group do the same work: they are stopped together and can be renewed one after the other.
    They stand side by side in the list. Empty: a group of its own."""
    listens: Mapping[str, socket.socket] = field(default_factory=dict)
    """Sockets that it accepts from, by name (`listeners.inherited`). The supervisor closes its own when it stops."""
