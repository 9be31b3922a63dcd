"""InvokeModel families: Claude's Messages API, Nova's schema and chat completions, parsed and rendered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import EventStreamError

from bedrock_model import read_stream
from caisson.errors import CallerError, Refusal, WireError
from caisson.ports.model import ModelAnswer, Usage
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import invoke
from caisson.zones.z2_runtime.operations import Operation

CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
HI = {"role": "user", "content": "hi"}
BODY: dict[str, Any] = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [HI]}


def parse(body: Any, model: str = CLAUDE, stream: bool = False, **headers: Any) -> Conversation | Refusal:
    return invoke.parse(json.dumps(body).encode(), model, stream, **headers)


def parsed(body: Any, model: str = CLAUDE) -> Conversation:
    conversation = parse(body, model)
    assert isinstance(conversation, Conversation), conversation.message
    return conversation


def claude(*content: Any, **changes: Any) -> dict[str, Any]:
    return {**BODY, "messages": [{"role": "user", "content": list(content)}], **changes}


def test_a_claude_request_becomes_a_conversation() -> None:
    body = {
        **BODY,
        "system": [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            HI,
            {"role": "user", "content": [{"type": "text", "text": "again"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "tool_use", "id": "a", "name": "n", "input": {"k": "v"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "done", "is_error": True},
                    {
                        "type": "document",
                        "title": "t",
                        "context": "c",
                        "source": {"type": "content", "content": [{"type": "text", "text": "d"}]},
                    },
                ],
            },
        ],
        "tools": [{"name": "n", "description": "d", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "tool", "name": "n"},
        "temperature": 0.1,
        "top_p": 0.2,
        "top_k": 3,
        "stop_sequences": ["x"],
    }
    assert parsed(body) == Conversation(
        operation=Operation.INVOKE_MODEL,
        model_id=CLAUDE,
        system=({"text": "be kind"}, {"cachePoint": {"type": "default", "ttl": "1h"}}),
        messages=(
            {"role": "user", "content": [{"text": "hi"}, {"text": "again"}]},
            {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                    {"toolUse": {"toolUseId": "a", "name": "n", "input": {"k": "v"}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "a", "content": [{"text": "done"}], "status": "error"}},
                    {"document": {"format": "txt", "name": "t", "source": {"text": "d"}, "context": "c"}},
                ],
            },
        ),
        inference={"temperature": 0.1, "topP": 0.2, "topK": 3, "stopSequences": ["x"]},
        output_tokens_max=9,
        tools={
            "tools": [{"toolSpec": {"name": "n", "description": "d", "inputSchema": {"json": {"type": "object"}}}}],
            "toolChoice": {"tool": {"name": "n"}},
        },
    )


def test_a_nova_request_becomes_a_conversation() -> None:
    body = {
        "schemaVersion": "messages-v1",
        "system": [{"text": "be kind"}],
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "inferenceConfig": {"max_new_tokens": 5, "topK": 4, "temperature": 0.5},
    }
    assert parsed(body, f"us.{NOVA}") == Conversation(
        operation=Operation.INVOKE_MODEL,
        model_id=f"us.{NOVA}",
        system=({"text": "be kind"},),
        messages=({"role": "user", "content": [{"text": "hi"}]},),
        inference={"topK": 4, "temperature": 0.5},
        output_tokens_max=5,
    )


@pytest.mark.parametrize("prefix", ["", "us.", "eu.", "apac.", "global."])
def test_a_profile_prefix_names_the_same_family(prefix: str) -> None:
    assert parsed(BODY, prefix + CLAUDE).output_tokens_max == 9


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("meta.llama3-8b-instruct-v1:0", "one prompt with the roles written into it, and nothing can tell them apart"),
        ("eu.mistral.mixtral-8x7b-instruct-v0:1", "one prompt with the roles written into it"),
        ("us.deepseek.r1-v1:0", "one prompt with the roles written into it"),
        ("mistral.mistral-large-2402-v1:0", "its body is not read by this version; use Converse"),
        ("cohere.command-r-plus-v1:0", "its body is not read by this version; use Converse"),
        ("ai21.jamba-1-5-large-v1:0", "its body is not read by this version; use Converse"),
        ("amazon.titan-text-express-v1", "its body is not read by this version; use Converse"),
        ("amazon.titan-embed-image-v1", "answers with numbers for images or rankings"),
        ("cohere.rerank-v3-5:0", "answers with numbers"),
        ("amazon.nova-canvas-v1:0", "makes images, film or sound"),
        ("us.amazon.nova-sonic-v1:0", "makes images, film or sound"),
        ("stability.sd3-5-large-v1:0", "makes images, film or sound"),
        ("xx.anthropic.claude", "no body of this family is known; use Converse"),
        ("x" * 2000, "no body of this family is known; use Converse"),
    ],
)
def test_another_family_is_refused_by_name(model: str, why: str) -> None:
    refused = parse(BODY, model)
    assert isinstance(refused, Refusal)
    assert (refused.error, refused.rule) == (WireError.VALIDATION, "schema.family")
    assert refused.message.startswith(
        "InvokeModel reads the bodies of Claude, Nova, chat completions and text embeddings"
    )
    assert why in refused.message
    assert len(refused.message) < 300
    with pytest.raises(CallerError):
        invoke.StreamRenderer(model, "r")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": [HI]}, "request: object missing required field"),
        ({**BODY, "anthropic_version": "x y"}, "anthropic_version: unexpected value"),
        ({**BODY, "surprise": 1}, "surprise: unknown field"),
        ({**BODY, "thinking": {"type": "enabled", "display": "x"}}, "thinking.display: unknown field"),
        (
            {**BODY, "tools": [{"type": "web_search_20250305", "name": "w", "input_schema": {}}]},
            "tools[0].type: tools that the service runs itself",
        ),
        ({**BODY, "anthropic_beta": ["x"]}, "anthropic_beta: this setting is not supported by this version"),
        ({**BODY, "stream": True}, "stream: the operation decides whether the answer streams"),
        ({**BODY, "tool_choice": {"type": "none"}}, "tool_choice.type: unexpected value 'none'"),
        (
            claude({"type": "image", "source": {}}),
            "messages[0].content[0].source: object missing required field",
        ),
        (
            claude({"type": "image", "source": {"type": "url"}}),
            "messages[0].content[0].source.type 'url': content that lies elsewhere",
        ),
        (
            claude({"type": "redacted_thinking", "data": ""}),
            "messages[0].content[0].type 'redacted_thinking': encrypted content",
        ),
        (
            claude({"type": "document", "source": {"type": "base64", "media_type": "text/html", "data": "eA=="}}),
            "messages[0].content[0].source.media_type: unexpected value",
        ),
        (
            claude({"type": "document", "source": {"type": "url"}}),
            "messages[0].content[0].source.type 'url': content that lies elsewhere",
        ),
        (claude({"type": "text", "text": "x", "citations": []}), "messages[0].content[0].citations: answers with cit"),
        (claude({"type": "text"}), "messages[0].content[0]: object missing required field `text`"),
        (claude({"text": "x"}), "messages[0].content[0]: object missing required field `type`"),
        (claude(), "messages[0].content: expected `array` of length >= 1"),
        (
            claude({"type": "tool_use", "id": "a", "name": "n", "input": {}}),
            "messages[0].content[0].toolUse: not allowed",
        ),
        (
            claude({"type": "tool_result", "tool_use_id": "z"}),
            "messages[0].content[0].toolResult.toolUseId: expected the id",
        ),
    ],
)
def test_a_claude_refusal_names_the_place(body: Any, message: str) -> None:
    refused = parse(body)
    assert isinstance(refused, Refusal)
    assert refused.message.startswith(message)


def test_images_pdfs_and_thinking_of_claude_become_those_of_converse() -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "aGk="}}
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}}
    given = parsed(claude(picture, pdf, thinking={"type": "enabled", "budget_tokens": 1024}))
    assert given.messages[0]["content"] == [
        {"image": {"format": "webp", "source": {"bytes": "aGk="}}},
        {"document": {"format": "pdf", "name": "document", "source": {"bytes": "JVBERg=="}}},
    ]
    assert [(found.path, found.document) for found in given.unread] == [("messages[0].content[1].document", b"%PDF")]
    assert given.additional == {"thinking": {"type": "enabled", "budget_tokens": 1024}}


def test_a_nova_refusal_names_the_place() -> None:
    for body, message in (
        ({"messages": [{"role": "user", "content": [{"toolAddition": {}}]}]}, "messages[0].content[0].toolAddition"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}], "inputText": "x"}, "inputText: unknown field"),
        ({"schemaVersion": "v2", "messages": []}, "schemaVersion: unexpected value 'v2'"),
    ):
        refused = parse(body, NOVA)
        assert isinstance(refused, Refusal)
        assert refused.message.startswith(message)


def test_headers() -> None:
    for fine in (None, "application/json", "Application/JSON; charset=utf-8"):
        assert isinstance(parse(BODY, content_type=fine), Conversation)
    wrong = parse(BODY, content_type="text/plain")
    assert isinstance(wrong, Refusal)
    assert wrong.error is WireError.UNSUPPORTED_MEDIA_TYPE
    for fine in (None, "", "*/*", "application/json", "text/html, application/json;q=0.5"):
        assert isinstance(parse(BODY, accept=fine), Conversation)
    assert isinstance(parse(BODY, accept="application/xml"), Refusal)
    labelled = parse(BODY, request_metadata='{"team": "claims"}', guardrail=True, trace=True)
    assert isinstance(labelled, Conversation)
    assert (labelled.request_metadata, labelled.dropped, labelled.trace) == (
        {"team": "claims"},
        ("guardrailIdentifier",),
        True,
    )
    for labels in ("{", '{"a": 1}', '["a"]'):
        assert isinstance(parse(BODY, request_metadata=labels), Refusal)


ANSWER = ModelAnswer(
    content=(
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"text": "hello"},
        {"toolUse": {"toolUseId": "a", "name": "n", "input": {"x": 1}}},
    ),
    stop_reason="tool_use",
    usage=Usage(input_tokens=3, output_tokens=4),
    latency_ms=1.5,
)


def blocked(reason: str) -> ModelAnswer:
    return ModelAnswer(content=({"text": "no"},), stop_reason=reason, usage=ANSWER.usage, latency_ms=0)


def test_a_claude_answer() -> None:
    assert json.loads(invoke.render(ANSWER, model_id=CLAUDE, request_id="r1")) == {
        "id": "msg_r1",
        "type": "message",
        "role": "assistant",
        "model": CLAUDE,
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "text", "text": "hello"},
            {"type": "tool_use", "id": "a", "name": "n", "input": {"x": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 4},
        "amazon-bedrock-guardrailAction": "NONE",
    }
    intervened = json.loads(
        invoke.render(blocked("guardrail_intervened"), {"actionReason": "x"}, model_id=CLAUDE, request_id="r")
    )
    assert intervened["stop_reason"] == "end_turn"
    assert intervened["amazon-bedrock-guardrailAction"] == "INTERVENED"
    assert intervened["amazon-bedrock-trace"] == {"guardrail": {"actionReason": "x"}}
    filtered = json.loads(invoke.render(blocked("content_filtered"), model_id=CLAUDE, request_id="r"))
    assert filtered["stop_reason"] == "refusal"


def test_a_nova_answer() -> None:
    assert json.loads(invoke.render(blocked("end_turn"), model_id=NOVA, request_id="r")) == {
        "output": {"message": {"content": [{"text": "no"}], "role": "assistant"}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7},
        "amazon-bedrock-guardrailAction": "NONE",
    }


EVENTS = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "sig"}}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "hel"}}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "lo"}}},
    {"contentBlockStop": {"contentBlockIndex": 1}},
    {"contentBlockStart": {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "a", "name": "n"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"x":1}'}}}},
    {"contentBlockStop": {"contentBlockIndex": 2}},
    {"messageStop": {"stopReason": "tool_use"}},
    {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}, "metrics": {"latencyMs": 5}}},
]


def chunks(model: str) -> list[dict[str, Any]]:
    renderer = invoke.StreamRenderer(model, "r1")
    events = read_stream("InvokeModelWithResponseStream", b"".join(map(renderer.event, EVENTS)))
    return [json.loads(event["chunk"]["bytes"]) for event in events]


def test_a_claude_stream() -> None:
    usage = {"input_tokens": 0, "output_tokens": 0}
    head = {"id": "msg_r1", "type": "message", "role": "assistant", "model": CLAUDE, "content": []}
    assert chunks(CLAUDE) == [
        {"type": "message_start", "message": {**head, "stop_reason": None, "stop_sequence": None, "usage": usage}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "sig"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "hel"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "lo"}},
        {"type": "content_block_stop", "index": 1},
        {
            "type": "content_block_start",
            "index": 2,
            "content_block": {"type": "tool_use", "id": "a", "name": "n", "input": {}},
        },
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"x":1}'}},
        {"type": "content_block_stop", "index": 2},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {"input_tokens": 3, "output_tokens": 4},
        },
        {
            "type": "message_stop",
            "amazon-bedrock-invocationMetrics": {
                "inputTokenCount": 3,
                "outputTokenCount": 4,
                "invocationLatency": 5,
            },
            "amazon-bedrock-guardrailAction": "NONE",
        },
    ]


def test_a_nova_stream_is_converse_in_chunks() -> None:
    assert chunks(NOVA) == EVENTS


@pytest.mark.parametrize("model", [CLAUDE, NOVA])
def test_a_timeout_in_a_stream_has_its_own_exception_here(model: str) -> None:
    data = invoke.StreamRenderer(model, "r").exception(Refusal(error=WireError.MODEL_TIMEOUT, message="Too slow."))
    with pytest.raises(EventStreamError) as raised:
        read_stream("InvokeModelWithResponseStream", data)
    assert raised.value.response["Error"] == {"Code": "modelTimeoutException", "Message": "Too slow."}


GPT_OSS = "openai.gpt-oss-120b-1:0"
CHATS = [GPT_OSS, "qwen.qwen3-32b-v1:0", "us.deepseek.v3-v1:0", "google.gemma-3-27b-it", "moonshot.kimi-k2-thinking"]


@pytest.mark.parametrize("model", CHATS)
def test_a_chat_request_becomes_a_conversation(model: str) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "n", "arguments": '{"k": "v"}'}}
    body = {
        "model": model,
        "stream": False,
        "max_completion_tokens": 9,
        "messages": [
            {"role": "system", "content": "be kind"},
            HI,
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": "done"},
        ],
        "tools": [{"type": "function", "function": {"name": "n", "parameters": {"type": "object"}}}],
    }
    conversation = parsed(body, model)
    assert (conversation.operation, conversation.model_id) == (Operation.INVOKE_MODEL, model)
    assert (conversation.output_tokens_max, conversation.joins) == (9, True)
    assert [part.text for part in conversation.parts()] == [
        "be kind", "hi", "a", "n", "k", "v", "a", "done", "n", "type", "object",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": [HI], "model": "another"}, "model: expected the model of the path"),
        ({"messages": [HI], "stream": True}, "stream: the operation decides"),
        ({"messages": [HI], "stream_options": {"include_usage": True}}, "stream_options: usage comes"),
        ({"messages": [HI], "logit_bias": {}}, "logit_bias: unknown field"),
        ({"messages": []}, "messages:"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages"),
    ],
)
def test_a_chat_refusal_names_the_place(body: Any, message: str) -> None:
    refused = parse(body, GPT_OSS)
    assert isinstance(refused, Refusal)
    assert refused.message.startswith(message)


def test_a_chat_may_say_that_it_streams_where_the_operation_does() -> None:
    assert isinstance(parse({"messages": [HI], "stream": True}, GPT_OSS, stream=True), Conversation)


def test_a_chat_answer() -> None:
    answer = ModelAnswer(
        content=({"text": "hi"},),
        stop_reason="end_turn",
        usage=Usage(input_tokens=1, output_tokens=2),
        latency_ms=3,
    )
    body = json.loads(invoke.render(answer, {"x": 1}, model_id=GPT_OSS, request_id="r"))
    (choice,) = body["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("hi", "stop")
    assert body["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert (body["model"], body["amazon-bedrock-guardrailAction"]) == (GPT_OSS, "NONE")
    assert body["amazon-bedrock-trace"] == {"guardrail": {"x": 1}}


def test_a_chat_stream() -> None:
    renderer = invoke.StreamRenderer(GPT_OSS, "r")
    events: list[Any] = [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "s"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "hi"}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "guardrail_intervened"}},
        {
            "metadata": {
                "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3},
                "metrics": {"latencyMs": 4},
                "trace": {"guardrail": {"x": 1}},
            }
        },
    ]
    data = b"".join(map(renderer.event, events))
    chunks = [json.loads(event["chunk"]["bytes"]) for event in read_stream("InvokeModelWithResponseStream", data)]
    assert [chunk["choices"][0]["delta"] for chunk in chunks[:-1]] == [
        {"role": "assistant", "content": ""}, {"content": "hi"}, {},
    ]  # fmt: skip
    assert chunks[2]["choices"][0]["finish_reason"] == "content_filter"
    assert chunks[3]["usage"]["total_tokens"] == 3
    assert chunks[3]["amazon-bedrock-invocationMetrics"]["invocationLatency"] == 4
    assert chunks[3]["amazon-bedrock-guardrailAction"] == "INTERVENED"
    assert chunks[3]["amazon-bedrock-trace"] == {"guardrail": {"x": 1}}
