"""A model that answers conversations in the shape of the Bedrock Converse API.

Requests and answers are Converse JSON as plain values (API_runtime_Converse, API_runtime_ConverseStream).
Errors of the endpoint arrive as `UpstreamError` whose refusal the client sees; a test shows that each is mapped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from caisson.channels.messages import GuardrailAction

Json = dict[str, Any]


class PinnedGuardrail(msgspec.Struct, frozen=True, kw_only=True):
    """A guardrail that lives at the endpoint, in the one version that the system file names (NET-02)."""

    identifier: str
    """Guardrail id or ARN."""
    version: str
    """A number; `DRAFT` is not pinned."""


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
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
    inference: Json = {}
    """Converse `inferenceConfig` without `maxTokens`; `topK` too, where a family's own body has it."""
    additional: Json = {}
    """Converse `additionalModelRequestFields`: how the model samples and reasons. A model that cannot do what one of
    them asks refuses the request."""
    tools: Json | None = None
    """Converse `toolConfig`."""
    session_id: str = ""
    user: str = ""
    """The verified user's name, for pseudonyms only: no endpoint is told it."""
    guardrail: PinnedGuardrail | None = None
    """What the endpoint must evaluate beside the model, where it can."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as the model counted them."""

    input_tokens: int
    """All of the prompt, cached or not."""
    output_tokens: int
    cached_input_tokens: int = 0
    """Of `input_tokens`, what a prompt cache read or wrote: it has prices of its own."""


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer."""

    content: tuple[Json, ...]
    """Converse content blocks of the assistant's message."""
    stop_reason: str
    """end_turn, tool_use, max_tokens, stop_sequence, …"""
    usage: Usage
    latency_ms: float
    guardrail_actions: tuple[GuardrailAction, ...] = ()
    """What a guardrail of the endpoint decided, for the record."""


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

        The value of `metadata` may also have `guardrailActions`, a tuple of GuardrailAction, and in `usage`
        `cachedInputTokens`: for the record, never for the client.

        Closing the generator cancels the call upstream.

        Raises:
            UpstreamError: as `converse`, also in the middle of the stream.
        """

    @abstractmethod
    async def close(self) -> None:
        """Release connections."""
