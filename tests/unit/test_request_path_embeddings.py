"""The request path for embedding models: texts are inspected before, recorded, and never embedded when blocked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from caisson.channels.messages import RequestEvent, ResponseEvent
from caisson.errors import Refusal, UpstreamError, WireError
from caisson.ports.embedder import Embedder, Embedding, EmbeddingRequest
from caisson.system.schema import System
from caisson.zones.z1_ingress.wire import rendered
from caisson.zones.z2_runtime import pipeline
from caisson.zones.z2_runtime.dialects import invoke
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.operations import Operation
from caisson.zones.z2_runtime.steps import s03_session
from request_path import FakeModel, made_exchange, made_runtime, made_system

EMBEDS = "cohere.embed-english-v3"


class FakeEmbedder(Embedder):
    """Answers with ones."""

    name = "fake"

    def __init__(self) -> None:
        self.requests: list[EmbeddingRequest] = []
        self.error: Exception | None = None

    async def embed(self, request: EmbeddingRequest) -> Embedding:
        self.requests.append(request)
        if self.error:
            raise self.error
        return Embedding(vectors=((1.0,) * request.options.dimensions,) * len(request.texts), input_tokens=3)


def embedding_system() -> System:
    system = made_system(2)
    models = {**system.models, "assistant": system.models["assistant"].model_copy(update={"id": EMBEDS})}
    return system.model_copy(update={"models": models})


async def asked(folder: Path, *texts: str, error: Exception | None = None) -> tuple[Exchange, FakeEmbedder, Any]:
    """One request through the whole path, and how it ended."""
    runtime = await made_runtime(folder, embedding_system(), FakeModel())
    runtime.embedder = embedder = FakeEmbedder()
    embedder.error = error
    body = json.dumps({"texts": texts, "input_type": "search_query"}).encode()
    exchange = made_exchange(runtime, operation=Operation.INVOKE_MODEL, target=EMBEDS)
    exchange.parse = lambda: invoke.parse(body, EMBEDS, False)
    refusal = await pipeline.admit(exchange) or await pipeline.answer(exchange)
    return exchange, embedder, refusal


async def test_the_embedder_sees_inspected_texts_and_the_record_the_raw_ones(tmp_path: Path) -> None:
    exchange, embedder, refusal = await asked(tmp_path, "a SECRET b", "plain")
    assert refusal is None
    assert embedder.requests[0].texts == ("a [X] b", "plain")
    answer = json.loads(rendered(exchange))
    assert answer["texts"] == ["a [X] b", "plain"] and [len(row) for row in answer["embeddings"]] == [1024, 1024]
    request, response = exchange.runtime.events.messages  # type: ignore[attr-defined]
    assert isinstance(request, RequestEvent) and "a SECRET b" in request.input_text
    assert isinstance(response, ResponseEvent)
    assert (response.outcome, response.input_tokens, response.output_tokens) == ("answered", 3, 0)
    assert response.metadata["upstream"] == "fake" and response.output_text == ""
    assert exchange.runtime.model.requests == []  # type: ignore[attr-defined]


async def test_blocked_texts_are_refused_and_not_embedded(tmp_path: Path) -> None:
    exchange, embedder, refusal = await asked(tmp_path, "fine", "BLOCK")
    assert isinstance(refusal, Refusal) and refusal.error is WireError.VALIDATION
    assert refusal.rule == "fake.block" and "input blocked" in refusal.message
    assert embedder.requests == [] and exchange.embedding is None
    response = exchange.runtime.events.messages[1]  # type: ignore[attr-defined]
    assert (response.outcome, response.rule, response.input_tokens) == ("refused", "fake.block", 0)


async def test_a_failure_is_recorded_and_costs_what_it_may_have_cost(tmp_path: Path) -> None:
    failure = UpstreamError("gone", Refusal(error=WireError.UNAVAILABLE, message="The model is gone.", rule="model.x"))
    exchange, _, refusal = await asked(tmp_path, "plain", error=failure)
    assert refusal is failure.refusal
    response = exchange.runtime.events.messages[1]  # type: ignore[attr-defined]
    assert (response.outcome, response.rule) == ("failed", "model.x")


@pytest.mark.parametrize("embeds", [True, False])
async def test_nothing_is_left_to_a_guardrail_beside_an_embedding_model(tmp_path: Path, embeds: bool) -> None:
    exchange, _, _ = await asked(tmp_path, "plain")
    conversation, _, _ = exchange.known()
    if not embeds:
        exchange.conversation = replace(conversation, embedding=None)
        await s03_session.run(exchange)
    assert exchange.context is not None and exchange.context.model_follows is not embeds
