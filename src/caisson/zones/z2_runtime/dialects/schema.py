"""The shapes of Converse content, after botocore's service model of bedrock-runtime (2023-09-30).

Unions (a block is text, or a tool use, or …) are objects with one key; `one_of` holds that. Kinds that are absent here
are refused by name (shape.py).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from caisson.zones.z2_runtime.dialects.shape import Nothing, Shape

MESSAGES_MAX = 1_000
BLOCKS_MAX = 1_000
"""Content blocks of one message, system blocks, tools, and blocks of one tool result."""
STOP_SEQUENCES_MAX = 2_500
DOCUMENT_NAME_MAX = 200

ToolName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[a-zA-Z0-9_-]+\Z")]
ToolUseId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[a-zA-Z0-9_.:-]+\Z")]
NonEmpty = Annotated[str, Meta(min_length=1)]
StopSequences = Annotated[list[NonEmpty], Meta(max_length=STOP_SEQUENCES_MAX)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Qualifier = Literal["grounding_source", "query", "guard_content"]
Tokens = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class CachePoint(Shape):
    """A prompt cache checkpoint."""

    type: Literal["default"]
    ttl: Literal["5m", "1h"] | UnsetType = UNSET


class GuardText(Shape):
    """Text that the caller marks for the guardrail. Here all text is inspected, marked or not."""

    text: str
    qualifiers: Annotated[list[Qualifier], Meta(max_length=3)] | UnsetType = UNSET


class GuardContent(Shape):
    """Only text; images are refused."""

    text: GuardText


class SystemBlock(Shape):
    """One block of `system`."""

    text: NonEmpty | UnsetType = UNSET
    guard_content: GuardContent | UnsetType = UNSET
    cache_point: CachePoint | UnsetType = UNSET


class TextPiece(Shape):
    """A piece of a document's content."""

    text: str


class DocumentSource(Shape):
    """Union: base64 bytes, text, or pieces of text."""

    bytes: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    content: Annotated[list[TextPiece], Meta(max_length=BLOCKS_MAX)] | UnsetType = UNSET


class Citations(Shape):
    """Citations are an answer format that this version does not produce."""

    enabled: Literal[False]


class Document(Shape):
    """A text document. Other formats are refused: nothing here can read them."""

    name: Annotated[str, Meta(min_length=1, max_length=DOCUMENT_NAME_MAX)]
    source: DocumentSource
    format: Literal["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"] | UnsetType = UNSET
    context: str | UnsetType = UNSET
    citations: Citations | UnsetType = UNSET


class ToolUse(Shape):
    """The model's request for a tool, sent back as history."""

    tool_use_id: ToolUseId
    name: ToolName
    input: dict[str, Any]


class ToolResultBlock(Shape):
    """One block of a tool's result."""

    text: str | UnsetType = UNSET
    json: Any = UNSET
    document: Document | UnsetType = UNSET


class ToolResult(Shape):
    """What a tool returned."""

    tool_use_id: ToolUseId
    content: Annotated[list[ToolResultBlock], Meta(max_length=BLOCKS_MAX)]
    status: Literal["success", "error"] | UnsetType = UNSET


class ReasoningText(Shape):
    """The model's reasoning, sent back as history with its signature."""

    text: str
    signature: str | UnsetType = UNSET


class Reasoning(Shape):
    """Only readable reasoning; encrypted reasoning is refused because nobody can inspect it."""

    reasoning_text: ReasoningText


class Block(Shape):
    """One block of a message."""

    text: str | UnsetType = UNSET
    document: Document | UnsetType = UNSET
    tool_use: ToolUse | UnsetType = UNSET
    tool_result: ToolResult | UnsetType = UNSET
    reasoning_content: Reasoning | UnsetType = UNSET
    guard_content: GuardContent | UnsetType = UNSET
    cache_point: CachePoint | UnsetType = UNSET


class Message(Shape):
    """One turn."""

    role: Literal["user", "assistant"]
    content: Annotated[list[Block], Meta(min_length=1, max_length=BLOCKS_MAX)]


class InputSchema(Shape):
    """A tool's JSON Schema."""

    json: dict[str, Any]


class ToolSpec(Shape):
    """A tool that the client runs itself."""

    name: ToolName
    input_schema: InputSchema
    description: NonEmpty | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


class Tool(Shape):
    """One entry of `tools`."""

    tool_spec: ToolSpec | UnsetType = UNSET
    cache_point: CachePoint | UnsetType = UNSET


class NamedTool(Shape):
    """The tool that the model must use."""

    name: ToolName


class ToolChoice(Shape):
    """Union: the model decides, must use some tool, or this one."""

    auto: Nothing | UnsetType = UNSET
    any: Nothing | UnsetType = UNSET
    tool: NamedTool | UnsetType = UNSET


class ToolConfig(Shape):
    """Tools that the request offers."""

    tools: Annotated[list[Tool], Meta(min_length=1, max_length=BLOCKS_MAX)]
    tool_choice: ToolChoice | UnsetType = UNSET


class InferenceConfig(Shape):
    """How the model samples."""

    max_tokens: Tokens | UnsetType = UNSET
    temperature: Fraction | UnsetType = UNSET
    top_p: Fraction | UnsetType = UNSET
    stop_sequences: StopSequences | UnsetType = UNSET


Messages = Annotated[list[Message], Meta(min_length=1, max_length=MESSAGES_MAX)]
System = Annotated[list[SystemBlock], Meta(max_length=BLOCKS_MAX)]
