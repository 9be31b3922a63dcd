"""Requests drawn from botocore's service model go through the request path: what is carried arrives unharmed, nothing
is sent that was not inspected, and everything else is a refusal.

Each string is a marker that stands nowhere else, so what arrives where is counted without knowing any walk.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedrock_model import SERVICE, plain, sent
from bedrock_surface import walked
from caisson.adapters.aws.model.request import body_of
from caisson.channels.messages import ResponseEvent
from caisson.errors import Refusal
from caisson.ports.extractor import EXTRACTED, Extractor, Format, Unreadable
from caisson.ports.guardrail import Inspection, InspectionContext, Part
from caisson.zones.z2_runtime import pipeline
from caisson.zones.z2_runtime.dialects import converse
from caisson.zones.z2_runtime.operations import Operation
from request_path import FakeGuardrail, FakeModel, made_exchange, made_runtime, made_system, text_events

INPUT = SERVICE.operation_model("Converse").input_shape
MARKER = re.compile(r"m\d+q")
CARRIED = {path for path, _, carried in walked("Converse") if carried}
NOT_SEEN = {"requestMetadata", "guardrailConfig"}
"""What the model never sees."""
MEDIA = ("image", "video", "audio")
USER_ONLY = {"toolResult", "document", "searchResult", *MEDIA}
ASSISTANT_ONLY = {"toolUse", "reasoningContent", "citationsContent"}


class Writer:
    """Draws values of shapes. Of closed vocabularies one value, of strings a marker."""

    def __init__(self, draw: Any, *, everything: bool) -> None:
        self._draw = draw
        self._everything = everything
        self._count = 0
        self._banned: set[str] = set()
        """Kinds of content that the turn under way may not hold."""

    def text(self) -> str:
        self._count += 1
        return f"m{self._count}q"

    def value(self, shape: Shape, path: tuple[str, ...]) -> Any:
        if isinstance(shape, StructureShape):
            return self.free(0) if shape.is_document_type else self.structure(shape, path)
        if isinstance(shape, ListShape):
            least = 1 if path[-1] in ("messages", "tools") or (path[-1] == "content" and len(path) == 2) else 0
            found = []
            for index in range(self._draw(st.integers(least, 3))):
                if path == ("messages",):
                    self._banned = USER_ONLY if index % 2 else ASSISTANT_ONLY
                found.append(self.value(shape.member, path))
            return found
        if isinstance(shape, MapShape):
            return {self.text(): self.value(shape.value, path)}
        if shape.type_name == "blob":
            return self.text().encode()
        if shape.type_name == "boolean":
            return path[-1] == "strict" and self._draw(st.booleans())
        if shape.type_name in ("integer", "long"):
            return self._draw(st.integers(1, 9))
        if shape.type_name == "float":
            return 0.5
        if shape.enum:
            return self._draw(st.sampled_from([value for value in shape.enum if value != "system"]))
        return self.text()

    def structure(self, shape: StructureShape, path: tuple[str, ...]) -> dict[str, Any]:
        names = [name for name in shape.members if self._everything or (*path, name) in CARRIED]
        names = [name for name in names if path or name != "modelId"]
        if path == ("messages", "content"):
            names = [name for name in names if name not in self._banned]
        if shape.is_tagged_union:
            names = [self._draw(st.sampled_from(names))]
        return {
            name: self.value(shape.members[name], (*path, name))
            for name in names
            if shape.is_tagged_union or name in (*shape.required_members, "messages") or self._draw(st.integers(0, 2))
        }

    def free(self, depth: int) -> dict[str, Any]:
        inner = st.sampled_from(["text", "number", "list", "object"] if depth < 2 else ["text", "number"])

        def item() -> Any:
            kind = self._draw(inner)
            if kind == "text":
                return self.text()
            if kind == "number":
                return self._draw(st.sampled_from([1, -2.5, True, None]))
            return [self.text()] if kind == "list" else self.free(depth + 1)

        return {self.text(): item() for _ in range(self._draw(st.integers(0, 2)))}


def arranged(request: dict[str, Any]) -> dict[str, Any]:
    """The same request with its turns in order, as the API's rules over turns want it."""
    asked: list[str] = []
    for index, message in enumerate(request["messages"]):
        message["role"] = "assistant" if index % 2 else "user"
        banned = USER_ONLY if index % 2 else ASSISTANT_ONLY
        kept, uses = [], []
        for block in message["content"]:
            ((kind, value),) = block.items()
            if kind in banned or (kind == "toolResult" and not asked):
                continue
            if kind == "toolResult":
                value["toolUseId"] = asked[0]
                value["content"] = [_readable(item) for item in value["content"]]
            if kind == "toolUse":
                uses.append(value["toolUseId"])
            kept.append(_readable(block))
        message["content"] = kept or [{"text": f"m{9_000 + index}q"}]
        asked = uses
    for tool in request.get("toolConfig", {}).get("tools", ()):
        if "toolSpec" in tool:
            tool["toolSpec"]["inputSchema"] = {"json": {"title": f"m{8_000 + len(tool['toolSpec']['name'])}q"}}
    names = [tool["toolSpec"]["name"] for tool in request.get("toolConfig", {}).get("tools", ()) if "toolSpec" in tool]
    choice = request.get("toolConfig", {}).get("toolChoice")
    if choice and "tool" in choice:
        request["toolConfig"]["toolChoice"] = {"tool": {"name": names[0]}} if names else {"auto": {}}
    request.pop("additionalModelRequestFields", None)
    if "requestMetadata" in request and not request["requestMetadata"]:
        del request["requestMetadata"]
    return request


