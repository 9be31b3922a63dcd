"""The request path over fakes: what each step decides, and that steps 10 and 11 run however it ends."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.channels.messages import Message, RequestEvent, ResponseEvent
from caisson.errors import CallerError, ChannelError, LedgerBusy, Refusal, UpstreamError, WireError
from caisson.system.schema import System
from caisson.zones.z2_runtime import lost, pipeline
from caisson.zones.z2_runtime.answer import collect, events_of
from caisson.zones.z2_runtime.operations import Operation
from caisson.zones.z2_runtime.runtime import Snapshot
from caisson.zones.z2_runtime.steps import s04_budget
from request_path import (
    FakeGuardrail,
    FakeModel,
    HeldClock,
    ListWriter,
    made_exchange,
    made_runtime,
    made_system,
    text_events,
)


def _with_cards(system: System) -> System:
    """The same with a rule for payment cards."""
    main = system.guardrails["main"]
    cards = {"CREDIT_DEBIT_CARD_NUMBER": "pseudonymise"}
    return system.model_copy(update={"guardrails": {"main": main.model_copy(update={"pii": cards})}})


@pytest.fixture
def system_of() -> Callable[[int], System]:
    return made_system


@pytest.fixture
def system() -> System:
    return made_system(2)


async def run(exchange) -> Refusal | None:
    refusal = await pipeline.admit(exchange)
    return refusal or await pipeline.answer(exchange)


async def streamed(exchange) -> list[dict[str, Any]]:
    assert await pipeline.admit(exchange) is None
    return [event async for event in pipeline.stream(exchange)]


def delivered(events: list[dict[str, Any]]) -> str:
    return "".join(e["contentBlockDelta"]["delta"].get("text", "") for e in events if "contentBlockDelta" in e)


async def test_an_answered_request_has_both_events_and_is_charged(tmp_path: Path, system: System) -> None:
    runtime = await made_runtime(tmp_path, system, FakeModel())
    exchange = made_exchange(runtime)
    assert await run(exchange) is None
    assert exchange.answer is not None
    assert exchange.answer.content == ({"text": "hello"},)
    request, response = runtime.events.messages  # type: ignore[attr-defined]
    assert isinstance(request, RequestEvent)
    assert isinstance(response, ResponseEvent)
    assert request.input_text == "[user] hi"
    assert (response.outcome, response.input_tokens, response.output_tokens) == ("answered", 10, 5)
    assert [action.stage for action in response.guardrail_actions] == ["input", "output"]
    balance = await runtime.ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert (balance.tokens_used, balance.tokens_reserved, balance.actions_used) == (15, 0, 1)


async def test_the_model_sees_masked_text_and_the_record_raw(tmp_path: Path, system: System) -> None:
    model = FakeModel()
    runtime = await made_runtime(tmp_path, system, model)
    body = orjson.dumps(
        {"system": [{"text": "SECRET"}], "messages": [{"role": "user", "content": [{"text": "a SECRET b"}]}]}
    )
    assert await run(made_exchange(runtime, body)) is None
    (request,) = model.requests
    assert request.messages[0]["content"][0]["text"] == "a [X] b"
    assert request.system[0]["text"] == "[X]"
    assert "a SECRET b" in runtime.events.messages[0].input_text  # type: ignore[attr-defined]


async def test_blocked_input_never_reaches_the_model(tmp_path: Path, system: System) -> None:
    model = FakeModel()
    runtime = await made_runtime(tmp_path, system, model)
    exchange = made_exchange(runtime, b'{"messages":[{"role":"user","content":[{"text":"BLOCK"}]}]}')
    assert await run(exchange) is None
    assert model.requests == []
    assert exchange.answer is not None
    assert exchange.answer.stop_reason == "guardrail_intervened"
    assert exchange.answer.content == ({"text": "input blocked"},)
    response = runtime.events.messages[1]  # type: ignore[attr-defined]
    assert (response.outcome, response.step, response.rule) == ("blocked", "6 inspect input", "fake.block")


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(st.sampled_from(["SECRET", "BLOCK", "SEC", "RET", "B", "a", " ", "é", "🙂"]), max_size=12).map(
        "".join
    ),
    cuts=st.lists(st.integers(0, 40), max_size=8),
)
def test_streamed_bytes_equal_whole_bytes(tmp_path_factory: pytest.TempPathFactory, text: str, cuts: list[int]) -> None:
    """For every text and every way of cutting the upstream's answer."""

    async def both() -> None:
        folder = tmp_path_factory.mktemp("cut")
        system = made_system(2)
        at = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
        pieces = [text[a:b] for a, b in itertools.pairwise(at)]
        whole_runtime = await made_runtime(folder, system, FakeModel([{"text": text}]))
        whole = made_exchange(whole_runtime)
        assert await run(whole) is None
        assert whole.answer is not None
        runtime = await made_runtime(folder, system, FakeModel(events=text_events(pieces)))
        exchange = made_exchange(runtime)
        events = await streamed(exchange)
        assert delivered(events) == "".join(block["text"] for block in whole.answer.content)
        assert exchange.stop_reason == whole.stop_reason
        for used in (runtime, whole_runtime):
            used.ledger.close()

    asyncio.run(both())


