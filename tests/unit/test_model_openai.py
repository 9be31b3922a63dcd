"""The `openai` upstream against a real server that behaves, misbehaves and breaks."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp import web

from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.model import openai, sse
from caisson.adapters.embedded.model.openai import OpenAIModel
from caisson.adapters.embedded.model.openai_calls import CHAT, Bounds, endpoint
from caisson.errors import StartError, UpstreamError, WireError
from caisson.policy.tokens import worst_case_input_tokens
from caisson.ports.model import ModelAnswer, ModelRequest, Usage
from caisson.zones.z2_runtime.answer import collect
from openai_server import DONE, USAGE, Server, chunk, event, in_turn, running, status, stream, whole

SOON = 5.0
"""Seconds after which a test that should not wait has failed."""


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running() as made:
        yield made


class Pauses:
    """Instead of sleeping."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def request(**changes: Any) -> ModelRequest:
    fields: dict[str, Any] = {
        "request_id": "r",
        "model_id": "m-1",
        "system": (),
        "messages": ({"role": "user", "content": [{"text": "hi"}]},),
        "output_tokens_max": 50,
    }
    return ModelRequest(**{**fields, **changes})


Connect = Callable[..., OpenAIModel]


@pytest.fixture
async def connect(server: Server) -> AsyncIterator[Connect]:
    made: list[OpenAIModel] = []

    def make(url: str | None = None, **settings: Any) -> OpenAIModel:
        settings.setdefault("sleep", Pauses())
        made.append(OpenAIModel(url or server.url, SystemClock(), **settings))
        return made[-1]

    yield make
    for model in made:
        await model.close()


async def streamed(model: OpenAIModel, given: ModelRequest | None = None) -> ModelAnswer:
    async with asyncio.timeout(SOON), aclosing(model.converse_stream(given or request())) as events:
        return collect([event async for event in events])


async def failing(model: OpenAIModel, *, streams: bool = False) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        async with asyncio.timeout(SOON):
            await (streamed(model) if streams else model.converse(request()))
    assert "SECRET" not in f"{raised.value} {raised.value.refusal}"
    return raised.value


async def test_the_whole_request_is_mapped(server: Server, connect: Connect) -> None:
    given = request(
        system=({"text": "Be kind."}, {"cachePoint": {"type": "default"}}, {"text": "Be brief."}),
        messages=(
            {
                "role": "user",
                "content": [
                    {"text": "hi"},
                    {"document": {"format": "txt", "name": "terms", "context": "old", "source": {"text": "Pay."}}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                    {"text": "wait"},
                    {"toolUse": {"toolUseId": "a", "name": "n", "input": {"k": 1}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"text": "and?"},
                    {"toolResult": {"toolUseId": "a", "content": [{"text": "t"}, {"json": {"x": 2}}]}},
                ],
            },
        ),
        inference={"temperature": 0.5, "topP": 0.25, "topK": 3, "stopSequences": ["END"]},
        tools={
            "tools": [
                {
                    "toolSpec": {
                        "name": "n",
                        "description": "d",
                        "strict": True,
                        "inputSchema": {"json": {"type": "object"}},
                    }
                },
                {"cachePoint": {"type": "default"}},
            ],
            "toolChoice": {"tool": {"name": "n"}},
        },
    )
    await connect(api_key="key-1", model="gpt-x").converse(given)
    assert server.paths == ["/v1/chat/completions"]
    assert server.headers[0]["authorization"] == "Bearer key-1"
    assert server.bodies == [
        {
            "model": "gpt-x",
            "messages": [
                {"role": "system", "content": "Be kind.\n\nBe brief."},
                {"role": "user", "content": "hi\n\nDocument 'terms':\nold\nPay."},
                {
                    "role": "assistant",
                    "content": "wait",
                    "tool_calls": [{"id": "a", "type": "function", "function": {"name": "n", "arguments": '{"k":1}'}}],
                },
                {"role": "tool", "tool_call_id": "a", "content": 't\n\n{"x":2}'},
                {"role": "user", "content": "and?"},
            ],
            "max_tokens": 50,
            "temperature": 0.5,
            "top_p": 0.25,
            "top_k": 3,
            "stop": ["END"],
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "n", "description": "d", "strict": True, "parameters": {"type": "object"}},
                }
            ],
            "tool_choice": {"type": "function", "function": {"name": "n"}},
        }
    ]


