"""The `bedrock` upstream against a local server that speaks its wire format, misbehaves and breaks."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp import web

from aws_world import LEASE, Connect, Pauses, calls_to, connecting
from bedrock_server import (
    SERVICE,
    Server,
    begun,
    body,
    event,
    exception,
    failing,
    frame,
    in_turn,
    running,
    said,
    stream,
    text,
    whole,
)
from caisson.adapters.aws.bedrock import calls as calls_module
from caisson.adapters.aws.bedrock.calls import Bounds
from caisson.adapters.aws.bedrock.failures import REPEATED, code_of, failed
from caisson.adapters.aws.bedrock.lease import Lease
from caisson.adapters.aws.model import BedrockModel
from caisson.adapters.aws.model import bedrock as bedrock_module
from caisson.adapters.aws.model.answer import FAILED_STOPS, STOP_REASONS, StreamReader
from caisson.errors import UpstreamError, WireError
from caisson.ports.model import ModelAnswer, ModelRequest, PinnedGuardrail, Usage
from caisson.zones.z2_runtime.answer import collect

SOON = 5.0
"""Seconds after which a test that should not wait has failed."""
PIN = PinnedGuardrail(identifier="gr1", version="3")
ARN = "arn:aws:bedrock:eu-west-1:000000000000:inference-profile/eu.amazon.nova-lite-v1:0"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running() as made:
        yield made
        assert not made.problems


@pytest.fixture
async def connect(server: Server) -> AsyncIterator[Connect]:
    async with connecting(server) as make:
        yield make


def request(**changes: Any) -> ModelRequest:
    fields: dict[str, Any] = {
        "request_id": "r-1",
        "model_id": "anthropic.claude-x-v1:0",
        "system": (),
        "messages": ({"role": "user", "content": [{"text": "hi"}]},),
        "output_tokens_max": 50,
        "session_id": "s-1",
        "user": "alice",
    }
    return ModelRequest(**{**fields, **changes})


async def streamed(model: BedrockModel, given: ModelRequest | None = None) -> ModelAnswer:
    async with asyncio.timeout(SOON), aclosing(model.converse_stream(given or request())) as events:
        return collect([event async for event in events])


async def failing_call(model: BedrockModel, *, streams: bool = False) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        async with asyncio.timeout(SOON):
            await (streamed(model) if streams else model.converse(request()))
    assert "SECRET" not in f"{raised.value} {raised.value.refusal}"
    return raised.value


# What is sent


async def test_the_whole_request_is_mapped(server: Server, connect: Connect) -> None:
    given = request(
        system=(
            {"text": "Be kind."},
            {"cachePoint": {"type": "default"}},
            {"guardContent": {"text": {"text": "Rule"}}},
        ),
        messages=(
            {
                "role": "user",
                "content": [
                    {"guardContent": {"text": {"text": "tagged", "qualifiers": ["guard_content"]}}},
                    {
                        "document": {
                            "format": "md",
                            "name": "terms_of  [EMAIL_7f3a9c].v2",
                            "context": "old",
                            "source": {"text": "Päy."},
                        }
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                    {"toolUse": {"toolUseId": "a", "name": "n", "input": {"k": 1}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": "a",
                            "status": "error",
                            "content": [
                                {"text": "t"},
                                {"json": {"x": 2}},
                                {"document": {"name": "d", "source": {"text": "D"}}},
                            ],
                        }
                    },
                ],
            },
        ),
        inference={"temperature": 0.5, "topP": 0.25, "topK": 3, "stopSequences": ["END"]},
        tools={
            "tools": [{"toolSpec": {"name": "n", "inputSchema": {"json": {"type": "object"}}}}],
            "toolChoice": {"any": {}},
        },
        guardrail=PIN,
    )
    await connect().converse(given)
    (sent,) = server.bodies
    labels = sent.pop("requestMetadata")
    assert sent == {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"text": "tagged"},
                    {
                        "document": {
                            "name": "terms-of [EMAIL-7f3a9c]-v2",
                            "format": "md",
                            "source": {"bytes": base64.b64encode("Päy.".encode()).decode()},
                            "context": "old",
                        }
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                    {"toolUse": {"toolUseId": "a", "name": "n", "input": {"k": 1}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "toolResult": {
                            "toolUseId": "a",
                            "status": "error",
                            "content": [
                                {"text": "t"},
                                {"json": {"x": 2}},
                                {"document": {"name": "d", "format": "txt", "source": {"bytes": "RA=="}}},
                            ],
                        }
                    }
                ],
            },
        ],
        "system": [{"text": "Be kind."}, {"cachePoint": {"type": "default"}}, {"text": "Rule"}],
        "inferenceConfig": {"maxTokens": 50, "temperature": 0.5, "topP": 0.25, "stopSequences": ["END"]},
        "additionalModelRequestFields": {"top_k": 3},
        "toolConfig": given.tools,
        "guardrailConfig": {"guardrailIdentifier": "gr1", "guardrailVersion": "3", "trace": "enabled_full"},
    }
    assert labels["caisson-session"] == "s-1"
    assert labels["caisson-request"] == "r-1"


async def test_the_user_is_a_pseudonym_the_same_each_time_and_another_under_another_key(
    server: Server, connect: Connect
) -> None:
    model = connect()
    for user in ("alice", "alice", "bob"):
        await model.converse(request(user=user))
    other = BedrockModel(calls_to(server), model._clock, pseudonym_secret=b"q" * 32)
    await other.converse(request())
    await other.close()
    alice, again, bob, elsewhere = (sent["requestMetadata"]["caisson-user"] for sent in server.bodies)
    assert alice == again
    assert len({alice, bob, elsewhere}) == 3
    assert "alice" not in str(server.bodies) + str(server.headers)


async def test_nova_takes_its_top_k_in_its_own_place(server: Server, connect: Connect) -> None:
    await connect().converse(request(model_id=ARN, inference={"topK": 7}))
    assert server.bodies[0]["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 7}}
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1_024}}
    await connect().converse(request(inference={"topK": 7}, additional=thinking))
    assert server.bodies[1]["additionalModelRequestFields"] == {**thinking, "top_k": 7}


async def test_a_streams_guardrail_is_waited_for(server: Server, connect: Connect) -> None:
    await streamed(connect(), request(guardrail=PIN))
    assert server.bodies[0]["guardrailConfig"] == {
        "guardrailIdentifier": "gr1",
        "guardrailVersion": "3",
        "trace": "enabled_full",
        "streamProcessingMode": "sync",
    }


@pytest.mark.parametrize("model_id", ["anthropic.claude-x-v1:0", ARN, "a/b:c.d"])
async def test_a_model_id_is_encoded_once_on_the_wire_and_signed_so(
    server: Server, connect: Connect, model_id: str
) -> None:
    await connect().converse(request(model_id=model_id))
    encoded = model_id.replace(":", "%3A").replace("/", "%2F")
    assert server.paths == [f"/model/{encoded}/converse"]
    assert server.operations == ["Converse"]  # the server's botocore made the same signature


async def test_nothing_of_the_environment_is_used(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENT000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "ambient")
    await connect().converse(request())
    assert "AKIAAMBIENT" not in str(server.headers)
    assert server.headers[0]["authorization"].startswith("AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE")


# What comes back


async def test_a_whole_answer_of_every_kind(server: Server, connect: Connect) -> None:
    content = (
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        {"text": "a"},
        {"toolUse": {"toolUseId": "t", "name": "n", "input": {"k": [1, None]}}},
    )
    server.handler = body(whole(*content, stop="tool_use"))
    answer = await connect().converse(request())
    assert answer.content == content
    assert (answer.stop_reason, answer.usage) == ("tool_use", Usage(input_tokens=11, output_tokens=3))
    assert answer.guardrail_actions == ()


async def test_the_same_as_a_stream_whatever_the_cutting(server: Server, connect: Connect) -> None:
    events = [
        event("messageStart", role="assistant"),
        event("contentBlockDelta", contentBlockIndex=0, delta={"reasoningContent": {"text": "h"}}),
        event("contentBlockDelta", contentBlockIndex=0, delta={"reasoningContent": {"text": "m"}}),
        event("contentBlockDelta", contentBlockIndex=0, delta={"reasoningContent": {"signature": "s"}}),
        event("contentBlockStop", contentBlockIndex=0),
        event("contentBlockStart", contentBlockIndex=1, start={"toolUse": {"toolUseId": "t", "name": "n"}}),
        event("contentBlockDelta", contentBlockIndex=1, delta={"toolUse": {"input": '{"k": '}}),
        event("contentBlockDelta", contentBlockIndex=1, delta={"toolUse": {"input": "1}"}}),
        event("contentBlockStop", contentBlockIndex=1),
        frame(b"{}", event_type="somethingNew", message_type="event"),
        event("messageStop", stopReason="tool_use"),
        event("metadata", usage={"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}, metrics={"latencyMs": 1}),
    ]
    for size in (1, 7, 100_000):
        server.handler = stream(*events, size=size)
        answer = await streamed(connect())
        assert answer.content == (
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            {"toolUse": {"toolUseId": "t", "name": "n", "input": {"k": 1}}},
        )
        assert answer.usage == Usage(input_tokens=1, output_tokens=2)


@pytest.mark.parametrize("streams", [False, True])
async def test_cached_tokens_are_counted(server: Server, connect: Connect, streams: bool) -> None:
    usage = {
        "inputTokens": 5,
        "outputTokens": 3,
        "totalTokens": 108,
        "cacheReadInputTokens": 80,
        "cacheWriteInputTokens": 20,
    }
    if streams:
        server.handler = stream(*said("hi", usage=usage))
        async with aclosing(connect().converse_stream(request())) as events:
            found = [item async for item in events][-1]["metadata"]["usage"]
        assert found == {"inputTokens": 105, "outputTokens": 3, "totalTokens": 108, "cachedInputTokens": 100}
    else:
        server.handler = body(whole(usage=usage))
        answer = await connect().converse(request())
        assert answer.usage == Usage(input_tokens=105, output_tokens=3, cached_input_tokens=100)


def test_every_stop_reason_of_the_service_has_a_meaning() -> None:
    assert set(SERVICE.shape_for("StopReason").enum) == set(STOP_REASONS) | FAILED_STOPS


@pytest.mark.parametrize("reason", sorted(FAILED_STOPS))
async def test_an_answer_that_the_model_calls_malformed_is_an_error(
    server: Server, connect: Connect, reason: str
) -> None:
    server.handler = body(whole(stop=reason))
    assert (await failing_call(connect())).refusal.error is WireError.MODEL_ERROR


async def test_content_of_an_unknown_kind_keeps_its_name_for_the_inspection_to_refuse(
    server: Server, connect: Connect
) -> None:
    image = {"image": {"format": "png", "source": {"bytes": "AAAA"}}}
    server.handler = in_turn(
        body({**whole(), "output": {"message": {"role": "assistant", "content": [image]}}}),
        stream(
            event("messageStart", role="assistant"),
            event("contentBlockStart", contentBlockIndex=0, start={"image": {"format": "png"}}),
            event("contentBlockDelta", contentBlockIndex=0, delta={"image": {"error": {"message": "SECRET"}}}),
            frame(b'{"contentBlockIndex":0,"delta":{}}', event_type="contentBlockDelta", message_type="event"),
            *said()[-2:],
        ),
    )
    model = connect()
    assert (await model.converse(request())).content == ({"image": ""},)
    async with aclosing(model.converse_stream(request())) as events:
        found = [item async for item in events]
    assert found[1] == {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"image": ""}}}
    assert "messageStop" in found[2]


# Guardrails of AWS


def assessment(policy: str, **fields: Any) -> dict[str, Any]:
    return {policy: fields, "invocationMetrics": {"guardrailProcessingLatency": 40}}


BLOCKED_TRACE = {
    "guardrail": {
        "inputAssessment": {
            "gr1": assessment("contentPolicy", filters=[{"type": "HATE", "confidence": "LOW", "action": "NONE"}])
        },
        "outputAssessments": {
            "gr1": [
                assessment(
                    "sensitiveInformationPolicy",
                    piiEntities=[{"match": "SECRET", "type": "NAME", "action": "BLOCKED"}],
                    regexes=[],
                )
            ]
        },
    }
}


@pytest.mark.parametrize("streams", [False, True])
async def test_an_intervention_becomes_rows_of_the_record(server: Server, connect: Connect, streams: bool) -> None:
    given = request(guardrail=PIN)
    if streams:
        server.handler = stream(*said("Sorry.", stop="guardrail_intervened", trace=BLOCKED_TRACE))
        async with aclosing(connect().converse_stream(given)) as events:
            rows = [item async for item in events][-1]["metadata"]["guardrailActions"]
    else:
        server.handler = body(whole(stop="guardrail_intervened", trace=BLOCKED_TRACE))
        answer = await connect().converse(given)
        assert answer.stop_reason == "guardrail_intervened"
        rows = answer.guardrail_actions
    assert [(row.stage, row.decision, row.rule, row.guardrail_id, row.guardrail_version) for row in rows] == [
        ("input", "pass", "", "gr1", "3"),
        ("output", "blocked", "pii.NAME", "gr1", "3"),
    ]
    assert rows[1].latency_ms == 40
    assert "SECRET" not in str(rows)


async def test_a_guardrail_without_evidence_is_flagged_and_an_unexplained_stop_is_a_block(
    server: Server, connect: Connect
) -> None:
    model = connect()
    answer = await model.converse(request(guardrail=PIN))
    assert [(row.decision, row.rule) for row in answer.guardrail_actions] == [("flagged", "aws.untraced")]
    other = {"guardrail": {"inputAssessment": {"elsewhere": assessment("topicPolicy", topics=[])}}}
    server.handler = body(whole(trace=other))
    answer = await model.converse(request(guardrail=PIN))
    assert [(row.decision, row.rule) for row in answer.guardrail_actions] == [("pass", ""), ("flagged", "aws.untraced")]
    server.handler = body(whole(stop="guardrail_intervened"))
    answer = await model.converse(request())
    assert [(row.decision, row.rule) for row in answer.guardrail_actions] == [("blocked", "aws.unexplained")]


# Errors


STATUS_OF = {
    name: SERVICE.shape_for(name).metadata["error"]["httpStatusCode"]
    for name in SERVICE.shape_names
    if SERVICE.shape_for(name).metadata.get("exception")
}
EXPECTED = {
    "AccessDeniedException": WireError.UNAVAILABLE,
    "ConflictException": WireError.UNAVAILABLE,
    "InternalServerException": WireError.UNAVAILABLE,
    "ModelErrorException": WireError.MODEL_ERROR,
    "ModelNotReadyException": WireError.UNAVAILABLE,
    "ModelStreamErrorException": WireError.MODEL_ERROR,
    "ModelTimeoutException": WireError.MODEL_TIMEOUT,
    "ResourceNotFoundException": WireError.UNAVAILABLE,
    "ServiceQuotaExceededException": WireError.THROTTLING,
    "ServiceUnavailableException": WireError.UNAVAILABLE,
    "ThrottlingException": WireError.THROTTLING,
    "ValidationException": WireError.VALIDATION,
}


def test_every_error_of_the_service_model_has_a_row() -> None:
    assert set(EXPECTED) == set(STATUS_OF)


@pytest.mark.parametrize("code", sorted(EXPECTED))
@pytest.mark.parametrize("streams", [False, True])
async def test_every_error_before_the_first_byte(server: Server, connect: Connect, code: str, streams: bool) -> None:
    server.handler = failing(code, STATUS_OF[code], retry_after="7")
    failure = await failing_call(connect(), streams=streams)
    assert failure.refusal.error is EXPECTED[code]
    assert code in str(failure)
    assert failure.refusal.retry_after_s == (7 if EXPECTED[code] is WireError.THROTTLING else None)
    assert len(server.paths) == (3 if code in REPEATED else 1)


IN_STREAMS = [
    name
    for name, shape in SERVICE.operation_model("ConverseStream").get_event_stream_output().members.items()
    if shape.metadata.get("exception")
]


@pytest.mark.parametrize("kind", IN_STREAMS)
@pytest.mark.parametrize("after", [0, 3])
async def test_every_error_in_the_middle_of_a_stream(server: Server, connect: Connect, kind: str, after: int) -> None:
    server.handler = stream(*said("Good ", "day.")[:after], exception(kind))
    failure = await failing_call(connect(), streams=True)
    assert failure.refusal.error is EXPECTED[code_of(kind)]
    assert len(server.paths) == 1  # never again after the first byte


def test_streams_have_the_exceptions_that_we_know_of() -> None:
    assert {code_of(kind) for kind in IN_STREAMS} == {
        "InternalServerException",
        "ModelStreamErrorException",
        "ThrottlingException",
        "ValidationException",
        "ServiceUnavailableException",
    }


async def test_a_stream_that_says_error_instead_of_exception(server: Server, connect: Connect) -> None:
    server.handler = stream(
        said()[0], frame(b"", message_type="error", error_code="InternalError", error_message="'SECRET'")
    )
    assert (await failing_call(connect(), streams=True)).refusal.error is WireError.UNAVAILABLE


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, WireError.UNAVAILABLE), (400, WireError.VALIDATION), (401, WireError.UNAVAILABLE),
        (403, WireError.UNAVAILABLE), (404, WireError.UNAVAILABLE), (408, WireError.MODEL_TIMEOUT),
        (413, WireError.VALIDATION), (418, WireError.MODEL_ERROR), (424, WireError.MODEL_ERROR),
        (429, WireError.THROTTLING), (500, WireError.UNAVAILABLE), (504, WireError.MODEL_TIMEOUT),
    ],
)  # fmt: skip
def test_a_status_counts_where_there_is_no_code(status: int, expected: WireError) -> None:
    assert failed("", status, "").refusal.error is expected
    assert failed("BrandNewException", status, "").refusal.error is expected


async def test_access_denied_is_the_operators_and_its_reason_is_in_the_record_alone(
    server: Server, connect: Connect
) -> None:
    server.handler = failing("AccessDeniedException", 403)
    failure = await failing_call(connect())
    assert "check that the profile may call this model" in failure.refusal.rationale
    assert "was here" in failure.refusal.rationale
    assert failure.refusal.message == "The model endpoint is unavailable; retry later or ask the operator."


@pytest.mark.parametrize("header", ["", "-1", "1e9", "Wed, 21 Oct 2026 07:28:00 GMT", "99999"])
def test_an_odd_retry_after_is_not_believed(header: str) -> None:
    assert failed("ThrottlingException", 429, "", header).refusal.retry_after_s is None


async def test_a_wrong_secret_is_noticed_by_the_server(server: Server, connect: Connect) -> None:
    wrong = Lease(access_key_id=LEASE.access_key_id, secret_access_key="wrong", session_token=LEASE.session_token)
    failure = await failing_call(connect(wrong))
    assert failure.refusal.error is WireError.UNAVAILABLE
    assert "clock" in failure.refusal.rationale


async def test_passing_troubles_are_tried_again_with_growing_pauses(server: Server, connect: Connect) -> None:
    pauses = Pauses()
    server.handler = in_turn(failing("ModelNotReadyException", 429), failing("", 502), body(whole({"text": "at last"})))
    answer = await connect(sleep=pauses, bounds=Bounds(backoff_s=1.0)).converse(request())
    assert answer.content == ({"text": "at last"},)
    assert len(pauses.seconds) == 2
    assert 1 <= pauses.seconds[0] <= 2 <= pauses.seconds[1] <= 4


async def test_each_attempt_is_signed_by_the_credentials_of_its_time(server: Server, connect: Connect) -> None:
    server.handler = in_turn(failing("ServiceUnavailableException", 503), body(whole()))
    model = connect()
    model._calls._sleep = lambda _seconds: _replace(model)  # type: ignore[assignment]
    failure = await failing_call(model)
    assert "withdrawn" in failure.refusal.rationale
    assert len(server.paths) == 1


async def _replace(model: BedrockModel) -> None:
    model._calls._access.put(Lease(problem="withdrawn"))


# Streams that break


def raw(kind: str, payload: bytes) -> bytes:
    return frame(payload, event_type=kind, message_type="event")


def with_piece(piece: bytes, at: int = 1) -> bytes:
    """A stream that is whole but for one piece in it."""
    events = said("Good day.")
    return b"".join([*events[:at], piece, *events[at:]])


def without(*indexes: int) -> bytes:
    """A stream of which some events are missing."""
    return b"".join(event for index, event in enumerate(said("Good day.")) if index not in indexes)


TWO_KINDS = b'{"contentBlockIndex":0,"delta":{"text":"a","reasoningContent":{"text":"b"}}}'
BROKEN = {
    "cut inside a frame": lambda: with_piece(b"")[:-9],
    "cut between frames": lambda: without(4),
    "more than whole": lambda: with_piece(b"\0" * 11, at=5),
    "nothing at all": lambda: b"",
    "wrong checksum": lambda: with_piece(b"")[:-1] + b"\0",
    "no event stream": lambda: b"<html>" * 50,
    "content first": lambda: without(0),
    "two beginnings": lambda: with_piece(said()[0]),
    "content after the end": lambda: with_piece(text("more"), at=4),
    "metadata too early": lambda: with_piece(b"")[: -len(said()[-1] + said()[-2])] + said()[-1],
    "two endings": lambda: with_piece(said()[-1], at=5),
    "after the last": lambda: with_piece(text("more"), at=5),
    "no JSON": lambda: with_piece(raw("contentBlockDelta", b"no")),
    "two kinds": lambda: with_piece(raw("contentBlockDelta", TWO_KINDS)),
    "no index": lambda: with_piece(raw("contentBlockDelta", b'{"delta":{"text":"a"}}')),
    "negative index": lambda: with_piece(raw("contentBlockStop", b'{"contentBlockIndex":-1}')),
    "unknown message": lambda: with_piece(frame(b"{}", event_type="x", message_type="gossip")),
    "unknown stop": lambda: without(3)[: -len(said()[-1])] + raw("messageStop", b'{"stopReason":"x"}') + said()[-1],
    "frame too large": lambda: with_piece(text("x" * (bedrock_module.FRAME_BYTES_MAX + 1))),
    "headers too large": lambda: with_piece(raw("x" * (bedrock_module.HEADER_BYTES_MAX + 1), b"{}")),
}


async def test_the_stream_that_the_broken_ones_are_made_from_is_sound(server: Server, connect: Connect) -> None:
    server.handler = stream(with_piece(text("x" * (bedrock_module.FRAME_BYTES_MAX - 200))))
    assert (await streamed(connect())).stop_reason == "end_turn"


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_stream_is_a_model_error(server: Server, connect: Connect, name: str) -> None:
    server.handler = stream(BROKEN[name]())
    assert (await failing_call(connect(), streams=True)).refusal.error is WireError.MODEL_ERROR


def test_usage_does_not_stand_for_the_end_of_a_message() -> None:
    reader = StreamReader(None)
    reader.event("messageStart", b"{}")
    with pytest.raises(ValueError, match="before the message ended"):
        reader.event("metadata", b'{"usage":{"inputTokens":1,"outputTokens":1},"metrics":{}}')


@pytest.mark.parametrize("nonsense", [b"", b"no", b"[]", b'{"output":{}}', b'{"output":' * 5_000, b"\xff"])
async def test_a_whole_answer_that_is_nonsense(server: Server, connect: Connect, nonsense: bytes) -> None:
    server.handler = body(nonsense)
    assert (await failing_call(connect())).refusal.error is WireError.MODEL_ERROR


@pytest.mark.parametrize("streams", [False, True])
async def test_a_connection_that_breaks(server: Server, connect: Connect, streams: bool) -> None:
    async def breaks(given: web.Request) -> web.StreamResponse:
        response = await begun(given)
        await response.write(said()[0][:20])
        assert given.transport is not None
        given.transport.abort()
        return response

    server.handler = breaks
    assert (await failing_call(connect(), streams=streams)).refusal.error in (
        WireError.UNAVAILABLE,
        WireError.MODEL_ERROR,
    )


async def test_a_pause_is_not_waited_out_and_the_connection_is_closed(server: Server, connect: Connect) -> None:
    server.handler = server.hang
    failure = await failing_call(connect(bounds=Bounds(idle_s=0.1)), streams=True)
    assert failure.refusal.error is WireError.MODEL_TIMEOUT
    await asyncio.wait_for(server.left.wait(), SOON)


@pytest.mark.parametrize("streams", [False, True])
async def test_the_total_time_is_bounded(server: Server, connect: Connect, streams: bool) -> None:
    server.handler = server.hang
    failure = await failing_call(connect(bounds=Bounds(total_s=0.2)), streams=streams)
    assert failure.refusal.error is WireError.MODEL_TIMEOUT


async def test_an_endless_stream_ends(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_module, "RESPONSE_BYTES_MAX", 1_000_000)
    server.handler = server.endless
    assert (await failing_call(connect(), streams=True)).refusal.error is WireError.MODEL_ERROR
    await asyncio.wait_for(server.left.wait(), SOON)


async def test_a_huge_whole_answer_is_cut(server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_module, "RESPONSE_BYTES_MAX", 10_000)
    server.handler = body(whole({"text": "x" * 20_000}))
    assert (await failing_call(connect())).refusal.error is WireError.MODEL_ERROR


async def test_leaving_a_stream_closes_its_connection(server: Server, connect: Connect) -> None:
    server.handler = server.hang
    async with aclosing(connect().converse_stream(request())) as events:
        await anext(events)
        await anext(events)
    await asyncio.wait_for(server.left.wait(), SOON)


async def test_being_cancelled_closes_its_connection(server: Server, connect: Connect) -> None:
    server.handler = server.hang
    task = asyncio.create_task(streamed(connect()))
    while not server.bodies:
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(server.left.wait(), SOON)


async def test_calls_under_way_are_bounded_and_come_free_again(server: Server, connect: Connect) -> None:
    server.handler = server.hang
    model = connect(bounds=Bounds(calls_max=1))
    async with aclosing(model.converse_stream(request())) as events:
        await anext(events)
        failure = await failing_call(model)
        assert (failure.refusal.error, failure.refusal.retry_after_s) == (WireError.THROTTLING, 1)
    server.handler = None
    assert (await model.converse(request())).content


async def test_a_redirect_is_not_followed(server: Server, connect: Connect) -> None:
    async def moved(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"location": server.url + "/model/other/converse"})

    server.handler = moved
    assert (await failing_call(connect())).refusal.error is WireError.UNAVAILABLE
    assert len(server.paths) == 1


async def test_an_unreachable_endpoint_is_tried_and_given_up(server: Server) -> None:
    server.url = "http://127.0.0.1:1"
    pauses = Pauses()
    async with connecting(server) as make:
        assert (await failing_call(make(sleep=pauses))).refusal.error is WireError.UNAVAILABLE
    assert len(pauses.seconds) == 2