async def test_a_block_stops_the_stream_and_the_upstream(tmp_path: Path, system: System) -> None:
    model = FakeModel(events=text_events(["good BLO", "CK never", " ever"]))
    runtime = await made_runtime(tmp_path, system, model)
    events = await streamed(made_exchange(runtime))
    assert delivered(events) == "good output blocked"
    assert events[-2] == {"messageStop": {"stopReason": "guardrail_intervened"}}
    assert model.closed_early
    response = runtime.events.messages[-1]  # type: ignore[attr-defined]
    assert (response.outcome, response.step) == ("blocked", "9 inspect output")


async def test_a_client_that_leaves_closes_the_upstream_and_is_charged_a_bound(tmp_path: Path, system: System) -> None:
    model = FakeModel(events=text_events(["a long beginning of an answer", "more"]))
    runtime = await made_runtime(tmp_path, system, model)
    exchange = made_exchange(runtime)
    assert await pipeline.admit(exchange) is None
    stream = pipeline.stream(exchange)
    async for event in stream:
        if "contentBlockDelta" in event:
            break
    await stream.aclose()
    assert model.closed_early
    response = runtime.events.messages[-1]  # type: ignore[attr-defined]
    assert response.outcome == "cancelled"
    assert response.metadata["usage"] == "upper bound"
    balance = await runtime.ledger.balance("s-1", now=2.0)
    assert balance is not None
    assert balance.tokens_reserved == 0
    assert balance.tokens_used >= len("a long beginning of an answer")


async def test_a_failure_in_mid_stream_is_recorded_and_raised(tmp_path: Path, system: System) -> None:
    failure = UpstreamError("gone", Refusal(error=WireError.UNAVAILABLE, message="gone", rule="upstream.gone"))
    runtime = await made_runtime(tmp_path, system, FakeModel(events=[*text_events(["hello world"])[:2], failure]))
    exchange = made_exchange(runtime)
    assert await pipeline.admit(exchange) is None
    with pytest.raises(UpstreamError):
        _ = [event async for event in pipeline.stream(exchange)]
    response = runtime.events.messages[-1]  # type: ignore[attr-defined]
    assert (response.outcome, response.rule) == ("failed", "upstream.gone")


@pytest.mark.parametrize("streaming", [False, True])
async def test_an_answer_that_cannot_be_recorded_is_withheld(tmp_path: Path, system_of: Any, streaming: bool) -> None:
    runtime = await made_runtime(tmp_path, system_of(3), FakeModel(events=text_events(["hello"])))
    exchange = made_exchange(runtime)
    assert await pipeline.admit(exchange) is None
    runtime.events.disk_broken = True  # type: ignore[attr-defined]
    if streaming:
        seen: list[dict[str, Any]] = []
        with pytest.raises(CallerError) as refused:
            async for event in pipeline.stream(exchange):
                seen.append(event)
        assert not any("messageStop" in event for event in seen)
    else:
        with pytest.raises(CallerError) as refused:
            await pipeline.answer(exchange)
    assert refused.value.refusal.rule == "record.response"


async def test_from_tier_3_the_closing_events_wait_for_stable_storage(tmp_path: Path, system_of: Any) -> None:
    runtime = await made_runtime(tmp_path, system_of(3), FakeModel(events=text_events(["hello"])))
    exchange = made_exchange(runtime)
    assert await pipeline.admit(exchange) is None
    writer: ListWriter = runtime.events  # type: ignore[assignment]
    async for event in pipeline.stream(exchange):
        if "messageStop" in event:
            assert writer.synced == len(writer.messages) == 2


