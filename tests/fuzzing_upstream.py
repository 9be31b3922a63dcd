"""A model server that breaks every rule of JSON, server-sent events and HTTP, from a seed.

>>> Broken(1).answer(b'{"stream": true}').pieces != ()
True
"""

from __future__ import annotations

import json
import random
import threading
from typing import Any

import openai_server
from fuzzing_documents import JUNK, mutated
from hostile_upstream import Reply, chunked, stream_head, whole

SOUND_SHARE = 0.35
"""Of answers that are as they should be, so that requests get through."""
STATUSES = (
    100, 101, 102, 103, 199, 200, 201, 204, 206, 301, 304, 307, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502,
    503, 504, 529, 599, 600, 999,
)  # fmt: skip
_CALL = {
    "id": "t1",
    "type": "function",
    "function": {"name": "look", "arguments": '{"at": "sky", "n": [1, {"x": null}]}'},
}


class Broken:
    """Answers requests one after the other."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self.answers = 0

    def answer(self, body: bytes) -> Reply:
        """What is said to a request."""
        with self._lock:
            self.answers += 1
            chance = random.Random(self._chance.getrandbits(64))
        streams = b'"stream":true' in body or b'"stream": true' in body
        if chance.random() < SOUND_SHARE:
            return _sound(chance, streams)
        match chance.randrange(4):
            case 0:
                return _broken_http(chance, streams)
            case 1:
                return _broken_bytes(chance, streams)
            case _:
                return _broken_json(chance, streams)


def _chunks(chance: random.Random) -> list[Any]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    for _ in range(chance.randint(0, 6)):
        deltas.append(
            chance.choice(
                (
                    {"content": "Good day, see carol@example.com or ghp_532hBoYaqVqja18UvJQS6TmrXYb76ldrx7uD. "},
                    {"content": "é\u200b😀"}, {"content": ""}, {"content": None}, {"reasoning_content": "hm"},
                    {"content": "x" * 3_000}, {"refusal": "no"},
                )
            )
        )  # fmt: skip
    if chance.random() < 0.4:
        function = {"name": "look", "arguments": ""}
        deltas.append({"tool_calls": [{"index": 0, "id": "t1", "type": "function", "function": function}]})
        for piece in ('{"at"', ': "sk', 'y"}'):
            deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    chunks: list[Any] = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append(
        {"choices": [{"index": 0, "delta": {}, "finish_reason": chance.choice(("stop", "length", "tool_calls"))}]}
    )
    chunks.append({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
    return chunks


def _body(chance: random.Random) -> Any:
    fields: dict[str, Any] = {"tool_calls": [_CALL]} if chance.random() < 0.3 else {}
    return openai_server.whole("Good day, carol@example.com.", chance.choice(("stop", "length")), **fields)


def _sound(chance: random.Random, streams: bool) -> Reply:
    if not streams:
        return Reply(pieces=(whole(json.dumps(_body(chance)).encode()),))
    events = [*map(openai_server.event, _chunks(chance)), openai_server.DONE]
    return Reply(pieces=(stream_head(), *map(chunked, events), chunked(b"")))


def _written(chance: random.Random, value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def _broken_json(chance: random.Random, streams: bool) -> Reply:
    """HTTP as it should be, with something in it that is no answer."""
    if not streams:
        value = _body(chance)
        for _ in range(chance.randint(1, 4)):
            value = mutated(chance, value)
        return Reply(pieces=(whole(_written(chance, value)),))
    chunks = _chunks(chance)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(chunks))
        match chance.randrange(6):
            case 0:
                del chunks[at]
                if not chunks:
                    break
            case 1:
                chunks.insert(at, chunks[at])
            case 2:
                chunks.insert(at, chance.choice(({"error": {"message": "x"}}, {"choices": None}, [], "x", *JUNK)))
            case 3:
                chance.shuffle(chunks)
            case _:
                chunks[at] = mutated(chance, chunks[at])
    events = [_event(chance, _written(chance, chunk)) for chunk in chunks]
    if chance.random() < 0.8:
        events.insert(chance.choice((len(events), chance.randrange(len(events) + 1))), openai_server.DONE)
    return Reply(pieces=(stream_head(), *map(chunked, events), chunked(b"")))


def _event(chance: random.Random, data: bytes) -> bytes:
    """One event, more or less as the standard wants it."""
    if chance.random() < 0.7:
        return b"data: " + data + b"\n\n"
    return chance.choice(
        (
            b"data:" + data + b"\r\n\r\n", b"data: " + data + b"\r\r",
            b": comment\ndata: " + data + b"\n\n",
            b"event: x\nid: 1\nretry: 1\ndata: " + data + b"\n\n",
            b"data: " + data + b"\n",
            b"data: " + data,
            b"data: " + data[:9] + b"\ndata: " + data[9:] + b"\n\n", b"data\n\n",
            b"\xef\xbb\xbfdata: " + data + b"\n\n",
            b"DATA: " + data + b"\n\n", data + b"\n\n", b"data: " + data * 40 + b"\n\n", b"\n" * 500, b"\x00\n\n",
            b"data: " + b"[" * 20_000 + b"\n\n", b"data: " + b"x" * chance.choice((70_000, 1_100_000)) + b"\n\n",
        )
    )  # fmt: skip


def _broken_bytes(chance: random.Random, streams: bool) -> Reply:
    """A sound answer with bytes changed, cut where it hurts."""
    data = bytearray(b"".join(_sound(chance, streams).pieces))
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(data) or 1)
        match chance.randrange(4):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randint(1, 60)]
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 60)]
            case _:
                data[at:at] = chance.randbytes(chance.randint(1, 20))
    return Reply(pieces=_cut(chance, bytes(data)), closes=True)


def _broken_http(chance: random.Random, streams: bool) -> Reply:
    """Lies about lengths, statuses that are none, and connections that end."""
    body = json.dumps(_body(chance)).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    size = b"content-length: %d\r\n" % len(body)
    data = chance.choice(
        (
            b"", b"\r\n", chance.randbytes(300), b"HTTP/0.9 200\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n" + body, body,
            head + b"\r\n" + body, head + b"content-length: 99999\r\n\r\n" + body, head + b"content-length: -5\r\n\r\n",
            head + b"content-length: 3\r\n\r\n" + body,
            head + size + size + b"\r\n" + body,
            head + size + b"content-length: 4\r\n\r\n" + body, head + b"content-length: 1e3\r\n\r\n" + body,
            head + size + b"transfer-encoding: chunked\r\n\r\n" + body,
            head + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
            head + b"transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n" + body,
            head + b"transfer-encoding: chunked\r\n\r\n5\r\nabc", head + b"transfer-encoding: gzip\r\n\r\n" + body,
            head + b"content-encoding: gzip\r\n" + size + b"\r\n" + body, head + b"x: " + b"y" * 90_000 + b"\r\n\r\n",
            head + b"".join(b"x-%d: y\r\n" % at for at in range(150)) + size + b"\r\n" + body,
            head + b"a: b\r\n c\r\n" + size + b"\r\n" + body, head + b"bad name: x\r\n" + size + b"\r\n" + body,
            head + size + b"connection: close\r\n\r\n" + body, head + size + b"\r\n" + body + body,
            b"HTTP/1.1 100 Continue\r\n\r\n" * chance.choice((1, 5, 50)) + head + size + b"\r\n" + body,
            b"HTTP/1.1 101 Switching\r\nupgrade: h2c\r\n\r\n", b"HTTP/1.1 200\r\n" + size + b"\r\n" + body,
            b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/2 200 OK\r\n\r\n", head + size + b"\r\n" + body + b"HTTP/1.1 200 OK\r\n",
        )
    )  # fmt: skip
    if chance.random() < 0.4:
        status = chance.choice(STATUSES)
        retry = chance.choice(("1", "x", "-1", "9" * 30, "Wed, 21 Oct 2026 07:28:00 GMT", ""))
        data = whole(chance.choice((b"", body, b"\xff" * 50)), status=status, headers={"retry-after": retry})
    if streams and chance.random() < 0.3:
        events = b"".join(map(chunked, map(openai_server.event, _chunks(chance))))
        data = stream_head({"connection": "close"}) + events[: chance.randrange(len(events))]
    return Reply(pieces=_cut(chance, data), closes=True)


def _cut(chance: random.Random, data: bytes) -> tuple[bytes, ...]:
    points = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 1, 4))))
    return tuple(data[start:end] for start, end in zip([0, *points], [*points, len(data)], strict=True))
