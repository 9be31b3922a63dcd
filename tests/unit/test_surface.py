"""Every member of the service model is carried or refused by name, in requests and in answers.

The walk takes botocore's shapes and ours side by side, so that a member which botocore gains fails here until somebody
decides about it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from bedrock_model import SERVICE
from bedrock_surface import IN_THE_PATH, OPERATIONS, inner, walked
from caisson.errors import Refusal, WireError
from caisson.ports.model import ModelAnswer, Usage
from caisson.zones.z2_runtime import pipeline
from caisson.zones.z2_runtime.dialects import converse, guardrail, tokens
from caisson.zones.z2_runtime.dialects.surface import REFUSED, reason
from request_path import FakeModel, made_exchange, made_runtime, made_system


def smallest(shape: Shape) -> Any:
    """A value of the shape with only what is required; of a union its first member."""
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return {}
        names = list(shape.members)[:1] if shape.is_tagged_union else shape.required_members
        return {name: smallest(shape.members[name]) for name in names}
    if isinstance(shape, ListShape):
        return [smallest(shape.member)]
    if isinstance(shape, MapShape):
        return {"k": smallest(shape.value)}
    if shape.type_name == "blob":
        return "aGk="
    if shape.type_name == "boolean":
        return True
    if shape.type_name in ("integer", "long", "float", "double"):
        return 1
    return shape.enum[0] if shape.enum else "x"


def at(operation: str, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A body that holds `value` at `path` and what is required on the way there."""

    def filled(shape: Shape, rest: tuple[str, ...]) -> Any:
        if not rest:
            return value
        if isinstance(shape, ListShape):
            return [filled(shape.member, rest)]
        assert isinstance(shape, StructureShape)
        others = [] if shape.is_tagged_union else [name for name in shape.required_members if name not in IN_THE_PATH]
        found = {name: smallest(shape.members[name]) for name in others if name != rest[0]}
        return found | {rest[0]: filled(shape.members[rest[0]], rest[1:])}

    body = filled(SERVICE.operation_model(operation).input_shape, path)
    holder = body if operation.startswith("Converse") else body.get("input", {}).get("converse")
    if holder is not None:
        holder.setdefault("messages", [{"role": "user", "content": [{"text": "hi"}]}])
    return body


def parse(operation: str, body: dict[str, Any]) -> Any:
    data = json.dumps(body).encode()
    if operation == "CountTokens":
        return tokens.parse(data, "m")
    if operation == "ApplyGuardrail":
        return guardrail.parse(data, "main")
    return converse.parse(data, "m", stream=operation == "ConverseStream")


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_member_of_a_request_is_carried_or_refused_by_name(operation: str) -> None:
    found = walked(operation)
    assert len(found) > 5
    undecided = [
        ".".join(path) for path, _, carried in found if not carried and not reason(".".join(path[:-1]), path[-1])
    ]
    assert undecided == []


REFUSALS = [
    (operation, path, shape)
    for operation in sorted(OPERATIONS)
    for path, shape, carried in walked(operation)
    if not carried
]


@pytest.mark.parametrize(("operation", "path", "shape"), REFUSALS, ids=lambda given: str(given)[:60])
def test_what_is_not_carried_is_refused_with_its_reason(operation: str, path: tuple[str, ...], shape: Shape) -> None:
    parsed = parse(operation, at(operation, path, smallest(shape)))
    assert isinstance(parsed, Refusal), path
    assert parsed.error is WireError.VALIDATION
    place, _, said = parsed.message.partition(": ")
    assert place.endswith(path[-1])
    assert said == f"{reason('.'.join(path[:-1]), path[-1])}."