@pytest.mark.parametrize("tier", [1, 2, 3])
async def test_over_a_queue_an_answer_waits_for_it_in_every_tier(tmp_path: Path, system_of: Any, tier: int) -> None:
    """What waits in this process's folder goes with it."""
    runtime = await made_runtime(tmp_path, system_of(tier), FakeModel(events=text_events(["hello"])))
    writer: ListWriter = runtime.events  # type: ignore[assignment]
    writer.outlives = False
    exchange = made_exchange(runtime)
    assert await pipeline.admit(exchange) is None
    async for event in pipeline.stream(exchange):
        if "messageStop" in event:
            assert writer.synced == len(writer.messages) == 2


async def test_what_the_queue_did_not_take_is_told_by_the_reservation(tmp_path: Path, system_of: Any) -> None:
    """And the reservation stays until the queue has that."""
    runtime = await made_runtime(tmp_path, system_of(1), FakeModel(events=text_events(["hello"])))
    writer: ListWriter = runtime.events  # type: ignore[assignment]
    writer.outlives = False
    exchange = made_exchange(runtime)
    assert await pipeline.admit(exchange) is None
    writer.disk_broken = True
    with pytest.raises(CallerError) as refused:
        await pipeline.answer(exchange)
    assert refused.value.refusal.rule == "record.response"
    clock: HeldClock = runtime.clock  # type: ignore[assignment]
    clock.at += 1e6
    for _ in range(2):
        assert await lost.sweep(runtime) == 0
    writer.disk_broken = False
    assert await lost.sweep(runtime) == 1
    assert writer.messages[-1].outcome == "lost"  # type: ignore[attr-defined]
    assert await lost.sweep(runtime) == 0


async def test_a_request_that_cannot_be_recorded_does_not_happen(tmp_path: Path, system: System) -> None:
    model = FakeModel()
    runtime = await made_runtime(tmp_path, system, model)
    runtime.events.broken = True  # type: ignore[attr-defined]
    with pytest.raises(CallerError) as refused:
        await pipeline.admit(made_exchange(runtime))
    assert refused.value.refusal.error is WireError.UNAVAILABLE
    assert model.requests == []


async def test_a_guardrail_that_did_not_see_everything_stops_the_request(tmp_path: Path, system: System) -> None:
    model = FakeModel()
    runtime = await made_runtime(tmp_path, system, model)
    guardrail = FakeGuardrail()
    guardrail.lazy = True
    runtime.snapshot = type(runtime.snapshot).of(version=1, system=system, guardrail=guardrail)
    refusal = await pipeline.admit(made_exchange(runtime))
    assert refusal is not None
    assert refusal.rule == "guardrail.coverage"
    assert model.requests == []


async def test_another_agents_model_is_refused_and_both_events_say_so(tmp_path: Path, system: System) -> None:
    runtime = await made_runtime(tmp_path, system, FakeModel())
    refusal = await pipeline.admit(made_exchange(runtime, target="amazon.nova-lite-v1:0"))
    assert refusal is not None
    assert refusal.error is WireError.ACCESS_DENIED
    request, response = runtime.events.messages  # type: ignore[attr-defined]
    assert request.metadata["admitted"] == "no"
    assert request.input_text == ""
    assert (response.outcome, response.step, response.rule) == ("refused", "3 session", "session.model")


async def test_a_malformed_body_of_a_known_caller_is_attributed(tmp_path: Path, system: System) -> None:
    runtime = await made_runtime(tmp_path, system, FakeModel())
    refusal = await pipeline.admit(made_exchange(runtime, b'{"messages": 3}'))
    assert refusal is not None
    assert refusal.error is WireError.VALIDATION
    response = runtime.events.messages[-1]  # type: ignore[attr-defined]
    assert (response.user_identity, response.step) == ("alice", "1 frame")


async def test_an_unknown_caller_writes_nothing(tmp_path: Path, system: System) -> None:
    runtime = await made_runtime(tmp_path, system, FakeModel())
    nobody = Refusal(error=WireError.UNRECOGNIZED_CLIENT, message="who?", rule="identity")
    assert await pipeline.admit(made_exchange(runtime, principal=nobody)) is nobody
    assert runtime.events.messages == []  # type: ignore[attr-defined]


async def test_tools_are_refused_from_tier_2(tmp_path: Path, system_of: Any) -> None:
    body = orjson.dumps(
        {
            "messages": [{"role": "user", "content": [{"text": "hi"}]}],
            "toolConfig": {"tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {"type": "object"}}}}]},
        }
    )
    refusal = await pipeline.admit(made_exchange(await made_runtime(tmp_path, system_of(2), FakeModel()), body))
    assert refusal is not None
    assert refusal.rule == "tools.undeclared"


def _tool_events(name: str, pieces: list[str]) -> list[dict[str, Any]]:
    return [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockStart": {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "u1", "name": name}}}},
        *({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"toolUse": {"input": piece}}}} for piece in pieces),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "tool_use"}},
    ]


