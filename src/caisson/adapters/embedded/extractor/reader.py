"""The gateway's side: hands documents to the nursery, waits for their text, and refuses when it does not come.

>>> extractor = EmbeddedExtractor.start()  # doctest: +SKIP
>>> await extractor.text(b"<p>hi</p>", "html", owner="session-1")  # doctest: +SKIP
'hi'
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from caisson.adapters.embedded.extractor import nursery, wire
from caisson.adapters.embedded.extractor.child import Bounds
from caisson.errors import OperatorError, StartError
from caisson.ports.extractor import Extractor, Format, Unreadable

READING_MAX = 2
"""Documents read at once; each may take a processor."""
WAITING_MAX = 64
"""Documents that wait for their turn; further ones are refused."""
START_SECONDS_MAX = 20.0
END_SECONDS_MAX = 5.0
GRACE_S = 2.0
"""Beyond a document's own time: the nursery ends it first and says so."""
_JOB = b"job"


class EmbeddedExtractor(Extractor):
    """Reads each document in a confined process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, bounds: Bounds) -> None:
        self._process = process
        self._control = control
        self._bounds = bounds
        self._free = asyncio.Semaphore(READING_MAX)
        self._owners: dict[str, tuple[asyncio.Lock, int]] = {}
        """Owners with documents under way: their turn, and how many wait for it."""
        self._waiting = 0

    @classmethod
    def start(cls, bounds: Bounds | None = None) -> EmbeddedExtractor:
        """Start the nursery. Before the caller confines itself: afterwards it can start no program.

        Raises:
            StartError: it did not become ready.
        """
        bounds = bounds or Bounds()
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [
                    sys.executable, "-I", "-m", "caisson.adapters.embedded.extractor", str(theirs.fileno()),
                    str(os.getpid()), str(bounds.cpu_s), str(bounds.wall_s), str(bounds.memory_bytes),
                ],
                pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={},
            )  # fmt: skip
        ours.settimeout(START_SECONDS_MAX)
        try:
            ready = ours.recv(len(nursery.READY))
        except TimeoutError:
            ready = b""
        if ready != nursery.READY:
            process.kill()
            process.wait()
            ours.close()
            raise StartError("expected the process that reads documents to start, found that it did not")
        ours.setblocking(False)
        return cls(process, ours, bounds)

    async def watch(self) -> None:
        """Wait for the nursery's end.

        Raises:
            OperatorError: it is gone. It cannot be started again from here, so whoever waits must stop.
        """
        with suppress(OSError):
            await asyncio.get_running_loop().sock_recv(self._control, 1)
        raise OperatorError("expected the process that reads documents to live, found that it ended; starting anew")

    async def _extract(self, document: bytes, format: Format, owner: str) -> str | Unreadable:
        if self._waiting >= WAITING_MAX:
            return Unreadable.BUSY
        self._waiting += 1
        try:
            async with self._turn(owner), self._free:
                return await self._read(document, format)
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def _turn(self, owner: str) -> AsyncIterator[None]:
        lock, count = self._owners.get(owner, (asyncio.Lock(), 0))
        self._owners[owner] = lock, count + 1
        try:
            async with lock:
                yield
        finally:
            lock, count = self._owners.pop(owner)
            if count > 1:
                self._owners[owner] = lock, count - 1

    async def _read(self, document: bytes, format: Format) -> str | Unreadable:
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)
            with theirs:
                try:
                    socket.send_fds(self._control, [_JOB], [theirs.fileno()])
                except BlockingIOError:
                    return Unreadable.BUSY
                except OSError:
                    return Unreadable.UNAVAILABLE
            try:
                async with asyncio.timeout(self._bounds.wall_s + GRACE_S):
                    return wire.read(await self._exchanged(ours, wire.request(format, document)))
            except TimeoutError:
                return Unreadable.TOO_SLOW

    async def _exchanged(self, job: socket.socket, request: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        with suppress(OSError):  # a child that stopped reading has answered why
            await loop.sock_sendall(job, request)
            job.shutdown(socket.SHUT_WR)
        received = bytearray()
        with suppress(ConnectionResetError):
            while len(received) < wire.ANSWER_BYTES_MAX and (part := await loop.sock_recv(job, 1 << 18)):
                received += part
        return bytes(received)

    async def close(self) -> None:
        """See the port. The nursery ends when its socket closes: who has confined itself cannot signal it."""
        self._control.close()
        with suppress(subprocess.TimeoutExpired):  # then the kernel ends it together with this process
            await asyncio.to_thread(self._process.wait, END_SECONDS_MAX)
