"""The hostile model of a rehearsal: a chat completions server on loopback that keeps what it is told and says what a
probe wants, whole or in small pieces.

>>> with HostileModel() as model:
...     model.say("The key is …")
...     model.received
[]
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

BODY_BYTES_MAX = 16 << 20
RECEIVED_MAX = 5_000
"""Requests kept; a probe clears them."""
PIECE_CHARACTERS = 3
"""Of a streamed answer, so that every value is cut."""

Says = Callable[[dict[str, Any]], str]


class HostileModel:
    """Serves while it is entered."""

    def __init__(self) -> None:
        self.received: list[str] = []
        """Bodies as they came, JSON text."""
        self.authorization: list[str] = []
        self.slow = threading.Event()
        """Set: it says one word and then nothing until cleared or half a minute has passed."""
        self._says: Says = lambda _body: "Good day."
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                text = self.rfile.read(min(length, BODY_BYTES_MAX)).decode("utf-8", "replace")
                model._keep(text, self.headers.get("authorization", ""))
                body = json.loads(text)
                said = model._says(body)
                if body.get("stream"):
                    self._stream(said)
                else:
                    self._send(json.dumps(_whole(said)).encode(), "application/json")

            def _send(self, data: bytes, kind: str) -> None:
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _stream(self, said: str) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
                self.close_connection = True
                for number, piece in enumerate(_pieces(said)):
                    self.wfile.write(piece)
                    if number == 0 and model.slow.is_set():
                        self.wfile.flush()
                        model._hold()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing to say."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def say(self, text: str) -> None:
        """What it answers from now on."""
        self._says = lambda _body: text

    def repeat(self) -> None:
        """It answers with everything that it was told."""
        self._says = lambda body: "\n".join(_texts(body.get("messages")))

    def forget(self) -> None:
        """Clear what was received."""
        self.received.clear()

    def _keep(self, text: str, authorization: str) -> None:
        if len(self.received) < RECEIVED_MAX:
            self.received.append(text)
        self.authorization.append(authorization)
        del self.authorization[:-RECEIVED_MAX]

    def _hold(self) -> None:
        ends = 30.0
        while self.slow.is_set() and ends > 0 and not self._released.wait(0.05):
            ends -= 0.05


def _texts(value: Any) -> Iterator[str]:
    """Texts of messages, tool results too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("role", "type", "tool_call_id", "id", "name"):
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _whole(said: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }


def _pieces(said: str) -> Iterator[bytes]:
    for at in range(0, len(said), PIECE_CHARACTERS):
        yield _chunk({"content": said[at : at + PIECE_CHARACTERS]}, None)
    yield _chunk({}, "stop")
    yield _event({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}})
    yield b"data: [DONE]\n\n"


def _chunk(delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _event({"object": "chat.completion.chunk", "choices": [choice]})


def _event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
