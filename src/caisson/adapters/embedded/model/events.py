"""ConverseStream events of an answer that is already known, in their order (API_runtime_ConverseStream).

>>> [next(iter(event)) for event in text_block(0, ["a ", "b"])]
['contentBlockDelta', 'contentBlockDelta', 'contentBlockStop']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from caisson.ports.model import Usage

Json = dict[str, Any]

START: Json = {"messageStart": {"role": "assistant"}}

_WORD = re.compile(r"\s*\S+\s*|\s+")


def words(text: str) -> list[str]:
    """The text in pieces of one word, white space kept; joined they are the text."""
    return _WORD.findall(text)


def delta(index: int, value: Json) -> Json:
    """A piece of block `index`."""
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": value}}


def stop(index: int) -> Json:
    """Block `index` is complete."""
    return {"contentBlockStop": {"contentBlockIndex": index}}


def text_block(index: int, pieces: Iterable[str]) -> Iterator[Json]:
    """A block of text."""
    for piece in pieces:
        yield delta(index, {"text": piece})
    yield stop(index)


def tool_start(index: int, use_id: str, name: str) -> Json:
    """A tool use begins; its input follows as pieces of JSON text."""
    start = {"toolUse": {"toolUseId": use_id, "name": name}}
    return {"contentBlockStart": {"contentBlockIndex": index, "start": start}}


def tool_block(index: int, use_id: str, name: str, pieces: Iterable[str]) -> Iterator[Json]:
    """A tool use with its input as pieces of JSON text."""
    yield tool_start(index, use_id, name)
    for piece in pieces:
        yield delta(index, {"toolUse": {"input": piece}})
    yield stop(index)


def reasoning_block(index: int, pieces: Iterable[str], signature: str) -> Iterator[Json]:
    """A block of reasoning; an empty signature is none."""
    for piece in pieces:
        yield delta(index, {"reasoningContent": {"text": piece}})
    if signature:
        yield delta(index, {"reasoningContent": {"signature": signature}})
    yield stop(index)


def closing(stop_reason: str, usage: Usage, latency_ms: float) -> Iterator[Json]:
    """The two events that end every answer."""
    yield {"messageStop": {"stopReason": stop_reason}}
    yield {
        "metadata": {
            "usage": {
                "inputTokens": usage.input_tokens,
                "outputTokens": usage.output_tokens,
                "totalTokens": usage.input_tokens + usage.output_tokens,
            },
            "metrics": {"latencyMs": round(latency_ms)},
        }
    }
