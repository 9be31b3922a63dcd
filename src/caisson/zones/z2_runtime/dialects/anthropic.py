"""InvokeModel bodies of Claude models: the Messages API as Bedrock takes it (User Guide: Anthropic Claude Messages).

Turns of the same role that follow each other are joined, as the Messages API does. `cache_control` becomes a cache
point behind the block it marks. Images and PDFs become those of Converse, so the same rules decide about them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import schema
from caisson.zones.z2_runtime.dialects.shape import decode
from caisson.zones.z2_runtime.dialects.turns import checked_messages, checked_system, checked_tools
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


class Pdf(_Block, tag="base64"):
    """A document's bytes."""

    media_type: Literal["application/pdf"]
    data: schema.NonEmpty


class Picture(_Block, tag="base64"):
    """An image's bytes."""

    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    data: schema.NonEmpty


class Image(_Block, tag="image"):
    """An image; files and URLs are refused."""

    source: Picture
    cache_control: CacheControl | None = None


class Document(_Block, tag="document"):
    """A document; files and URLs are refused."""

    source: PlainText | Pieces | Pdf
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
    content: str | Annotated[list[Text | Document | Image], Meta(max_length=schema.BLOCKS_MAX)] | UnsetType = UNSET
    is_error: bool = False
    cache_control: CacheControl | None = None


class Thinking(_Block, tag="thinking"):
    """The model's reasoning, sent back as history."""

    thinking: str
    signature: str


Content = Text | Document | Image | ToolUse | ToolResult | Thinking


class Reasons(_Object):
    """How much the model reasons."""

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: schema.Tokens | UnsetType = UNSET


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
    thinking: Reasons | UnsetType = UNSET


_decoder = msgspec.json.Decoder(MessagesRequest)


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
        additional={} if request.thinking is UNSET else {"thinking": msgspec.to_builtins(request.thinking)},
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
    elif isinstance(block, Image):
        kind = block.source.media_type.removeprefix("image/")
        converted = {"image": {"format": kind, "source": {"bytes": block.source.data}}}
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
    converted: Json = {"format": "txt", "name": document.title or UNNAMED_DOCUMENT}
    if document.context is not None:
        converted["context"] = document.context
    if isinstance(source, Pdf):
        return {**converted, "format": "pdf", "source": {"bytes": source.data}}
    if isinstance(source, PlainText):
        text = source.data
    elif isinstance(source.content, str):
        text = source.content
    else:
        text = "\n".join(piece.text for piece in source.content)
    return {**converted, "source": {"text": text}}


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
