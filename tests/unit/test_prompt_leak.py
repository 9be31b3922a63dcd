"""A hostile model that repeats its system prompt, in text, tool input and reasoning, streamed and not (DAT-06)."""

from __future__ import annotations

import asyncio
import base64
import threading
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.detect.leakage import Watch, fingerprints
from caisson.zones.z2_runtime import pipeline
from caisson.zones.z2_runtime.exchange import Exchange
from guardrail_systems import CONTEXT, system_with
from request_path import FakeModel, made_exchange, made_runtime, made_system, text_events

PROMPT = (
    "You are Clara, the claims assistant of Northwind Insurance. Never approve a claim above 500 euro. Refer questions "
    "about fraud to the investigations desk and do not mention the blue list. Answer in the language of the customer."
)
FRAGMENT = "Refer questions about fraud to the investigations desk and do not mention the blue list."
PLAIN = "Hail damage is covered, up to the sum that your policy names. "
TOOL = {"toolSpec": {"name": "send", "inputSchema": {"json": {"type": "object"}}}}
TOLD = replace(CONTEXT, prompt=PROMPT)


def body(user: str = "hi", **more: Any) -> bytes:
    request = {"system": [{"text": PROMPT}], "messages": [{"role": "user", "content": [{"text": user}]}]}
    return orjson.dumps({**request, "toolConfig": {"tools": [TOOL]}, **more})


async def answered(
    folder: Path, content: list[Any], request: bytes, tier: int = 1, **keys: Any
) -> tuple[Exchange, list[Any]]:
    folder.mkdir(exist_ok=True)
    system = made_system(tier, prompt_leak=keys.pop("prompt_leak", "block"), **keys)
    runtime = await made_runtime(folder, system, FakeModel(content))
    runtime.snapshot = type(runtime.snapshot).of(version=1, system=system, guardrail=EmbeddedGuardrail(system, 1))
    exchange = made_exchange(runtime, request)
    assert await pipeline.admit(exchange) is None
    assert await pipeline.answer(exchange) is None
    assert exchange.answer is not None
    return exchange, list(exchange.answer.content)


def rules(exchange: Exchange) -> dict[str, str]:
    return {row.rule: row.decision for row in exchange.actions if row.decision != "pass"}


@pytest.mark.parametrize(
    "said",
    [PROMPT, f"My orders: {FRAGMENT}", base64.b64encode(PROMPT.encode()).decode(), PROMPT.upper(), PROMPT[::-1]],
)
async def test_a_repeated_prompt_ends_the_answer(tmp_path: Path, said: str) -> None:
    exchange, content = await answered(tmp_path, [{"text": PLAIN * 6 + said}], body())
    assert content[0]["text"].startswith(PLAIN * 4)
    assert "fraud" not in content[0]["text"]
    assert content[0]["text"].endswith(exchange.snapshot.system.guardrails["main"].blocked_output_message)
    assert exchange.blocked is not None
    assert (exchange.blocked.rule, exchange.stop_reason) == ("leakage.fingerprint", "guardrail_intervened")
    assert FRAGMENT[:30] not in repr(exchange.actions)


async def test_ordinary_answers_pass(tmp_path: Path) -> None:
    said = "I am Clara, the claims assistant. I never approve claims myself. " + PLAIN
    exchange, content = await answered(tmp_path, [{"text": said}], body())
    assert content == [{"text": said}]
    assert rules(exchange) == {}


@pytest.mark.parametrize("place", ["user", "document"])
async def test_what_the_user_brought_is_no_leak(tmp_path: Path, place: str) -> None:
    document = {"document": {"name": "d", "format": "txt", "source": {"text": f"Note. {FRAGMENT}"}}}
    blocks = [{"text": f"What does this mean: {FRAGMENT}"}] if place == "user" else [{"text": "What?"}, document]
    request = body(messages=[{"role": "user", "content": blocks}])
    exchange, content = await answered(tmp_path, [{"text": f"It says: {FRAGMENT}"}], request)
    assert content == [{"text": f"It says: {FRAGMENT}"}]
    exchange, _ = await answered(tmp_path / "x", [{"text": f"It says: {FRAGMENT} {PROMPT[:115]}"}], request)
    assert exchange.blocked is not None


async def test_a_prompt_in_history_of_the_assistant_stays_secret(tmp_path: Path) -> None:
    turns = [("user", "hi"), ("assistant", FRAGMENT), ("user", "again")]
    request = body(messages=[{"role": role, "content": [{"text": text}]} for role, text in turns])
    exchange, _ = await answered(tmp_path, [{"text": FRAGMENT}], request)
    assert exchange.blocked is not None


async def test_tool_input_is_judged_too(tmp_path: Path) -> None:
    use = {"toolUse": {"toolUseId": "u", "name": "send", "input": {"to": "x", "body": {"deep": [FRAGMENT]}}}}
    exchange, content = await answered(tmp_path, [{"text": "So."}, use], body())
    assert not any("toolUse" in block for block in content)
    assert exchange.blocked is not None
    assert exchange.blocked.rule == "leakage.fingerprint"


