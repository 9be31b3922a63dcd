"""One run of one process, from fork to the last line it wrote.

- It starts in `/`, in a session of its own, with closed input and with no descriptor but its streams, the pipe on
  which it announces itself, the sockets that its spec names and, if the spec says that it waits, the pipe that gives it
  its turn. `prepare` runs between fork and exec and makes it die with the supervisor.
- Its end is seen through a pidfd. Before it is reaped, its number cannot mean anybody else: then its whole process
  group is killed, so that nothing of it stays behind.

>>> child = Child.spawn(spec, log=log, prepare=leave_with_parent)  # doctest: +SKIP
>>> (await child.ready).failure, await child.ended  # doctest: +SKIP
('', 0)
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress

from caisson.errors import StartError
from caisson.supervision.identity import ProcessIdentity, send
from caisson.supervision.listeners import variable
from caisson.supervision.process_log import ProcessLog
from caisson.supervision.readiness import (
    DESCRIPTOR_VARIABLE,
    LINE_BYTES_MAX,
    TURN,
    TURN_VARIABLE,
    Announcement,
    parse,
)
from caisson.supervision.spec import ProcessSpec

READ_BYTES_MAX = 65_536
LAST_READS_MAX = 64
"""Reads of what a process left in its pipe when it ended: a pipe holds 64 KiB, or 1 MiB at the most (pipe(7))."""
UMASK = 0o027
"""Files of a zone are for it and for the group of the folder they are in: the reader of a spool, for one."""

RETIRE_SIGNAL = signal.SIGUSR1
"""What a process of a group hears when another one takes its place."""

Prepare = Callable[[int], None]
"""Runs in the child between fork and exec; gets the supervisor's process id."""


class Child:
    """See the module. Needs a running event loop, and the thread that stays."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        pidfd: int,
        ready: int,
        output: int,
        turn: int | None,
        log: ProcessLog,
    ) -> None:
        self._process = process
        self._pidfd = pidfd
        self._ready = ready
        self._output = output
        self._turn = turn
        self._log = log
        self._said = b""
        self._loop = asyncio.get_running_loop()
        self.identity = ProcessIdentity.of(process.pid)
        """None when it ended at once."""
        self.ready: asyncio.Future[Announcement] = self._loop.create_future()
        """What it says when it has started; its end before that is a failure."""
        self.ended: asyncio.Future[int] = self._loop.create_future()
        """Its exit status; negative: the signal that ended it."""
        for descriptor in (ready, output):
            os.set_blocking(descriptor, False)
        self._loop.add_reader(ready, self._read_announcement)
        self._loop.add_reader(output, self._read_output)
        self._loop.add_reader(pidfd, self._reap)

    @classmethod
    def spawn(cls, spec: ProcessSpec, *, log: ProcessLog, prepare: Prepare) -> Child:
        """Start it.

        Raises:
            StartError: the system cannot.
        """
        supervisor = os.getpid()
        ready, announces = os.pipe2(os.O_CLOEXEC)
        output, writes = os.pipe2(os.O_CLOEXEC)
        waits, turn = os.pipe2(os.O_CLOEXEC) if spec.waits else (None, None)
        given = {DESCRIPTOR_VARIABLE: announces} | ({} if waits is None else {TURN_VARIABLE: waits})
        sockets = {variable(name): listener.fileno() for name, listener in spec.listens.items()}
        user = spec.user
        try:
            process = subprocess.Popen(
                spec.argv,
                stdin=subprocess.DEVNULL,
                stdout=writes,
                stderr=writes,
                cwd="/",
                env={**spec.environment, **{name: str(number) for name, number in (given | sockets).items()}},
                pass_fds=(*given.values(), *sockets.values()),
                start_new_session=True,
                umask=UMASK,
                user=None if user is None else user.uid,
                group=None if user is None else user.gid,
                extra_groups=None if user is None else user.groups,
                preexec_fn=lambda: prepare(supervisor),
            )
        except BaseException as error:
            for descriptor in (ready, output, turn):
                if descriptor is not None:
                    os.close(descriptor)
            if isinstance(error, OSError | subprocess.SubprocessError):
                raise StartError(f"expected to start {spec.argv[0]!r}, found {error}; install it again") from error
            raise
        finally:
            for descriptor in (*given.values(), writes):
                os.close(descriptor)
        return cls(process, pidfd=os.pidfd_open(process.pid), ready=ready, output=output, turn=turn, log=log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def give_turn(self) -> None:
        """What it needs is there: it may begin. Nothing happens when it does not wait, or was told before."""
        if self._turn is None:
            return
        with suppress(BrokenPipeError):  # it has ended, which is seen elsewhere
            os.write(self._turn, TURN)
        self._close_turn()

    def _close_turn(self) -> None:
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None

    def terminate(self) -> None:
        """Ask it to finish what is under way and end."""
        self._signal(signal.SIGTERM)

    def retire(self) -> None:
        """Ask it to take no new work, finish what is under way without refusing anything, and end."""
        self._signal(RETIRE_SIGNAL)

    def kill(self) -> None:
        """End it now."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self.ended.done():
            send(self._pidfd, number)

    def _read_announcement(self) -> None:
        data = _read(self._ready, LINE_BYTES_MAX)
        if data is None:
            return
        self._said += data
        line, ends, _ = self._said.partition(b"\n")
        if ends or not data or len(self._said) > LINE_BYTES_MAX:
            self._loop.remove_reader(self._ready)
            if ends:
                self._announce(parse(line))
            elif self._said:
                self._announce(Announcement(failure="it announced more than one line, or half of one"))
            # Closed without a word: it is ending, and its end says more.

    def _announce(self, announcement: Announcement) -> None:
        if not self.ready.done():
            self.ready.set_result(announcement)

    def _read_output(self) -> bool:
        """Whether there may be more."""
        data = _read(self._output, READ_BYTES_MAX)
        if data:
            self._log.write(self.pid, data)
        elif data is not None:
            self._loop.remove_reader(self._output)
        return bool(data)

    def _reap(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # nobody else is in the group
            os.killpg(self.pid, signal.SIGKILL)  # dead but not reaped: the number is still its own
        status = self._process.wait()
        for _ in range(LAST_READS_MAX):
            if not self._read_output():
                break
        self._log.end(self.pid)
        if not self.ready.done():
            self._read_announcement()
        for descriptor in (self._pidfd, self._ready, self._output):
            self._loop.remove_reader(descriptor)
            os.close(descriptor)
        self._close_turn()
        self._announce(Announcement(failure=self._last_words(status)))
        self.ended.set_result(status)

    def _last_words(self, status: int) -> str:
        said = f", saying last: {self._log.last_line[:300]!r}" if self._log.last_line else ""
        return f"it {described(status)} before it was ready{said}"


def described(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _read(descriptor: int, size: int) -> bytes | None:
    """Empty at the end; None when there is nothing now."""
    try:
        return os.read(descriptor, size)
    except BlockingIOError:
        return None