def _readable(block: dict[str, Any]) -> dict[str, Any]:
    """Documents in a format that goes with their source, and with text in them."""
    document = block.get("document")
    if document is None:
        return block
    source = document["source"]
    if source.get("content") == []:
        source["content"] = [{"text": "m7777q"}]
    known = ["txt", "md", "csv", *EXTRACTED] if "bytes" in source else ["txt", "md", "csv", "html"]
    if document.get("format") not in known:
        document["format"] = known[len(document["name"]) % len(known)]
    return block


class Plain(Extractor):
    """The text of a document is its bytes."""

    async def _extract(self, document: bytes, format: Format, owner: str) -> str | Unreadable:
        return document.decode()

    async def close(self) -> None:
        pass


class Watching(FakeGuardrail):
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[Part] = []

    async def inspect_input(self, parts: Sequence[Part], context: InspectionContext) -> Inspection:
        self.seen += parts
        return await super().inspect_input(parts, context)


@st.composite
def requests(draw: Any, *, everything: bool) -> dict[str, Any]:
    shape = SERVICE.operation_model("Converse").input_shape
    writer = Writer(draw, everything=everything)
    return writer.structure(shape, ())


def markers(value: Any) -> Counter[str]:
    return Counter(MARKER.findall(json.dumps(plain(value))))


def without_media(value: Any) -> Any:
    """What of a request is text: no bytes of media, and documents as the text that they hold."""
    if isinstance(value, list | tuple):
        return [without_media(item) for item in value if not (isinstance(item, dict) and set(item) & set(MEDIA))]
    if isinstance(value, dict):
        return {key: without_media(item) for key, item in value.items()}
    return value


def as_sent(content: Any) -> Any:
    """What the model should get for what was sent: the same, documents as text."""
    content = copy.deepcopy(content)
    for block in content:
        for item in block.get("toolResult", {}).get("content", ()):
            _text_in(item)
        _text_in(block)
        for kind in MEDIA:
            for holder in (block, *block.get("toolResult", {}).get("content", ())):
                if kind in holder:
                    source = holder[kind]["source"]
                    source["bytes"] = base64.b64encode(source["bytes"]).decode()
    return content


def _text_in(block: dict[str, Any]) -> None:
    document = block.get("document")
    if document is None:
        return
    source = document["source"]
    extracted = ("bytes" in source and document["format"] in EXTRACTED) or document.get("format") == "html"
    if "bytes" in source:
        text = source["bytes"].decode()
    else:
        text = source["text"] if "text" in source else "\n".join(piece["text"] for piece in source["content"])
    document["source"] = {"text": text}
    if extracted:
        document["format"] = "csv" if document["format"] == "xlsx" else "txt"


