"""What the hostile model of a conversation sends: the bytes of an OpenAI-compatible server.

>>> model = HostileModel()
>>> model.answer(b"{}").pieces[0][:12]
b'HTTP/1.1 404'
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import openai_server
from hostile_conversations import TAGS, Said, Talk
from hostile_upstream import Reply, chunked, stream_head, whole

Json = dict[str, Any]

KEPT_MAX = 256
"""Conversations under way that it remembers."""
_MARKER = re.compile(r"case-[b-n]{9}")
_TAG = re.compile(r"\[[A-Z][A-Z0-9_]{0,63}_(?:[0-9a-f]{12}|[0-9a-f]{6})\]")
FILLER = "I looked. "
_REFUSING = (400, 500, 503, 429, 401, 418)
_FINISH = {"stop": "stop", "length": "length", "silent": None, "cut": None}


class HostileModel:
    """Plays conversations, each known by its marker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._talks: OrderedDict[str, Talk] = OrderedDict()
        self.heard: dict[str, str] = {}
        """By marker: the body that reached the model."""

    def expect(self, talk: Talk) -> None:
        """Play this one when it is asked."""
        with self._lock:
            self._talks[talk.marker] = talk
            self.heard.pop(talk.marker, None)
            if len(self._talks) > KEPT_MAX:
                self.heard.pop(self._talks.popitem(last=False)[0], None)

    def answer(self, body: bytes) -> Reply:
        """What is said to a request."""
        text = body.decode("utf-8", "replace")
        found = _MARKER.search(text)
        talk = self._talks.get(found[0]) if found else None
        if talk is None:
            return Reply(pieces=(whole(b"{}", status=404),))
        self.heard[talk.marker] = text
        return _Speech(talk, json.loads(body)).reply()


