"""The life of `caisson up`: alone in its data folder, up, until it is told to stop, down.

- Before anything starts, processes that a killed supervisor left behind are gone.
- SIGTERM and SIGINT drain; the same again stops at once. `caisson down` and Ctrl-C are the same thing.
- SIGUSR1 renews the processes of one group (`up --restart-workers`). Not SIGHUP, which a closing terminal sends.

>>> with alone(run):  # doctest: +SKIP
...     prepare(data, system=system.name, users=plan)
...     asyncio.run(serve(make=make_supervisor, on_ready=print_table))
0
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from caisson.errors import StartError
from caisson.supervision.identity import ProcessIdentity, send, wait_ended
from caisson.supervision.state import lock, read_state, read_supervisor, write_supervisor
from caisson.supervision.supervisor import DRAIN_SECONDS, Supervisor

RENEW_SIGNAL = signal.SIGUSR1
RENEWAL_LOOK_S = 0.05
RENEWAL_SECONDS_MAX = 120.0
"""For one process to retire and its successor to get ready, each within its own bound."""
LEFT_BEHIND_SECONDS_MAX = 5.0
"""The kernel kills the zones of a dead supervisor; this is how long it may take."""


async def serve(
    *,
    make: Callable[[], Supervisor],
    on_ready: Callable[[Supervisor], None],
    drain_seconds: float = DRAIN_SECONDS,
    renews: str = "",
) -> int:
    """Run until told to stop. Returns the exit status: 0 drained, 1 something did not finish. Call it under `alone`.

    `renews` is the group that SIGUSR1 renews.

    Raises:
        StartError: something did not start.
    """
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    supervisor = make()

    def stop() -> None:
        if told.is_set():
            supervisor.hurry()
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(RENEW_SIGNAL, lambda: supervisor.renew(renews))
    try:
        starting = asyncio.create_task(supervisor.start())
        waiting = asyncio.create_task(told.wait())
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
        elif starting.exception() is not None:
            waiting.cancel()
            starting.result()
        else:
            on_ready(supervisor)
            await waiting
        drained = await supervisor.stop(drain_seconds)
        return 1 if drained.unfinished else 0
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, RENEW_SIGNAL):
            loop.remove_signal_handler(number)


@contextmanager
def alone(run: Path) -> Iterator[None]:
    """Hold the data folder that `run` is in: nothing else may prepare it or run in it.

    Raises:
        StartError: another system runs in it, or a process of a dead one does not end.
    """
    descriptor = lock(run)
    try:
        _clear_left_behind(run)
        identity = ProcessIdentity.of(os.getpid())
        if identity is None:
            raise StartError("expected to find this process in /proc, found nothing; mount /proc")
        write_supervisor(run, identity)
        try:
            yield
        finally:
            (run / "supervisor.pid").unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _clear_left_behind(run: Path) -> None:
    """Zones of a supervisor that was killed are on their way out; the new ones need their ports and their files."""
    state = read_state(run)
    for name, zone in () if state is None else state.zones.items():
        pidfd = None if zone.identity is None else zone.identity.open()
        if pidfd is None:
            continue
        try:
            send(pidfd, signal.SIGKILL)
            if not wait_ended(pidfd, LEFT_BEHIND_SECONDS_MAX):
                raise StartError(f"expected {name} of the system before to end, found it running; end it and try again")
        finally:
            os.close(pidfd)


def renew(run: Path, pidfd: int) -> str:
    """Have a running supervisor renew its group; why it could not, empty when all of the group are new and ready.

    Raises:
        StartError: it is not ready, or of a version that cannot.
    """
    before = read_state(run)
    if before is None or before.phase != "ready" or before.renewal is None:
        raise StartError("expected a running system that is ready and of this version, found another; restart it whole")
    send(pidfd, RENEW_SIGNAL)
    ends = time.monotonic() + RENEWAL_SECONDS_MAX * len(before.zones)
    while time.monotonic() < ends:
        if wait_ended(pidfd, RENEWAL_LOOK_S):
            return "the system has ended"
        found = read_state(run)
        renewal = None if found is None else found.renewal
        if renewal is not None and renewal.number > before.renewal.number and renewal.phase != "under way":
            return renewal.detail
    return "it takes too long"


def running(run: Path) -> int | None:
    """A pidfd of the supervisor of this data folder; None when none runs."""
    identity = read_supervisor(run)
    return None if identity is None else identity.open()
