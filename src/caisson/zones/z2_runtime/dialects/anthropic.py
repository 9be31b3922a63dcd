"""InvokeModel bodies of Claude models: the Messages API as Bedrock takes it (User Guide: Anthropic Claude Messages).

Turns of the same role that follow each other are joined, as the Messages API does. `cache_control` becomes a cache
point behind the block it marks.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from caisson.errors import Refusal
from caisson.ports.model import ModelAnswer
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import schema
from caisson.zones.z2_runtime.dialects.invocation import INTERVENED, chunk_frame, guardrail_fields
from caisson.zones.z2_runtime.dialects.shape import decode
from caisson.zones.z2_runtime.dialects.turns import checked_messages, checked_system, checked_tools
from caisson.zones.z2_runtime.eventstream import exception_frame
from caisson.zones.z2_runtime.operations import Operation

Json = dict[str, Any]

TOP_K_MAX = 100_000
UNNAMED_DOCUMENT = "document"


class _Object(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A JSON object of the Messages API: field names in snake case, unknown ones refused."""


class CacheControl(_Object):
    """A prompt cache checkpoint behind the block it stands in."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | UnsetType = UNSET


class _Block(_Object, tag_field="type"):
    """One block, told apart by `type`."""


class Text(_Block, tag="text"):
    """Text."""

    text: str
    cache_control: CacheControl | None = None


class PlainText(_Block, tag="text"):
    """A document's text."""

    media_type: Literal["text/plain"]
    data: str


class Pieces(_Block, tag="content"):
    """A document's text in pieces."""

    content: str | Annotated[list[Text], Meta(max_length=schema.BLOCKS_MAX)]


class Document(_Block, tag="document"):
    """A text document; files, URLs and PDFs are refused."""

    source: PlainText | Pieces
    title: Annotated[str, Meta(min_length=1, max_length=schema.DOCUMENT_NAME_MAX)] | None = None
    context: str | None = None
    citations: schema.Citations | None = None
    cache_control: CacheControl | None = None


class ToolUse(_Block, tag="tool_use"):
    """The model's request for a tool, sent back as history."""

    id: schema.ToolUseId
    name: schema.ToolName
    input: dict[str, Any]
    cache_control: CacheControl | None = None


class ToolResult(_Block, tag="tool_result"):
    """What a tool returned."""

    tool_use_id: schema.ToolUseId
    content: str | Annotated[list[Text | Document], Meta(max_length=schema.BLOCKS_MAX)] | UnsetType = UNSET
    is_error: bool = False
    cache_control: CacheControl | None = None


class Thinking(_Block, tag="thinking"):
    """The model's reasoning, sent back as history."""

    thinking: str
    signature: str


Content = Text | Document | ToolUse | ToolResult | Thinking


class Message(_Object):
    """One turn."""

    role: Literal["user", "assistant"]
    content: str | Annotated[list[Content], Meta(min_length=1, max_length=schema.BLOCKS_MAX)]


class Tool(_Object):
    """A tool that the client runs itself."""

    name: schema.ToolName
    input_schema: dict[str, Any]
    description: schema.NonEmpty | None = None
    type: Literal["custom"] = "custom"
    cache_control: CacheControl | None = None


class _Choice(_Object, tag_field="type", kw_only=True):
    disable_parallel_tool_use: Literal[False] = False


class Auto(_Choice, tag="auto"):
    """The model decides."""


class Some(_Choice, tag="any"):
    """Some tool must be used."""


class Named(_Choice, tag="tool"):
    """This tool must be used."""

    name: schema.ToolName


class MessagesRequest(_Object):
    """The body."""

    anthropic_version: Literal["bedrock-2023-05-31"]
    max_tokens: schema.Tokens
    messages: Annotated[list[Message], Meta(min_length=1, max_length=schema.MESSAGES_MAX)]
    system: str | Annotated[list[Text], Meta(max_length=schema.BLOCKS_MAX)] | UnsetType = UNSET
    temperature: schema.Fraction | None = None
    top_p: schema.Fraction | None = None
    top_k: Annotated[int, Meta(ge=0, le=TOP_K_MAX)] | None = None
    stop_sequences: schema.StopSequences | None = None
    tools: Annotated[list[Tool], Meta(max_length=schema.BLOCKS_MAX)] | UnsetType = UNSET
    tool_choice: Auto | Some | Named | UnsetType = UNSET


