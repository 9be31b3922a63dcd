"""Documents that clients send, and what can be wrong with one.

>>> value = mutated(random.Random(1), CONVERSE)
>>> value != CONVERSE
True
"""

from __future__ import annotations

import base64
import json
import random
from typing import Any

from conformance import NOVA
from running_system import MODEL
from wire import path

ACTIONS = ("converse", "converse-stream", "invoke", "invoke-with-response-stream", "count-tokens")
TEXTS = (
    "",
    "hello",
    "\x00",
    "\ud800",
    "\U0001f600" * 9,
    "a" * 5000,
    "[EMAIL_7f3a9c]",
    "CLM-12345678",
    "{{system}}",
    "‮x",
)
NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 1e308, -0.0, 0.1, 10**40)
JUNK: tuple[Any, ...] = (*TEXTS, *NUMBERS, None, True, False, [], {}, [[]], {"": {}}, float("nan"), float("inf"))
CONVERSE: dict[str, Any] = {
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "Hello"},
                {"document": {"format": "txt", "name": "a", "source": {"bytes": "aGVsbG8="}}},
            ],
        },
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "look", "input": {"a": [1, "x"]}}}]},
        {
            "role": "user",
            "content": [{"toolResult": {"toolUseId": "t1", "content": [{"json": {"b": 1}}], "status": "success"}}],
        },
    ],
    "system": [{"text": "Be kind."}],
    "inferenceConfig": {"maxTokens": 20, "temperature": 0.5, "topP": 0.9, "stopSequences": ["x"]},
    "toolConfig": {
        "tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}],
        "toolChoice": {"auto": {}},
    },
    "requestMetadata": {"k": "v"},
}
ANTHROPIC: dict[str, Any] = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 20,
    "system": "Be kind.",
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    "tools": [{"name": "look", "description": "d", "input_schema": {"type": "object"}}],
    "temperature": 0.5,
}
GUARDRAIL: dict[str, Any] = {"source": "INPUT", "content": [{"text": {"text": "Hello", "qualifiers": ["query"]}}]}
CHAT: dict[str, Any] = {
    "model": MODEL,
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}], "name": "al"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"a": [1, "x"]}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "blue"},
        {"role": "user", "content": "And now?"},
    ],
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
    "tool_choice": "auto",
    "max_tokens": 20,
    "temperature": 0.5,
    "stop": ["x"],
    "metadata": {"k": "v"},
    "stream_options": {"include_usage": True},
}


def valid(chance: random.Random) -> tuple[str, Any]:
    """A target and a document for it."""
    match chance.randrange(10):
        case 0 | 1:
            return path(chance.choice(("converse", "converse-stream"))), CONVERSE
        case 2 | 3:
            return path(chance.choice(("invoke", "invoke-with-response-stream"))), ANTHROPIC
        case 4:
            body = {key: value for key, value in CONVERSE.items() if key != "requestMetadata"}
            return path(chance.choice(("invoke", "invoke-with-response-stream")), NOVA), body
        case 5:
            return path("count-tokens"), {"input": {"converse": _counted()}}
        case 6:
            body = base64.b64encode(dumped(ANTHROPIC)).decode()
            return path("count-tokens"), {"input": {"invokeModel": {"body": body}}}
        case 7:
            return "/guardrail/main/version/DRAFT/apply", GUARDRAIL
        case _:
            target = chance.choice(("/v1/chat/completions", "/openai/v1/chat/completions"))
            return target, {**CHAT, "stream": chance.random() < 0.5}


def _counted() -> Any:
    return {key: CONVERSE[key] for key in ("messages", "system", "toolConfig")}


def mutated(chance: random.Random, value: Any) -> Any:
    """The document with one value changed, somewhere."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {name: item for name, item in value.items() if name != key}
            case 1:
                return {(name + "x" if name == key else name): item for name, item in value.items()}
            case 2:
                return {
                    **value,
                    chance.choice(("extra", "", "guardrailConfig", "__proto__", "\u0130")): chance.choice(JUNK),
                }
            case _:
                return {**value, key: mutated(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.85:
        at = chance.randrange(len(value))
        match chance.randrange(6):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value * chance.choice((2, 50))
            case _:
                return [*value[:at], mutated(chance, value[at]), *value[at + 1 :]]
    return chance.choice(JUNK)


def dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
