"""InvokeModel of embedding models: strict bodies, every text inspected, numbers back, blocked texts never embedded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.errors import CallerError, Refusal, WireError
from caisson.ports.embedder import Embedding
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import invoke
from caisson.zones.z2_runtime.dialects.embeddings import render, texts_of

V2, G1 = "amazon.titan-embed-text-v2:0", "amazon.titan-embed-text-v1"
V3, V4 = "cohere.embed-multilingual-v3", "eu.cohere.embed-v4:0"


def parsed(body: Any, model: str, *, stream: bool = False) -> Conversation | Refusal:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return invoke.parse(raw, model, stream)


def understood(body: Any, model: str) -> Conversation:
    found = parsed(body, model)
    assert isinstance(found, Conversation), found
    return found


@pytest.mark.parametrize(
    ("body", "model", "dimensions"),
    [
        ({"inputText": "a"}, V2, 1024),
        ({"inputText": "a", "dimensions": 256, "normalize": False, "embeddingTypes": ["float"]}, V2, 256),
        ({"inputText": "a"}, G1, 1536),
        ({"texts": ["a"], "input_type": "search_query"}, V3, 1024),
        ({"texts": ["a"], "input_type": "search_document", "truncate": "END"}, V4, 1536),
        ({"texts": ["a"], "input_type": "clustering", "output_dimension": 512, "embedding_types": ["float"]}, V4, 512),
    ],
)
def test_bodies_that_are_read(body: Any, model: str, dimensions: int) -> None:
    found = understood(body, model)
    assert found.embedding is not None and found.embedding.dimensions == dimensions
    assert [(part.role, part.text) for part in found.parts()] == [("user", "a")]
    assert found.output_tokens_max == 0


@pytest.mark.parametrize(
    ("body", "model", "where"),
    [
        ({}, V2, "inputText"),
        ({"inputText": ""}, V2, "inputText"),
        ({"inputText": "a", "dimensions": 300}, V2, "dimensions"),
        ({"inputText": "a", "embeddingTypes": ["binary"]}, V2, "embeddingTypes"),
        ({"inputText": "a", "inputImage": "aGk="}, V2, "inputImage"),
        ({"inputText": "a", "dimensions": 256}, G1, "dimensions"),
        ({"texts": [], "input_type": "search_query"}, V3, "texts"),
        ({"texts": ["a"] * 97, "input_type": "search_query"}, V3, "texts"),
        ({"texts": ["a"]}, V3, "input_type"),
        ({"texts": ["a"], "input_type": "image"}, V3, "input_type"),
        ({"images": ["data:"], "input_type": "image"}, V3, "images"),
        ({"texts": ["a"], "input_type": "search_query", "output_dimension": 256}, V3, "output_dimension"),
        ({"texts": ["a"], "input_type": "search_query", "inputs": []}, V4, "inputs"),
        ([], V2, ""),
        (b"{", V2, ""),
    ],
)
def test_bodies_that_are_refused_by_place(body: Any, model: str, where: str) -> None:
    refused = parsed(body, model)
    assert isinstance(refused, Refusal) and refused.error is WireError.VALIDATION and refused.rule == "schema"
    assert where in refused.message


@pytest.mark.parametrize("model", [V2, V4])
def test_a_stream_is_refused(model: str) -> None:
    body = {"inputText": "a"} if model == V2 else {"texts": ["a"], "input_type": "search_query"}
    refused = parsed(body, model, stream=True)
    assert isinstance(refused, Refusal) and "no stream carries" in refused.message


@given(texts=st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=8), data=st.data())
def test_inspected_texts_stand_in_their_places(texts: list[str], data: st.DataObject) -> None:
    """Whatever masking makes of them, even nothing: as many texts, in order, and nothing else of the caller's."""
    found = understood({"texts": texts, "input_type": "search_document"}, V3)
    assert [part.text for part in found.parts()] == texts
    masked = [data.draw(st.text(max_size=10)) for _ in texts]
    assert texts_of(found.with_texts(masked)) == tuple(masked)


@given(body=st.binary(max_size=60) | st.recursive(st.none() | st.text(max_size=5) | st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["inputText", "texts", "input_type", "x"]), inner, max_size=3)).map(lambda value: json.dumps(value).encode()), model=st.sampled_from([V2, G1, V3, V4]))  # fmt: skip  # noqa: E501
def test_any_body_is_read_or_refused(body: bytes, model: str) -> None:
    found = invoke.parse(body, model, False)
    assert isinstance(found, Refusal) or (found.embedding is not None and found.parts())


def test_answers_have_the_families_forms() -> None:
    two = Embedding(vectors=((0.5, -1.0), (0.25, 0.0)), input_tokens=7)
    one = Embedding(vectors=((0.5, -1.0),), input_tokens=7)
    titan = json.loads(render(understood({"inputText": "a"}, V2), one, request_id="r"))
    assert titan == {"embedding": [0.5, -1.0], "inputTextTokenCount": 7, "embeddingsByType": {"float": [0.5, -1.0]}}
    assert json.loads(render(understood({"inputText": "a"}, G1), one, request_id="r")) == {
        "embedding": [0.5, -1.0],
        "inputTextTokenCount": 7,
    }
    plain = understood({"texts": ["a", "b"], "input_type": "search_query"}, V3)
    assert json.loads(render(plain, two, request_id="r")) == {
        "id": "r", "response_type": "embeddings_floats", "embeddings": [[0.5, -1.0], [0.25, 0.0]], "texts": ["a", "b"],
    }  # fmt: skip
    typed = understood({"texts": ["a", "b"], "input_type": "search_query", "embedding_types": ["float"]}, V4)
    answer = json.loads(render(typed, two, request_id="r"))
    assert answer["response_type"] == "embeddings_by_type"
    assert answer["embeddings"] == {"float": [[0.5, -1.0], [0.25, 0.0]]}


def test_a_model_that_does_not_embed_has_no_such_body() -> None:
    with pytest.raises(CallerError):
        invoke.conversation(
            b'{"inputText": "a"}', "amazon.nova-lite-v1:0", understood({"inputText": "a"}, V2).operation
        )