class _Speech:
    """One answer."""

    def __init__(self, talk: Talk, asked: Json) -> None:
        self._talk = talk
        self._stream = bool(asked.get("stream"))
        tools = asked.get("tools") or [{"function": {"name": "look"}}]
        self._tool = tools[0]["function"]["name"]
        self._tags = sorted(set(_TAG.findall(json.dumps(asked, ensure_ascii=False)))) or ["[EMAIL_000000]"]
        self._calls = 0

    def reply(self) -> Reply:
        last = self._talk.said[-1] if self._talk.said else None
        if last is not None and last.way == "error body":
            body = json.dumps({"error": {"message": last.text, "type": last.text, "code": last.text}}).encode()
            return Reply(pieces=(whole(body, status=_REFUSING[self._talk.number % len(_REFUSING)]),))
        if last is not None and last.way == "retry after":
            return Reply(pieces=(whole(b"{}", status=429, headers={"retry-after": last.text}),))
        return self._streamed() if self._stream else self._whole()

    # Messages

    def _text(self, said: Said) -> str:
        if TAGS not in said.text:
            return said.text
        return "\n".join(said.text.replace(TAGS, tag) for tag in self._tags)

    def _content(self, said: Said) -> str:
        return f"So {self._text(said)} ok. "

    def _arguments(self, said: Said) -> str:
        """The JSON text of a tool call's arguments."""
        text = self._text(said)
        value: Json = {"at": text}
        if said.way == "tool key":
            value = {text: 1}
        elif said.way == "tool list":
            value = {"at": [[text], {"x": [text]}]}
        elif said.way == "tool number":
            value = {"at": int(text), "all": [int(text)]}
        elif said.way == "two values":
            half = len(text) // 2
            value = {"a": text[:half], "b": text[half:]}
        elif said.way in ("tool id", "tool name"):
            value = {"at": "sky"}
        written = json.dumps(value, ensure_ascii=len(text) % 2 == 0)
        if said.escaped and said.way != "tool number":
            written = _in_escapes(written, text)
        return written

    def _call(self, said: Said) -> Json:
        name = self._text(said)[:200] if said.way == "tool name" else self._tool
        use_id = self._text(said) if said.way == "tool id" else f"t{self._calls + 2}"
        return {"id": use_id, "type": "function", "function": {"name": name, "arguments": self._arguments(said)}}

    def _finish(self) -> str | None:
        last = self._talk.said[-1] if self._talk.said else None
        if last is not None and last.way == "finish reason":
            return self._text(last)
        finish = _FINISH[self._talk.ends]
        return "tool_calls" if finish == "stop" and self._calls else finish

    def _around(self) -> Json:
        """Fields beside the answer."""
        fields: Json = {"id": "chatcmpl-1", "model": "m"}
        for said in self._talk.said:
            text = self._text(said)
            if said.way == "model name":
                fields |= {"model": text, "system_fingerprint": text, "id": text, "object": text}
            elif said.way == "extra field":
                fields |= {"error": None, "provider": text, "usage_note": text, "created": text}
        return fields

    def _extra(self) -> Json:
        return {
            name: self._text(said)
            for said in self._talk.said if said.way == "extra field"
            for name in ("signature", "reasoning", "refusal", "name", "audio_transcript")
        }  # fmt: skip

    def _usage(self) -> Json:
        for said in self._talk.said:
            if said.way == "usage":
                digits = said.text
                return {"prompt_tokens": int(digits[:9]), "completion_tokens": int(digits[9:] or "3")}
        return {"prompt_tokens": 11, "completion_tokens": 3}

    def _headers(self) -> dict[str, str]:
        found = [said.text for said in self._talk.said if said.way == "header"]
        clean = ["".join(c if 32 <= ord(c) < 127 else "?" for c in text)[:4_000] for text in found]
        return {"x-request-id": clean[0], "x-caisson-request-id": clean[0], "set-cookie": clean[0]} if clean else {}

    def _whole(self) -> Reply:
        content, thoughts, calls = "", "", []
        for said in self._talk.said:
            if said.way in ("text", "link", "image", "attribute", "code"):
                content += self._content(said)
            elif said.way == "reasoning":
                thoughts += self._text(said) + " "
            elif said.way.startswith("tool") or said.way == "two values":
                calls.append(self._call(said))
                self._calls += 1
        message: Json = {"role": "assistant", "content": FILLER + content, **self._extra()}
        if thoughts:
            message["reasoning_content"] = thoughts
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "finish_reason": self._finish(), "logprobs": self._extra() or None}
        body = self._dumped({**self._around(), "choices": [choice], "usage": self._usage()})
        data = whole(body, headers=self._headers())
        if self._talk.ends == "cut":
            return Reply(pieces=(data[: -len(body) // 2],), closes=True)
        return Reply(pieces=(data,))

    def _dumped(self, value: Json) -> bytes:
        """JSON; what is to be escaped in escapes of which no character is left."""
        data = json.dumps(value, ensure_ascii=self._talk.number % 2 == 0)
        for said in self._talk.said:
            if said.escaped and said.way in ("text", "reasoning", "tool id"):
                data = _in_escapes(data, self._text(said))
        return data.encode("utf-8", "surrogatepass")

    def _streamed(self) -> Reply:
        events = [
            openai_server.event(
                {**self._around(), "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
            )
        ]
        for said in self._talk.said:
            if said.way == "comment":
                data = self._text(said).replace("\n", " ").encode("utf-8", "replace")
                events.append(b": " + data + b"\nevent: " + data + b"\nid: " + data + b"\n\n")
            elif said.way == "error event":
                events.append(openai_server.event({"error": {"message": self._text(said), "type": self._text(said)}}))
            else:
                events += [self._chunk(delta) for delta in self._deltas(said)]
        last = {**self._around(), "choices": [{"index": 0, "delta": {}, "finish_reason": self._finish()}]}
        events += [openai_server.event(last), openai_server.event({"choices": [], "usage": self._usage()})]
        pieces = [stream_head(self._headers())]
        if self._talk.ends == "cut":
            kept = events[: len(events) * 2 // 3]
            return Reply(pieces=(*pieces, *map(chunked, _gathered(kept))), closes=True)
        return Reply(pieces=(*pieces, *map(chunked, _gathered([*events, openai_server.DONE])), chunked(b"")))

    def _chunk(self, delta: Json) -> bytes:
        value = {"choices": [{"index": 0, "delta": {**delta, **self._extra()}, "finish_reason": None}]}
        data = json.dumps(value, ensure_ascii=self._talk.number % 3 == 0).encode("utf-8", "surrogatepass")
        return b"data: " + data + b"\n\n"

    def _deltas(self, said: Said) -> Iterator[Json]:
        if said.way in ("text", "link", "image", "attribute", "code"):
            yield from ({"content": piece} for piece in self._cut(self._content(said)))
        elif said.way == "reasoning":
            yield from ({"reasoning_content": piece} for piece in self._cut(self._text(said) + " "))
            yield {"content": FILLER}
        elif said.way == "two blocks":
            text = self._text(said)
            half = len(text) // 2
            yield {"content": "So " + text[:half]}
            yield {"reasoning_content": "hm"}
            yield {"content": text[half:] + " ok. "}
        elif said.way.startswith("tool") or said.way == "two values":
            call = self._call(said)
            yield {"tool_calls": [{"index": self._calls, **call, "function": {**call["function"], "arguments": ""}}]}
            for piece in self._cut(call["function"]["arguments"]):
                yield {"tool_calls": [{"index": self._calls, "function": {"arguments": piece}}]}
            self._calls += 1

    def _cut(self, text: str) -> list[str]:
        """Deltas. A very long text is cut as finely only at its end, where the secret is."""
        size = self._talk.cut
        head, tail = text[:-600], text[-600:]
        return ([head] if head else []) + [tail[at : at + size] for at in range(0, len(tail), size)]


def _in_escapes(data: str, text: str) -> str:
    """JSON in which `text` is written in escapes; as it was, when something in it is escaped already."""
    plain = json.dumps(text)[1:-1]
    if "\\" in plain:
        return data
    return data.replace(plain, "".join(f"\\u{ord(c):04x}" if c.isalnum() else c for c in plain))


def _gathered(events: list[bytes]) -> list[bytes]:
    """Events in a few writes: how they are cut is said by the deltas, and a write each costs more than it finds."""
    return [b"".join(events[at : at + 16]) for at in range(0, len(events), 16)]
