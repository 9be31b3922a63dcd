"""How many requests are under way in all workers of a system, in memory that they share.

- Each worker has a slot that it alone writes, and adds up all of them. It writes before it adds up, so that of two
  requests that arrive at once at least one is counted by the other: the bound is never exceeded.
- The slot of a worker that was killed counts until the next one takes it, which errs on the safe side.

>>> here = SharedCount(Path("zones/runtime/state/under-way"), worker=0, workers=2)  # doctest: +SKIP
>>> here(3)  # doctest: +SKIP
7
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

WORKERS_MAX = 64
_SLOT_BYTES = 8
_BYTES = WORKERS_MAX * _SLOT_BYTES


class SharedCount:
    """See the module.

    Args:
        path: in the zone's private state folder; made when missing.
        worker: number of this worker, from 0.
        workers: how many there are.

    Raises:
        OSError: the file cannot be made or mapped.
    """

    def __init__(self, path: Path, *, worker: int, workers: int) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, _BYTES)  # a full disk must not kill who writes to the mapping
            self._slots = memoryview(mmap.mmap(descriptor, _BYTES)).cast("q")[:workers]
        finally:
            os.close(descriptor)
        self._worker = worker
        self(0)

    def __call__(self, here: int) -> int:
        """`here` are under way in this worker; returns how many are in all."""
        self._slots[self._worker] = here
        return sum(self._slots)