TOOL_BODY = orjson.dumps(
    {
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "toolConfig": {"tools": [{"toolSpec": {"name": "search", "inputSchema": {"json": {"type": "object"}}}}]},
    }
)


async def test_tool_input_is_held_decoded_and_masked(tmp_path: Path, system_of: Any) -> None:
    model = FakeModel(events=_tool_events("search", ['{"q": "a \\u0053EC', 'RET b", "SECRET": [1, "SEC', 'RET"]}']))
    runtime = await made_runtime(tmp_path, system_of(1), model)
    events = await streamed(made_exchange(runtime, TOOL_BODY))
    (delta,) = [
        event["contentBlockDelta"]["delta"]["toolUse"]["input"] for event in events if "contentBlockDelta" in event
    ]
    assert orjson.loads(delta) == {"q": "a [X] b", "[X]": [1, "[X]"]}


async def test_a_number_in_tool_input_is_inspected(tmp_path: Path, system_of: Any) -> None:
    model = FakeModel(
        events=_tool_events("search", ['{"n": 4111111111', '111111, "all": [4111111111111111, 7, 0.5, true]}'])
    )
    runtime = await made_runtime(tmp_path, system_of(1), model)
    events = await streamed(made_exchange(runtime, TOOL_BODY))
    (delta,) = [
        event["contentBlockDelta"]["delta"]["toolUse"]["input"] for event in events if "contentBlockDelta" in event
    ]
    assert orjson.loads(delta) == {"n": "[X]", "all": ["[X]", 7, 0.5, True]}


def _blocks(*deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """A content block each."""
    return [
        {"messageStart": {"role": "assistant"}},
        *(
            event
            for index, delta in enumerate(deltas)
            for event in (
                {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}},
                {"contentBlockStop": {"contentBlockIndex": index}},
            )
        ),
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}, "metrics": {"latencyMs": 1}}},
    ]


def _read(events: list[dict[str, Any]], kind: str) -> str:
    """What a client of chat completions has of a kind: all its deltas."""
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    if kind == "text":
        return "".join(delta.get("text", "") for delta in deltas)
    return "".join(delta.get("reasoningContent", {}).get("text", "") for delta in deltas)


@pytest.mark.parametrize("kind", ["text", "reasoning"])
async def test_blocks_that_a_client_joins_are_inspected_as_one(tmp_path: Path, system: System, kind: str) -> None:
    def said(text: str) -> dict[str, Any]:
        return {"text": text} if kind == "text" else {"reasoningContent": {"text": text}}

    between = {"reasoningContent": {"text": "hm"}} if kind == "text" else {"text": "So."}
    events = _blocks(said("the SEC"), between, said("RET is out"))
    runtime = await made_runtime(tmp_path, system, FakeModel(events=events))
    exchange = made_exchange(runtime, operation=Operation.CONVERSE_STREAM)
    assert await pipeline.admit(exchange) is None
    exchange.conversation = replace(exchange.known()[0], joins=True)  # as the dialects of chat completions say
    found = [event async for event in pipeline.stream(exchange)]
    assert _read(found, kind) == ("the [X] is out" if kind == "text" else "the SEC")
    assert _read(found, "reasoning" if kind == "text" else "text") == ("hm" if kind == "text" else "So.")
    assert sum("messageStop" in event for event in found) == 1


async def test_reasoning_is_inspected_alone_too(tmp_path: Path, system: System) -> None:
    """A rule that looks at what stands before a value must not be misled by an earlier block."""
    events = _blocks(
        {"reasoningContent": {"text": "4"}}, {"reasoningContent": {"text": "4111111111111111"}}, {"text": "ok"}
    )
    runtime = await made_runtime(tmp_path, system, FakeModel(events=events))
    runtime.snapshot = Snapshot.of(version=1, system=system, guardrail=EmbeddedGuardrail(_with_cards(system), 1))
    exchange = made_exchange(runtime, operation=Operation.CONVERSE_STREAM)
    assert await pipeline.admit(exchange) is None
    exchange.conversation = replace(exchange.known()[0], joins=True)  # as the dialects of chat completions say
    found = [event async for event in pipeline.stream(exchange)]
    assert _read(found, "reasoning") == "4"


