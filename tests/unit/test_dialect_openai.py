"""Chat completions: what is read, what is refused, and what answers look like."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from caisson.errors import Refusal, WireError
from caisson.ports.model import ModelAnswer, Usage
from caisson.zones.z2_runtime.answer import events_of
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import openai, openai_answer
from caisson.zones.z2_runtime.operations import Operation

HI = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "look", "description": "Look", "parameters": {"type": "object"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "sky"}'}}
BROKEN = {"name": "look", "arguments": "["}
USAGE = Usage(input_tokens=3, output_tokens=4)


def parse(*messages: Any, **settings: Any) -> Conversation:
    parsed = openai.parse(json.dumps({"model": "m", "messages": messages or [HI], **settings}).encode())
    assert isinstance(parsed, Conversation), parsed
    return parsed


def refusal(**body: Any) -> str:
    parsed = openai.parse(json.dumps({"model": "m", "messages": [HI], **body}).encode())
    assert isinstance(parsed, Refusal), parsed
    assert parsed.error is WireError.VALIDATION
    return parsed.message


def test_a_whole_conversation() -> None:
    read = parse(
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": [{"type": "text", "text": "Be short."}]},
        {"role": "user", "content": "What is up?", "name": "ann"},
        {"role": "assistant", "content": "I look.", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "blue"},
        {"role": "user", "content": [{"type": "text", "text": "And"}, {"type": "text", "text": "now?"}]},
        {"role": "assistant", "content": None, "refusal": "No."},
        HI,
        tools=[TOOL],
        tool_choice="required",
        max_completion_tokens=9,
        max_tokens=8,
        temperature=0.5,
        top_p=1,
        stop="END",
        user="u-1",
        metadata={"team": "claims"},
    )
    assert (read.operation, read.model_id, read.output_tokens_max) == (Operation.CHAT, "m", 9)
    assert read.system == ({"text": "Be kind."}, {"text": "Be short."})
    assert read.messages == (
        {"role": "user", "content": [{"text": "ann:"}, {"text": "What is up?"}]},
        {
            "role": "assistant",
            "content": [
                {"text": "I look."},
                {"toolUse": {"toolUseId": "call_1", "name": "look", "input": {"at": "sky"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "call_1", "content": [{"text": "blue"}], "status": "success"}},
                {"text": "And"},
                {"text": "now?"},
            ],
        },
        {"role": "assistant", "content": [{"text": "No."}]},
        {"role": "user", "content": [{"text": "hi"}]},
    )
    assert read.inference == {"temperature": 0.5, "topP": 1, "stopSequences": ["END"]}
    assert read.request_metadata == {"team": "claims", "user": "u-1"}
    spec = {"name": "look", "inputSchema": {"json": {"type": "object"}}, "description": "Look"}
    assert read.tools == {"tools": [{"toolSpec": spec}], "toolChoice": {"any": {}}}


def test_a_stream_is_asked_for_in_the_body() -> None:
    assert parse(stream=True).operation is Operation.CHAT_STREAM
    assert not parse(stream=True).usage_wanted
    assert parse(stream=True, stream_options={"include_usage": True}).usage_wanted
    assert parse(stream=False).operation is Operation.CHAT


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "look"}}, {"tool": {"name": "look"}}),
    ],
)
def test_tool_choices(choice: Any, expected: Any) -> None:
    tools = parse(tools=[TOOL], tool_choice=choice).tools
    assert tools is not None
    assert tools["toolChoice"] == expected


def test_no_tool_is_offered_when_none_may_be_used() -> None:
    assert parse(tools=[TOOL], tool_choice="none").tools is None


def test_what_says_what_holds_anyway_is_taken() -> None:
    assert parse() == parse(
        n=1, logprobs=False, store=False, parallel_tool_calls=True, response_format={"type": "text"},
        modalities=["text"], presence_penalty=0, frequency_penalty=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"n": 2}, "n:"),
        ({"seed": 1}, "seed: unknown field"),
        ({"logprobs": True}, "logprobs:"),
        ({"store": True}, "store:"),
        ({"temperature": 1.5}, "temperature:"),
        ({"presence_penalty": 0.1}, "presence_penalty:"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"stream_options": {"include_usage": True}}, "stream_options: only with stream"),
        ({"model": ""}, "model:"),
        ({"messages": []}, "messages:"),
        ({"messages": [HI, {"role": "system", "content": "late"}]}, "messages[1].role: system and developer messages"),
        ({"messages": [{"role": "assistant", "content": "first"}]}, "messages[0].role: expected 'user'"),
        ({"messages": [HI, {"role": "assistant"}]}, "messages[1]: expected content or tool calls"),
        ({"messages": [HI, {"role": "tool", "tool_call_id": "x", "content": "y"}]}, "toolUseId"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": " "}]}, "expected text, found a blank"),
        (
            {"messages": [HI, {"role": "assistant", "tool_calls": [{**CALL, "function": BROKEN}]}]},
            "messages[1].tool_calls[0].function.arguments: expected a JSON object",
        ),
    ],
)  # fmt: skip
def test_refusals_name_the_place(body: Any, message: str) -> None:
    assert message in refusal(**body)


def test_bytes_that_are_no_json() -> None:
    assert isinstance(openai.parse(b"\xff"), Refusal)
    assert isinstance(openai.parse(b"[" * 100_000), Refusal)


def answer(*content: Any, stop_reason: str = "end_turn") -> ModelAnswer:
    return ModelAnswer(content=tuple(content), stop_reason=stop_reason, usage=USAGE, latency_ms=1)


def rendered(given: ModelAnswer) -> ChatCompletion:
    body = openai_answer.render(given, model_id="m", request_id="r", created=7)
    return ChatCompletion.model_validate_json(body)


def chunks(given: ModelAnswer, *, usage_wanted: bool = False) -> list[ChatCompletionChunk]:
    renderer = openai_answer.StreamRenderer(model_id="m", request_id="r", created=7, usage_wanted=usage_wanted)
    data = b"".join(renderer.event(event) for event in events_of(given))
    assert data.endswith(b"data: [DONE]\n\n")
    lines = data.removesuffix(b"data: [DONE]\n\n").split(b"\n\n")[:-1]
    return [ChatCompletionChunk.model_validate_json(line.removeprefix(b"data: ")) for line in lines]


THOUGHT = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}
USE = {"toolUse": {"toolUseId": "call_1", "name": "look", "input": {"at": "sky"}}}


def test_a_whole_answer() -> None:
    read = rendered(answer(THOUGHT, {"text": "I "}, {"text": "look."}, USE, stop_reason="tool_use"))
    (choice,) = read.choices
    assert (choice.message.content, choice.finish_reason) == ("I look.", "tool_calls")
    assert choice.message.tool_calls is not None
    assert choice.message.tool_calls[0].model_dump() == CALL | {
        "function": {"name": "look", "arguments": '{"at":"sky"}'}
    }
    assert (read.id, read.created, read.model) == ("chatcmpl-r", 7, "m")
    assert read.usage is not None
    assert (read.usage.prompt_tokens, read.usage.completion_tokens, read.usage.total_tokens) == (3, 4, 7)
    assert choice.message.model_extra == {"reasoning_content": "hm"}


def test_calls_alone_have_no_content() -> None:
    assert rendered(answer(USE, stop_reason="tool_use")).choices[0].message.content is None


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("content_filtered", "content_filter"),
        ("guardrail_intervened", "content_filter"),
    ],
)
def test_finish_reasons(reason: str, finish: str) -> None:
    given = answer({"text": "x"}, stop_reason=reason)
    assert rendered(given).choices[0].finish_reason == finish
    assert [chunk.choices[0].finish_reason for chunk in chunks(given)][-1] == finish


@given(st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=3), st.booleans(), st.booleans())
def test_a_stream_says_what_the_whole_answer_says(texts: list[str], calls: bool, thinks: bool) -> None:
    content = ([THOUGHT] if thinks else []) + [{"text": text} for text in texts] + ([USE] if calls else [])
    given_answer = answer(*content, stop_reason="tool_use" if calls else "end_turn")
    whole, said = rendered(given_answer).choices[0], [chunk.choices[0] for chunk in chunks(given_answer)]
    assert "".join(choice.delta.content or "" for choice in said) == whole.message.content
    pieces = [call for choice in said for call in choice.delta.tool_calls or ()]
    spoken = "".join((call.function and call.function.arguments) or "" for call in pieces)
    assert spoken == "".join(call.function.arguments for call in whole.message.tool_calls or ())
    assert said[-1].finish_reason == whole.finish_reason


def test_usage_comes_when_it_is_asked_for() -> None:
    last = chunks(answer({"text": "x"}), usage_wanted=True)[-1]
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == 7
    assert all(chunk.usage is None for chunk in chunks(answer({"text": "x"})))


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (WireError.MISSING_AUTHENTICATION, 401, "authentication_error"),
        (WireError.EXPIRED_TOKEN, 401, "authentication_error"),
        (WireError.ACCESS_DENIED, 403, "permission_error"),
        (WireError.VALIDATION, 400, "invalid_request_error"),
        (WireError.THROTTLING, 429, "rate_limit_error"),
        (WireError.UNAVAILABLE, 503, "server_error"),
        (WireError.TOO_LARGE, 413, "invalid_request_error"),
    ],
)
def test_errors(error: WireError, status: int, kind: str) -> None:
    found, body = openai_answer.error(Refusal(error=error, message="No."))
    assert found == status
    said = {"message": "No.", "type": kind, "param": None, "code": error.code}
    assert json.loads(body) == {"error": said}
