"""How many tokens a prompt is: an upper bound to reserve, and an estimate where no model counts.

The bound is true for byte-level tokenizers, which current model families have: a token is at least one byte. JSON
punctuation stands in for a chat template's role markers; the rest of what an endpoint adds is in the constants. It
bounds the prompt as given: whoever makes a prompt longer afterwards (masking) asks again.

>>> estimate_tokens("four words of text")
5
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

ENDPOINT_OVERHEAD_TOKENS = 64
"""Begin, end and generation markers of any chat template."""
TOOLS_OVERHEAD_TOKENS = 1_024
"""What an endpoint adds when tools are offered; Anthropic's tool use page lists at most 530."""
BYTES_PER_TOKEN = 4
"""English text on current tokenizers has 3.5 to 4.5."""
MESSAGE_OVERHEAD_TOKENS = 4
MEDIA_TOKENS_MAX = {"image": 8_192, "video": 300_000, "audio": 300_000}
"""What one block can cost, whatever its bytes: above the largest that the vision pages of Anthropic, Amazon Nova and
OpenAI list for one image; film and sound have no bound but the context of the models that take them (Nova: 300,000)."""


class Prompt(Protocol):
    """What is sent to a model, in Converse JSON."""

    @property
    def system(self) -> Sequence[dict[str, Any]]:
        """Blocks."""

    @property
    def messages(self) -> Sequence[dict[str, Any]]:
        """Turns."""

    @property
    def tools(self) -> dict[str, Any] | None:
        """Tool configuration."""


def worst_case_input_tokens(prompt: Prompt) -> int:
    """No model with a byte-level tokenizer counts more than this."""
    messages, media_tokens = _without_media(prompt.messages)
    size_bytes = len(msgspec.json.encode((prompt.system, messages, prompt.tools))) + media_tokens
    return size_bytes + ENDPOINT_OVERHEAD_TOKENS + (TOOLS_OVERHEAD_TOKENS if prompt.tools else 0)


def media_tokens(messages: Sequence[dict[str, Any]]) -> int:
    """An upper bound for the images, video and audio of these messages."""
    return _without_media(messages)[1]


def _without_media(messages: Sequence[dict[str, Any]]) -> tuple[Sequence[dict[str, Any]], int]:
    """The messages without such blocks, and what these can cost."""
    tokens, kept = 0, []
    for message in messages:
        blocks, cost = _kept(message["content"])
        tokens += cost
        kept.append({**message, "content": blocks} if cost else message)
    return (kept, tokens) if tokens else (messages, 0)


def _kept(content: Sequence[dict[str, Any]]) -> tuple[Sequence[dict[str, Any]], int]:
    tokens, kept = 0, []
    for block in content:
        kind = next(iter(block))
        cost, left = MEDIA_TOKENS_MAX.get(kind, 0), block
        if kind == "toolResult":
            inner, cost = _kept(block[kind]["content"])
            left = {kind: {**block[kind], "content": inner}}
            kept.append(left)
        elif not cost:
            kept.append(block)
        tokens += cost
    return (kept, tokens) if tokens else (content, 0)


def estimate_tokens(text: str) -> int:
    """A deterministic estimate: one token for every four bytes of UTF-8, rounded up."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def estimate_prompt_tokens(texts: Sequence[str], messages: int) -> int:
    """The estimate for a prompt of these texts in that many messages."""
    return sum(map(estimate_tokens, texts)) + MESSAGE_OVERHEAD_TOKENS * max(messages, 1)
