"""For every text and every way of cutting the model's answer, a stream says byte for byte what a whole answer says.

In process over the real guardrail and request path by Hypothesis; over the real wire for a few dozen texts, with a real
server upstream that cuts where it is told.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import openai_server
from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.system.loader import load
from caisson.zones.z2_runtime import pipeline
from caisson.zones.z2_runtime.operations import Operation
from caisson.zones.z2_runtime.runtime import Runtime, Snapshot
from request_path import MODEL, FakeModel, made_exchange, made_runtime, text_events
from running_system import CLAIMS, ENOUGH, Running, start, system_file
from wire import ask, path, signed

SAYS = "Write to carol@example.com about CLM-12345678, or call +44 20 7946 0958."
PIECES = (
    "carol@example.com", "dave@example.org", "CLM-12345678", "CLM-87654321", "AKIAQ3EGRZPLCANARY77",
    "4111 1111 1111 1111", "ghp_532hBoYaqVqja18UvJQS6TmrXYb76ldrx7uD", "project-falcon", "PROJECT-FALCON",
    "project-", "falcon", "[EMAIL_7f3a9c]", "[EMAIL_", "{EMAIL}", "{CLAIM}", "[x](https://a.example/", ")",
    "https://a.example/?q=", "<a href='", "'>", "\U0001f600", "é", "e\u0301", "\u200b", "\n", " ", ".",
    "078-05-1120", "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49", "aws_secret_access_key = ",
    "Xn9SDhreAQtMJq4tTAVDS+smISHYaqf/OTPpaYu9", "+44 20 7946 0958", "@", "eyJ",
)  # fmt: skip
"""What rules look for, and halves of it. `{EMAIL}` and `{CLAIM}` become the pseudonyms that the model was shown."""
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=10).map("".join)
CUTS = st.lists(st.integers(min_value=0, max_value=400), max_size=30)


def cut(text: str, offsets: list[int]) -> list[str]:
    """The text in pieces, some of them empty."""
    at = [0, *sorted(min(offset, len(text)) for offset in offsets), len(text)]
    return [text[start:end] for start, end in pairwise(at)]


def body() -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": [{"text": SAYS}]}]}).encode()


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    folder = tmp_path_factory.mktemp("chunking")
    system = load(system_file(folder, **ENOUGH))
    made = asyncio.run(made_runtime(folder, system, FakeModel()))
    made.snapshot = Snapshot.of(version=1, system=system, guardrail=EmbeddedGuardrail(system, 1))
    yield made
    made.ledger.close()  # type: ignore[attr-defined]


async def shown(runtime: Runtime) -> dict[str, str]:
    """The pseudonyms that the model is shown."""
    model = runtime.model = FakeModel()
    exchange = made_exchange(runtime, body())
    assert await pipeline.admit(exchange) is None
    await pipeline.answer(exchange)
    words = str(model.requests[-1]).replace(",", " ").replace("'", " ").split()
    (email,) = {word for word in words if word.startswith("[EMAIL_")}
    (claim,) = {word for word in words if word.startswith("[CLAIM")}
    return {"{EMAIL}": email, "{CLAIM}": claim}


async def both(runtime: Runtime, text: str, offsets: list[int]) -> tuple[Any, Any]:
    """Text and stop reason, whole and streamed."""
    for name, pseudonym in (await shown(runtime)).items():
        text = text.replace(name, pseudonym)
    runtime.model = FakeModel([{"text": text}], text_events(cut(text, offsets)))
    whole = made_exchange(runtime, body())
    assert await pipeline.admit(whole) is None
    assert await pipeline.answer(whole) is None
    assert whole.answer is not None
    message = whole.answer.content
    streamed = made_exchange(runtime, body(), operation=Operation.CONVERSE_STREAM)
    assert await pipeline.admit(streamed) is None
    events = [event async for event in pipeline.stream(streamed)]
    said: dict[int, str] = {}
    for event in events:
        if "contentBlockDelta" in event:
            delta = event["contentBlockDelta"]
            said[delta["contentBlockIndex"]] = said.get(delta["contentBlockIndex"], "") + delta["delta"]["text"]
    (stop,) = [event["messageStop"]["stopReason"] for event in events if "messageStop" in event]
    return ([block["text"] for block in message], whole.answer.stop_reason), (list(said.values()), stop)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, offsets=CUTS)
@example(text="{EMAIL} and {CLAIM}", offsets=[1, 2, 3, 8, 20])
@example(text="The project-falcon", offsets=list(range(18)))
@example(text="a AKIAQ3EGRZPLCANARY77", offsets=list(range(22)))
def test_streamed_equals_whole(runtime: Runtime, text: str, offsets: list[int]) -> None:
    whole, streamed = asyncio.run(both(runtime, text, offsets))
    assert streamed == whole


def test_the_texts_are_worth_cutting(runtime: Runtime) -> None:
    """Values come back, secrets and words do not."""
    (said, _), _ = asyncio.run(both(runtime, "{EMAIL} {CLAIM} AKIAQ3EGRZPLCANARY77", []))
    assert said[0].startswith("carol@example.com CLM-12345678 [")
    assert "AKIA" not in said[0]
    (_, stop), _ = asyncio.run(both(runtime, "project-falcon", []))
    assert stop == "guardrail_intervened"


class Upstream:
    """A chat completions server on a thread of its own, that says `text` cut as told."""

    def __init__(self) -> None:
        self.text = ""
        self.offsets: list[int] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Upstream:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        async with openai_server.running() as server:
            server.handler = self._answer
            self.url = server.url
            self._ready.set()
            await self._stop.wait()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not (await request.json()).get("stream"):
            return web.json_response(openai_server.whole(self.text))
        pieces = [openai_server.chunk(content=piece) for piece in cut(self.text, self.offsets)]
        return await openai_server.stream(*pieces, openai_server.chunk("stop"), openai_server.USAGE)(request)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as made:
        yield made


@pytest.fixture(scope="module")
def running(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("wire")
    made = start(folder, "--upstream", f"openai={upstream.url}", system=system_file(folder, **ENOUGH))
    yield made
    assert made.stop() == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS.filter(lambda text: text.strip()), offsets=CUTS)
def test_streamed_equals_whole_over_the_wire(
    upstream: Upstream, running: Running, text: str, offsets: list[int]
) -> None:
    upstream.text, upstream.offsets = text, offsets
    made = running.session()
    whole = ask(running, signed(made, "POST", path("converse"), body()))
    streamed = ask(running, signed(made, "POST", path("converse-stream"), body()))
    assert (whole.status, streamed.status) == (200, 200), (whole.body, streamed.body)
    expected = [block["text"] for block in whole.json()["output"]["message"]["content"]]
    said: dict[int, str] = {}
    stop = ""
    for headers, payload in streamed.events():
        event = json.loads(payload)
        if headers[":event-type"] == "contentBlockDelta":
            said[event["contentBlockIndex"]] = said.get(event["contentBlockIndex"], "") + event["delta"]["text"]
        elif headers[":event-type"] == "messageStop":
            stop = event["stopReason"]
    assert (list(said.values()), stop) == (expected, whole.json()["stopReason"])


def test_the_example_is_what_is_tested() -> None:
    assert load(Path(CLAIMS)).guardrails["main"].words == ("project-falcon",)
    assert MODEL in CLAIMS.read_text()