def values(operation: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every value of every closed vocabulary of what is carried."""
    for path, shape, carried in walked(operation):
        leaf = inner(shape)
        for value in leaf.enum if carried and leaf.type_name == "string" else ():
            yield path, value


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_value_of_a_closed_vocabulary_is_taken_or_refused_by_name(operation: str) -> None:
    for path, value in values(operation):
        if path[-1] == "format" and "document" in path:
            continue
        shape = SERVICE.operation_model(operation).input_shape
        for name in path:
            shape = inner(shape)
            shape = shape.members[name]
        parsed = parse(operation, at(operation, path, [value] if isinstance(shape, ListShape) else value))
        if isinstance(parsed, Refusal):
            known = reason(".".join(path[:-1]), path[-1], value) or "expected"
            assert known in parsed.message or "not allowed in a message" in parsed.message, (
                path,
                value,
                parsed.message,
            )
            assert "see the API reference" not in parsed.message, (path, value)


def test_no_reason_is_for_nothing() -> None:
    """Each entry stands for a member of a dialect, and says what to do."""
    for key, said in REFUSED.items():
        assert ", so " in said or "; " in said, key
        assert said.endswith(("it", "out", "bytes", "there", "themselves", "Converse", "text", "prompt")), (key, said)


# Answers: what this version produces of them, and what of a model's answer is stopped.

PRODUCED = {
    "output.message.role", "output.message.content.text", "output.message.content.toolUse.toolUseId",
    "output.message.content.toolUse.name", "output.message.content.toolUse.input",
    "output.message.content.reasoningContent.reasoningText.text",
    "output.message.content.reasoningContent.reasoningText.signature", "stopReason", "usage.inputTokens",
    "usage.outputTokens", "usage.totalTokens", "metrics.latencyMs", "trace.guardrail",
}  # fmt: skip
NEVER = {
    "output.message.content.toolUse.type": "tools that the service runs are refused",
    "output.message.content.reasoningContent.redactedContent": "removed: nobody can inspect it",
    "output.message.content.toolResult": "stopped: a result of a tool that the service ran",
    "output.message.content.image": "stopped: nothing here can inspect it",
    "output.message.content.video": "stopped: nothing here can inspect it",
    "output.message.content.audio": "stopped: nothing here can inspect it",
    "output.message.content.document": "stopped: models do not answer with documents",
    "output.message.content.searchResult": "stopped: models do not answer with search results",
    "output.message.content.citationsContent": "stopped: citations cannot be asked for",
    "output.message.content.guardContent": "stopped: of requests only",
    "output.message.content.cachePoint": "stopped: of requests only",
    "output.message.content.toolAddition": "stopped: of requests only",
    "output.message.content.toolRemoval": "stopped: of requests only",
    "usage.cacheReadInputTokens": "the model port counts input and output",
    "usage.cacheWriteInputTokens": "the model port counts input and output",
    "usage.cacheDetails": "the model port counts input and output",
    "additionalModelResponseFields": "cannot be asked for",
    "trace.promptRouter": "prompt routers are refused",
    "performanceConfig": "cannot be asked for",
    "serviceTier": "cannot be asked for",
}


def answered(shape: StructureShape, path: str = "") -> Iterator[str]:
    for name, member in shape.members.items():
        here, below = path + name, inner(member)
        if here in PRODUCED or here in NEVER or not isinstance(below, StructureShape) or below.is_document_type:
            yield here
        else:
            yield from answered(below, here + ".")


def test_every_member_of_an_answer_is_decided() -> None:
    assert set(answered(SERVICE.operation_model("Converse").output_shape)) == PRODUCED | set(NEVER)


STREAMED = {
    "messageStart.role", "contentBlockStart.start.toolUse.toolUseId", "contentBlockStart.start.toolUse.name",
    "contentBlockStart.contentBlockIndex", "contentBlockDelta.delta.text", "contentBlockDelta.delta.toolUse.input",
    "contentBlockDelta.delta.reasoningContent.text", "contentBlockDelta.delta.reasoningContent.signature",
    "contentBlockDelta.contentBlockIndex", "contentBlockStop.contentBlockIndex", "messageStop.stopReason",
    "metadata.usage.inputTokens", "metadata.usage.outputTokens", "metadata.usage.totalTokens",
    "metadata.metrics.latencyMs", "metadata.trace.guardrail",
}  # fmt: skip
NEVER_STREAMED = {
    "contentBlockStart.start.toolUse.type", "contentBlockStart.start.toolResult", "contentBlockStart.start.image",
    "contentBlockDelta.delta.toolResult", "contentBlockDelta.delta.reasoningContent.redactedContent",
    "contentBlockDelta.delta.citation", "contentBlockDelta.delta.image", "messageStop.additionalModelResponseFields",
    "metadata.usage.cacheReadInputTokens", "metadata.usage.cacheWriteInputTokens", "metadata.usage.cacheDetails",
    "metadata.trace.promptRouter", "metadata.performanceConfig", "metadata.serviceTier",
}  # fmt: skip


def test_every_member_of_a_streamed_answer_is_decided() -> None:
    shape = SERVICE.operation_model("ConverseStream").get_event_stream_output()
    events = {name: member for name, member in shape.members.items() if not member.metadata.get("exception")}
    found: set[str] = set()
    for name, member in events.items():
        for path in _streamed(member, name + "."):
            found.add(path)
    assert found == STREAMED | NEVER_STREAMED


def _streamed(shape: StructureShape, path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        here, below = path + name, inner(member)
        if here in STREAMED | NEVER_STREAMED or not isinstance(below, StructureShape):
            yield here
        else:
            yield from _streamed(below, here + ".")


def test_every_stop_reason_reaches_the_client() -> None:
    from caisson.zones.z2_runtime.steps.s09_inspect_output import STOP_REASONS

    assert set(SERVICE.shape_for("StopReason").enum) == STOP_REASONS


@pytest.mark.parametrize(
    "kind", sorted(set(SERVICE.shape_for("ContentBlock").members) - {"text", "toolUse", "reasoningContent"})
)
async def test_a_kind_that_a_model_may_not_say_stops_the_answer(kind: str, tmp_path: Path) -> None:
    block = {kind: smallest(SERVICE.shape_for("ContentBlock").members[kind])}
    exchange = made_exchange(await made_runtime(tmp_path, made_system(2), FakeModel([{"text": "so "}, block])))
    assert await pipeline.admit(exchange) is None
    assert await pipeline.answer(exchange) is None
    answer = exchange.answer
    assert isinstance(answer, ModelAnswer)
    assert answer.stop_reason == "guardrail_intervened"
    assert answer.content == ({"text": "so "}, {"text": "output blocked"})
    assert answer.usage == Usage(input_tokens=10, output_tokens=5)
    assert exchange.blocked is not None
    assert exchange.blocked.rule == "output.uninspectable"
    assert kind in exchange.blocked.rationale
