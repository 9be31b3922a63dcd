"""`caisson up --detach`: return to the shell when the system is ready, or with the reason why it is not.

- Forked twice, in a session of its own: no terminal, no parent to wait for it (credentials, daemon(7)).
- Only from a process with one thread, before an event loop exists.

>>> detached(run_system, log=run / "supervisor.log", seconds=120.0).failure  # doctest: +SKIP
''
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from caisson.errors import CaissonError, DeveloperError
from caisson.supervision.readiness import LINE_BYTES_MAX, MESSAGE_CHARACTERS_MAX, Announcement, parse

Say = Callable[[Announcement], None]


def detached(main: Callable[[Say], int], *, log: Path, seconds: float) -> Announcement:
    """Run `main` in the background and return what it says first; its streams go to `log`.

    An expected error of `main` is its announcement. The background process ends with what `main` returns.
    """
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - names alone
    if threads != 1:
        raise DeveloperError(f"expected to detach while there is one thread, found {threads}")
    sys.stdout.flush()
    sys.stderr.flush()
    hears, says = os.pipe2(os.O_CLOEXEC)
    between = os.fork()
    if between == 0:
        os.close(hears)
        _leave(main, says, log)
    os.close(says)
    try:
        os.waitpid(between, 0)
        line = _line(hears, seconds)
    finally:
        os.close(hears)
    if line is None:
        return Announcement(failure=f"it was not ready after {seconds:g} s; more in {str(log)!r}")
    return parse(line) if line else Announcement(failure=f"it ended before it was ready; more in {str(log)!r}")


def _leave(main: Callable[[Say], int], says: int, log: Path) -> NoReturn:
    """The child: a new session, and a grandchild that can never get a terminal again."""
    try:
        os.setsid()
        if os.fork() == 0:
            _background(main, says, log)
    finally:
        os._exit(0)


def _background(main: Callable[[Say], int], says: int, log: Path) -> NoReturn:
    said = False

    def say(announcement: Announcement) -> None:
        nonlocal said
        if said:
            return
        said = True
        document = {"failed": announcement.failure} if announcement.failure else {"ready": dict(announcement.info)}
        try:
            os.write(says, json.dumps(document).encode() + b"\n")
        except BrokenPipeError:  # whoever started us gave up waiting; we go on
            pass
        finally:
            os.close(says)

    status = 1
    try:
        _redirect(log)
        os.chdir("/")
        status = main(say)
    except CaissonError as error:
        say(Announcement(failure=str(error)[:MESSAGE_CHARACTERS_MAX]))
        sys.stderr.write(f"{error}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    for stream, descriptor in ((0, nothing), (1, written), (2, written)):
        os.dup2(descriptor, stream)
    os.close(nothing)
    os.close(written)


def _line(descriptor: int, seconds: float) -> bytes | None:
    """One line, or what there was before the end; None when time is up."""
    ends = time.monotonic() + seconds
    data = b""
    while b"\n" not in data and len(data) < LINE_BYTES_MAX:
        ready, _, _ = select.select([descriptor], [], [], max(ends - time.monotonic(), 0.0))
        if not ready:
            return None
        piece = os.read(descriptor, LINE_BYTES_MAX)
        if not piece:
            break
        data += piece
    return data
