"""Answers of Claude models in the shape of the Messages API, whole and streamed (User Guide: Claude Messages)."""

from __future__ import annotations

from typing import Any

import msgspec

from caisson.ports.model import ModelAnswer
from caisson.zones.z2_runtime.dialects.invocation import INTERVENED, chunk_frame, guardrail_fields

Json = dict[str, Any]

_encoder = msgspec.json.Encoder()
_STOP_REASONS = {INTERVENED: "end_turn", "content_filtered": "refusal"}
"""Converse's reasons that the Messages API has under another name; the others are the same."""


def _stop_reason(reason: str) -> str:
    return _STOP_REASONS.get(reason, reason)


def _message(model_id: str, request_id: str) -> Json:
    return {"id": f"msg_{request_id}", "type": "message", "role": "assistant", "model": model_id}


def render(answer: ModelAnswer, trace: Json | None, *, model_id: str, request_id: str) -> bytes:
    """The response body."""
    return _encoder.encode(
        {
            **_message(model_id, request_id),
            "content": [_rendered(block) for block in answer.content],
            "stop_reason": _stop_reason(answer.stop_reason),
            "stop_sequence": None,
            "usage": {"input_tokens": answer.usage.input_tokens, "output_tokens": answer.usage.output_tokens},
            **guardrail_fields(answer.stop_reason, trace),
        }
    )


def _rendered(block: Json) -> Json:
    if "toolUse" in block:
        use = block["toolUse"]
        return {"type": "tool_use", "id": use["toolUseId"], "name": use["name"], "input": use["input"]}
    if "reasoningContent" in block:
        reasoning = block["reasoningContent"]["reasoningText"]
        return {"type": "thinking", "thinking": reasoning["text"], "signature": reasoning.get("signature", "")}
    return {"type": "text", "text": block["text"]}


class StreamRenderer:
    """Messages API streaming events, each in a chunk.

    `message_delta` needs the usage, which Converse tells last, so it waits for `metadata`.
    """

    def __init__(self, *, model_id: str, request_id: str) -> None:
        self._message = _message(model_id, request_id)
        self._open: int | None = None
        self._stop_reason = "end_turn"

    def event(self, event: Json) -> bytes:
        """The frames of one event of ports/model.py."""
        return b"".join(chunk_frame(_encoder.encode(spoken)) for spoken in self._events(event))

    def _events(self, event: Json) -> list[Json]:
        ((kind, value),) = event.items()
        if kind == "messageStart":
            message = {**self._message, "content": [], "stop_reason": None, "stop_sequence": None}
            return [{"type": "message_start", "message": {**message, "usage": {"input_tokens": 0, "output_tokens": 0}}}]
        if kind == "contentBlockStart":
            use = value["start"]["toolUse"]
            block = {"type": "tool_use", "id": use["toolUseId"], "name": use["name"], "input": {}}
            return [self._start(value["contentBlockIndex"], block)]
        if kind == "contentBlockDelta":
            return self._delta(value["contentBlockIndex"], value["delta"])
        if kind == "contentBlockStop":
            self._open = None
            return [{"type": "content_block_stop", "index": value["contentBlockIndex"]}]
        if kind == "messageStop":
            self._stop_reason = value["stopReason"]
            return []
        return self._closing(value)

    def _start(self, index: int, block: Json) -> Json:
        self._open = index
        return {"type": "content_block_start", "index": index, "content_block": block}

    def _delta(self, index: int, delta: Json) -> list[Json]:
        if "toolUse" in delta:
            block: Json = {}
            spoken = {"type": "input_json_delta", "partial_json": delta["toolUse"]["input"]}
        elif "text" in delta:
            block = {"type": "text", "text": ""}
            spoken = {"type": "text_delta", "text": delta["text"]}
        else:
            block = {"type": "thinking", "thinking": "", "signature": ""}
            reasoning = delta["reasoningContent"]
            if "signature" in reasoning:
                spoken = {"type": "signature_delta", "signature": reasoning["signature"]}
            else:
                spoken = {"type": "thinking_delta", "thinking": reasoning["text"]}
        # Converse starts text and reasoning blocks with their first delta; the Messages API starts every block by name.
        started = [self._start(index, block)] if self._open != index and block else []
        return [*started, {"type": "content_block_delta", "index": index, "delta": spoken}]

    def _closing(self, metadata: Json) -> list[Json]:
        usage = metadata["usage"]
        tokens = {"input_tokens": usage["inputTokens"], "output_tokens": usage["outputTokens"]}
        return [
            {
                "type": "message_delta",
                "delta": {"stop_reason": _stop_reason(self._stop_reason), "stop_sequence": None},
                "usage": tokens,
            },
            {
                "type": "message_stop",
                "amazon-bedrock-invocationMetrics": {
                    "inputTokenCount": usage["inputTokens"],
                    "outputTokenCount": usage["outputTokens"],
                    "invocationLatency": metadata["metrics"]["latencyMs"],
                },
                **guardrail_fields(self._stop_reason, metadata.get("trace", {}).get("guardrail")),
            },
        ]
