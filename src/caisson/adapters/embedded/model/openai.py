"""Any server that speaks OpenAI's chat completions, as a model (openai_calls.py says how it is called).

Leaving a stream closes its connection, which is how such servers learn that nobody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec

from caisson.adapters.embedded.model import failures
from caisson.adapters.embedded.model.chat_answer import StreamReader, answer_of, decode, usage_of
from caisson.adapters.embedded.model.chat_request import body_of
from caisson.adapters.embedded.model.events import START, Json, closing
from caisson.adapters.embedded.model.openai_calls import CHAT, RESPONSE_BYTES_MAX, OpenAICalls
from caisson.adapters.embedded.model.sse import EventReader
from caisson.adapters.http import HttpError, Response
from caisson.ports.clock import Clock
from caisson.ports.model import Model, ModelAnswer, ModelRequest

DRAIN_S = 0.05


class OpenAIModel(Model):
    """One server."""

    name = "openai"

    def __init__(self, base_url: str, clock: Clock, **settings: Any) -> None:
        """Args:
            base_url: with or without path; without one, `/v1` as OpenAI's.
            clock: for latency.
            settings: as `OpenAICalls` takes them.

        Raises:
            StartError: the address or the key cannot be used.
        """
        self._calls = OpenAICalls(base_url, CHAT, **settings)
        self._clock = clock

    async def converse(self, request: ModelRequest) -> ModelAnswer:
        began = self._clock.monotonic()
        async with self._calls.call(self._body(request, stream=False)) as response:
            try:
                body = await response.body(RESPONSE_BYTES_MAX)
                completion = decode(body)
                content, reason = answer_of(completion)
            except ValueError as error:
                raise failures.nonsense(f"the server's answer makes no sense: {error}") from error
        return ModelAnswer(
            content=content,
            stop_reason=reason,
            usage=usage_of(completion.usage, request, len(body)),
            latency_ms=(self._clock.monotonic() - began) * 1000,
        )

    async def converse_stream(self, request: ModelRequest) -> AsyncGenerator[Json, None]:
        began = self._clock.monotonic()
        reader = StreamReader()
        async with self._calls.call(self._body(request, stream=True)) as response:
            yield START
            try:
                async for data in _events(response):
                    for event in reader.chunk(decode(data)):
                        yield event
                for event in reader.close():
                    yield event
                reason = reader.stop_reason()
            except ValueError as error:
                raise failures.nonsense(f"the server's stream makes no sense: {error}") from error
        usage = usage_of(reader.usage, request, reader.output_bytes)
        for event in closing(reason, usage, (self._clock.monotonic() - began) * 1000):
            yield event

    async def close(self) -> None:
        await self._calls.close()

    def _body(self, request: ModelRequest, *, stream: bool) -> bytes:
        return msgspec.json.encode(body_of(request, model=self._calls.model or request.model_id, stream=stream))


async def _events(response: Response) -> AsyncIterator[bytes]:
    reader = EventReader()
    async for piece in response.pieces(RESPONSE_BYTES_MAX):
        for data in reader.feed(piece):
            if data == b"[DONE]":
                # What ends the body usually follows at once; with it read, the connection serves the next call.
                with suppress(TimeoutError, HttpError, ValueError):
                    async with asyncio.timeout(DRAIN_S):
                        await response.drain()
                return
            yield data
