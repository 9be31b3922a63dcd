"""A model server on a thread of its own that answers with bytes: every cut, every lie of HTTP is possible.

>>> with Upstream(lambda body: Reply(pieces=(plain(b"{}"),))) as upstream:  # doctest: +SKIP
...     start(folder, "--upstream", f"openai={upstream.url}")
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

BODY_BYTES_MAX = 32 << 20


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is sent: one write a piece."""

    pieces: Sequence[bytes]
    closes: bool = False
    """The connection ends with it, complete or not."""


Answer = Callable[[bytes], Reply]
"""The body of a request → what is said to it."""


def whole(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """An answer with a length."""
    lines = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    return _head(status, lines) + body


def stream_head(headers: Mapping[str, str] | None = None) -> bytes:
    """The beginning of an event stream; chunks follow."""
    return _head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked", **(headers or {})})


def chunked(data: bytes) -> bytes:
    """One chunk (RFC 9112 section 7.1); of nothing, the last one."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"


class Upstream:
    """The server."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    def __enter__(self) -> Upstream:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = (line.partition(b":") for line in head.lower().split(b"\r\n")[1:])
        length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
        reply = self._answer(await reader.readexactly(min(length, BODY_BYTES_MAX)))
        for piece in reply.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return not reply.closes
