"""Metrics of several workers as one: whichever is asked, it answers for all.

- Each leaves its counts in a file of its own, replaced whole, and before it shows them: what a scraper has seen is on
  file. So a worker that was killed loses at most what nobody has seen yet, and no counter ever goes back.
- A worker goes on from the counts of the one before it. `caisson up` begins anew (`forget`).

>>> metrics = SharedMetrics(Path("zones/runtime/state/metrics"), worker=0, workers=2)  # doctest: +SKIP
>>> metrics.expose()[1].decode()  # doctest: +SKIP
'# HELP caisson_requests_total Finished requests. …'
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from caisson.adapters.embedded.metrics.prometheus import Counts, PrometheusMetrics

LEAVE_EVERY_S = 1.0
FILE_BYTES_MAX = 8 << 20
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Counts).decode


class SharedMetrics(PrometheusMetrics):
    """See the module.

    Args:
        folder: in the zone's private state folder; made when missing.
        worker: number of this worker, from 0.
        workers: how many there are.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, folder: Path, *, worker: int, workers: int) -> None:
        super().__init__()
        folder.mkdir(mode=0o700, exist_ok=True)
        self._own = _file(folder, worker)
        self._others = [_file(folder, number) for number in range(workers) if number != worker]
        self._left = b""
        self.add(_read(self._own))

    def leave(self) -> None:
        """Put the counts on file when they have changed. A full disk keeps them in memory."""
        content = _encode(self.counts())
        if content == self._left:
            return
        unfinished = self._own.with_suffix(".new")
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(content)
            unfinished.replace(self._own)
            self._left = content

    def expose(self) -> tuple[str, bytes]:
        self.leave()
        whole = PrometheusMetrics()
        for counts in (self.counts(), *map(_read, self._others)):
            whole.add(counts)
        return whole.expose()

    def close(self) -> None:
        self.leave()


def forget(folder: Path) -> None:
    """Begin anew. Only while no worker runs."""
    for path in folder.glob("*.json"):
        path.unlink(missing_ok=True)


def _file(folder: Path, worker: int) -> Path:
    return folder / f"{worker}.json"


def _read(path: Path) -> Counts:
    """What a worker left; nothing when it has left none, or what is there is damaged."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return _decode(file.read(FILE_BYTES_MAX))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}