_decoder = msgspec.json.Decoder(MessagesRequest)
_encoder = msgspec.json.Encoder()


def conversation(body: bytes, model_id: str, operation: Operation) -> Conversation:
    """The body as every dialect's.

    Raises:
        CallerError: it is not of the schema.
    """
    request = decode(body, _decoder)
    settings = {
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "stopSequences": request.stop_sequences,
    }
    return Conversation(
        operation=operation,
        model_id=model_id,
        system=checked_system(_texts(request.system)),
        messages=checked_messages(_joined(request.messages)),
        output_tokens_max=request.max_tokens,
        inference={key: value for key, value in settings.items() if value is not None},
        tools=_tool_config(request),
    )


def _texts(given: str | list[Text] | UnsetType) -> list[Json]:
    if isinstance(given, str):
        return [{"text": given}]
    if given is UNSET:
        return []
    return [converted for block in given for converted in ({"text": block.text}, *_cache_point(block.cache_control))]


def _joined(messages: list[Message]) -> list[Json]:
    turns: list[Json] = []
    for message in messages:
        content = message.content
        if isinstance(content, str):
            blocks: list[Json] = [{"text": content}]
        else:
            blocks = [converted for block in content for converted in _converted(block)]
        if turns and turns[-1]["role"] == message.role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": message.role, "content": blocks})
    return turns


def _converted(block: Content) -> list[Json]:
    if isinstance(block, Thinking):
        return [{"reasoningContent": {"reasoningText": {"text": block.thinking, "signature": block.signature}}}]
    converted: Json
    if isinstance(block, Text):
        converted = {"text": block.text}
    elif isinstance(block, Document):
        converted = {"document": _document(block)}
    elif isinstance(block, ToolUse):
        converted = {"toolUse": {"toolUseId": block.id, "name": block.name, "input": block.input}}
    else:
        given = block.content
        content: list[Json] = []
        if isinstance(given, str):
            content = [{"text": given}] if given else []
        elif given is not UNSET:
            content = [part for item in given for part in _converted(item) if "cachePoint" not in part]
        status = "error" if block.is_error else "success"
        converted = {"toolResult": {"toolUseId": block.tool_use_id, "content": content, "status": status}}
    return [converted, *_cache_point(block.cache_control)]


def _document(document: Document) -> Json:
    source = document.source
    if isinstance(source, PlainText):
        text = source.data
    elif isinstance(source.content, str):
        text = source.content
    else:
        text = "\n".join(piece.text for piece in source.content)
    converted: Json = {"format": "txt", "name": document.title or UNNAMED_DOCUMENT, "source": {"text": text}}
    return converted if document.context is None else {**converted, "context": document.context}


def _cache_point(control: CacheControl | None) -> list[Json]:
    if control is None:
        return []
    return [{"cachePoint": {"type": "default"} if control.ttl is UNSET else {"type": "default", "ttl": control.ttl}}]


def _tool_config(request: MessagesRequest) -> Json | None:
    if request.tools is UNSET or not request.tools:
        return None
    tools: list[Json] = []
    for tool in request.tools:
        spec: Json = {"name": tool.name, "inputSchema": {"json": tool.input_schema}}
        if tool.description is not None:
            spec["description"] = tool.description
        tools += [{"toolSpec": spec}, *_cache_point(tool.cache_control)]
    config: Json = {"tools": tools}
    choice = request.tool_choice
    if isinstance(choice, Named):
        config["toolChoice"] = {"tool": {"name": choice.name}}
    elif choice is not UNSET:
        config["toolChoice"] = {"auto": {}} if isinstance(choice, Auto) else {"any": {}}
    return checked_tools(config)


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

    def exception(self, refusal: Refusal) -> bytes:
        """The frame that ends a stream which failed on its way."""
        return exception_frame(refusal, timeout=True)

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
