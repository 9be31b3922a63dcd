"""A model endpoint that costs almost nothing: answers any POST at once in the shape of OpenAI's chat completions.

A request for a stream is answered in `PIECES` events, one every `PIECE_EVERY_S`, so that a client can leave in between.

Run: python -m bench.upstream PORT
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

TEXT = "The claim was settled within the limits of the policy and the adjuster has told the customer. " * 4
PIECES = 8
PIECE_EVERY_S = 0.005

USAGE = b'"usage":{"prompt_tokens":900,"completion_tokens":80,"total_tokens":980}'
BODY = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",'
    b'"message":{"role":"assistant","content":"%s"}}],%s}'
) % (TEXT.encode(), USAGE)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b'{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[%s]%s}'


def _frame(data: bytes) -> bytes:
    event = b"data: %s\n\n" % data
    return b"%x\r\n%s\r\n" % (len(event), event)


def _frames() -> list[bytes]:
    size = -(-len(TEXT) // PIECES)
    texts = [TEXT[at : at + size].encode() for at in range(0, len(TEXT), size)]
    frames = [
        _frame(CHUNK % (b'{"index":0,"delta":{"role":"assistant","content":"%s"},"finish_reason":null}' % text, b""))
        for text in texts
    ]
    end = _frame(CHUNK % (b'{"index":0,"delta":{},"finish_reason":"stop"}', b""))
    return [*frames, end + _frame(CHUNK % (b"", b"," + USAGE)) + _frame(b"[DONE]") + b"0\r\n\r\n"]


FRAMES = _frames()


class Upstream(asyncio.Protocol):
    """Keep-alive HTTP/1.1, one canned answer a request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            length = 0
            for line in head.split(b"\r\n")[1:]:
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            if len(rest) < length:
                return
            body, self._buffer = rest[:length], rest[length:]
            if b'"stream":true' in body:
                self._transport.write(STREAM)  # type: ignore[attr-defined]
                self._piece(0)
            else:
                self._transport.write(ANSWER)  # type: ignore[attr-defined]

    def _piece(self, number: int) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(FRAMES[number])  # type: ignore[attr-defined]
        if number + 1 < len(FRAMES):
            asyncio.get_running_loop().call_later(PIECE_EVERY_S, self._piece, number + 1)


async def main(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
