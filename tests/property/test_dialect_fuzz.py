"""Whatever the body, a dialect answers with a conversation or a refusal: never an exception, never a long message."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caisson.errors import Refusal
from caisson.policy.tokens import estimate_prompt_tokens, worst_case_input_tokens
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import converse, guardrail, invoke, tokens

CLAUDE, NOVA = "anthropic.claude-x-v1:0", "amazon.nova-lite-v1:0"
PARSERS: dict[str, Callable[[bytes], Conversation | Refusal]] = {
    "converse": lambda body: converse.parse(body, "m", stream=False),
    "anthropic": lambda body: invoke.parse(body, CLAUDE, stream=True),
    "nova": lambda body: invoke.parse(body, NOVA, stream=False),
    "guardrail": lambda body: guardrail.parse(body, "main"),
    "tokens": lambda body: tokens.parse(body, CLAUDE),
}
WORDS = [
    "messages",
    "role",
    "user",
    "assistant",
    "content",
    "text",
    "system",
    "toolConfig",
    "tools",
    "toolSpec",
    "name",
    "inputSchema",
    "json",
    "toolUse",
    "toolUseId",
    "input",
    "toolResult",
    "status",
    "document",
    "format",
    "txt",
    "source",
    "bytes",
    "guardContent",
    "reasoningContent",
    "reasoningText",
    "cachePoint",
    "type",
    "default",
    "inferenceConfig",
    "maxTokens",
    "stopSequences",
    "anthropic_version",
    "bedrock-2023-05-31",
    "max_tokens",
    "tool_use",
    "tool_result",
    "id",
    "tool_use_id",
    "INPUT",
    "converse",
    "invokeModel",
    "body",
    "requestMetadata",
    "guardrailConfig",
    "trace",
    "enabled",
    "image",
    "schemaVersion",
]
words = st.sampled_from(WORDS) | st.text(max_size=5)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | words
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4), max_leaves=12
)

SEEDS: dict[str, Any] = {
    "converse": {
        "messages": [
            {
                "role": "user",
                "content": [{"text": "a"}, {"document": {"name": "d", "format": "txt", "source": {"text": "t"}}}],
            },
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "i", "name": "n", "input": {"k": [1, "v"]}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "i", "content": [{"json": {"k": "v"}}]}}]},
        ],
        "system": [{"text": "s"}],
        "inferenceConfig": {"maxTokens": 5, "stopSequences": ["x"]},
        "toolConfig": {"tools": [{"toolSpec": {"name": "n", "inputSchema": {"json": {}}}}], "toolChoice": {"auto": {}}},
    },
    "anthropic": {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 5,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "content": "b"},
        ],
        "tools": [{"name": "n", "input_schema": {}}],
        "tool_choice": {"type": "auto"},
    },
    "nova": {"messages": [{"role": "user", "content": [{"text": "a"}]}], "inferenceConfig": {"topK": 5}},
    "guardrail": {"source": "INPUT", "content": [{"text": {"text": "a", "qualifiers": ["query"]}}]},
    "tokens": {"input": {"converse": {"messages": [{"role": "user", "content": [{"text": "a"}]}]}}},
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def check(answer: Conversation | Refusal) -> None:
    if isinstance(answer, Refusal):
        assert answer.error.status < 500
        assert 0 < len(answer.message) < 500
        return
    texts = [part.text for part in answer.parts()]
    assert answer.with_texts(texts) is answer
    assert estimate_prompt_tokens(texts, len(answer.messages)) <= worst_case_input_tokens(answer)
    assert sum(len(text.encode()) for text in texts) <= worst_case_input_tokens(answer) + len(
        "".join(stops(answer)).encode()
    )


def stops(conversation: Conversation) -> list[str]:
    found: list[str] = conversation.inference.get("stopSequences", [])
    return found


@pytest.mark.parametrize("dialect", sorted(PARSERS))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_any_body(dialect: str, body: bytes) -> None:
    check(PARSERS[dialect](body))


@pytest.mark.parametrize("dialect", sorted(PARSERS))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_valid_body_with_anything_changed(dialect: str, data: st.DataObject) -> None:
    body = SEEDS[dialect]
    assert isinstance(PARSERS[dialect](json.dumps(body).encode()), Conversation)
    for _ in range(data.draw(st.integers(1, 2))):
        body = changed(body, data.draw(st.sampled_from(places(body))), data.draw(values))
    check(PARSERS[dialect](json.dumps(body).encode()))
