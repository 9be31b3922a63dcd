"""InvokeModel bodies of families that take OpenAI's chat completions (User Guide: OpenAI models, Qwen, DeepSeek V3).

The body and the answer are those of `openai.py`; a streamed answer's events stand each in a chunk instead of a
server-sent event. The path names the model and the operation says whether the answer streams; a body that says
otherwise is refused.

>>> body = b'{"messages": [{"role": "user", "content": "hi"}]}'
>>> conversation(body, "qwen.qwen3-32b-v1:0", Operation.INVOKE_MODEL).messages
({'role': 'user', 'content': [{'text': 'hi'}]},)
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from caisson.ports.model import ModelAnswer
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import openai, openai_answer
from caisson.zones.z2_runtime.dialects.invocation import chunk_frame, guardrail_fields
from caisson.zones.z2_runtime.dialects.shape import decode, refused
from caisson.zones.z2_runtime.operations import Operation

Json = dict[str, Any]


class _Invoked(openai.ChatRequest, kw_only=True):
    model: openai.ModelName | None = None  # type: ignore[assignment]  # the path has it, so the body need not


_decoder = msgspec.json.Decoder(_Invoked)
_encoder = msgspec.json.Encoder()


def conversation(body: bytes, model_id: str, operation: Operation) -> Conversation:
    """The body as every dialect's.

    Raises:
        CallerError: it is not of the schema, or contradicts the path.
    """
    request = decode(body, _decoder)
    if request.model not in (None, model_id):
        raise refused("model", "expected the model of the path, found another; remove it")
    if request.stream is not None and request.stream != operation.streams:
        raise refused("stream", "the operation decides whether the answer streams, so it is refused; remove it")
    if request.stream_options is not None:
        raise refused("stream_options", "usage comes with the last chunk in any case; remove it")
    return replace(openai.conversation(request), operation=operation, model_id=model_id)


def render(answer: ModelAnswer, trace: Json | None, *, model_id: str, request_id: str) -> bytes:
    """The response body."""
    body = openai_answer.body_of(answer, model_id=model_id, request_id=request_id, created=0)
    return _encoder.encode({**body, **guardrail_fields(answer.stop_reason, trace)})


class StreamRenderer:
    """Chunks of chat completions, each in a chunk of Bedrock's."""

    def __init__(self, *, model_id: str, request_id: str) -> None:
        self._chunks = openai_answer.Chunks(model_id=model_id, request_id=request_id, created=0)
        self._stop_reason = "end_turn"

    def event(self, event: Json) -> bytes:
        """The frame of one event of ports/model.py; empty when OpenAI says nothing here."""
        if "messageStop" in event:
            self._stop_reason = event["messageStop"]["stopReason"]
        if "metadata" in event:
            return chunk_frame(_encoder.encode(self._closing(event["metadata"])))
        chunk = self._chunks.of(event)
        return b"" if chunk is None else chunk_frame(_encoder.encode(chunk))

    def _closing(self, metadata: Json) -> Json:
        usage = metadata["usage"]
        return {
            **self._chunks.counted(usage),
            "amazon-bedrock-invocationMetrics": {
                "inputTokenCount": usage["inputTokens"],
                "outputTokenCount": usage["outputTokens"],
                "invocationLatency": metadata["metrics"]["latencyMs"],
            },
            **guardrail_fields(self._stop_reason, metadata.get("trace", {}).get("guardrail")),
        }
