"""One connection to a server, one call at a time. llhttp (httptools) parses; the server is hostile.

- Header fields are bounded in number and size; informational answers in number; what waits to be read in bytes, beyond
  which the socket is not read on.
- What comes after an answer's end, or before a call, ends the connection: nothing is taken for the next answer.
- An answer is kept alive only when the parser says so and it was read to its end.
- An answer that is left before its end closes the connection: it is how a server learns that nobody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httptools

BUFFERED_BYTES_MAX = 262_144
"""Of a body, before the socket waits."""
HEADERS_MAX = 100
HEADER_BYTES_MAX = 32_768
"""Names and values of one answer together."""
INFORMATIONAL_MAX = 8
"""Answers of status 1xx before the real one (RFC 9110 section 15.2)."""


class HttpError(Exception):
    """The connection failed, or what came over it is no answer. `reached`: a byte of an answer had come."""

    def __init__(self, found: str, *, reached: bool = False) -> None:
        super().__init__(found)
        self.reached = reached


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long a call may take."""

    connect_s: float = 5.0
    idle_s: float = 60.0
    """Between two pieces of an answer, and before its first."""
    total_s: float = 600.0


class Connection(asyncio.Protocol):
    """A transport's protocol. `call` begins a call, whose `Response` reads it."""

    def __init__(self, lost: Callable[[Connection], None]) -> None:
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._call: Response | None = None
        self.idle_since = 0.0
        """Loop time at which it was put back."""

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        call = self._call
        if call is None:  # unasked for: whose answer that is nobody can say
            self.close()
            return
        call.moved_at = asyncio.get_running_loop().time()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, ValueError) as error:
            self._fail(f"no answer of HTTP/1.1: {type(error).__name__}")
            return
        call.wake()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._lost(self)
        call = self._call
        if call is None or call.complete:
            return
        if call.until_close and error is None:
            call.complete = True
            call.wake()
        else:
            self._fail("the connection closed before the answer's end")

    # What a client calls

    @property
    def open(self) -> bool:
        """It can carry a call."""
        return self._transport is not None and not self._transport.is_closing()

    def begin(self, head: bytes, body: bytes, response: Response) -> None:
        """Send a call; its answer goes to `response`."""
        if self._transport is None:
            raise HttpError("the connection is closed")
        self._call, self._parser = response, httptools.HttpResponseParser(response)
        self._transport.write(head + body if len(body) <= BUFFERED_BYTES_MAX else head)
        if len(body) > BUFFERED_BYTES_MAX:
            self._transport.write(body)

    def end(self) -> None:
        """The call is over; the connection may carry another."""
        self._call = self._parser = None

    def pause(self) -> None:
        """Read no further for now."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """Let go of the server at once."""
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, found: str) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.fail(HttpError(found, reached=call.status > 0))
        self.close()


class Response:
    """One answer while it arrives. The parser calls the methods that begin with `on_`."""

    def __init__(
        self, connection: Connection, left: Callable[[Response, Connection], None], *, now: float, ends_at: float
    ) -> None:
        self._connection = connection
        self._left: Callable[[Response, Connection], None] | None = left
        self.status = 0
        """0 until the header has come."""
        self.headers: dict[str, str] = {}
        """By name in lower case; a repeated field is joined by commas (RFC 9110 section 5.3)."""
        self.until_close = False
        """The body ends with the connection."""
        self.complete = False
        self.moved_at = now
        """Loop time at which something came."""
        self._ends_at = ends_at
        self._headed = self._keeps = False
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0
        self._paused = False
        self._header_fields = 0
        self._header_bytes = 0
        self._informational = 0
        self._error: HttpError | TimeoutError | None = None
        self._waiter: asyncio.Future[None] | None = None

    # What the parser calls

    def on_message_begin(self) -> None:
        if self.complete:
            raise ValueError("a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_fields += 1
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > HEADER_BYTES_MAX or self._header_fields > HEADERS_MAX:
            raise ValueError("too many header fields")
        if self._headed:
            return  # a trailer: nothing here reads one
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        status = self._connection._parser.get_status_code()
        if 100 <= status < 200:
            self._informational += 1
            if status == 101 or self._informational > INFORMATIONAL_MAX:
                raise ValueError("informational answers without end")
            self.headers.clear()
            return
        self.status = status
        self._keeps = self._connection._parser.should_keep_alive()
        self.until_close = "content-length" not in self.headers and "transfer-encoding" not in self.headers
        self._headed = True

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes > BUFFERED_BYTES_MAX and not self._paused:
            self._paused = True
            self._connection.pause()

    def on_message_complete(self) -> None:
        if not self._headed:
            return  # an informational answer
        self.complete = True

    # What the connection and the client call

    @property
    def reusable(self) -> bool:
        """It was read to its end, and its connection may carry another call."""
        return self.complete and self._keeps and not self._pieces and self._error is None

    def wake(self) -> None:
        """Something came."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def fail(self, error: HttpError | TimeoutError) -> None:
        """No more will come."""
        self._error = self._error or error
        self.wake()

    def expire(self, now: float, idle_s: float) -> None:
        """Fail when it is too late. A server does not pause while it is us who do not read."""
        if self._paused:
            self.moved_at = now
        if now - self.moved_at >= idle_s or now >= self._ends_at:
            self.fail(TimeoutError("the server paused or took too long"))

    def close(self) -> None:
        """Let go of it. Unless it was read to its end, the server learns that nobody listens."""
        left, self._left = self._left, None
        if left is not None:
            left(self, self._connection)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def headed(self) -> None:
        """Return when status and header are there.

        Raises:
            HttpError: they never will be.
            TimeoutError: they did not come in time.
        """
        while not self._headed:
            if self._error is not None:
                raise self._error
            await self._wait()

    async def pieces(self, bytes_max: int) -> AsyncIterator[bytes]:
        """The body as it arrives.

        Raises:
            HttpError: it broke.
            TimeoutError: it paused or took too long.
            ValueError: it is longer than `bytes_max`.
        """
        size = 0
        while True:
            while self._pieces:
                taken = self._take()
                size += len(taken)
                if size > bytes_max:
                    raise ValueError(f"more than {bytes_max} bytes")
                yield taken
            if self._error is not None:
                raise self._error
            if self.complete:
                return
            await self._wait()

    async def body(self, bytes_max: int) -> bytes:
        """The whole body; raises as `pieces`."""
        if self.complete and self._waiting_bytes <= bytes_max:
            return self._take()
        return b"".join([piece async for piece in self.pieces(bytes_max)])

    async def drain(self, bytes_max: int = 1_024) -> None:
        """Read to the end, when that is near; raises as `pieces`."""
        async for _ in self.pieces(bytes_max):
            pass

    def _take(self) -> bytes:
        taken = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._waiting_bytes = 0
        if self._paused:
            self._paused = False
            self._connection.resume()
        return taken
