"""Every route, dialect and stream mode that reaches a model, as requests with a text in a chosen place (NET-02).

>>> [route.name for route in routes("amazon.nova-lite-v1:0")][:2]
['Converse', 'ConverseStream']
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

Place = Literal["user", "system", "document", "tool result", "history"]
PLACES: tuple[Place, ...] = ("user", "system", "document", "tool result", "history")
OUTPUT_TOKENS = 200
"""Asked of a model for one answer, so that attacks cost little."""
Body = dict[str, Any]
_LOOK = {"type": "object", "properties": {"at": {"type": "string"}}}


@dataclass(frozen=True, kw_only=True)
class Route:
    """One way in."""

    name: str
    target: str
    body: Callable[[Place, str], Body | None]
    """The request with a text in a place; None when the dialect has no such place."""
    streams: bool = False
    bearer: bool = False
    answers: bool = True
    """Whether a model answers on it."""

    def request(self, text: str, place: Place = "user") -> bytes | None:
        """The body's bytes."""
        body = self.body(place, text)
        return None if body is None else json.dumps(body).encode()


def routes(model_id: str) -> tuple[Route, ...]:
    """Those that a model's id has. InvokeModel speaks the vendor's dialect, so there it depends on the id."""
    path = f"/model/{quote(model_id, safe='')}"
    found = [
        Route(name="Converse", target=f"{path}/converse", body=_converse),
        Route(name="ConverseStream", target=f"{path}/converse-stream", body=_converse, streams=True),
    ]
    native = _anthropic if "anthropic." in model_id else _nova if "amazon.nova" in model_id else None
    if native is not None:
        found += [
            Route(name="InvokeModel", target=f"{path}/invoke", body=native),
            Route(
                name="InvokeModelWithResponseStream", target=f"{path}/invoke-with-response-stream", body=native,
                streams=True,
            ),
        ]  # fmt: skip
    for base in ("/openai/v1", "/v1"):
        for streams in (False, True):
            found.append(
                Route(
                    name=f"{base} chat completions{', streamed' if streams else ''}",
                    target=f"{base}/chat/completions",
                    body=_chat(model_id, streams),
                    streams=streams,
                    bearer=True,
                )
            )
    found.append(Route(name="CountTokens", target=f"{path}/count-tokens", body=_count, answers=False))
    return tuple(found)


def apply_guardrail(name: str) -> Route:
    """ApplyGuardrail on a text of the user."""

    def body(place: Place, text: str) -> Body | None:
        return {"source": "INPUT", "content": [{"text": {"text": text}}]} if place == "user" else None

    target = f"/guardrail/{quote(name, safe='')}/version/DRAFT/apply"
    return Route(name="ApplyGuardrail", target=target, body=body, answers=False)


def _converse(place: Place, text: str) -> Body:
    at = {place: text}
    use = {"toolUseId": "t1", "name": "look", "input": {"at": "sky"}}
    content: list[Body] = [{"text": at.get("user", "What now?")}]
    if place == "document":
        source = {"bytes": base64.b64encode(text.encode()).decode()}
        content.append({"document": {"name": "notes", "format": "txt", "source": source}})
    messages: list[Body] = [{"role": "user", "content": content}]
    body: Body = {"messages": messages, "inferenceConfig": {"maxTokens": OUTPUT_TOKENS}}
    if place == "tool result":
        content.insert(0, {"toolResult": {"toolUseId": "t1", "content": [{"text": text}]}})
        body["toolConfig"] = {
            "tools": [{"toolSpec": {"name": "look", "description": "Look.", "inputSchema": {"json": _LOOK}}}]
        }
        messages[:0] = _pair([{"text": "Look."}], [{"text": "I look."}, {"toolUse": use}])
    elif place == "history":
        messages[:0] = _pair([{"text": "Look."}], [{"text": text}])
    elif place == "system":
        body["system"] = [{"text": text}]
    return body


def _pair(asked: Any, answered: Any) -> list[Body]:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]


def _nova(place: Place, text: str) -> Body | None:
    if place == "document":
        return None
    return {"schemaVersion": "messages-v1", **_converse(place, text)}


def _anthropic(place: Place, text: str) -> Body:
    at = {place: text}
    content: list[Body] = [{"type": "text", "text": at.get("user", "What now?")}]
    messages: list[Body] = [{"role": "user", "content": content}]
    body: Body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": OUTPUT_TOKENS, "messages": messages}
    if place == "document":
        source = {"type": "text", "media_type": "text/plain", "data": text}
        content.append({"type": "document", "source": source})
    elif place == "tool result":
        content.insert(0, {"type": "tool_result", "tool_use_id": "t1", "content": text})
        use = {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": "sky"}}
        messages[:0] = _pair("Look.", [{"type": "text", "text": "I look."}, use])
        body["tools"] = [{"name": "look", "description": "Look.", "input_schema": _LOOK}]
    elif place == "history":
        messages[:0] = _pair("Look.", [{"type": "text", "text": text}])
    elif place == "system":
        body["system"] = text
    return body


def _chat(model_id: str, streams: bool) -> Callable[[Place, str], Body | None]:
    def body(place: Place, text: str) -> Body | None:
        if place == "document":
            return None
        at = {place: text}
        messages: list[Body] = [{"role": "user", "content": at.get("user", "What now?")}]
        made: Body = {"model": model_id, "stream": streams, "max_tokens": OUTPUT_TOKENS, "messages": messages}
        if place == "tool result":
            call = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"at": "sky"}'}}
            messages[:0] = [
                {"role": "user", "content": "Look."},
                {"role": "assistant", "content": "I look.", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "t1", "content": text},
            ]
            function = {"name": "look", "description": "Look.", "parameters": _LOOK}
            made["tools"] = [{"type": "function", "function": function}]
        elif place == "history":
            messages[:0] = _pair("Look.", text)
        elif place == "system":
            messages.insert(0, {"role": "system", "content": text})
        return made

    return body


def _count(place: Place, text: str) -> Body:
    body = _converse(place, text)
    del body["inferenceConfig"]
    return {"input": {"converse": body}}
