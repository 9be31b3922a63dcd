"""InvokeModel and InvokeModelWithResponseStream: the family's own JSON, through the same conversation as Converse.

The model id names the family (families.py). Families whose body this version cannot read are refused with the reason:
nothing passes uninspected.

>>> parse(b"{}", "ai21.jamba-1-5-large-v1:0", stream=False).message.partition(": ")[2]
'its body is not read by this version; use Converse.'
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import msgspec
from msgspec.structs import replace

from caisson.errors import CallerError, Refusal, WireError
from caisson.ports.model import ModelAnswer
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import anthropic, anthropic_answer, chat_invoke, embeddings, families, nova
from caisson.zones.z2_runtime.dialects.converse import RequestMetadata
from caisson.zones.z2_runtime.dialects.shape import decode, parsed
from caisson.zones.z2_runtime.eventstream import MEDIA_TYPE, exception_frame
from caisson.zones.z2_runtime.operations import Operation

Json = dict[str, Any]

JSON = "application/json"
MODEL_ID_SHOWN_MAX = 128
"""Characters of an unknown id that a message repeats."""
_ACCEPTED = frozenset({JSON, "application/*", "*/*", ""})
_metadata_decoder = msgspec.json.Decoder(RequestMetadata)


def parse(
    body: bytes,
    model_id: str,
    stream: bool,
    *,
    content_type: str | None = None,
    accept: str | None = None,
    request_metadata: str | None = None,
    guardrail: bool = False,
    trace: bool = False,
) -> Conversation | Refusal:
    """The request in `body`, or where and why it is refused.

    Args:
        body: the family's JSON.
        model_id: from the path.
        stream: InvokeModelWithResponseStream.
        content_type: header `Content-Type`; absent means JSON.
        accept: header `Accept`, or `X-Amzn-Bedrock-Accept` of the streaming operation; absent means anything.
        request_metadata: header `X-Amzn-Bedrock-Request-Metadata`, a JSON object of strings.
        guardrail: the caller named a guardrail in headers; it is set aside, because the system file decides.
        trace: the header `X-Amzn-Bedrock-Trace` asks for the guardrail's trace.
    """
    operation = Operation.INVOKE_MODEL_STREAM if stream else Operation.INVOKE_MODEL
    if _media_type(content_type or JSON) != JSON:
        return Refusal(
            error=WireError.UNSUPPORTED_MEDIA_TYPE, rule="schema", message=f"Expected Content-Type {JSON}; send JSON."
        )
    if accept is not None and _ACCEPTED.isdisjoint(map(_media_type, accept.split(","))):
        return Refusal(
            error=WireError.VALIDATION, rule="schema", message=f"Expected Accept {JSON} or */*; ask for JSON."
        )

    def read() -> Conversation:
        given = conversation(body, model_id, operation)
        labels = decode(request_metadata.encode(), _metadata_decoder) if request_metadata is not None else {}
        dropped = ("guardrailIdentifier",) if guardrail else ()
        return replace(given, request_metadata=labels, dropped=dropped, trace=trace)

    return parsed(read)


def conversation(body: bytes, model_id: str, operation: Operation) -> Conversation:
    """The body as every dialect's.

    Raises:
        CallerError: no family of ours, or not of the family's schema.
    """
    family = _family(model_id)
    read: Conversation = family.conversation(body, model_id, operation)
    return read


def render(answer: ModelAnswer, trace: Json | None = None, *, model_id: str, request_id: str) -> bytes:
    """The family's response body. `trace` is the guardrail's assessment, when the caller asked for it.

    Raises:
        CallerError: no family of ours.
    """
    family = _family(model_id)
    if family is anthropic:
        return anthropic_answer.render(answer, trace, model_id=model_id, request_id=request_id)
    if family is chat_invoke:
        return chat_invoke.render(answer, trace, model_id=model_id, request_id=request_id)
    return nova.render(answer, trace)


class StreamRenderer:
    """The family's streamed events, each in a chunk.

    Raises:
        CallerError: no family of ours.
    """

    def __init__(self, model_id: str, request_id: str) -> None:
        family = _family(model_id)
        self._family: anthropic_answer.StreamRenderer | chat_invoke.StreamRenderer | nova.StreamRenderer
        if family is anthropic:
            self._family = anthropic_answer.StreamRenderer(model_id=model_id, request_id=request_id)
        elif family is chat_invoke:
            self._family = chat_invoke.StreamRenderer(model_id=model_id, request_id=request_id)
        else:
            self._family = nova.StreamRenderer()

    def event(self, event: Json) -> bytes:
        """The frames of one event of ports/model.py; empty when the family says nothing here."""
        return self._family.event(event)

    media_type = MEDIA_TYPE

    def exception(self, refusal: Refusal) -> bytes:
        """The frame that ends a stream which failed on its way."""
        return exception_frame(refusal, timeout=True)


def _family(model_id: str) -> ModuleType:
    known = families.dialect(model_id)
    if known is not None:
        return _FAMILIES[known]
    raise CallerError(
        Refusal(
            error=WireError.VALIDATION,
            rule="schema.family",
            message="InvokeModel reads the bodies of Claude, Nova, chat completions and text embeddings, found "
            f"{model_id[:MODEL_ID_SHOWN_MAX]!r}: {families.unread(model_id)}.",
        )
    )


_FAMILIES: dict[str, ModuleType] = {
    "anthropic": anthropic,
    "nova": nova,
    "chat": chat_invoke,
    "embeddings": embeddings,
}


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()
