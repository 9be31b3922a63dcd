"""What goes back to one client: an answer, an event stream or an error, in the asked API's shape (NET-07)."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from caisson.errors import Refusal
from caisson.zones.z1_ingress.asgi import Headers, Send
from caisson.zones.z2_runtime.deadlines import Deadlines
from caisson.zones.z2_runtime.dialects import openai_answer
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.operations import Operation

SEND_SECONDS_MAX = 60.0
"""A client that does not read for this long has left."""
_CLOSE = (b"connection", b"close")


class Reply:
    """What goes back to one client."""

    def __init__(self, send: Send, request_id: str, deadlines: Deadlines, *, last: Callable[[], bool]) -> None:
        """`last`: whether the connection is to take no further request, asked when the answer begins."""
        self._last = last
        self._send = send
        self._deadlines = deadlines
        self._request_id = request_id.encode()
        self.begun = False
        self.speaks_openai = False
        """Errors have OpenAI's shape."""

    def _headers(self, content_type: bytes, exchange: Exchange | None) -> Headers:
        headers = [
            (b"content-type", content_type),
            (b"x-amzn-requestid", self._request_id),
            (b"x-caisson-request-id", self._request_id),
        ]
        if self._last():
            headers.append(_CLOSE)
        if exchange is not None:
            spent = exchange.runtime.clock.monotonic() - exchange.started - exchange.upstream_seconds
            headers.append((b"x-caisson-overhead-ms", b"%.3f" % (max(spent, 0.0) * 1000)))
            if exchange.upstream:
                headers.append((b"x-caisson-upstream", exchange.upstream.encode()))
        return headers

    async def send(self, status: int, content_type: bytes, body: bytes, exchange: Exchange | None = None) -> None:
        """A whole answer."""
        headers = self._headers(content_type, exchange)
        await self._whole(status, headers, body)

    async def refuse(self, refusal: Refusal, exchange: Exchange | None = None) -> None:
        """An error in the shape of Bedrock's REST-JSON protocol or OpenAI's; nothing when an answer has begun."""
        if self.begun:
            return
        headers = self._headers(b"application/json", exchange)
        headers.append((b"x-amzn-errortype", refusal.error.code.encode()))
        if refusal.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % max(1, round(refusal.retry_after_s))))
        if not exchange and _CLOSE not in headers:
            headers.append(_CLOSE)  # an unread body must not be taken for the next request
        status, body = refusal.error.status, orjson.dumps({"message": refusal.message})
        if self.speaks_openai:
            status, body = openai_answer.error(refusal)
        await self._whole(status, headers, body)

    async def _whole(self, status: int, headers: Headers, body: bytes) -> None:
        self.begun = True
        headers.append((b"content-length", b"%d" % len(body)))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def frame(self, frame: bytes, exchange: Exchange, media_type: str) -> None:
        """One piece of an event stream; waits while the client does not read."""
        with self._deadlines.within(SEND_SECONDS_MAX):
            if not self.begun:
                self.begun = True
                headers = self._headers(media_type.encode(), exchange)
                if exchange.operation is Operation.INVOKE_MODEL_STREAM:
                    headers.append((b"x-amzn-bedrock-content-type", b"application/json"))
                await self._send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._send({"type": "http.response.body", "body": frame, "more_body": True})

    async def end(self) -> None:
        """The event stream is complete."""
        await self._send({"type": "http.response.body", "body": b""})