async def test_images_sound_citations_and_search_results_are_mapped(server: Server, connect: Connect) -> None:
    found = {"source": "https://example.com", "title": "rules", "content": [{"text": "a"}, {"text": "b"}]}
    given = request(
        messages=(
            {
                "role": "user",
                "content": [
                    {"image": {"format": "png", "source": {"bytes": "aGk="}}},
                    {"searchResult": found},
                    {"audio": {"format": "wav", "source": {"bytes": "aG8="}}},
                ],
            },
            {"role": "assistant", "content": [{"citationsContent": {"content": [{"text": "said"}]}}]},
            {"role": "user", "content": [{"image": {"format": "webp", "source": {"bytes": "aGE="}}}]},
        ),
        additional={"top_k": 4, "thinking": {"type": "disabled"}},
    )
    await connect().converse(given)
    body = server.bodies[0]
    assert body["top_k"] == 4
    assert "thinking" not in body
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Search result 'rules' from https://example.com:\na\nb"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                {"type": "input_audio", "input_audio": {"data": "aG8=", "format": "wav"}},
            ],
        },
        {"role": "assistant", "content": "said"},
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "data:image/webp;base64,aGE="}}],
        },
    ]


FILM = {"video": {"format": "mp4", "source": {"bytes": "aGk="}}}
PICTURE = {"image": {"format": "png", "source": {"bytes": "aGk="}}}


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        (
            {"additional": {"thinking": {"type": "enabled", "budget_tokens": 1024}}},
            "additionalModelRequestFields.think",
        ),
        ({"additional": {"reasoningConfig": {"type": "enabled"}}}, "additionalModelRequestFields.reasoningConfig"),
        ({"messages": ({"role": "user", "content": [FILM]},)}, "video of format mp4"),
        (
            {"messages": ({"role": "user", "content": [{"audio": {"format": "flac", "source": {"bytes": "eA=="}}}]},)},
            "audio of format flac",
        ),
        (
            {"messages": ({"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": [PICTURE]}}]},)},
            "images or video in tool results",
        ),
    ],
)
async def test_what_has_no_place_there_is_refused_by_name(
    server: Server, connect: Connect, changes: dict[str, Any], what: str
) -> None:
    for call in (lambda given: connect().converse(given), lambda given: streamed(connect(), given)):
        with pytest.raises(UpstreamError) as raised:
            await call(request(**changes))
        refusal = raised.value.refusal
        assert (refusal.error, refusal.rule) == (WireError.VALIDATION, "model.unsupported")
        assert what in refusal.message
    assert server.bodies == []


@pytest.mark.parametrize(("choice", "sent"), [({"auto": {}}, "auto"), ({"any": {}}, "required")])
async def test_tool_choices(server: Server, connect: Connect, choice: dict[str, Any], sent: str) -> None:
    tools = {"tools": [{"toolSpec": {"name": "n", "inputSchema": {"json": {}}}}], "toolChoice": choice}
    await connect().converse(request(tools=tools))
    assert server.bodies[0]["tool_choice"] == sent


async def test_without_a_key_and_with_a_path(server: Server, connect: Connect) -> None:
    await connect(server.url + "/api/v2/").converse(request())
    assert server.paths == ["/api/v2/chat/completions"]
    assert "authorization" not in server.headers[0]
    assert server.bodies[0]["model"] == "m-1"


async def test_a_stream_asks_for_usage(server: Server, connect: Connect) -> None:
    answer = await streamed(connect())
    assert server.bodies[0]["stream_options"] == {"include_usage": True}
    assert answer.content == ({"text": "Good day."},)
    assert answer.usage == Usage(input_tokens=11, output_tokens=3)


CALLS = [
    {"id": "a", "type": "function", "function": {"name": "n", "arguments": '{"k": "v"}'}},
    {"id": "b", "type": "function", "function": {"name": "o", "arguments": ""}},
]
CALLED = (
    {"reasoningContent": {"reasoningText": {"text": "hm"}}},
    {"text": "Wait."},
    {"toolUse": {"toolUseId": "a", "name": "n", "input": {"k": "v"}}},
    {"toolUse": {"toolUseId": "b", "name": "o", "input": {}}},
)


