"""Which process a number means: a process id comes round again, a process id with its start time and boot does not.

>>> import os
>>> current = ProcessIdentity.of(os.getpid())
>>> current is not None and current.alive()
True
"""

from __future__ import annotations

import os
import select
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_START_FIELD = 22 - 3
"""starttime is the 22nd field of /proc/pid/stat (proc(5)); what follows the command's parenthesis begins at the 3rd."""


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """One process, once and for all."""

    pid: int
    started: int
    """Clock ticks after boot."""
    boot: str
    """The kernel's id of this boot."""

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """Who has that number now; None when nobody or only a dead one does."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
            boot = _BOOT.read_text(encoding="ascii").strip()
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()
        if fields[0] in "ZX":
            return None
        return cls(pid=pid, started=int(fields[_START_FIELD]), boot=boot)

    @classmethod
    def parse(cls, document: object) -> ProcessIdentity | None:
        """Back from `to_dict`; None when it is something else."""
        match document:
            case {"pid": int(pid), "started": int(started), "boot": str(boot)} if pid > 0:
                return cls(pid=pid, started=started, boot=boot)
        return None

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    def alive(self) -> bool:
        """Whether it still runs."""
        return ProcessIdentity.of(self.pid) == self

    def open(self) -> int | None:
        """A pidfd of exactly this process; None when it is gone.

        The descriptor is opened first and compared after: from then on the number cannot come to mean another.
        """
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return None
        if self.alive():
            return descriptor
        os.close(descriptor)
        return None


def send(pidfd: int, number: signal.Signals) -> None:
    """A signal to exactly that process; nothing happens when it has ended."""
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return


def wait_ended(pidfd: int, seconds: float) -> bool:
    """Whether the process ends within that time."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(max(seconds, 0.0) * 1000))
