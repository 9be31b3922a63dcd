"""Calls to one server over connections that are kept.

- Only the given address is called: no redirects, no proxy, nothing from the environment, no cookies, no compression.
- Calls under way are bounded by whoever calls. Time is bounded here: to connect, between two pieces, in all. One timer
  serves all calls, because every call would pay for its own.
- A connection is used again only after an answer that was read to its end, and for at most `KEPT_S` of silence.

>>> client = Client("https://models.example.com/v1/chat/completions", Limits())  # doctest: +SKIP
>>> response = await client.post(b'{"model": "m"}', {"content-type": "application/json"})  # doctest: +SKIP
>>> body = await response.body(1_000_000)  # doctest: +SKIP
>>> response.close()  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from caisson.adapters.http.connection import Connection, HttpError, Limits, Response

KEPT_S = 15.0
"""Servers keep a silent connection for longer, most of them for a minute or more."""
KEPT_MAX = 256
TICK_S = 1.0


class Client:
    """One server.

    Args:
        url: its scheme, host and port are called; the path is where calls go that name none. ASCII, as on the wire.
        trust: for https; the system's certificates when None.
    """

    def __init__(self, url: str, limits: Limits, *, trust: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = (trust or ssl.create_default_context()) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._authority = parts.netloc.encode("ascii")
        self._path = (parts.path or "/").encode("ascii")
        self._limits = limits
        self._kept: list[Connection] = []
        self._under_way: set[Response] = set()
        self._ticker: asyncio.TimerHandle | None = None
        self._closed = False

    async def post(self, body: bytes, headers: Mapping[str, str], *, path: bytes | None = None) -> Response:
        """The answer to a request when its header has come; whoever asked closes it.

        Args:
            headers: without host and length.

        Raises:
            HttpError: no connection, or it broke.
            TimeoutError: that took too long.
        """
        fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
        head = b"POST %b HTTP/1.1\r\nhost: %b\r\ncontent-length: %d\r\n%b\r\n" % (
            path or self._path, self._authority, len(body), fields,
        )  # fmt: skip
        connection = await self._connection()
        now = asyncio.get_running_loop().time()
        response = Response(connection, self._leave, now=now, ends_at=now + self._limits.total_s)
        self._under_way.add(response)
        self._tick_soon()
        try:
            connection.begin(head, body, response)
            await response.headed()
        except BaseException:
            response.close()
            raise
        return response

    async def close(self) -> None:
        """Let go of all connections."""
        self._closed = True
        if self._ticker is not None:
            self._ticker.cancel()
        for connection in self._kept:
            connection.close()
        self._kept.clear()

    async def _connection(self) -> Connection:
        oldest = asyncio.get_running_loop().time() - KEPT_S
        while self._kept:
            connection = self._kept.pop()
            if connection.open and connection.idle_since >= oldest:
                return connection
            connection.close()
        if self._closed:
            raise HttpError("the client is closed")
        try:
            async with asyncio.timeout(self._limits.connect_s):
                _, made = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self._lost), self._host, self._port, ssl=self._tls,
                    server_hostname=self._host if self._tls else None,
                )  # fmt: skip
        except OSError as error:  # of TLS too; TimeoutError is one and goes on as it is
            if isinstance(error, TimeoutError):
                raise
            raise HttpError(f"no connection: {type(error).__name__}") from error
        return made

    def _lost(self, connection: Connection) -> None:
        if connection in self._kept:
            self._kept.remove(connection)

    def _leave(self, response: Response, connection: Connection) -> None:
        """Keep the connection of an answer that was read to its end, or close it."""
        self._under_way.discard(response)
        connection.end()
        if response.reusable and connection.open and not self._closed and len(self._kept) < KEPT_MAX:
            connection.idle_since = asyncio.get_running_loop().time()
            self._kept.append(connection)
        else:
            connection.close()

    def _tick_soon(self) -> None:
        if self._ticker is None:
            seconds = min(TICK_S, self._limits.idle_s / 2, self._limits.total_s / 2)
            self._ticker = asyncio.get_running_loop().call_later(seconds, self._tick)

    def _tick(self) -> None:
        self._ticker = None
        now = asyncio.get_running_loop().time()
        for response in list(self._under_way):
            response.expire(now, self._limits.idle_s)
        while self._kept and self._kept[0].idle_since < now - KEPT_S:
            self._kept.pop(0).close()
        if self._under_way or self._kept:
            self._tick_soon()