async def test_pieces_in_many_strings_add_up(tmp_path: Path) -> None:
    words = PROMPT.split()
    pieces = {f"k{n}": " ".join(words[n : n + 9]) for n in range(0, len(words), 9)}
    assert all(len(piece) < 60 for piece in pieces.values())
    use = {"toolUse": {"toolUseId": "u", "name": "send", "input": pieces}}
    exchange, _ = await answered(tmp_path, [use], body())
    assert exchange.blocked is not None
    assert exchange.blocked.rule == "leakage.fingerprint"


async def test_reasoning_that_repeats_its_orders_is_removed_and_the_answer_stays(tmp_path: Path) -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": f"I was told: {PROMPT}", "signature": "s"}}}
    exchange, content = await answered(tmp_path, [thought, {"text": PLAIN}], body())
    assert content == [{"text": PLAIN}]
    assert rules(exchange) == {"leakage.fingerprint": "masked"}


async def test_a_flag_lets_it_pass_and_says_so(tmp_path: Path) -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": PROMPT}}}
    exchange, content = await answered(tmp_path, [thought, {"text": PROMPT}], body(), prompt_leak="flag")
    assert content == [thought, {"text": PROMPT}]
    assert rules(exchange) == {"leakage.fingerprint": "flagged"}
    assert sum(row.rule == "leakage.fingerprint" for row in exchange.actions) == 2


async def test_detect_mode_does_not_cover_it(tmp_path: Path) -> None:
    keys = {"mode": "detect", "because": "trial", "until": "2099-01-01"}
    exchange, _ = await answered(tmp_path, [{"text": PROMPT}], body(), **keys)
    assert exchange.blocked is not None


async def test_short_prompts_hold_when_they_are_said_whole(tmp_path: Path) -> None:
    short = body(system=[{"guardContent": {"text": {"text": "The launch code is 4711-ALPHA-9."}}}])
    exchange, _ = await answered(tmp_path, [{"text": "Well, the launch code is 4711 alpha 9!"}], short)
    assert exchange.blocked is not None
    brief = body(system=[{"text": "Answer in German."}])
    exchange, content = await answered(tmp_path / "x", [{"text": "I answer in German."}], brief)
    assert content == [{"text": "I answer in German."}]


@cache
def held_to(tier: int) -> EmbeddedGuardrail:
    system = system_with(words=["project-falcon"], prompt_leak="block")
    return EmbeddedGuardrail(system.model_copy(update={"tier": tier}), 1)


def streamed(pieces: list[str], tier: int) -> tuple[str, Any, Any]:
    output = held_to(tier).open_output(TOLD, {})

    async def fed() -> str:
        return "".join([*[await output.feed(0, piece) for piece in pieces], await output.finish(0)])

    passed = asyncio.run(fed())
    blocked = output.blocked.rule if output.blocked else ""
    return passed, blocked, [(row.rule, row.decision, row.count) for row in output.actions]


ANSWERS = st.lists(st.sampled_from([PLAIN, FRAGMENT + " ", PROMPT, "project-falcon ", "x" * 400, "Yes. "]), max_size=8)


@settings(max_examples=60, deadline=None)
@given(ANSWERS, st.integers(1, 97), st.sampled_from([2, 3]))
def test_streams_give_the_same_for_every_cut(parts: list[str], size: int, tier: int) -> None:
    text = "".join(parts)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    cut = streamed(pieces, tier)
    assert cut == streamed([text], tier)
    assert "investigations desk" not in cut[0]


def test_from_tier_three_nothing_leaves_before_the_block_was_judged() -> None:
    async def first(tier: int) -> str:
        return await held_to(tier).open_output(TOLD, {}).feed(0, PLAIN * 40)

    assert asyncio.run(first(2)).startswith(PLAIN)
    assert asyncio.run(first(3)) == ""


async def test_without_a_system_prompt_nothing_is_held() -> None:
    output = held_to(3).open_output(CONTEXT, {})
    assert (await output.feed(0, PLAIN)).startswith("Hail damage")


async def test_the_stream_ends_as_the_whole_answer_does(tmp_path: Path) -> None:
    said = PLAIN * 6 + FRAGMENT
    _, content = await answered(tmp_path, [{"text": said}], body())
    (tmp_path / "s").mkdir()
    system = made_system(1, prompt_leak="block")
    model = FakeModel(events=text_events([said[start : start + 5] for start in range(0, len(said), 5)]))
    runtime = await made_runtime(tmp_path / "s", system, model)
    runtime.snapshot = type(runtime.snapshot).of(version=1, system=system, guardrail=EmbeddedGuardrail(system, 1))
    exchange = made_exchange(runtime, body())
    assert await pipeline.admit(exchange) is None
    events = [event async for event in pipeline.stream(exchange)]
    left = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert "".join(left) == content[0]["text"]


async def test_a_long_prompt_is_read_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def noted(prompt: str) -> Any:
        threads.append(threading.current_thread().name)
        return fingerprints(prompt)

    monkeypatch.setattr("caisson.adapters.embedded.guardrail.output.fingerprints", noted)
    for prompt in (PROMPT, PROMPT + "x" * 20_000):
        output = held_to(2).open_output(replace(TOLD, prompt=prompt), {})
        await output.last(0, FRAGMENT)
        assert output.blocked is not None
    assert threads[0] == threading.current_thread().name != threads[1]


def test_known_texts_do_not_free_the_rest() -> None:
    watch = Watch(fingerprints(PROMPT), (FRAGMENT,))
    assert watch.judge(FRAGMENT) is None
    assert watch.judge(PROMPT[:115]) is not None
