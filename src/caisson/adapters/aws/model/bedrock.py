"""Models of Amazon Bedrock behind the port.

>>> model = BedrockModel(calls, clock, pseudonym_secret=secret)  # doctest: +SKIP
>>> (await model.converse(request)).stop_reason  # doctest: +SKIP
'end_turn'
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from hashlib import sha256
from hmac import digest

import aiohttp
import msgspec

from caisson.adapters.aws.bedrock.calls import BedrockCalls, pieces
from caisson.adapters.aws.bedrock.failures import code_of, failed
from caisson.adapters.aws.model.answer import StreamReader, answer_of
from caisson.adapters.aws.model.request import body_of, path_of
from caisson.adapters.embedded.model import failures
from caisson.adapters.embedded.model.events import Json
from caisson.ports.clock import Clock
from caisson.ports.model import Model, ModelAnswer, ModelRequest
from caisson.protocol.eventstream import EventStreamDecoder, Message

EVENT_STREAM = "application/vnd.amazon.eventstream"
FRAME_BYTES_MAX = 1024 * 1024
"""One event is a few words; the largest are guardrail traces."""
HEADER_BYTES_MAX = 8 * 1024
PSEUDONYM_CHARACTERS = 32
"""128 bits of the keyed hash."""


class BedrockModel(Model):
    """Every model that the profile may call."""

    name = "bedrock"

    def __init__(self, calls: BedrockCalls, clock: Clock, *, pseudonym_secret: bytes) -> None:
        """Args:
        calls: how Bedrock is called; closed with this.
        clock: for latency.
        pseudonym_secret: keys the hash that stands for a user's name in AWS's logs.
        """
        self._calls = calls
        self._clock = clock
        self._key = digest(pseudonym_secret, b"caisson upstream users v1", sha256)

    async def converse(self, request: ModelRequest) -> ModelAnswer:
        began = self._clock.monotonic()
        body = await self._calls.whole(path_of(request.model_id, stream=False), self._body(request, stream=False))
        try:
            return answer_of(body, request.guardrail, (self._clock.monotonic() - began) * 1000)
        except ValueError as error:
            raise failures.nonsense(f"Bedrock's answer makes no sense: {error}") from error

    async def converse_stream(self, request: ModelRequest) -> AsyncGenerator[Json, None]:
        began = self._clock.monotonic()
        reader = StreamReader(request.guardrail)
        path, body = path_of(request.model_id, stream=True), self._body(request, stream=True)
        async with self._calls.call(path, body, accept=EVENT_STREAM, streams=True) as response:
            try:
                async for kind, payload in _events(response):
                    event = reader.event(kind, payload)
                    if event is None:
                        continue
                    if "metadata" in event:
                        event["metadata"]["metrics"]["latencyMs"] = round((self._clock.monotonic() - began) * 1000)
                    yield event
                reader.finish()
            except ValueError as error:
                raise failures.nonsense(f"Bedrock's stream makes no sense: {error}") from error

    async def close(self) -> None:
        await self._calls.close()

    def _body(self, request: ModelRequest, *, stream: bool) -> bytes:
        user = digest(self._key, request.user.encode(), sha256).hex()[:PSEUDONYM_CHARACTERS] if request.user else ""
        return msgspec.json.encode(body_of(request, user=user, stream=stream))


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, bytes]]:
    """Kind and JSON of each event.

    Raises:
        ValueError: the bytes are no event stream.
        UpstreamError: the stream says that something failed.
    """
    decoder = EventStreamDecoder(frame_bytes_max=FRAME_BYTES_MAX, header_bytes_max=HEADER_BYTES_MAX)
    async for piece in pieces(response):
        for message in decoder.feed(piece):
            yield _kind(message), message.payload
    decoder.finish()


def _kind(message: Message) -> str:
    headers = message.headers
    what = headers.get(":message-type")
    if what == "event":
        return str(headers.get(":event-type", ""))
    # `error` is the specification's form for what is no exception of the operation.
    code = code_of(str(headers.get(":exception-type") or headers.get(":error-code") or ""))
    raise failed(code, 500, _sentence(message)) if what in ("exception", "error") else ValueError("an unknown message")


def _sentence(message: Message) -> str:
    try:
        told = msgspec.json.decode(message.payload, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return str(message.headers.get(":error-message", ""))
    return str(told.get("message", ""))
