"""One behavioural suite for every model: what the request path may rely on (ports/model.py)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

import bedrock_server
from aws_world import connecting
from bedrock_model import read_stream
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.model.offline import OfflineModel
from caisson.adapters.embedded.model.openai import OpenAIModel
from caisson.adapters.embedded.model.script import ScriptModel
from caisson.adapters.embedded.model.script_file import parse
from caisson.ports.model import Model, ModelRequest
from caisson.zones.z2_runtime.answer import collect
from caisson.zones.z2_runtime.dialects.converse import StreamRenderer
from openai_server import running

SCRIPT = """
caisson_script: 1
default:
  answer:
    content:
      - reasoning: {text: "They greet me, so I greet them.", signature: c2ln}
      - text: "Good day, {{last_user}}"
      - tool_use: {name: lookup, input: {claim: "{{last_user}}", count: 2}}
"""


@pytest.fixture(params=["offline", "script", "openai", "bedrock"])
async def model(request: pytest.FixtureRequest) -> AsyncIterator[Model]:
    clock = SystemClock()
    if request.param == "openai":
        async with running() as server:
            made = OpenAIModel(server.url, clock)
            yield made
            await made.close()
        return
    if request.param == "bedrock":
        async with bedrock_server.running() as bedrock, connecting(bedrock) as connect:
            yield connect()
            assert not bedrock.problems
        return
    other: Model = OfflineModel(clock) if request.param == "offline" else ScriptModel(parse(SCRIPT, "test"), clock)
    yield other
    await other.close()


def asking(text: str = "What is the deductible?", **changes: Any) -> ModelRequest:
    content = [
        {
            "document": {
                "format": "txt",
                "name": "terms",
                "source": {"text": "The deductible is 300 EUR. Keep receipts."},
            }
        },
        {"text": text},
    ]
    fields: dict[str, Any] = {
        "request_id": "r",
        "model_id": "m",
        "system": ({"text": "Be kind."},),
        "messages": ({"role": "user", "content": content},),
        "output_tokens_max": 100,
    }
    return ModelRequest(**{**fields, **changes})


async def events(model: Model, request: ModelRequest) -> list[dict[str, Any]]:
    async with aclosing(model.converse_stream(request)) as stream:
        return [event async for event in stream]


async def test_it_says_who_it_is(model: Model) -> None:
    assert model.name in {"offline", "script", "openai", "bedrock"}


async def test_a_whole_answer(model: Model) -> None:
    answer = await model.converse(asking())
    assert any(block.get("text") for block in answer.content)
    assert answer.stop_reason in {"end_turn", "tool_use"}
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0
    assert answer.latency_ms >= 0


async def test_a_stream_says_what_the_whole_answer_says(model: Model) -> None:
    answer = await model.converse(asking())
    async with aclosing(model.converse_stream(asking())) as stream:
        streamed = collect([event async for event in stream])
    assert (streamed.content, streamed.stop_reason) == (answer.content, answer.stop_reason)
    assert streamed.usage == answer.usage


async def test_boto3_could_read_every_event(model: Model) -> None:
    renderer = StreamRenderer()
    said = await events(model, asking())
    assert read_stream("ConverseStream", b"".join(map(renderer.event, said))) == said


async def test_events_come_in_their_order(model: Model) -> None:
    kinds = [(next(iter(event)), next(iter(event.values()))) for event in await events(model, asking())]
    assert kinds[0] == ("messageStart", {"role": "assistant"})
    assert [kind for kind, _ in kinds[-2:]] == ["messageStop", "metadata"]
    under_way: int | None = None
    finished = 0
    for kind, value in kinds[1:-2]:
        index = value["contentBlockIndex"]
        assert index == finished
        if kind == "contentBlockStart":
            assert under_way is None
            under_way = index
        elif kind == "contentBlockDelta":
            under_way = index
        else:
            assert kind == "contentBlockStop"
            assert under_way == index
            under_way, finished = None, finished + 1
    assert under_way is None


async def test_a_stream_may_be_left_and_the_model_goes_on(model: Model) -> None:
    for _ in range(3):
        async with aclosing(model.converse_stream(asking())) as stream:
            assert "messageStart" in await anext(stream)
    assert (await model.converse(asking())).content


async def test_requests_do_not_mix(model: Model) -> None:
    answers = await asyncio.gather(*(model.converse(asking()) for _ in range(10)))
    assert all(answer.content == answers[0].content for answer in answers)


async def test_tools_reasoning_and_history_are_no_trouble(model: Model) -> None:
    messages = (
        {"role": "user", "content": [{"text": "hi"}, {"cachePoint": {"type": "default"}}]},
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm"}}},
                {"toolUse": {"toolUseId": "a", "name": "n", "input": {}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "a", "content": [{"json": {"k": 1}}, {"text": "t"}], "status": "error"}},
                {"guardContent": {"text": {"text": "g", "qualifiers": ["grounding_source"]}}},
            ],
        },
    )
    tools = {"tools": [{"toolSpec": {"name": "n", "inputSchema": {"json": {}}}}, {"cachePoint": {"type": "default"}}]}
    inference = {"temperature": 0.5, "topP": 0.5, "topK": 5, "stopSequences": ["\n\nHuman:"]}
    answer = await model.converse(asking(messages=messages, tools=tools, inference=inference))
    assert answer.stop_reason


async def test_closing_twice_changes_nothing(model: Model) -> None:
    await model.converse(asking())
    await model.close()
    assert await model.close() is None  # and raises nothing
