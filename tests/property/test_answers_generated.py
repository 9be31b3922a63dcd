"""Answers drawn from botocore's shapes leave unharmed, whole and streamed alike, in the words of every dialect.

Each string is a marker that stands nowhere else, so what left is counted without knowing any renderer.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedrock_model import SERVICE, read, read_stream
from caisson.ports.model import ModelAnswer, Usage
from caisson.zones.z1_ingress import wire
from caisson.zones.z2_runtime import pipeline
from caisson.zones.z2_runtime.answer import collect, events_of
from caisson.zones.z2_runtime.operations import Operation
from request_path import FakeModel, made_exchange, made_runtime, made_system

MARKER = re.compile(r"m\d+q")
TOOL = {"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}
REQUEST = orjson.dumps({"messages": [{"role": "user", "content": [{"text": "hi"}]}], "toolConfig": {"tools": [TOOL]}})
DIALECTS = (
    (Operation.CONVERSE, Operation.CONVERSE_STREAM),
    (Operation.INVOKE_MODEL, Operation.INVOKE_MODEL_STREAM),
    (Operation.CHAT, Operation.CHAT_STREAM),
)
STOP_REASONS = sorted(set(SERVICE.shape_for("StopReason").enum) - {"guardrail_intervened"})


@st.composite
def answers(draw: Any) -> tuple[list[dict[str, Any]], str]:
    count = 0

    def text() -> str:
        nonlocal count
        count += 1
        return f"m{count}q"

    def free(depth: int = 0) -> Any:
        kind = draw(st.sampled_from(["text", "number", "list", "object"] if depth < 2 else ["text", "number"]))
        if kind == "text":
            return text() + draw(st.sampled_from(["", '"', "\n\\", "é\U0001f600"]))
        if kind == "number":
            return draw(st.sampled_from([0, -7, 2.5, True, None]))
        if kind == "list":
            return [free(depth + 1) for _ in range(draw(st.integers(0, 2)))]
        return {text(): free(depth + 1) for _ in range(draw(st.integers(0, 2)))}

    def block() -> dict[str, Any]:
        kind = draw(st.sampled_from(["text", "toolUse", "reasoning", "redacted"]))
        if kind == "text":
            return {"text": draw(st.sampled_from([text(), "", f"{text()} \n"]))}
        if kind == "toolUse":
            arguments = {text(): free() for _ in range(draw(st.integers(0, 2)))}
            return {"toolUse": {"toolUseId": text(), "name": "look", "input": arguments}}
        if kind == "redacted":
            return {"reasoningContent": {"redactedContent": base64.b64encode(text().encode()).decode()}}
        reasoning = {name: text() for name in draw(st.sampled_from([("text",), ("text", "signature"), ("signature",)]))}
        return {"reasoningContent": {"reasoningText": reasoning}}

    blocks = [block() for _ in range(draw(st.integers(0, 5)))]
    return blocks, draw(st.sampled_from(STOP_REASONS))


def cut(answer: ModelAnswer, size: int) -> list[dict[str, Any]]:
    """The answer's events, their strings in pieces."""
    events: list[dict[str, Any]] = []
    for event in events_of(answer):
        delta = event.get("contentBlockDelta", {}).get("delta", {})
        kind = next(iter(delta), "")
        held = delta[kind] if kind and isinstance(delta[kind], dict) else delta
        name = next(iter(held), "")
        if not kind or "redactedContent" in held:
            events.append(event)
            continue
        whole = held[name]
        for start in range(0, len(whole), size):
            piece: Any = {name: whole[start : start + size]}
            index = event["contentBlockDelta"]["contentBlockIndex"]
            spoken = piece if held is delta else {kind: piece}
            events.append({"contentBlockDelta": {"contentBlockIndex": index, "delta": spoken}})
    return events


async def left(
    folder: Path, content: list[dict[str, Any]], reason: str, size: int, operations: tuple[Operation, Operation]
) -> tuple[bytes, bytes, ModelAnswer]:
    """What a client gets, whole and streamed, and the streamed events together."""
    answer = ModelAnswer(
        content=tuple(content), stop_reason=reason, usage=Usage(input_tokens=10, output_tokens=5), latency_ms=1
    )
    model = FakeModel(content, cut(answer, size))
    model.stop_reason = reason
    runtime = await made_runtime(folder, made_system(1), model)
    whole = made_exchange(runtime, REQUEST, operation=operations[0])
    assert await pipeline.admit(whole) is None
    assert await pipeline.answer(whole) is None
    streaming = made_exchange(runtime, REQUEST, operation=operations[1], request_id="r-2")
    assert await pipeline.admit(streaming) is None
    renderer, frames, events = wire.stream_renderer(streaming), [], []
    async for event in pipeline.stream(streaming):
        events.append(event)
        frames.append(wire.frame(renderer, streaming, event))
    assert streaming.blocked is None
    return wire.rendered(whole), b"".join(frames), collect(events)


def spoken(content: list[dict[str, Any]], *, signatures: bool) -> Counter[str]:
    kept = [block for block in content if "redactedContent" not in block.get("reasoningContent", {})]
    if not signatures:
        kept = json.loads(json.dumps(kept))
        for block in kept:
            block.get("reasoningContent", {}).get("reasoningText", {}).pop("signature", None)
    return Counter(MARKER.findall(json.dumps(kept)))


def with_text(block: dict[str, Any]) -> dict[str, Any]:
    """Botocore promises a text beside a signature."""
    if "reasoningContent" not in block:
        return block
    return {"reasoningContent": {"reasoningText": {"text": "", **block["reasoningContent"]["reasoningText"]}}}


def said_whole(operation: Operation, body: bytes) -> Counter[str]:
    if operation is Operation.CONVERSE:
        return Counter(MARKER.findall(json.dumps(read("Converse", body)["output"])))
    return Counter(MARKER.findall(body.decode()))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(answer=answers(), size=st.integers(1, 9), operations=st.sampled_from(DIALECTS))
def test_answers_leave_unharmed(
    tmp_path_factory: pytest.TempPathFactory,
    answer: tuple[list[dict[str, Any]], str],
    size: int,
    operations: tuple[Operation, Operation],
) -> None:
    content, reason = answer
    folder = tmp_path_factory.mktemp("a")
    body, stream, together = asyncio.run(left(folder, content, reason, size, operations))
    expected = spoken(content, signatures=operations[0] is not Operation.CHAT)
    assert said_whole(operations[0], body) == expected
    assert together.stop_reason == reason
    assert spoken(list(together.content), signatures=True) == spoken(content, signatures=True)
    if operations[0] is Operation.CONVERSE:
        got = read("Converse", body)
        assert got["stopReason"] == reason
        same = [block for block in content if "redactedContent" not in block.get("reasoningContent", {})]
        said = [with_text(block) for block in same if block != {"text": ""}]
        assert [block for block in got["output"]["message"]["content"] if block != {"text": ""}] == said
        assert [block for block in together.content if block != {"text": ""}] == said
        read_stream("ConverseStream", stream)
    elif operations[0] is Operation.INVOKE_MODEL:
        read_stream("InvokeModelWithResponseStream", stream)
    else:
        assert stream.endswith(b"data: [DONE]\n\n")
        assert json.loads(body)["choices"][0]["finish_reason"] in ("stop", "length", "tool_calls", "content_filter")
