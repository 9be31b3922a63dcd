"""The shapes of Converse content, after botocore's service model of bedrock-runtime (2023-09-30).

Unions (a block is text, or a tool use, or …) are objects with one key; `one_of` holds that. Members of the service
model that are absent here are refused by name (surface.py); a test walks the model and finds those that are in neither.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from caisson.zones.z2_runtime.dialects.shape import Nothing, Shape

MESSAGES_MAX = 1_000
BLOCKS_MAX = 1_000
"""Content blocks of one message, system blocks, tools, and blocks of one tool result."""
STOP_SEQUENCES_MAX = 2_500
DOCUMENT_NAME_MAX = 200
POSITION_MAX = 99_999_999
"""A place in a document. Too few digits for a number that a rule would look for."""

TOP_K_MAX = 100_000

ToolName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[a-zA-Z0-9_-]+\Z")]
ToolUseId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[a-zA-Z0-9_.:-]+\Z")]
NonEmpty = Annotated[str, Meta(min_length=1)]
StopSequences = Annotated[list[NonEmpty], Meta(max_length=STOP_SEQUENCES_MAX)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Qualifier = Literal["grounding_source", "query", "guard_content"]
Tokens = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Position = Annotated[int, Meta(ge=0, le=POSITION_MAX)]
DocumentFormat = Literal["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"]
ImageFormat = Literal["png", "jpeg", "gif", "webp"]
VideoFormat = Literal["mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"]
AudioFormat = Literal[
    "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg", "mpga", "pcm", "webm"
]  # fmt: skip


class CachePoint(Shape):
    """A prompt cache checkpoint."""

    type: Literal["default"]
    ttl: Literal["5m", "1h"] | UnsetType = UNSET


class GuardText(Shape):
    """Text that the caller marks for the guardrail. Here all text is inspected, marked or not."""

    text: str
    qualifiers: Annotated[list[Qualifier], Meta(max_length=3)] | UnsetType = UNSET


class GuardContent(Shape):
    """Only text."""

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
    """Whether the answer shall cite. Citations are an answer format that this version does not produce."""

    enabled: Literal[False]


class Document(Shape):
    """A document; it goes on as the text that was extracted and inspected, never as its bytes."""

    name: Annotated[str, Meta(min_length=1, max_length=DOCUMENT_NAME_MAX)]
    source: DocumentSource
    format: DocumentFormat | UnsetType = UNSET
    context: str | UnsetType = UNSET
    citations: Citations | UnsetType = UNSET


class MediaSource(Shape):
    """Base64 bytes."""

    bytes: NonEmpty


class Image(Shape):
    """A picture. Nothing here can inspect it: it passes only where the system file says so (media.py)."""

    format: ImageFormat
    source: MediaSource


class Video(Shape):
    """A film; as a picture."""

    format: VideoFormat
    source: MediaSource


class Audio(Shape):
    """A recording; as a picture."""

    format: AudioFormat
    source: MediaSource


class SearchResult(Shape):
    """What a search found: as hostile as a document."""

    source: str
    title: str
    content: Annotated[list[TextPiece], Meta(max_length=BLOCKS_MAX)]
    citations: Citations | UnsetType = UNSET


class Web(Shape):
    """A cited page."""

    url: str | UnsetType = UNSET
    domain: str | UnsetType = UNSET


class DocumentSpan(Shape):
    """A cited part of a document of the request, in characters, pages or chunks."""

    document_index: Position | UnsetType = UNSET
    start: Position | UnsetType = UNSET
    end: Position | UnsetType = UNSET


class SearchResultSpan(Shape):
    """A cited part of a search result of the request."""

    search_result_index: Position | UnsetType = UNSET
    start: Position | UnsetType = UNSET
    end: Position | UnsetType = UNSET


class Location(Shape):
    """Union: where the cited words stand."""

    web: Web | UnsetType = UNSET
    document_char: DocumentSpan | UnsetType = UNSET
    document_page: DocumentSpan | UnsetType = UNSET
    document_chunk: DocumentSpan | UnsetType = UNSET
    search_result_location: SearchResultSpan | UnsetType = UNSET


class Citation(Shape):
    """One source of what the model said."""

    title: str | UnsetType = UNSET
    source: str | UnsetType = UNSET
    source_content: Annotated[list[TextPiece], Meta(max_length=BLOCKS_MAX)] | UnsetType = UNSET
    location: Location | UnsetType = UNSET


class CitationsContent(Shape):
    """What a model said with its sources, sent back as history."""

    content: Annotated[list[TextPiece], Meta(max_length=BLOCKS_MAX)] | UnsetType = UNSET
    citations: Annotated[list[Citation], Meta(max_length=BLOCKS_MAX)] | UnsetType = UNSET


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
    search_result: SearchResult | UnsetType = UNSET
    image: Image | UnsetType = UNSET
    video: Video | UnsetType = UNSET


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
    """Only readable reasoning."""

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
    search_result: SearchResult | UnsetType = UNSET
    citations_content: CitationsContent | UnsetType = UNSET
    image: Image | UnsetType = UNSET
    video: Video | UnsetType = UNSET
    audio: Audio | UnsetType = UNSET


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


class Thinking(Shape):
    """How much the model reasons (Anthropic: extended thinking)."""

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: Tokens | UnsetType = msgspec.field(default=UNSET, name="budget_tokens")


class ReasoningConfig(Shape):
    """How much the model reasons (Amazon Nova)."""

    type: Literal["enabled", "disabled"]
    max_reasoning_effort: Literal["low", "medium", "high"] | UnsetType = UNSET


class NovaSampling(Shape):
    """What Nova takes beyond Converse's own sampling."""

    top_k: Annotated[int, Meta(ge=0, le=TOP_K_MAX)] | UnsetType = UNSET


class AdditionalFields(Shape):
    """`additionalModelRequestFields`: the settings that only change how the model samples and reasons.

    Others could bring tools, instructions or content past the inspection.
    """

    top_k: Annotated[int, Meta(ge=0, le=TOP_K_MAX)] | UnsetType = msgspec.field(default=UNSET, name="top_k")
    thinking: Thinking | UnsetType = UNSET
    reasoning_config: Thinking | UnsetType = msgspec.field(default=UNSET, name="reasoning_config")
    nova_reasoning: ReasoningConfig | UnsetType = msgspec.field(default=UNSET, name="reasoningConfig")
    inference_config: NovaSampling | UnsetType = UNSET


Messages = Annotated[list[Message], Meta(min_length=1, max_length=MESSAGES_MAX)]
System = Annotated[list[SystemBlock], Meta(max_length=BLOCKS_MAX)]
