"""Answers of Converse and ConverseStream as the port's, read strictly: what has not the declared shape is nonsense
(ValueError), and nonsense is refused. Fields and events that this version does not know are left out, as AWS's own
SDKs do; content that it does not know is handed on by its kind alone, for the inspection to refuse.

>>> reader = StreamReader(None)
>>> reader.event("contentBlockDelta", b'{"contentBlockIndex": 0, "delta": {"text": "hi"}}')
Traceback (most recent call last):
...
ValueError: content before the message began
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from caisson.adapters.aws.bedrock.assessment import Trace, traced
from caisson.adapters.embedded.model.events import START, Json, delta, stop, tool_start
from caisson.ports.model import ModelAnswer, PinnedGuardrail, Usage

T = TypeVar("T")

BLOCKS_MAX = 10_000
"""Content blocks of one answer."""
INTERVENED = "guardrail_intervened"
FAILED_STOPS = frozenset({"malformed_model_output", "malformed_tool_use"})
"""Stop reasons with which the model says that its own answer is no answer."""
STOP_REASONS = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "content_filtered": "content_filtered",
    INTERVENED: INTERVENED,
    "model_context_window_exceeded": "max_tokens",
}
"""As the request path knows them. A full context window cuts an answer like a full budget does."""

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Index = Annotated[int, Meta(ge=0, lt=BLOCKS_MAX)]


class _Camel(msgspec.Struct, rename="camel", omit_defaults=True):
    pass


class _ToolUse(_Camel):
    tool_use_id: str
    name: str
    input: dict[str, Any]


class _ReasoningText(_Camel):
    text: str
    signature: str | UnsetType = UNSET


class _Reasoning(_Camel):
    reasoning_text: _ReasoningText | UnsetType = UNSET
    redacted_content: str | UnsetType = UNSET


class _Block(_Camel):
    text: str | UnsetType = UNSET
    tool_use: _ToolUse | UnsetType = UNSET
    reasoning_content: _Reasoning | UnsetType = UNSET


class _Usage(_Camel):
    input_tokens: Count
    output_tokens: Count
    total_tokens: Count = 0
    cache_read_input_tokens: Count = 0
    cache_write_input_tokens: Count = 0


class _Traces(_Camel):
    guardrail: Trace | None = None


class _Message(_Camel):
    content: Annotated[list[dict[str, Any]], Meta(max_length=BLOCKS_MAX)]


class _Output(_Camel):
    message: _Message


class _Answer(_Camel):
    output: _Output
    stop_reason: str
    usage: _Usage
    trace: _Traces | None = None


class _ToolStart(_Camel):
    tool_use_id: str
    name: str


class _Start(_Camel):
    tool_use: _ToolStart | None = None


class _BlockStart(_Camel):
    content_block_index: Index
    start: _Start


class _ToolInput(_Camel):
    input: str


class _ReasoningDelta(_Camel):
    text: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    redacted_content: str | UnsetType = UNSET


class _Delta(_Camel):
    text: str | UnsetType = UNSET
    tool_use: _ToolInput | UnsetType = UNSET
    reasoning_content: _ReasoningDelta | UnsetType = UNSET


class _BlockDelta(_Camel):
    content_block_index: Index
    delta: dict[str, Any]


class _BlockStop(_Camel):
    content_block_index: Index


class _MessageStop(_Camel):
    stop_reason: str


class _Metadata(_Camel):
    usage: _Usage
    trace: _Traces | None = None


_answers = msgspec.json.Decoder(_Answer)
_starts = msgspec.json.Decoder(_BlockStart)
_deltas = msgspec.json.Decoder(_BlockDelta)
_stops = msgspec.json.Decoder(_BlockStop)
_ends = msgspec.json.Decoder(_MessageStop)
_metadata = msgspec.json.Decoder(_Metadata)


def answer_of(body: bytes, pin: PinnedGuardrail | None, latency_ms: float) -> ModelAnswer:
    """A whole answer.

    Raises:
        ValueError: it makes no sense.
    """
    answer = _read(body, _answers)
    reason = stop_reason_of(answer.stop_reason)
    return ModelAnswer(
        content=tuple(_of_one_kind(block, _Block) for block in answer.output.message.content),
        stop_reason=reason,
        usage=_usage_of(answer.usage),
        latency_ms=latency_ms,
        guardrail_actions=_decided(answer.trace, pin, reason),
    )


def stop_reason_of(said: str) -> str:
    """The stop reason as the request path knows it.

    Raises:
        ValueError: it knows no such one, or the model says that its answer is none.
    """
    try:
        return STOP_REASONS[said]
    except KeyError:
        raise ValueError("an answer without a sound stop reason") from None


class StreamReader:
    """Turns the stream's events into the port's, in their order."""

    def __init__(self, pin: PinnedGuardrail | None) -> None:
        self._pin = pin
        self._began = False
        self._reason = ""
        self._ended = False

    def event(self, kind: str, payload: bytes) -> Json | None:
        """The port's event; None for what it does not know.

        Raises:
            ValueError: it makes no sense after those before.
        """
        if self._ended:
            raise ValueError("an event after the last")
        if kind == "messageStart":
            if self._began:
                raise ValueError("a second message")
            self._began = True
            return START
        if not self._began:
            raise ValueError("content before the message began")
        if kind == "metadata":
            return self._closing(_read(payload, _metadata))
        if kind not in _READERS:
            return None
        if self._reason:
            raise ValueError("content after the message ended")
        if kind == "messageStop":
            self._reason = stop_reason_of(_read(payload, _ends).stop_reason)
            return {"messageStop": {"stopReason": self._reason}}
        return _READERS[kind](payload)

    def finish(self) -> None:
        """The stream is over.

        Raises:
            ValueError: the answer is not.
        """
        if not self._ended:
            raise ValueError("a stream that ended before its answer did")

    def _closing(self, metadata: _Metadata) -> Json:
        if not self._reason:
            raise ValueError("metadata before the message ended")
        self._ended = True
        usage = _usage_of(metadata.usage)
        counts = {
            "inputTokens": usage.input_tokens,
            "outputTokens": usage.output_tokens,
            "totalTokens": usage.input_tokens + usage.output_tokens,
        }
        if usage.cached_input_tokens:
            counts["cachedInputTokens"] = usage.cached_input_tokens
        closing: Json = {"usage": counts, "metrics": {"latencyMs": 0}}
        if actions := _decided(metadata.trace, self._pin, self._reason):
            closing["guardrailActions"] = actions
        return {"metadata": closing}


def _start(payload: bytes) -> Json | None:
    event = _read(payload, _starts)
    tool = event.start.tool_use
    return tool_start(event.content_block_index, tool.tool_use_id, tool.name) if tool is not None else None


def _delta(payload: bytes) -> Json | None:
    event = _read(payload, _deltas)
    said = _of_one_kind(event.delta, _Delta)
    return delta(event.content_block_index, said) if said else None


def _stop(payload: bytes) -> Json:
    return stop(_read(payload, _stops).content_block_index)


_READERS = {"contentBlockStart": _start, "contentBlockDelta": _delta, "contentBlockStop": _stop, "messageStop": _stop}


def _of_one_kind(value: Json, kind: type[_Camel]) -> Json:
    """A union's value: rebuilt when its kind is known, else that kind's name alone."""
    known: Json = msgspec.to_builtins(_converted(value, kind))
    if len(known) > 1:
        raise ValueError("content of two kinds at once")
    return known or dict.fromkeys(value, "")


def _usage_of(usage: _Usage) -> Usage:
    """`inputTokens` leaves out what a cache read or wrote (Bedrock User Guide: prompt caching); a budget does not."""
    cached = usage.cache_read_input_tokens + usage.cache_write_input_tokens
    prompt = max(usage.input_tokens + cached, usage.total_tokens - usage.output_tokens)
    return Usage(input_tokens=prompt, output_tokens=usage.output_tokens, cached_input_tokens=cached)


def _decided(traces: _Traces | None, pin: PinnedGuardrail | None, reason: str) -> Any:
    return traced(traces.guardrail if traces else None, pin, intervened=reason == INTERVENED)


def _read(data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("not the shape that the service declares") from error


def _converted(value: Json, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("not the shape that the service declares") from error
