"""A model that answers conversations in the shape of the Bedrock Converse API.

Requests and answers are Converse JSON as plain values (API_runtime_Converse, API_runtime_ConverseStream).
Errors of the endpoint arrive as `UpstreamError` whose refusal the client sees; a test shows that each is mapped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """What is sent to the model after input inspection."""

    request_id: str
    model_id: str
    """The system file's id (Bedrock model or inference profile id)."""
    system: tuple[Json, ...]
    """Converse `system` blocks."""
    messages: tuple[Json, ...]
    """Converse `messages`. Bytes of images, video and audio are base64, as on the wire; documents are text."""
    output_tokens_max: int
    """Upper bound on generated tokens, from the request and the system file, whichever is lower."""
    inference: Json = field(default_factory=dict)
    """Converse `inferenceConfig` without `maxTokens`; `topK` too, where a family's own body has it."""
    additional: Json = field(default_factory=dict)
    """Converse `additionalModelRequestFields`: how the model samples and reasons. A model that cannot do what one of
    them asks refuses the request."""
    tools: Json | None = None
    """Converse `toolConfig`."""
    session_id: str = ""
    user: str = ""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens as the model counted them."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, kw_only=True)
class ModelAnswer:
    """A whole answer."""

    content: tuple[Json, ...]
    """Converse content blocks of the assistant's message."""
    stop_reason: str
    """end_turn, tool_use, max_tokens, stop_sequence, …"""
    usage: Usage
    latency_ms: float


class Model(ABC):
    """One model endpoint."""

    name: str
    """What the event and the header `x-caisson-upstream` say: `offline`, `script`, `openai`, `bedrock`."""

    @abstractmethod
    async def converse(self, request: ModelRequest) -> ModelAnswer:
        """Answer at once.

        Raises:
            UpstreamError: the endpoint refused, failed, timed out or answered nonsense.
        """

    @abstractmethod
    def converse_stream(self, request: ModelRequest) -> AsyncGenerator[Json, None]:
        """ConverseStream events as values, in their order: `{"messageStart": {"role": "assistant"}}`,
        `{"contentBlockStart": …}` (tool use only), `{"contentBlockDelta": …}`, `{"contentBlockStop": …}`,
        `{"messageStop": {"stopReason": …}}`, `{"metadata": {"usage": …, "metrics": …}}`.

        Closing the generator cancels the call upstream.

        Raises:
            UpstreamError: as `converse`, also in the middle of the stream.
        """

    @abstractmethod
    async def close(self) -> None:
        """Release connections."""