async def test_a_block_rule_over_joined_blocks_ends_the_answer(tmp_path: Path, system: System) -> None:
    events = _blocks({"text": "the BLO"}, {"reasoningContent": {"text": "hm"}}, {"text": "CK"})
    runtime = await made_runtime(tmp_path, system, FakeModel(events=events))
    exchange = made_exchange(runtime, operation=Operation.CONVERSE_STREAM)
    assert await pipeline.admit(exchange) is None
    exchange.conversation = replace(exchange.known()[0], joins=True)  # as the dialects of chat completions say
    found = [event async for event in pipeline.stream(exchange)]
    assert _read(found, "text") == "the output blocked"
    assert [event["messageStop"] for event in found if "messageStop" in event] == [
        {"stopReason": "guardrail_intervened"}
    ]


@pytest.mark.parametrize(
    ("name", "pieces"), [("other", ["{}"]), ("search", ["{not json"]), ("search", ['{"q":"BLOCK"}'])]
)
async def test_a_tool_call_that_cannot_stand_blocks(
    tmp_path: Path, system_of: Any, name: str, pieces: list[str]
) -> None:
    runtime = await made_runtime(tmp_path, system_of(1), FakeModel(events=_tool_events(name, pieces)))
    exchange = made_exchange(runtime, TOOL_BODY)
    events = await streamed(exchange)
    assert delivered(events) == "output blocked"
    assert not any("contentBlockStart" in event for event in events)
    assert exchange.blocked is not None


@pytest.mark.parametrize(
    ("deltas", "leaves"),
    [
        ([{"text": "I think"}, {"signature": "sig"}], True),
        ([{"text": "the SEC"}, {"text": "RET is"}, {"signature": "sig"}], False),
        ([{"text": "fine"}, {"signature": "SECRET"}], False),
        ([{"redactedContent": "b3BhcXVl"}], False),
    ],
)
async def test_a_reasoning_block_leaves_unchanged_or_not_at_all(
    tmp_path: Path, system: System, deltas: list[dict[str, str]], leaves: bool
) -> None:
    events = [
        {"messageStart": {"role": "assistant"}},
        *({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": delta}}} for delta in deltas),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "hello"}}},
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {"messageStop": {"stopReason": "end_turn"}},
    ]
    runtime = await made_runtime(tmp_path, system, FakeModel(events=events))
    seen = await streamed(made_exchange(runtime))
    reasoning = [e for e in seen if "contentBlockDelta" in e and "reasoningContent" in e["contentBlockDelta"]["delta"]]
    assert len(reasoning) == (len(deltas) if leaves else 0)
    assert delivered(seen) == "hello"
    text = next(
        e["contentBlockDelta"] for e in seen if "contentBlockDelta" in e and "text" in e["contentBlockDelta"]["delta"]
    )
    assert text["contentBlockIndex"] == (1 if leaves else 0)


@pytest.mark.parametrize(
    "events",
    [
        [{"messageStart": {"role": "assistant"}}, {"messageStop": {"stopReason": "AKIA in a stop reason"}}],
        [{"surprise": {}}],
        [
            {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "a"}}},
            {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "b"}}},
        ],
    ],
)
async def test_a_stream_that_makes_no_sense_is_a_model_error(tmp_path: Path, system: System, events: list[Any]) -> None:
    runtime = await made_runtime(tmp_path, system, FakeModel(events=events))
    exchange = made_exchange(runtime)
    assert await pipeline.admit(exchange) is None
    with pytest.raises(UpstreamError) as failed:
        _ = [event async for event in pipeline.stream(exchange)]
    assert failed.value.refusal.error is WireError.MODEL_ERROR


async def test_an_endless_answer_is_cut(tmp_path: Path, system: System) -> None:
    runtime = await made_runtime(tmp_path, system, FakeModel(events=text_events(["x" * 10_000] * 20)))
    exchange = made_exchange(runtime)
    assert await pipeline.admit(exchange) is None
    with pytest.raises(UpstreamError) as failed:
        _ = [event async for event in pipeline.stream(exchange)]
    assert failed.value.refusal.rule == "model.too-much"


async def test_budget_counts_the_worst_case(tmp_path: Path, system: System) -> None:
    runtime = await made_runtime(tmp_path, system, FakeModel())
    exchange = made_exchange(
        runtime, orjson.dumps({"messages": [{"role": "user", "content": [{"text": "x" * 600_000}]}]})
    )
    refusal = await pipeline.admit(exchange)
    assert refusal is not None
    assert (refusal.error, refusal.rule) == (WireError.THROTTLING, "ledger.tokens")


