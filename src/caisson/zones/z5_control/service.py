"""The control process: a unix socket for operators on this machine, and a tick.

- Who asks is the peer's uid by the kernel (SO_PEERCRED, unix(7)): the owner of the data folder or root, nobody else.
- Lines, connections, requests a connection and idle time are bounded. Requests are answered one at a time, in order.

>>> await serve(control, handover, Path("control.sock"), owner_uid=1000, stop=stop, ready=ready)  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from caisson.errors import StartError
from caisson.zones.z5_control.control import Control
from caisson.zones.z5_control.handover import Handover
from caisson.zones.z5_control.requests import LINE_BYTES_MAX

TICK_S = 1.0
CONNECTIONS_MAX = 16
REQUESTS_PER_CONNECTION_MAX = 100
IDLE_S = 10.0
ROOT_UID = 0

_PEER = struct.Struct("iII")
_NOT_YOURS = b'{"ok":false,"error":"only who started the system, or root, may ask the control zone"}\n'
log = logging.getLogger("caisson.control")


async def serve(
    control: Control,
    handover: Handover,
    path: Path,
    *,
    listener: socket.socket | None = None,
    owner_uid: int,
    stop: asyncio.Event,
    ready: Callable[[], None] = lambda: None,
    tick_s: float = TICK_S,
) -> None:
    """Publish what was handed over, then answer and renew until `stop` is set.

    Args:
        listener: `bound` to `path` already, for a process that may not make sockets any more.

    Raises:
        ConfigurationError: nothing can be put in force.
        StartError: the socket cannot be made.
    """
    await control.begin(handover)
    service = _Service(control, owner_uid)
    server = await asyncio.start_unix_server(
        service.connected, sock=listener or bound(path, owner_uid), limit=LINE_BYTES_MAX
    )
    try:
        ready()
        while not stop.is_set():
            await service.tick()
            try:
                async with asyncio.timeout(tick_s):
                    await stop.wait()
            except TimeoutError:
                continue
    finally:
        server.close()
        await service.finish()
        with suppress(OSError):  # a confined process may not; the next start replaces it
            path.unlink(missing_ok=True)  # noqa: ASYNC240 the loop ends here


class _Service:
    def __init__(self, control: Control, owner_uid: int) -> None:
        self._control = control
        self._owner_uid = owner_uid
        self._turn = asyncio.Lock()
        self._connections: set[asyncio.Task[None]] = set()

    async def tick(self) -> None:
        async with self._turn:
            await self._control.tick()

    async def finish(self) -> None:
        """What is being answered is answered; who only listens is let go."""
        async with self._turn:
            for task in self._connections:
                task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = peer_uid(writer.get_extra_info("socket"))
        task = asyncio.current_task()
        if uid not in (self._owner_uid, ROOT_UID):  # first, so that strangers cannot take the owner's connections
            log.warning("uid %d may not ask the control zone", uid)
            writer.write(_NOT_YOURS)
            writer.close()
            return
        if task is None or len(self._connections) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._converse(reader, writer, uid)
        except (TimeoutError, OSError, ValueError):
            log.info("a peer of the control socket was idle, gone, or sent a line over %d bytes", LINE_BYTES_MAX)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, uid: int) -> None:
        for _ in range(REQUESTS_PER_CONNECTION_MAX):
            async with asyncio.timeout(IDLE_S):
                line = await reader.readline()
            if not line.endswith(b"\n"):
                return
            async with self._turn:
                answer = await self._control.answer(line, uid)
                writer.write(msgspec.json.encode(answer) + b"\n")
            async with asyncio.timeout(IDLE_S):
                await writer.drain()


def peer_uid(connection: socket.socket) -> int:
    """The uid of the process that connected, as the kernel recorded it then."""
    _, uid, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(uid)


def bound(path: Path, owner_uid: int) -> socket.socket:
    """A socket for `serve`.

    Raises:
        StartError: the socket cannot be made.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        # with own users the owner is another user than this process; the kernel says who connects
        path.chmod(0o600 if os.geteuid() == owner_uid else 0o666)
    except OSError as error:
        listener.close()
        raise StartError(
            f"the control socket {path} cannot be made ({error.strerror or error}); its folder must be writable and"
            " its path shorter than 108 bytes"
        ) from error
    return listener