async def passed(folder: Any, body: bytes, *, streams: bool = False) -> tuple[Any, Watching, FakeModel, Any]:
    system = made_system(1, images="allow", video="allow", audio="allow")
    system = system.model_copy(update={"sessions": system.sessions.model_copy(update={"tokens": 100_000_000})})
    model = FakeModel(events=text_events(["hello"]))
    runtime = await made_runtime(folder, system, model)
    guardrail = Watching()
    runtime.snapshot = type(runtime.snapshot).of(version=1, system=system, guardrail=guardrail)
    runtime.extractor = Plain()
    operation = Operation.CONVERSE_STREAM if streams else Operation.CONVERSE
    exchange = made_exchange(runtime, body, operation=operation)
    refusal = await pipeline.admit(exchange)
    if refusal is None and streams:
        assert [event async for event in pipeline.stream(exchange)]
    elif refusal is None:
        refusal = await pipeline.answer(exchange)
    return refusal, guardrail, model, runtime.events.messages[-1] if runtime.events.messages else None  # type: ignore[attr-defined]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_=requests(everything=False), streams=st.booleans())
def test_what_is_carried_arrives_unharmed_and_inspected(
    tmp_path_factory: pytest.TempPathFactory, given_: dict[str, Any], streams: bool
) -> None:
    request = arranged(given_)
    body = sent("Converse", modelId="m", **request)
    refusal, guardrail, model, event = asyncio.run(passed(tmp_path_factory.mktemp("p"), body, streams=streams))
    assert refusal is None, refusal
    (got,) = model.requests
    seen = {key: value for key, value in request.items() if key not in NOT_SEEN}
    text = markers(without_media(seen))
    shown: Counter[str] = Counter()
    for part in guardrail.seen:
        shown += Counter(MARKER.findall(part.text))
    assert shown == text
    assert list(got.messages) == [
        {"role": message["role"], "content": as_sent(message["content"])} for message in request["messages"]
    ]
    assert list(got.system) == request.get("system", [])
    assert got.tools == request.get("toolConfig")
    sampling = {key: value for key, value in request.get("inferenceConfig", {}).items() if key != "maxTokens"}
    assert got.inference == sampling
    report = ParamValidator().validate({"modelId": "m", **body_of(got, user="u", stream=streams)}, INPUT)
    assert not report.has_errors(), report.generate_report()  # what Bedrock would get is what Bedrock takes
    sent_media = sum(json.dumps(plain(request)).count(f'"{kind}":') for kind in MEDIA)
    assert isinstance(event, ResponseEvent)
    assert sum(row.decision == "not_inspected" for row in event.guardrail_actions) == sent_media


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed_ = dict(value) if isinstance(value, dict) else list(value)
    changed_[path[0]] = changed(value[path[0]], path[1:], new)
    return changed_


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_sent_is_inspected_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    request = data.draw(requests(everything=True))
    if data.draw(st.booleans()):
        request = arranged(request)
    body = json.loads(json.dumps(request, default=lambda raw: base64.b64encode(raw).decode()))
    for _ in range(data.draw(st.integers(0, 2))):
        junk = st.sampled_from([None, 1, "", "m9999q", [], {}, {"text": "m9998q"}, {"s3Location": {}}, [{"image": {}}]])
        body = changed(body, data.draw(st.sampled_from(places(body))), data.draw(junk))
    refusal, guardrail, model, _ = asyncio.run(passed(tmp_path_factory.mktemp("p"), json.dumps(body).encode()))
    if refusal is not None:
        assert isinstance(refusal, Refusal)
        assert refusal.error.status < 500
        assert 0 < len(refusal.message) < 500
        assert model.requests == []
        return
    (got,) = model.requests
    reached = markers(without_media([got.system, got.messages, got.tools, got.inference]))
    shown: Counter[str] = Counter()
    for part in guardrail.seen:
        shown += Counter(MARKER.findall(part.text))
    assert reached == shown


def test_the_generator_reaches_every_kind_that_is_carried() -> None:
    kinds = {path[2] for path in CARRIED if path[:2] == ("messages", "content") and len(path) == 3}
    assert kinds == {"text", "guardContent", "cachePoint", *USER_ONLY, *ASSISTANT_ONLY}
    assert converse.parse(b"{}", "m", stream=False)
