"""An answer as events and as a whole, so that both run through one inspection.

>>> usage = Usage(input_tokens=1, output_tokens=1)
>>> answer = ModelAnswer(content=({"text": "hi"},), stop_reason="end_turn", usage=usage, latency_ms=2)
>>> collect(events_of(answer)).content
({'text': 'hi'},)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from caisson.errors import Refusal, UpstreamError, WireError
from caisson.ports.model import ModelAnswer, Usage

Json = dict[str, Any]


def events_of(answer: ModelAnswer) -> Iterator[Json]:
    """The ConverseStream events of a whole answer, one delta a block."""
    yield {"messageStart": {"role": "assistant"}}
    for index, block in enumerate(answer.content):
        if "text" in block:
            yield {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"text": block["text"]}}}
        elif "toolUse" in block:
            use = block["toolUse"]
            start = {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}
            yield {"contentBlockStart": {"contentBlockIndex": index, "start": start}}
            delta = {"toolUse": {"input": _encoded(use["input"])}}
            yield {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}
        elif "reasoningContent" in block:
            for delta in _reasoning_deltas(block["reasoningContent"]):
                yield {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"reasoningContent": delta}}}
        else:
            # Passed on as it is: the inspection knows what it can inspect and refuses the rest by name.
            yield {"contentBlockDelta": {"contentBlockIndex": index, "delta": block}}
        yield {"contentBlockStop": {"contentBlockIndex": index}}
    yield {"messageStop": {"stopReason": answer.stop_reason}}
    yield {"metadata": metadata(answer.usage, answer.latency_ms)}


def _encoded(arguments: Json) -> str:
    """As JSON; what is nested so deeply that nobody encodes it is not, and is stopped for that."""
    try:
        return orjson.dumps(arguments).decode()
    except (orjson.JSONEncodeError, RecursionError):
        return "(no JSON)"


def _reasoning_deltas(reasoning: Json) -> list[Json]:
    text = reasoning.get("reasoningText", {})
    deltas = [{key: text[key]} for key in ("text", "signature") if key in text]
    if "redactedContent" in reasoning:
        deltas.append({"redactedContent": reasoning["redactedContent"]})
    return deltas


def metadata(usage: Usage, latency_ms: float) -> Json:
    """The closing `metadata` event's value."""
    return {
        "usage": {
            "inputTokens": usage.input_tokens,
            "outputTokens": usage.output_tokens,
            "totalTokens": usage.input_tokens + usage.output_tokens,
        },
        "metrics": {"latencyMs": round(latency_ms)},
    }


def collect(events: Iterable[Json]) -> ModelAnswer:
    """The whole answer that events spell.

    Raises:
        UpstreamError: the stream ended without `messageStop`.
    """
    texts: dict[int, list[str]] = {}
    tools: dict[int, Json] = {}
    reasoning: dict[int, Json] = {}
    stop_reason, usage, latency_ms = "", Usage(input_tokens=0, output_tokens=0), 0.0
    for event in events:
        if "contentBlockDelta" in event:
            index, delta = event["contentBlockDelta"]["contentBlockIndex"], event["contentBlockDelta"]["delta"]
            if "text" in delta:
                texts.setdefault(index, []).append(delta["text"])
            elif "toolUse" in delta:
                texts.setdefault(index, []).append(delta["toolUse"]["input"])
            else:
                block = reasoning.setdefault(index, {})
                for key, value in delta["reasoningContent"].items():
                    block[key] = block.get(key, "") + value
        elif "contentBlockStart" in event:
            tools[event["contentBlockStart"]["contentBlockIndex"]] = event["contentBlockStart"]["start"]["toolUse"]
        elif "messageStop" in event:
            stop_reason = event["messageStop"]["stopReason"]
        elif "metadata" in event:
            counts = event["metadata"]["usage"]
            usage = Usage(input_tokens=counts["inputTokens"], output_tokens=counts["outputTokens"])
            latency_ms = event["metadata"]["metrics"]["latencyMs"]
    if not stop_reason:
        raise UpstreamError(
            "the answer ended without a stop reason",
            Refusal(
                error=WireError.MODEL_ERROR,
                rule="model.incomplete",
                message="The model's answer ended too early; retry.",
            ),
        )
    content: list[Json] = []
    for index in sorted({*texts, *tools, *reasoning}):
        if index in tools:
            content.append({"toolUse": {**tools[index], "input": orjson.loads("".join(texts.get(index, ())) or "{}")}})
        elif index in reasoning:
            content.append({"reasoningContent": _reasoning_block(reasoning[index])})
        else:
            content.append({"text": "".join(texts[index])})
    return ModelAnswer(content=tuple(content), stop_reason=stop_reason, usage=usage, latency_ms=latency_ms)


def _reasoning_block(parts: Json) -> Json:
    if "redactedContent" in parts:
        return {"redactedContent": parts["redactedContent"]}
    return {"reasoningText": {"text": "", **parts}}  # a signature may stand alone; clients are promised a text