async def test_a_dead_workers_request_is_recorded_as_lost_once(tmp_path: Path, system: System) -> None:
    runtime = await made_runtime(tmp_path, system, FakeModel())
    assert await pipeline.admit(made_exchange(runtime)) is None  # and then its worker dies
    clock: HeldClock = runtime.clock  # type: ignore[assignment]
    assert await lost.sweep(runtime) == 0
    clock.at += system.limits.request_timeout_s + s04_budget.RESERVATION_GRACE_S + lost.SWEEP_GRACE_S + 0.1
    assert await lost.sweep(runtime) == 1
    assert await lost.sweep(runtime) == 0
    request, response = runtime.events.messages  # type: ignore[attr-defined]
    assert (response.outcome, response.request_id, response.user_identity) == ("lost", request.request_id, "alice")
    assert clock.at < request.deadline


class HalfFull(ListWriter):
    """Takes a request's event and refuses its response's, as a disk does that fills up in between."""

    full = True

    def append(self, message: Message) -> str:
        if self.full and isinstance(message, ResponseEvent):
            raise ChannelError("full")
        return super().append(message)


@pytest.mark.parametrize("refused_by", ["", "budget"])
async def test_what_a_full_disk_kept_from_the_record_is_recorded_later(
    tmp_path: Path, system: System, monkeypatch: pytest.MonkeyPatch, refused_by: str
) -> None:
    runtime = await made_runtime(tmp_path, system, FakeModel(events=text_events(["hello"])))
    runtime.events = writer = HalfFull()
    exchange = made_exchange(runtime)
    if refused_by:

        async def locked(**_: Any) -> Refusal:
            return Refusal(error=WireError.UNAVAILABLE, rule="ledger.unavailable", message="full")

        monkeypatch.setattr(runtime.ledger, "reserve", locked)
        with pytest.raises(CallerError):
            await pipeline.admit(exchange)
    else:
        assert await pipeline.admit(exchange) is None
        with pytest.raises(CallerError):
            await pipeline.answer(exchange)
    assert await lost.sweep(runtime) == 0
    assert [type(message) for message in writer.messages] == [RequestEvent]
    clock: HeldClock = runtime.clock  # type: ignore[assignment]
    clock.at += system.limits.request_timeout_s + s04_budget.RESERVATION_GRACE_S + lost.SWEEP_GRACE_S + 0.1
    assert await lost.sweep(runtime) == 0
    writer.full = False
    for _ in range(2):
        await lost.sweep(runtime)
    request, response = writer.messages
    assert isinstance(response, ResponseEvent)
    assert response.request_id == request.request_id  # type: ignore[attr-defined]
    assert (response.outcome, response.rule) == (
        ("refused", "ledger.unavailable") if refused_by else ("lost", "worker.died")
    )
    assert await runtime.ledger.lapsed(before=clock.at + 1e6) == ()


async def test_a_locked_ledger_postpones_the_sweep(
    tmp_path: Path, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = await made_runtime(tmp_path, system, FakeModel())

    async def locked(**_: float) -> None:
        raise LedgerBusy("another process keeps the ledger locked")

    monkeypatch.setattr(runtime.ledger, "lapsed", locked)
    assert await lost.sweep(runtime) == 0


async def test_collect_is_the_inverse_of_events() -> None:
    model = FakeModel(
        [
            {"text": "a"},
            {"toolUse": {"toolUseId": "u", "name": "n", "input": {"k": [1, None]}}},
            {"reasoningContent": {"reasoningText": {"text": "t", "signature": "s"}}},
        ]
    )
    answer = await model.converse(None)  # type: ignore[arg-type]
    assert collect(events_of(answer)) == answer


async def test_both_events_name_the_system_prompt_as_it_came(tmp_path: Path, system: System) -> None:
    turn = {"role": "user", "content": [{"text": "hi"}]}
    runtime = await made_runtime(tmp_path, system, FakeModel())
    exchange = made_exchange(runtime, orjson.dumps({"system": [{"text": "a SECRET prompt"}], "messages": [turn]}))
    assert await run(exchange) is None
    expected = sha256(rfc8785.dumps([{"text": "a SECRET prompt"}])).hexdigest()
    assert [event.system_prompt_hash for event in runtime.events.messages] == [expected, expected]
