"""Converse: what is refused and how the place is named; what leaves is what boto3 reads."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import EventStreamError

from bedrock_model import read, read_stream, sent
from caisson.errors import Refusal, WireError
from caisson.ports.model import ModelAnswer, Usage
from caisson.zones.z2_runtime.conversation import NESTING_MAX, STRINGS_MAX, Conversation
from caisson.zones.z2_runtime.dialects import converse
from caisson.zones.z2_runtime.operations import Operation

HI = {"role": "user", "content": [{"text": "hi"}]}
IMAGE = {"format": "png", "source": {"bytes": "aGk="}}
TOOL = {"toolSpec": {"name": "t", "inputSchema": {"json": {}}}}
CALL = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a", "name": "n", "input": {}}}]}


def parse(body: Any) -> Conversation | Refusal:
    return converse.parse(body if isinstance(body, bytes) else json.dumps(body).encode(), "m", stream=False)


def refusal(body: Any) -> str:
    parsed = parse(body)
    assert isinstance(parsed, Refusal), parsed
    assert parsed.error is WireError.VALIDATION
    return parsed.message


def user(*content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def document(**changes: Any) -> dict[str, Any]:
    return user({"document": {"name": "d", "format": "txt", "source": {"bytes": encoded(b"text")}, **changes}})


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


def test_everything_that_a_request_may_say_arrives() -> None:
    body = sent(
        "ConverseStream",
        modelId="m",
        messages=[HI],
        system=[{"text": "be kind"}, {"cachePoint": {"type": "default"}}],
        inferenceConfig={"maxTokens": 7, "temperature": 0.5, "topP": 1.0, "stopSequences": ["END"]},
        toolConfig={"tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {}}}}], "toolChoice": {"any": {}}},
        guardrailConfig={"guardrailIdentifier": "abc", "guardrailVersion": "1", "trace": "enabled"},
        requestMetadata={"team": "claims"},
        additionalModelRequestFields={"top_k": 5, "thinking": {"type": "enabled", "budget_tokens": 1024}},
    )
    assert converse.parse(body, "m", stream=True) == Conversation(
        operation=Operation.CONVERSE_STREAM,
        model_id="m",
        messages=(HI,),
        system=({"text": "be kind"}, {"cachePoint": {"type": "default"}}),
        inference={"temperature": 0.5, "topP": 1.0, "stopSequences": ["END"]},
        output_tokens_max=7,
        tools={"tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {}}}}], "toolChoice": {"any": {}}},
        additional={"top_k": 5, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        request_metadata={"team": "claims"},
        dropped=("guardrailConfig",),
        trace=True,
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "request: expected a JSON object in UTF-8"),
        (b"\xff", "request: expected a JSON object in UTF-8"),
        (b'{"messages": [}', "request: expected a JSON object in UTF-8"),
        (b"[]", "request: expected `object`, got `array`"),
        (b"[" * 100_000, "request: "),
        (b'{"messages":[{"role":"user","content":[{"text":"\\ud800"}]}]}', "request: expected a JSON object in UTF-8"),
        ({}, "request: object missing required field `messages`"),
        ({"messages": []}, "messages: expected `array` of length >= 1"),
        ({"messages": [HI] * 1001}, "messages: expected `array` of length <= 1000"),
        ({"messages": [HI], "surprise": 1}, "surprise: unknown field"),
        ({"messages": [{"role": "user"}]}, "messages[0]: object missing required field `content`"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content: expected `array` of length >= 1"),
        ({"messages": [{"role": "user", "content": "hi"}]}, "messages[0].content: expected `array`, got `str`"),
        (
            {"messages": [{"role": "system", "content": [{"text": "x"}]}]},
            "messages[0].role 'system': instructions stand in the field system alone",
        ),
        ({"messages": [CALL]}, "messages[0].role: expected 'user', found 'assistant'"),
        ({"messages": [HI, HI]}, "messages[1].role: expected 'assistant', found 'user'"),
        (user({"text": ""}), "messages[0].content[0].text: expected text, found a blank"),
        (user({"text": " \n"}), "messages[0].content[0].text: expected text, found a blank"),
        (user({"text": 1}), "messages[0].content[0].text: expected `str`, got `int`"),
        (user({}), "messages[0].content[0]: expected exactly one kind of content, found none"),
        (
            user({"text": "a", "cachePoint": {"type": "default"}}),
            "messages[0].content[0]: expected exactly one kind of content, found cachePoint, text",
        ),
        (user({"image": {}}), "messages[0].content[0].image: object missing required field `format`"),
        (
            user({"image": {"format": "png", "source": {"bytes": "!"}}}),
            "messages[0].content[0].image.source.bytes: expected base64",
        ),
        (
            {"messages": [HI, {"role": "assistant", "content": [{"image": IMAGE}]}]},
            "messages[1].content[0].image: not allowed in a message of role 'assistant'",
        ),
        (user({"citationsContent": {}}), "messages[0].content[0].citationsContent: not allowed in a message of role"),
        (
            user({"toolUse": {"toolUseId": "a", "name": "n", "input": {}}}),
            "messages[0].content[0].toolUse: not allowed",
        ),
        (user({"reasoningContent": {"reasoningText": {"text": "x"}}}), "messages[0].content[0].reasoningContent: not"),
        (
            {"messages": [HI, {"role": "assistant", "content": [{"reasoningContent": {"redactedContent": "eA=="}}]}]},
            "messages[1].content[0].reasoningContent.redactedContent: encrypted content cannot be inspected",
        ),
        (
            {"messages": [HI, {"role": "assistant", "content": document()["messages"][0]["content"]}]},
            "messages[1].content[0].document: not allowed in a message of role 'assistant'",
        ),
        (
            user({"toolResult": {"toolUseId": "b", "content": []}}),
            "messages[0].content[0].toolResult.toolUseId: expected the id of a toolUse block in the message before",
        ),
        (
            {
                "messages": [
                    HI,
                    {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a b", "name": "n", "input": {}}}]},
                ]
            },
            "messages[1].content[0].toolUse.toolUseId: expected `str` matching regex",
        ),
        (
            {
                "messages": [
                    HI,
                    {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a\n", "name": "n", "input": {}}}]},
                ]
            },
            "messages[1].content[0].toolUse.toolUseId: expected `str` matching regex",
        ),
        (
            {
                "messages": [
                    HI,
                    CALL,
                    user({"toolResult": {"toolUseId": "a", "content": [{"json": nested(40)}]}})["messages"][0],
                ]
            },
            "messages[2].content[0].toolResult.content[0].json",
        ),
        (
            document(format="doc"),
            "messages[0].content[0].document.format: expected one of csv, docx, html, md, pdf, txt, xlsx, found doc; "
            "this format cannot be inspected, so it is refused",
        ),
        (document(format="xls"), "messages[0].content[0].document.format: expected one of csv, docx, html, md, pdf"),
        (
            document(format="pdf", source={"text": "x"}),
            "messages[0].content[0].document.format: expected one of csv, html, md, txt for text, found pdf; send",
        ),
        (
            user({"document": {"name": "d", "source": {"bytes": encoded(b"text")}}}),
            "messages[0].content[0].document.format: expected one of csv, docx, html, md, pdf, txt, xlsx, found none",
        ),
        (document(format="pdf", source={"bytes": ""}), "messages[0].content[0].document.source.bytes: expected a doc"),
        (document(format="pdf", source={"bytes": "!"}), "messages[0].content[0].document.source.bytes: expected base"),
        (document(source={"bytes": "!"}), "messages[0].content[0].document.source.bytes: expected base64"),
        (
            document(source={"bytes": encoded(b"\xff\xfe")}),
            "messages[0].content[0].document.source.bytes: expected text",
        ),
        (document(source={"bytes": encoded(b"a\0b")}), "messages[0].content[0].document.source.bytes: expected text"),
        (document(source={"bytes": ""}), "messages[0].content[0].document.source.bytes: expected text, found a blank"),
        (
            document(source={"s3Location": {"uri": "s3://b/k"}}),
            "messages[0].content[0].document.source.s3Location: content that lies elsewhere",
        ),
        (
            document(source={}),
            "messages[0].content[0].document.source: expected exactly one kind of content, found none",
        ),
        (
            document(citations={"enabled": True}),
            "messages[0].content[0].document.citations.enabled: answers with citations",
        ),
        ({"messages": [HI], "system": [{"text": ""}]}, "system[0].text: expected `str` of length >= 1"),
        ({"messages": [HI], "system": [{}]}, "system[0]: expected exactly one kind of content"),
        (
            {"messages": [HI], "additionalModelRequestFields": {"anthropic_beta": ["x"]}},
            "additionalModelRequestFields.anthropic_beta: this setting is not supported by this version",
        ),
        (
            {"messages": [HI], "additionalModelRequestFields": {"thinking": {"type": "enabled", "system": "x"}}},
            "additionalModelRequestFields.thinking.system: this setting is not supported by this version",
        ),
        (
            {"messages": [HI], "promptVariables": {}},
            "promptVariables: stored prompts would reach the model uninspected",
        ),
        (
            {"messages": [HI], "outputConfig": {}},
            "outputConfig: a form of the answer cannot be asked for in this version",
        ),
        (
            {"messages": [HI], "performanceConfig": {}},
            "performanceConfig: the system file decides which model answers",
        ),
        ({"messages": [HI], "serviceTier": {}}, "serviceTier: the system file decides which model answers"),
        ({"messages": [HI], "inferenceConfig": {"maxTokens": 0}}, "inferenceConfig.maxTokens: expected `int` >= 1"),
        (
            {"messages": [HI], "inferenceConfig": {"temperature": 1.5}},
            "inferenceConfig.temperature: expected `float` <= 1",
        ),
        ({"messages": [HI], "toolConfig": {"tools": []}}, "toolConfig.tools: expected `array` of length >= 1"),
        (
            {"messages": [HI], "toolConfig": {"tools": [{"systemTool": {"name": "x"}}]}},
            "toolConfig.tools[0].systemTool: tools that the service runs itself are not governed",
        ),
        (
            {"messages": [HI], "toolConfig": {"tools": [TOOL, TOOL]}},
            "toolConfig.tools[1].toolSpec.name: expected a name of its own",
        ),
        (
            {"messages": [HI], "toolConfig": {"tools": [TOOL], "toolChoice": {"tool": {"name": "other"}}}},
            "toolConfig.toolChoice.tool.name: expected the name of a tool",
        ),
        (
            {"messages": [HI], "requestMetadata": {"a": "b\u0000"}},
            "requestMetadata[...]: expected `str` matching regex",
        ),
        ({"messages": [HI], "requestMetadata": {str(n): "" for n in range(17)}}, "requestMetadata: expected `object`"),
    ],
)
def test_a_refusal_names_the_place(body: Any, message: str) -> None:
    assert refusal(body).startswith(message)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "SECRET 123", "content": [{"text": "x"}]}]},
        user({"document": {"name": "SECRET", "format": "SECRET 123", "source": {"text": "SECRET"}}}),
        user({"text": "a", "guardContent": {"text": {"text": "SECRET"}}}),
    ],
)
def test_a_refusal_never_repeats_a_value(body: Any) -> None:
    assert "SECRET" not in refusal(body)


SECRETS = [
    "x" * 2_000,
    "a\x1b[2J",
    "ghp_8f2Kq1",
    "AKIAQ3EGRZPLCANARY77",
    "AKIAWPBYOYRHRVWVEQSY",
    "ghp_" + "kSkfNrsGoueR" * 3,
]
"""The last ones hold no digit but at the end, as some keys do."""


@pytest.mark.parametrize("name", SECRETS)
def test_a_name_that_is_none_is_not_repeated(name: str) -> None:
    """A secret may stand where a name should."""
    said = refusal({"messages": [HI], name: 1})
    assert "unknown field" in said
    assert name not in said


@pytest.mark.parametrize("value", SECRETS)
def test_a_value_that_is_none_is_not_repeated(value: str) -> None:
    said = refusal(user({"document": {"name": "a", "format": value, "source": {"text": "x"}}}))
    assert "unexpected value" in said
    assert value not in said


def tool_result(value: Any) -> dict[str, Any]:
    return {
        "messages": [HI, CALL, user({"toolResult": {"toolUseId": "a", "content": [{"json": value}]}})["messages"][0]]
    }


def test_bounds_hold_exactly() -> None:
    assert isinstance(parse(tool_result(nested(NESTING_MAX))), Conversation)
    assert "nested" in refusal(tool_result(nested(NESTING_MAX + 1)))
    assert isinstance(parse(tool_result(["x"] * (STRINGS_MAX - 4))), Conversation)  # hi, two ids, a name
    assert f"at most {STRINGS_MAX} strings" in refusal(tool_result(["x"] * (STRINGS_MAX - 3)))
    assert isinstance(parse(tool_result(2**63 - 1)), Conversation)
    assert "64 bits" in refusal(tool_result(2**63))
    assert isinstance(
        parse({"messages": [HI if n % 2 == 0 else {**HI, "role": "assistant"} for n in range(1000)]}), Conversation
    )


def test_a_result_answers_only_the_turn_before() -> None:
    late = user({"toolResult": {"toolUseId": "a", "content": []}})["messages"][0]
    assert isinstance(parse({"messages": [HI, CALL, late]}), Conversation)
    assert "toolUseId" in refusal({"messages": [HI, CALL, late, {**HI, "role": "assistant"}, late]})


ANSWER = ModelAnswer(
    content=(
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"text": "hello"},
        {"toolUse": {"toolUseId": "a", "name": "n", "input": {"x": [1, None, "y"]}}},
    ),
    stop_reason="tool_use",
    usage=Usage(input_tokens=3, output_tokens=4),
    latency_ms=1.5,
)


def test_boto3_reads_the_answer() -> None:
    assert read("Converse", converse.render(ANSWER, 12)) == {
        "output": {"message": {"role": "assistant", "content": list(ANSWER.content)}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
        "metrics": {"latencyMs": 12},
    }


def test_the_trace_is_there_when_it_was_asked_for() -> None:
    body = read("Converse", converse.render(ANSWER, 12, {"actionReason": "No action."}))
    assert body["trace"] == {"guardrail": {"actionReason": "No action."}}


EVENTS = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "héllo \u2028"}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"contentBlockStart": {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "a", "name": "n"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"x":1}'}}}},
    {"contentBlockStop": {"contentBlockIndex": 1}},
    {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"reasoningContent": {"text": "hm"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"reasoningContent": {"signature": "sig"}}}},
    {"contentBlockStop": {"contentBlockIndex": 2}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}, "metrics": {"latencyMs": 4}}},
]


def test_boto3_reads_the_stream() -> None:
    renderer = converse.StreamRenderer()
    assert read_stream("ConverseStream", b"".join(map(renderer.event, EVENTS))) == EVENTS


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WireError.VALIDATION, "validationException"),
        (WireError.THROTTLING, "throttlingException"),
        (WireError.UNAVAILABLE, "serviceUnavailableException"),
        (WireError.MODEL_TIMEOUT, "modelStreamErrorException"),
        (WireError.MODEL_ERROR, "modelStreamErrorException"),
        (WireError.ACCESS_DENIED, "modelStreamErrorException"),
    ],
)
def test_boto3_raises_what_ends_a_stream(error: WireError, code: str) -> None:
    renderer = converse.StreamRenderer()
    data = renderer.event(EVENTS[0]) + renderer.exception(Refusal(error=error, message="It failed."))
    with pytest.raises(EventStreamError) as raised:
        read_stream("ConverseStream", data)
    assert raised.value.response["Error"] == {"Code": code, "Message": "It failed."}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("arn:aws:bedrock:eu-west-1:111111111111:prompt/ABCDEFGHIJ:1", "modelId: stored prompts would reach the model"),
        ("arn:aws:bedrock:eu-west-1:111111111111:prompt-router/x", "modelId: the system file decides which model"),
        ("arn:aws:bedrock:eu-west-1:111111111111:default-prompt-router/x", "modelId: the system file decides which"),
    ],
)
def test_what_stands_in_a_models_place_is_refused_by_name(model: str, message: str) -> None:
    for body in (b"{}", json.dumps({"messages": [HI]}).encode()):
        parsed = converse.parse(body, model, stream=False)
        assert isinstance(parsed, Refusal)
        assert parsed.message.startswith(message)
