"""A real chat completions server on loopback that plays what a test tells it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def whole(content: str | None = "Good day.", finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    """A response body."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }


def chunk(finish: str | None = None, **delta: Any) -> bytes:
    """One streamed chunk."""
    return event(
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    )


def event(value: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


USAGE = event({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}})
DONE = b"data: [DONE]\n\n"


@dataclass
class Server:
    """What was asked, and what is answered."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    handler: Handler | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """A client left in the middle of `hang`."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.bodies.append(await request.json())
        if self.handler is not None:
            return await self.handler(request)
        if not self.bodies[-1].get("stream"):
            return web.json_response(whole())
        return await stream(
            chunk(role="assistant", content=""), chunk(content="Good "), chunk("stop", content="day."), USAGE
        )(request)

    async def hang(self, request: web.Request) -> web.StreamResponse:
        """Say a word and wait for the client to leave."""
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(chunk(content="Good "))
        try:
            while request.transport is not None and not request.transport.is_closing():
                await asyncio.sleep(0.005)
        finally:
            self.left.set()
        return response


def stream(*pieces: bytes, end: bytes = DONE, headers: dict[str, str] | None = None) -> Handler:
    """A handler that sends these bytes, one write a piece."""

    async def send(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream", **(headers or {})})
        await response.prepare(request)
        for piece in (*pieces, end):
            await response.write(piece)
        return response

    return send


def status(code: int, body: str = "SECRET", **headers: str) -> Handler:
    """A handler that answers with this status."""

    async def send(_request: web.Request) -> web.StreamResponse:
        return web.Response(
            status=code, text=body, headers={key.replace("_", "-"): value for key, value in headers.items()}
        )

    return send


def in_turn(*handlers: Handler) -> Handler:
    """A handler that plays one after the other, then the last for ever."""
    left = list(handlers)

    async def send(request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return send


@asynccontextmanager
async def running() -> AsyncIterator[Server]:
    """A server on a free port."""
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
