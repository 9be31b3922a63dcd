"""InvokeModel bodies of Amazon Nova, schema `messages-v1` (Nova User Guide: Complete request schema).

Nova's content is Converse content; only the frame around it differs.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from caisson.ports.model import ModelAnswer
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import schema
from caisson.zones.z2_runtime.dialects.invocation import chunk_frame, guardrail_fields
from caisson.zones.z2_runtime.dialects.shape import Shape, decode
from caisson.zones.z2_runtime.dialects.turns import checked_messages, checked_system, checked_tools
from caisson.zones.z2_runtime.operations import Operation

Json = dict[str, Any]

TOP_K_MAX = 128


class NovaInference(Shape):
    """How the model samples."""

    max_tokens: schema.Tokens | UnsetType = UNSET
    max_new_tokens: schema.Tokens | UnsetType = msgspec.field(default=UNSET, name="max_new_tokens")
    temperature: schema.Fraction | UnsetType = UNSET
    top_p: schema.Fraction | UnsetType = UNSET
    top_k: Annotated[int, Meta(ge=0, le=TOP_K_MAX)] | UnsetType = UNSET
    stop_sequences: schema.StopSequences | UnsetType = UNSET


class NovaRequest(Shape):
    """The body."""

    messages: schema.Messages
    schema_version: Literal["messages-v1"] | UnsetType = UNSET
    system: schema.System | UnsetType = UNSET
    inference_config: NovaInference | UnsetType = UNSET
    tool_config: schema.ToolConfig | UnsetType = UNSET


_decoder = msgspec.json.Decoder(NovaRequest)
_encoder = msgspec.json.Encoder()


def conversation(body: bytes, model_id: str, operation: Operation) -> Conversation:
    """The body as every dialect's.

    Raises:
        CallerError: it is not of the schema.
    """
    fields = msgspec.to_builtins(decode(body, _decoder))
    inference = fields.get("inferenceConfig", {})
    older = inference.pop("max_new_tokens", None)
    return Conversation(
        operation=operation,
        model_id=model_id,
        system=checked_system(fields.get("system", [])),
        messages=checked_messages(fields["messages"]),
        output_tokens_max=inference.pop("maxTokens", older),
        inference=inference,
        tools=checked_tools(fields["toolConfig"]) if "toolConfig" in fields else None,
    )


def render(answer: ModelAnswer, trace: Json | None) -> bytes:
    """The response body."""
    usage = answer.usage
    return _encoder.encode(
        {
            "output": {"message": {"content": answer.content, "role": "assistant"}},
            "stopReason": answer.stop_reason,
            "usage": {
                "inputTokens": usage.input_tokens,
                "outputTokens": usage.output_tokens,
                "totalTokens": usage.input_tokens + usage.output_tokens,
            },
            **guardrail_fields(answer.stop_reason, trace),
        }
    )


class StreamRenderer:
    """Nova's streamed events are those of ConverseStream, each in a chunk."""

    def event(self, event: Json) -> bytes:
        """The frame of one event."""
        return chunk_frame(_encoder.encode(event))
