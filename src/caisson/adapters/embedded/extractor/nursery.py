"""The process that starts a child for every document, and ends those that take too long.

- It is a fresh interpreter without a key or a request in its memory, started before the gateway confines itself.
- It loads the parsers once, gives up files and sockets, and only then takes work; a child is a copy of it.
- It never looks at a document. When a child ends without an answer, it says why in its place.
- It ends when the gateway does: the control socket closes, and the kernel kills it with its parent.
"""

from __future__ import annotations

import encodings
import importlib
import os
import pkgutil
import selectors
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pypdf

from caisson.adapters.embedded.extractor import child, samples, wire
from caisson.adapters.embedded.extractor.text import UnreadableError
from caisson.adapters.embedded.isolation import Rules, leave_with_parent, restrict
from caisson.ports.extractor import Unreadable

READY = b"ready"
CHILDREN_MAX = 8
"""Children at once, whatever the gateway asks for."""
_ENDED: dict[int, Unreadable] = {
    signal.SIGXCPU: Unreadable.TOO_SLOW,
    signal.SIGKILL: Unreadable.TOO_SLOW,  # by us, or by the hard limit on processor time
    signal.SIGABRT: Unreadable.TOO_MUCH_MEMORY,  # how Rust and C++ end when there is none
}


@dataclass(frozen=True, kw_only=True)
class _Child:
    pid: int
    job: socket.socket
    deadline: float
    """Monotonic seconds."""


def run(control: socket.socket, bounds: child.Bounds, parent_pid: int) -> None:
    """Serve until `control` closes."""
    leave_with_parent(parent_pid)
    _load()
    address_space_bytes = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    held = restrict(Rules())
    control.sendall(READY)
    _Nursery(control, bounds, address_space_bytes, filtered=held.filtered).serve()


def _load() -> None:
    """Everything that a parser may load while it reads, because a child cannot: character sets, parts of pypdf."""
    for package in (encodings, pypdf):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            with suppress(ImportError):  # for Windows, or for libraries that are not installed
                importlib.import_module(module.name)
    for format, read in child.READERS.items():
        with suppress(UnreadableError):
            read(samples.SAMPLES[format])


class _Nursery:
    def __init__(
        self, control: socket.socket, bounds: child.Bounds, address_space_bytes: int, *, filtered: bool
    ) -> None:
        self._control = control
        self._bounds = bounds
        self._address_space_bytes = address_space_bytes
        self._filtered = filtered
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, _Child] = {}
        """By the descriptor that tells of its end (pidfd_open(2))."""

    def serve(self) -> None:
        self._selector.register(self._control, selectors.EVENT_READ)
        while True:
            wait_s = min((found.deadline for found in self._children.values()), default=None)
            ready = self._selector.select(None if wait_s is None else max(0.0, wait_s - time.monotonic()))
            for key, _ in ready:
                if key.fileobj is not self._control:
                    self._bury(key.fd)
                elif not self._take():
                    return
            self._end_late()

    def _take(self) -> bool:
        """Start a child for the job that arrived; False when the gateway is gone."""
        message, descriptors, _, _ = socket.recv_fds(self._control, len(READY), 1)
        if not message:
            return False
        for descriptor in descriptors:
            self._start(socket.socket(fileno=descriptor))
        return True

    def _start(self, job: socket.socket) -> None:
        if len(self._children) >= CHILDREN_MAX:
            _answer(job, Unreadable.BUSY)
            return
        own, pid = os.getpid(), os.fork()
        if pid == 0:
            leave_with_parent(own)
            child.run(
                job.fileno(), self._bounds, address_space_bytes=self._address_space_bytes, filtered=self._filtered
            )
        found = _Child(pid=pid, job=job, deadline=time.monotonic() + self._bounds.wall_s)
        descriptor = os.pidfd_open(pid)
        self._children[descriptor] = found
        self._selector.register(descriptor, selectors.EVENT_READ)

    def _bury(self, descriptor: int) -> None:
        found = self._children.pop(descriptor)
        self._selector.unregister(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(found.pid, 0)
        if os.WIFSIGNALED(status):
            _answer(found.job, _ENDED.get(os.WTERMSIG(status), Unreadable.DAMAGED))
        elif os.WEXITSTATUS(status) != 0:
            _answer(found.job, Unreadable.UNAVAILABLE)
        else:
            found.job.close()

    def _end_late(self) -> None:
        now = time.monotonic()
        for found in self._children.values():
            if found.deadline <= now:
                os.kill(found.pid, signal.SIGKILL)


def _answer(job: socket.socket, why: Unreadable) -> None:
    """Say why in the child's place; the gateway may have left."""
    job.setblocking(False)
    try:
        job.send(wire.answer(why), socket.MSG_NOSIGNAL)
    except OSError:
        pass
    finally:
        job.close()