def json_handler(body: Any) -> Any:
    async def send(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body if isinstance(body, bytes) else json.dumps(body).encode())

    return send


@pytest.mark.parametrize("finish", ["tool_calls", "stop"])
async def test_tool_calls_and_reasoning(server: Server, connect: Connect, finish: str) -> None:
    server.handler = json_handler(whole("Wait.", finish, reasoning_content="hm", tool_calls=CALLS))
    answer = await connect().converse(request())
    assert (answer.content, answer.stop_reason) == (CALLED, "tool_use")


async def test_streamed_tool_calls_and_reasoning(server: Server, connect: Connect) -> None:
    def call(index: int, **function: str) -> dict[str, Any]:
        return {"index": index, "function": function}

    server.handler = stream(
        chunk(role="assistant", reasoning_content="h"),
        chunk(reasoning_content="m"),
        chunk(content="Wait."),
        chunk(tool_calls=[{**call(0, name="n", arguments=""), "id": "a"}]),
        chunk(tool_calls=[call(0, arguments='{"k"')]),
        chunk(tool_calls=[call(0, arguments=': "v"}')]),
        chunk("tool_calls", tool_calls=[{**call(1, name="o"), "id": "b"}]),
        USAGE,
    )
    answer = await streamed(connect())
    assert (answer.content, answer.stop_reason) == (CALLED, "tool_use")


@pytest.mark.parametrize(
    ("finish", "reason"), [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "content_filtered")]
)
async def test_stop_reasons(server: Server, connect: Connect, finish: str, reason: str) -> None:
    server.handler = in_turn(json_handler(whole("x", finish)), stream(chunk(finish, content="x"), USAGE))
    model = connect()
    assert (await model.converse(request())).stop_reason == reason
    assert (await streamed(model)).stop_reason == reason


async def test_a_silent_server_is_charged_for_at_the_upper_bound(server: Server, connect: Connect) -> None:
    body = whole()
    del body["usage"]
    server.handler = in_turn(json_handler(body), stream(chunk("stop", content="Good day.")))
    model, bound = connect(), worst_case_input_tokens(request())
    assert (await model.converse(request())).usage == Usage(input_tokens=bound, output_tokens=50)
    assert (await streamed(model)).usage == Usage(input_tokens=bound, output_tokens=len("Good day."))


@pytest.mark.parametrize(
    ("code", "error", "calls"),
    [
        (400, WireError.VALIDATION, 1),
        (401, WireError.UNAVAILABLE, 1),
        (403, WireError.UNAVAILABLE, 1),
        (404, WireError.UNAVAILABLE, 1),
        (408, WireError.MODEL_TIMEOUT, 1),
        (413, WireError.VALIDATION, 1),
        (418, WireError.MODEL_ERROR, 1),
        (422, WireError.VALIDATION, 1),
        (429, WireError.THROTTLING, 1),
        (201, WireError.MODEL_ERROR, 1),
        (301, WireError.UNAVAILABLE, 1),
        (500, WireError.UNAVAILABLE, 3),
        (502, WireError.UNAVAILABLE, 3),
        (503, WireError.UNAVAILABLE, 3),
        (504, WireError.MODEL_TIMEOUT, 1),
        (599, WireError.UNAVAILABLE, 1),
    ],
)
@pytest.mark.parametrize("streams", [False, True])
async def test_every_status_is_mapped(
    server: Server, connect: Connect, code: int, error: WireError, calls: int, streams: bool
) -> None:
    server.handler = status(code)
    failure = await failing(connect(api_key="SECRET"), streams=streams)
    assert failure.refusal.error is error
    assert len(server.bodies) == calls


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("999999", None), ("9999", 3600), ("-1", None), ("soon", None), ("٣", None)]
)
async def test_retry_after_is_passed_on_within_bounds(
    server: Server, connect: Connect, header: str, seconds: float | None
) -> None:
    server.handler = status(429, retry_after=header)
    assert (await failing(connect())).refusal.retry_after_s == seconds


async def test_an_unavailable_server_is_tried_again_with_longer_pauses(server: Server, connect: Connect) -> None:
    server.handler = in_turn(status(503), status(502), json_handler(whole()))
    pauses = Pauses()
    answer = await connect(sleep=pauses, bounds=Bounds(backoff_s=1.0)).converse(request())
    assert answer.content == ({"text": "Good day."},)
    assert 1 <= pauses.seconds[0] <= 2 <= pauses.seconds[1] <= 4


