"""Converse and ConverseStream (API_runtime_Converse, API_runtime_ConverseStream).

>>> parse(b'{"messages": [{"role": "user", "content": [{"text": "hi"}]}]}', "m", stream=False).messages
({'role': 'user', 'content': [{'text': 'hi'}]},)
>>> parse(b'{"messages": [], "serviceTier": {}}', "m", stream=False).message
'serviceTier: the system file decides which model answers and how it is served, so it is refused; remove it.'
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from caisson.errors import Refusal
from caisson.ports.model import ModelAnswer
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import schema
from caisson.zones.z2_runtime.dialects.shape import Shape, decode, parsed, refused
from caisson.zones.z2_runtime.dialects.turns import checked_messages, checked_system, checked_tools
from caisson.zones.z2_runtime.eventstream import MEDIA_TYPE, event_frame, exception_frame
from caisson.zones.z2_runtime.operations import Operation

Json = dict[str, Any]

_LABEL = r"[a-zA-Z0-9\s:_@$#=/+,\-.]"
RequestMetadata = Annotated[
    dict[
        Annotated[str, Meta(pattern=rf"\A{_LABEL}{{1,256}}\Z")],
        Annotated[str, Meta(pattern=rf"\A{_LABEL}{{0,256}}\Z")],
    ],
    Meta(max_length=16),
]


class GuardrailConfig(Shape):
    """The caller's wish for a guardrail. The system file decides; only `trace` is honoured."""

    guardrail_identifier: Annotated[str, Meta(max_length=2048)] | UnsetType = UNSET
    guardrail_version: Annotated[str, Meta(max_length=16)] | UnsetType = UNSET
    trace: Literal["enabled", "disabled", "enabled_full"] | UnsetType = UNSET
    stream_processing_mode: Literal["sync", "async"] | UnsetType = UNSET


class ConverseRequest(Shape):
    """The body of both operations."""

    messages: schema.Messages
    system: schema.System | UnsetType = UNSET
    inference_config: schema.InferenceConfig | UnsetType = UNSET
    tool_config: schema.ToolConfig | UnsetType = UNSET
    guardrail_config: GuardrailConfig | UnsetType = UNSET
    additional_model_request_fields: schema.AdditionalFields | UnsetType = UNSET
    request_metadata: RequestMetadata | UnsetType = UNSET


_STORED = re.compile(r"arn:[^/]*:(?:default-)?(?P<kind>prompt-router|prompt)/.*", re.DOTALL)
_STORED_REASONS = {
    "prompt": "stored prompts would reach the model uninspected, so they are refused; send the messages themselves",
    "prompt-router": "the system file decides which model answers, so prompt routers are refused; name its model",
}
"""Kinds of ARN that Converse takes in place of a model."""

_decoder = msgspec.json.Decoder(ConverseRequest)
_encoder = msgspec.json.Encoder()


def parse(body: bytes, model_id: str, stream: bool) -> Conversation | Refusal:
    """The request in `body`, or where and why it is refused."""
    operation = Operation.CONVERSE_STREAM if stream else Operation.CONVERSE

    def read() -> Conversation:
        if stored := _STORED.fullmatch(model_id):
            raise refused("modelId", _STORED_REASONS[stored["kind"]])
        return conversation(decode(body, _decoder), model_id, operation)

    return parsed(read)


def conversation(request: ConverseRequest, model_id: str, operation: Operation) -> Conversation:
    """The request as every dialect's.

    Raises:
        CallerError: a rule over its turns does not hold.
    """
    fields = msgspec.to_builtins(request)
    inference, guardrail = fields.get("inferenceConfig", {}), fields.get("guardrailConfig")
    return Conversation(
        operation=operation,
        model_id=model_id,
        system=checked_system(fields.get("system", [])),
        messages=checked_messages(fields["messages"]),
        output_tokens_max=inference.pop("maxTokens", None),
        inference=inference,
        tools=checked_tools(fields["toolConfig"]) if "toolConfig" in fields else None,
        additional=fields.get("additionalModelRequestFields", {}),
        request_metadata=fields.get("requestMetadata", {}),
        dropped=() if guardrail is None else ("guardrailConfig",),
        trace=guardrail is not None and guardrail.get("trace", "disabled") != "disabled",
    )


def render(answer: ModelAnswer, latency_ms: int, trace: Json | None = None) -> bytes:
    """The body of the Converse response. `trace` is the guardrail's assessment, when the caller asked for it."""
    usage = answer.usage
    body: Json = {
        "output": {"message": {"role": "assistant", "content": answer.content}},
        "stopReason": answer.stop_reason,
        "usage": {
            "inputTokens": usage.input_tokens,
            "outputTokens": usage.output_tokens,
            "totalTokens": usage.input_tokens + usage.output_tokens,
        },
        "metrics": {"latencyMs": latency_ms},
    }
    if trace is not None:
        body["trace"] = {"guardrail": trace}
    return _encoder.encode(body)


class StreamRenderer:
    """ConverseStream events as event-stream frames. `metadata` may carry `trace`."""

    def event(self, event: Json) -> bytes:
        """The frame of one event of ports/model.py."""
        ((kind, payload),) = event.items()
        return event_frame(kind, _encoder.encode(payload))

    media_type = MEDIA_TYPE

    def exception(self, refusal: Refusal) -> bytes:
        """The frame that ends a stream which failed on its way."""
        return exception_frame(refusal, timeout=False)
