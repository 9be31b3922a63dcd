"""Answers in the shape of OpenAI's chat completions, whole and streamed, and its errors.

- An answer that a guardrail ended has the finish reason `content_filter`, which clients know.
- Errors have OpenAI's body. A caller whom nobody knows gets 401, as OpenAI's clients expect; other statuses are the
  same as in the other dialects.
"""

from __future__ import annotations

from typing import Any

import msgspec

from caisson.errors import Refusal, WireError
from caisson.ports.model import ModelAnswer, Usage
from caisson.zones.z2_runtime.dialects.invocation import INTERVENED

Json = dict[str, Any]

MEDIA_TYPE = "text/event-stream"
DONE = b"data: [DONE]\n\n"

_encoder = msgspec.json.Encoder()
_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "content_filtered": "content_filter",
    "model_context_window_exceeded": "length",
    "malformed_model_output": "stop",
    "malformed_tool_use": "stop",
    INTERVENED: "content_filter",
}
_UNKNOWN_CALLERS = frozenset(
    {
        WireError.MISSING_AUTHENTICATION, WireError.UNRECOGNIZED_CLIENT, WireError.EXPIRED_TOKEN,
        WireError.INVALID_SIGNATURE, WireError.INCOMPLETE_SIGNATURE,
    }
)  # fmt: skip
_TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def error(refusal: Refusal) -> tuple[int, bytes]:
    """Status and body of a refusal."""
    status = 401 if refusal.error in _UNKNOWN_CALLERS else refusal.error.status
    return status, _encoder.encode(_error(refusal, status))


def _error(refusal: Refusal, status: int) -> Json:
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": refusal.message, "type": kind, "param": None, "code": refusal.error.code}}


def models(model_ids: list[str]) -> bytes:
    """The list of models (OpenAI API reference: List models). `created` has no meaning here."""
    data = [{"id": model_id, "object": "model", "created": 0, "owned_by": "caisson"} for model_id in model_ids]
    return _encoder.encode({"object": "list", "data": data})


def render(answer: ModelAnswer, *, model_id: str, request_id: str, created: int) -> bytes:
    """The response body."""
    return _encoder.encode(body_of(answer, model_id=model_id, request_id=request_id, created=created))


def body_of(answer: ModelAnswer, *, model_id: str, request_id: str, created: int) -> Json:
    """The response as a value."""
    texts, thoughts, calls = [], [], []
    for block in answer.content:
        if "text" in block:
            texts.append(block["text"])
        elif "toolUse" in block:
            use = block["toolUse"]
            calls.append(_call(use["toolUseId"], use["name"], _encoder.encode(use["input"]).decode()))
        else:
            thoughts.append(block["reasoningContent"]["reasoningText"]["text"])
    message: Json = {"role": "assistant", "content": "".join(texts) if texts or not calls else None}
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    choice = {
        "index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH_REASONS[answer.stop_reason],
    }  # fmt: skip
    return {
        "id": f"chatcmpl-{request_id}",
        "object": "chat.completion",
        "created": created,
        "model": model_id,
        "choices": [choice],
        "usage": _usage(answer.usage),
    }


def _call(use_id: str, name: str, arguments: str) -> Json:
    return {"id": use_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _usage(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


class Chunks:
    """A stream's chunks as values (OpenAI API reference: the chat completion chunk object)."""

    def __init__(self, *, model_id: str, request_id: str, created: int) -> None:
        self._chunk: Json = {
            "id": f"chatcmpl-{request_id}", "object": "chat.completion.chunk", "created": created, "model": model_id,
        }  # fmt: skip
        self._calls = -1

    def of(self, event: Json) -> Json | None:
        """The chunk of one event of ports/model.py but the last; None when OpenAI says nothing here."""
        ((kind, value),) = event.items()
        if kind == "messageStart":
            return self._said({"role": "assistant", "content": ""})
        if kind == "contentBlockStart":
            use = value["start"]["toolUse"]
            self._calls += 1
            return self._said({"tool_calls": [{"index": self._calls, **_call(use["toolUseId"], use["name"], "")}]})
        if kind == "contentBlockDelta":
            return self._delta(value["delta"])
        if kind == "messageStop":
            return self._said({}, _FINISH_REASONS[value["stopReason"]])
        return None

    def counted(self, usage: Json) -> Json:
        """The chunk with the usage, which has no choice."""
        counted = Usage(input_tokens=usage["inputTokens"], output_tokens=usage["outputTokens"])
        return {**self._chunk, "choices": [], "usage": _usage(counted)}

    def _delta(self, delta: Json) -> Json | None:
        if "text" in delta:
            return self._said({"content": delta["text"]})
        if "toolUse" in delta:
            arguments = delta["toolUse"]["input"]
            return self._said({"tool_calls": [{"index": self._calls, "function": {"arguments": arguments}}]})
        text = delta["reasoningContent"].get("text", "")
        return self._said({"reasoning_content": text}) if text else None

    def _said(self, delta: Json, finish_reason: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**self._chunk, "choices": [choice]}


class StreamRenderer:
    """Chunks as server-sent events (OpenAI API reference: Streaming)."""

    media_type = MEDIA_TYPE

    def __init__(self, *, model_id: str, request_id: str, created: int, usage_wanted: bool) -> None:
        self._chunks = Chunks(model_id=model_id, request_id=request_id, created=created)
        self._usage_wanted = usage_wanted

    def event(self, event: Json) -> bytes:
        """The events of one event of ports/model.py; empty when OpenAI says nothing here."""
        if "metadata" in event:
            return (_sse(self._chunks.counted(event["metadata"]["usage"])) if self._usage_wanted else b"") + DONE
        chunk = self._chunks.of(event)
        return b"" if chunk is None else _sse(chunk)

    def exception(self, refusal: Refusal) -> bytes:
        """The event that ends a stream which failed on its way; clients raise it."""
        return _sse(_error(refusal, refusal.error.status))


def _sse(value: Json) -> bytes:
    return b"data: " + _encoder.encode(value) + b"\n\n"
