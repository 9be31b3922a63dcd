"""One behavioural suite for every embedder: what the request path may rely on (ports/embedder.py)."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

import bedrock_server
import openai_server
from aws_world import calls_to
from caisson.adapters.aws.embedder import BedrockEmbedder
from caisson.adapters.embedded.embedder.openai import OpenAIEmbedder
from caisson.adapters.embedded.embedder.static import StaticEmbedder
from caisson.errors import UpstreamError
from caisson.ports.embedder import Embedder, EmbeddingOptions, EmbeddingRequest, NoEmbedder

TITAN, COHERE = "amazon.titan-embed-text-v2:0", "eu.cohere.embed-v4:0"


def numbers(text: str, dimensions: int) -> list[float]:
    """What the servers here say about a text."""
    return [math.sin(len(text) + at) / dimensions for at in range(dimensions)]


async def as_openai(request: web.Request) -> web.Response:
    body = await request.json()
    assert set(body) == {"model", "input", "dimensions", "encoding_format"} and body["encoding_format"] == "float"
    data = [
        {"object": "embedding", "index": at, "embedding": numbers(text, body["dimensions"])}
        for at, text in enumerate(body["input"])
    ]
    return web.json_response({"object": "list", "data": data, "usage": {"prompt_tokens": 5, "total_tokens": 5}})


async def as_bedrock(request: web.Request) -> web.Response:
    body: dict[str, Any] = json.loads(await request.read())
    if "titan" in request.path:
        assert set(body) == {"inputText", "dimensions", "normalize"}
        vector = numbers(body["inputText"], body["dimensions"])
        return web.json_response({"embedding": vector, "inputTextTokenCount": 5, "embeddingsByType": {"float": vector}})
    assert body["embedding_types"] == ["float"] and body["input_type"] == "search_query"
    vectors = [numbers(text, body["output_dimension"]) for text in body["texts"]]
    return web.json_response({"id": "1", "response_type": "embeddings_by_type", "embeddings": {"float": vectors}})


@pytest.fixture(params=["static", "openai", "bedrock"])
async def embedder(request: pytest.FixtureRequest) -> AsyncIterator[Embedder]:
    if request.param == "static":
        yield StaticEmbedder("offline")
    elif request.param == "openai":
        async with openai_server.running() as server:
            server.handler = as_openai
            made = OpenAIEmbedder(server.url)
            yield made
            await made.close()
            assert set(server.paths) <= {"/v1/embeddings"}
    else:
        async with bedrock_server.running() as bedrock:
            bedrock.handler = as_bedrock
            calls = calls_to(bedrock)
            yield BedrockEmbedder(calls)
            await calls.close()
            assert not bedrock.problems


def asking(*texts: str, model: str = TITAN, dimensions: int = 256, **options: Any) -> EmbeddingRequest:
    return EmbeddingRequest(
        request_id="r", model_id=model, texts=texts, options=EmbeddingOptions(dimensions=dimensions, **options)
    )


async def test_a_text_has_a_vector_of_the_asked_length(embedder: Embedder) -> None:
    answer = await embedder.embed(asking("How do I pay my bill?"))
    assert [len(vector) for vector in answer.vectors] == [256]
    assert any(answer.vectors[0]) and answer.input_tokens > 0
    assert await embedder.embed(asking("How do I pay my bill?")) == answer


async def test_texts_have_vectors_in_their_order(embedder: Embedder) -> None:
    texts = ("How do I pay my bill?", "The cat sleeps all day")
    answer = await embedder.embed(asking(*texts, model=COHERE, dimensions=512, purpose="search_query"))
    apart = [
        (await embedder.embed(asking(text, model=COHERE, dimensions=512, purpose="search_query"))).vectors[0]
        for text in texts
    ]
    assert list(answer.vectors) == apart and apart[0] != apart[1]


async def test_static_vectors_tell_topics_apart() -> None:
    bill, invoice, cat = (
        await StaticEmbedder("offline").embed(
            asking("How do I pay my bill?", "Paying an invoice", "The cat sleeps", dimensions=1024)
        )
    ).vectors
    assert sum(a * b for a, b in zip(bill, invoice, strict=True)) > sum(a * b for a, b in zip(bill, cat, strict=True))
    assert math.isclose(math.hypot(*bill), 1, rel_tol=1e-3)


async def test_nothing_is_wired() -> None:
    with pytest.raises(UpstreamError) as caught:
        await NoEmbedder().embed(asking("a"))
    assert caught.value.refusal.rule == "model.unavailable"


NONSENSE: dict[str, Any] = {
    "another length": {"data": [{"index": 0, "embedding": [0.5] * 255}]},
    "another number": {"data": [{"index": 0, "embedding": [0.5] * 256}] * 2},
    "another order": {"data": [{"index": 1, "embedding": [0.5] * 256}]},
    "text": {"data": [{"index": 0, "embedding": ["ignore the guardrail"] * 256}]},
    "too large": {"data": [{"index": 0, "embedding": [1e30] * 256}]},
    "none": {"data": []},
    "no object": [],
}


@pytest.mark.parametrize("case", NONSENSE)
async def test_nonsense_of_a_server_is_refused(case: str) -> None:
    async with openai_server.running() as server:

        async def say(_: web.Request) -> web.Response:
            return web.json_response(NONSENSE[case])

        server.handler = say
        made = OpenAIEmbedder(server.url)
        with pytest.raises(UpstreamError) as caught:
            await made.embed(asking("a"))
        await made.close()
    assert caught.value.refusal.rule == "model.answer"


@pytest.mark.parametrize(
    "answer",
    [
        {"embedding": [0.5] * 255, "inputTextTokenCount": 1},
        {"embedding": [0.5] * 256},
        {"embedding": [0.5] * 256, "inputTextTokenCount": -1},
        {"embeddings": {"float": [[0.5] * 256]}},
        b'{"embedding": [NaN], "inputTextTokenCount": 1}',
        b"",
    ],
)
async def test_nonsense_of_bedrock_is_refused(answer: Any) -> None:
    async with bedrock_server.running() as bedrock:
        bedrock.handler = bedrock_server.body(answer)
        calls = calls_to(bedrock)
        with pytest.raises(UpstreamError) as caught:
            await BedrockEmbedder(calls).embed(asking("a"))
        await calls.close()
    assert caught.value.refusal.rule == "model.answer"


async def test_bedrock_says_that_it_is_throttled() -> None:
    async with bedrock_server.running() as bedrock:
        bedrock.handler = bedrock_server.failing("ThrottlingException", 429)
        calls = calls_to(bedrock)
        with pytest.raises(UpstreamError) as caught:
            await BedrockEmbedder(calls).embed(asking("a"))
        await calls.close()
    assert caught.value.refusal.rule == "model.throttled" and len(bedrock.bodies) == 1
