"""Documents become inspected text before anything else; media are refused, or pass with a record that says so."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from bedrock_model import read
from caisson.channels.messages import RequestEvent, ResponseEvent
from caisson.errors import Refusal, WireError
from caisson.policy.tokens import MEDIA_TOKENS_MAX
from caisson.ports.extractor import Extractor, Format, Unreadable
from caisson.zones.z1_ingress import wire
from caisson.zones.z2_runtime import pipeline
from caisson.zones.z2_runtime.conversation import STRINGS_MAX
from caisson.zones.z2_runtime.exchange import Exchange
from request_path import FakeModel, made_exchange, made_runtime, made_system


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Reads(Extractor):
    """Says what it is told to, and remembers what it was asked."""

    def __init__(self, *said: str | Unreadable) -> None:
        self._said = list(said)
        self.asked: list[tuple[bytes, Format, str]] = []

    async def _extract(self, document: bytes, format: Format, owner: str) -> str | Unreadable:
        self.asked.append((document, format, owner))
        return self._said.pop(0)

    async def close(self) -> None:
        pass


def documents(*formats: str, inside: bool = False) -> bytes:
    blocks: list[dict[str, Any]] = [
        {"document": {"name": f"d{n}", "format": format, "source": {"bytes": encoded(f"<raw {n}>".encode())}}}
        for n, format in enumerate(formats)
    ]
    hi = {"role": "user", "content": [{"text": "hi"}]}
    if not inside:
        return orjson.dumps({"messages": [{"role": "user", "content": [{"text": "hi"}, *blocks]}]})
    call = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a", "name": "n", "input": {}}}]}
    return orjson.dumps(
        {"messages": [hi, call, {"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": blocks}}]}]}
    )


async def made(folder: Path, extractor: Extractor | None, body: bytes, **guardrail: Any) -> tuple[Exchange, FakeModel]:
    model = FakeModel()
    runtime = await made_runtime(folder, made_system(2, **guardrail), model)
    if extractor is not None:
        runtime.extractor = extractor
    return made_exchange(runtime, body), model


@pytest.mark.parametrize("inside", [False, True])
async def test_the_extracted_text_is_recorded_inspected_and_sent_and_never_the_bytes(
    tmp_path: Path, inside: bool
) -> None:
    reads = Reads("page SECRET one", "a,b")
    exchange, model = await made(tmp_path, reads, documents("pdf", "xlsx", inside=inside))
    assert await pipeline.admit(exchange) is None
    assert await pipeline.answer(exchange) is None
    assert reads.asked == [(b"<raw 0>", "pdf", "s-1"), (b"<raw 1>", "xlsx", "s-1")]
    (request,) = model.requests
    blocks = request.messages[-1]["content"]
    sent = [block["document"] for block in (blocks[0]["toolResult"]["content"] if inside else blocks[1:])]
    assert sent == [
        {"name": "d0", "format": "txt", "source": {"text": "page [X] one"}},
        {"name": "d1", "format": "csv", "source": {"text": "a,b"}},
    ]
    event = exchange.runtime.events.messages[0]  # type: ignore[attr-defined]
    assert isinstance(event, RequestEvent)
    assert "[document] page SECRET one" in event.input_text
    assert exchange.worst_case_input_tokens > len("page SECRET one")


async def test_a_blocked_document_never_reaches_the_model(tmp_path: Path) -> None:
    exchange, model = await made(tmp_path, Reads("BLOCK"), documents("docx"))
    assert await pipeline.admit(exchange) is None
    assert await pipeline.answer(exchange) is None
    assert exchange.blocked is not None
    assert model.requests == []


@pytest.mark.parametrize("why", list(Unreadable))
async def test_what_cannot_be_read_is_refused_by_name_and_recorded(tmp_path: Path, why: Unreadable) -> None:
    exchange, model = await made(tmp_path, Reads("fine", why), documents("pdf", "html"))
    refusal = await pipeline.admit(exchange)
    assert refusal == Refusal(
        error=why.error, rule=why.rule, message=f"messages[0].content[2].document: {why.message}."
    )
    assert model.requests == []
    request, response = exchange.runtime.events.messages  # type: ignore[attr-defined]
    assert isinstance(response, ResponseEvent)
    assert (request.input_text, response.outcome, response.step) == ("", "refused", "3 documents")
    assert response.rule == why.rule


async def test_without_an_extractor_documents_are_refused(tmp_path: Path) -> None:
    exchange, _ = await made(tmp_path, None, documents("pdf"))
    refusal = await pipeline.admit(exchange)
    assert refusal is not None
    assert (refusal.error, refusal.rule) == (WireError.UNAVAILABLE, "document.unavailable")


async def test_the_number_of_documents_is_bounded_before_any_is_read(tmp_path: Path) -> None:
    reads = Reads()
    exchange, _ = await made(tmp_path, reads, documents(*["pdf"] * 6))
    refusal = await pipeline.admit(exchange)
    assert refusal is not None
    assert refusal.rule == "document.count"
    assert reads.asked == []


async def test_nobody_makes_anything_read_without_an_identity(tmp_path: Path) -> None:
    reads = Reads("text")
    runtime = await made_runtime(tmp_path, made_system(2), FakeModel())
    runtime.extractor = reads
    nobody = Refusal(error=WireError.UNRECOGNIZED_CLIENT, message="who?", rule="identity")
    assert await pipeline.admit(made_exchange(runtime, documents("pdf"), principal=nobody)) is nobody
    assert reads.asked == []


async def test_the_bound_on_strings_holds_with_what_was_extracted(tmp_path: Path) -> None:
    body = orjson.loads(documents("pdf"))
    body["messages"][0]["content"][0] = {"text": "hi"}
    tool = {"toolSpec": {"name": "t", "inputSchema": {"json": {"enum": ["x"] * (STRINGS_MAX - 4)}}}}
    body["toolConfig"] = {"tools": [tool]}  # hi, name, the document's name, enum, and no room for its text
    exchange, _ = await made(tmp_path, Reads("text"), orjson.dumps(body))
    refusal = await pipeline.admit(exchange)
    assert refusal is not None
    assert (refusal.rule, f"at most {STRINGS_MAX} strings" in refusal.message) == ("schema", True)


async def test_a_text_that_is_too_long_is_refused_by_the_port_whatever_the_adapter_says() -> None:
    assert await Reads("x" * 1_000_001).text(b"x", "pdf", owner="s") is Unreadable.TOO_MUCH_TEXT
    assert await Reads(" \n").text(b"x", "pdf", owner="s") is Unreadable.NO_TEXT
    assert await Reads("never").text(bytes(5_000_000), "pdf", owner="s") is Unreadable.TOO_LARGE


MEDIA = {
    "image": {"format": "png", "source": {"bytes": encoded(b"a picture")}},
    "video": {"format": "mp4", "source": {"bytes": encoded(b"a film")}},
    "audio": {"format": "wav", "source": {"bytes": encoded(b"a sound")}},
}
KEYS = {"image": "images", "video": "video", "audio": "audio"}


def with_media(kind: str, *, inside: bool = False) -> bytes:
    block = {kind: MEDIA[kind]}
    hi = {"role": "user", "content": [{"text": "hi"}]}
    if not inside:
        return orjson.dumps({"messages": [{"role": "user", "content": [{"text": "hi"}, block]}]})
    call = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a", "name": "n", "input": {}}}]}
    result = {"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": [block]}}]}
    return orjson.dumps({"messages": [hi, call, result]})


PLACES = [("image", False), ("image", True), ("video", False), ("video", True), ("audio", False)]


@pytest.mark.parametrize(("kind", "inside"), PLACES)
async def test_media_are_refused_by_name_unless_the_file_allows_that_kind(
    tmp_path: Path, kind: str, inside: bool
) -> None:
    others = {key: "allow" for name, key in KEYS.items() if name != kind}
    exchange, model = await made(tmp_path, None, with_media(kind, inside=inside), **others)
    refusal = await pipeline.admit(exchange)
    assert refusal is not None
    assert (refusal.error, refusal.rule) == (WireError.VALIDATION, f"media.{kind}")
    assert f"guardrails.main.{KEYS[kind]}" in refusal.message
    assert model.requests == []


@pytest.mark.parametrize(("kind", "inside"), PLACES)
async def test_allowed_media_pass_unharmed_and_the_record_says_that_nothing_inspected_them(
    tmp_path: Path, kind: str, inside: bool
) -> None:
    exchange, model = await made(tmp_path, None, with_media(kind, inside=inside), **{KEYS[kind]: "allow"})
    assert await pipeline.admit(exchange) is None
    assert await pipeline.answer(exchange) is None
    block = model.requests[0].messages[-1]["content"][-1]
    assert (block["toolResult"]["content"][0] if inside else block) == {kind: MEDIA[kind]}
    response = exchange.runtime.events.messages[-1]  # type: ignore[attr-defined]
    rows = [row for row in response.guardrail_actions if row.decision == "not_inspected"]
    assert [row.rule for row in rows] == [f"media.{kind}"]
    assert rows[0].location.endswith(kind)
    assert sha256(base64.b64decode(MEDIA[kind]["source"]["bytes"])).hexdigest() in rows[0].rationale
    assert any(row.decision == "pass" for row in response.guardrail_actions)  # the text beside it was


async def test_an_image_costs_what_it_may_not_what_its_bytes_are(tmp_path: Path) -> None:
    large = orjson.loads(with_media("image"))
    large["messages"][0]["content"][1]["image"]["source"]["bytes"] = encoded(bytes(2_000_000))
    exchange, _ = await made(tmp_path, None, orjson.dumps(large), images="allow")
    assert await pipeline.admit(exchange) is None
    assert MEDIA_TOKENS_MAX["image"] < exchange.worst_case_input_tokens < MEDIA_TOKENS_MAX["image"] + 1_000


async def test_the_trace_counts_images_as_not_guarded(tmp_path: Path) -> None:
    body = orjson.loads(with_media("image")) | {"guardrailConfig": {"trace": "enabled"}}
    exchange, _ = await made(tmp_path, None, orjson.dumps(body), images="allow")
    assert await pipeline.admit(exchange) is None
    assert await pipeline.answer(exchange) is None
    answer = read("Converse", wire.rendered(exchange))
    coverage = answer["trace"]["guardrail"]["inputAssessment"]["main"]["invocationMetrics"]["guardrailCoverage"]
    assert coverage["images"] == {"guarded": 0, "total": 1}