async def test_after_a_first_byte_nothing_is_tried_again(server: Server, connect: Connect) -> None:
    async def breaks(asked: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(asked)
        await response.write(chunk(content="Good "))
        assert asked.transport is not None
        asked.transport.abort()
        return response

    server.handler = breaks
    assert (await failing(connect(), streams=True)).refusal.error is WireError.UNAVAILABLE
    assert len(server.bodies) == 1


async def test_nobody_there(connect: Connect, unused_tcp_port: int) -> None:
    pauses = Pauses()
    failure = await failing(connect(f"http://127.0.0.1:{unused_tcp_port}", sleep=pauses))
    assert failure.refusal.error is WireError.UNAVAILABLE
    assert len(pauses.seconds) == 2


async def test_redirects_are_not_followed(server: Server, connect: Connect) -> None:
    server.handler = status(307, location=server.url + "/elsewhere")
    await failing(connect())
    assert server.paths == ["/v1/chat/completions"]


async def test_proxies_and_credentials_of_the_environment_are_not_used(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("OPENAI_API_KEY", "ambient")
    await connect().converse(request())
    assert "authorization" not in server.headers[0]


@pytest.mark.parametrize("bounds", [Bounds(idle_s=0.05), Bounds(total_s=0.05)], ids=["idle", "total"])
async def test_a_server_that_pauses_is_given_up(server: Server, connect: Connect, bounds: Bounds) -> None:
    server.handler = server.hang
    model = connect(bounds=bounds)
    assert (await failing(model, streams=True)).refusal.error is WireError.MODEL_TIMEOUT
    assert (await failing(model)).refusal.error is WireError.MODEL_TIMEOUT


async def test_leaving_a_stream_reaches_the_server(server: Server, connect: Connect) -> None:
    server.handler = server.hang
    async with aclosing(connect().converse_stream(request())) as events:
        assert "messageStart" in await anext(events)
        assert "contentBlockDelta" in await anext(events)
    await asyncio.wait_for(server.left.wait(), SOON)


async def test_cancelling_a_call_reaches_the_server_and_frees_its_place(server: Server, connect: Connect) -> None:
    server.handler = server.hang
    model = connect(bounds=Bounds(calls_max=1))
    task = asyncio.create_task(model.converse(request()))
    while not server.bodies:
        await asyncio.sleep(0)
    assert (await failing(model)).refusal.error is WireError.THROTTLING
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(server.left.wait(), SOON)
    server.handler = None
    assert (await model.converse(request())).content


async def test_a_connection_serves_more_than_one_stream(server: Server, connect: Connect) -> None:
    peers: set[Any] = set()

    async def noting(asked: web.Request) -> web.StreamResponse:
        assert asked.transport is not None
        peers.add(asked.transport.get_extra_info("peername"))
        response = await stream(chunk("stop", content="x"), USAGE)(asked)
        await asyncio.sleep(0.01)  # the end of the body comes after the client has read [DONE]
        return response

    server.handler = noting
    model = connect()
    for _ in range(3):
        await streamed(model)
    assert len(peers) == 1


NONSENSE: list[Any] = [
    b"",
    b"no",
    b"\xff",
    b"[" * 100_000,
    {},
    {"choices": []},
    {"choices": [{"finish_reason": "stop"}]},
    {"error": {"message": "SECRET"}},
    whole("x", None),
    whole("x", "SECRET"),
    whole(7),  # type: ignore[arg-type]
    {**whole(), "usage": {"prompt_tokens": -1, "completion_tokens": 1}},
    {**whole(), "usage": {"prompt_tokens": 1e300, "completion_tokens": 1}},
    {**whole(), "usage": {}},
    whole("x", tool_calls=[{"function": {"name": "n", "arguments": "{}"}}]),
    whole("x", tool_calls=[{"id": "a", "function": {"arguments": "{}"}}]),
    whole("x", tool_calls=[{"id": "a", "function": {"name": "n", "arguments": "{"}}]),
    whole("x", tool_calls=[{"id": "a", "function": {"name": "n", "arguments": "[]"}}]),
    whole("x", tool_calls=[CALLS[0]] * 129),
    gzip.compress(json.dumps(whole()).encode()),
]


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
async def test_a_nonsense_answer(server: Server, connect: Connect, body: Any) -> None:
    server.handler = json_handler(body)
    assert (await failing(connect())).refusal.error is WireError.MODEL_ERROR


async def test_a_compressed_answer_is_not_unpacked(server: Server, connect: Connect) -> None:
    async def bomb(_request: web.Request) -> web.StreamResponse:
        packed = gzip.compress(json.dumps(whole()).encode())
        return web.Response(body=packed, headers={"content-encoding": "gzip"})

    server.handler = bomb
    assert (await failing(connect())).refusal.error is WireError.MODEL_ERROR
    assert server.headers[0]["accept-encoding"] == "identity"


NONSENSE_STREAMS = [
    (),
    (chunk(content="no end"),),
    (b"data: no\n\n",),
    (event({"error": {"message": "SECRET"}}),),
    (chunk("SECRET", content="x"),),
    (chunk("stop", content="x"), event({"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": 0}})),
    (chunk("tool_calls", tool_calls=[{"index": 0, "function": {"arguments": "{}"}}]),),
    (chunk("tool_calls", tool_calls=[{"index": 1, "id": "a", "function": {"name": "n"}}]),),
    (chunk("tool_calls", tool_calls=[{"index": 500, "id": "a", "function": {"name": "n"}}]),),
    (
        chunk(tool_calls=[{"index": 0, "id": "a", "function": {"name": "n"}}]),
        chunk(tool_calls=[{"index": 1, "id": "b", "function": {"name": "o"}}]),
        chunk("tool_calls", tool_calls=[{"index": 0, "function": {"arguments": "{}"}}]),
    ),
]


@pytest.mark.parametrize("pieces", NONSENSE_STREAMS, ids=range(len(NONSENSE_STREAMS)))
async def test_a_nonsense_stream(server: Server, connect: Connect, pieces: tuple[bytes, ...]) -> None:
    server.handler = stream(*pieces)
    assert (await failing(connect(), streams=True)).refusal.error is WireError.MODEL_ERROR


async def test_sizes_are_bounded(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "RESPONSE_BYTES_MAX", 100_000)
    monkeypatch.setattr(sse, "EVENT_BYTES_MAX", 10_000)
    model = connect()
    server.handler = json_handler(whole("x" * 200_000))
    assert (await failing(model)).refusal.error is WireError.MODEL_ERROR
    for pieces in ((b"data: " + b"x" * 20_000,), (b"data: x\n" * 20_000,), (chunk(content="x" * 1_000),) * 200):
        server.handler = stream(*pieces)
        assert (await failing(model, streams=True)).refusal.error is WireError.MODEL_ERROR


async def test_done_ends_the_stream_whatever_follows(server: Server, connect: Connect) -> None:
    server.handler = stream(chunk("stop", content="x"), USAGE, DONE, chunk(content="more"))
    assert (await streamed(connect())).content == ({"text": "x"},)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nothing",
        "ftp://127.0.0.1",
        "http://",
        "http://example.com/v1",
        "http://10.0.0.1:8000",
        "https://user:SECRET@example.com",
        "https://example.com/?key=SECRET",
        "https://example.com/#x",
        "https://example.com:port",
        "https://[::1",
        "https://example.com/a b",
        "https://example.com/\u00e9",
        "https://ex\u00e4mple.com",
    ],
)
def test_an_address_that_may_not_be_called(url: str) -> None:
    with pytest.raises(StartError) as raised:
        endpoint(url, CHAT)
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("https://api.example.com", "https://api.example.com/v1/chat/completions"),
        ("https://api.example.com/openai/v1/", "https://api.example.com/openai/v1/chat/completions"),
        ("http://localhost:1", "http://localhost:1/v1/chat/completions"),
        ("http://[::1]:1/v1", "http://[::1]:1/v1/chat/completions"),
    ],
)
def test_an_address_that_may_be_called(url: str, full: str) -> None:
    assert endpoint(url, CHAT) == full


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "ключ"])
def test_a_key_that_cannot_be_sent(key: str) -> None:
    with pytest.raises(StartError):
        OpenAIModel("https://example.com", SystemClock(), api_key=key)
