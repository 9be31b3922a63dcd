"""ApplyGuardrail and CountTokens bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bedrock_model import read, sent
from caisson.errors import Refusal
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import guardrail, tokens
from caisson.zones.z2_runtime.operations import Operation

HI = {"role": "user", "content": [{"text": "hello there"}]}


def test_apply_guardrail() -> None:
    body = sent(
        "ApplyGuardrail",
        guardrailIdentifier="main",
        guardrailVersion="DRAFT",
        source="OUTPUT",
        outputScope="FULL",
        content=[
            {"text": {"text": "source", "qualifiers": ["grounding_source"]}},
            {"text": {"text": "query", "qualifiers": ["query"]}},
            {"text": {"text": "answer", "qualifiers": ["guard_content"]}},
        ],
    )
    parsed = guardrail.parse(body, "main")
    assert isinstance(parsed, Conversation)
    assert (parsed.operation, parsed.model_id) == (Operation.APPLY_GUARDRAIL, "main")
    assert (parsed.source, parsed.output_scope) == ("OUTPUT", "FULL")
    assert [(part.role, part.text) for part in parsed.parts()] == [
        ("document", "source"),
        ("assistant", "query"),
        ("assistant", "answer"),
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "request: object missing required field"),
        ({"source": "BOTH", "content": []}, "source: unexpected value 'BOTH'"),
        ({"source": "INPUT", "content": []}, "content: expected `array` of length >= 1"),
        ({"source": "INPUT", "content": [{"image": {}}]}, "content[0].image: this kind of content is not inspected"),
        (
            {"source": "INPUT", "content": [{"text": {"text": "a", "qualifiers": ["x"]}}]},
            "content[0].text.qualifiers[0]",
        ),
        (
            {"source": "INPUT", "content": [{"text": {"text": "a"}}] * 1001},
            "content: expected `array` of length <= 1000",
        ),
    ],
)
def test_apply_guardrail_refusals(body: Any, message: str) -> None:
    refused = guardrail.parse(json.dumps(body).encode(), "main")
    assert isinstance(refused, Refusal)
    assert refused.message.startswith(message)


def count(**given: Any) -> int:
    parsed = tokens.parse(
        sent("CountTokens", modelId="anthropic.claude-x-v1:0", input=given), "anthropic.claude-x-v1:0"
    )
    assert isinstance(parsed, Conversation), parsed.message
    assert parsed.operation is Operation.COUNT_TOKENS
    return int(read("CountTokens", tokens.render(parsed))["inputTokens"])


def test_count_tokens_agrees_over_both_inputs_and_grows() -> None:
    short = count(converse={"messages": [HI]})
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "hello there"}],
    }
    assert count(invokeModel={"body": json.dumps(body).encode()}) == short == 7
    assert count(converse={"messages": [HI], "system": [{"text": "be kind"}]}) > short


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "request: object missing required field `input`"),
        ({"input": {}}, "input: expected exactly one of converse and invokeModel"),
        ({"input": {"invokeModel": {"body": "!"}}}, "input.invokeModel.body: expected base64"),
        ({"input": {"invokeModel": {"body": ""}}}, "request: expected a JSON object"),
        ({"input": {"converse": {"messages": []}}}, "input.converse.messages: expected `array` of length >= 1"),
        ({"input": {"converse": {"messages": [HI]}, "invokeModel": {"body": ""}}}, "input: expected exactly one"),
    ],
)
def test_count_tokens_refusals(body: Any, message: str) -> None:
    refused = tokens.parse(json.dumps(body).encode(), "anthropic.claude-x-v1:0")
    assert isinstance(refused, Refusal)
    assert refused.message.startswith(message)
