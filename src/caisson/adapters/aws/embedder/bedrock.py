"""Embedding models of Amazon Bedrock behind the port, in each family's own body (InvokeModel).

>>> embedder = BedrockEmbedder(calls)  # doctest: +SKIP
>>> (await embedder.embed(request)).vectors  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import Meta

from caisson.adapters.aws.bedrock.calls import BedrockCalls
from caisson.adapters.embedded.model import failures
from caisson.policy.prices import base_model
from caisson.policy.tokens import ENDPOINT_OVERHEAD_TOKENS
from caisson.ports.embedder import Embedder, Embedding, EmbeddingRequest, checked

Json = dict[str, Any]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]

TITAN, TITAN_V2 = "amazon.titan-embed", "amazon.titan-embed-text-v2"
COHERE, COHERE_V4 = "cohere.embed", "cohere.embed-v4"


class _Titan(msgspec.Struct, rename="camel"):
    embedding: list[float]
    input_text_token_count: Count


class _Floats(msgspec.Struct, rename={"vectors": "float"}):
    vectors: list[list[float]]


class _Cohere(msgspec.Struct):
    embeddings: _Floats


_titan, _cohere = msgspec.json.Decoder(_Titan), msgspec.json.Decoder(_Cohere)


class BedrockEmbedder(Embedder):
    """Every embedding model that the profile may call."""

    name = "bedrock"

    def __init__(self, calls: BedrockCalls) -> None:
        """Args:
        calls: how Bedrock is called; closed by whoever made it.
        """
        self._calls = calls

    async def embed(self, request: EmbeddingRequest) -> Embedding:
        _, model = base_model(request.model_id)
        path = f"/model/{quote(request.model_id, safe='-._~')}/invoke"
        if not model.startswith((TITAN, COHERE)):
            raise failures.cannot("texts to embed with a model of this family")
        answer = await self._calls.whole(path, msgspec.json.encode(body_of(model, request)))
        try:
            if model.startswith(TITAN):
                titan = _titan.decode(answer)
                return Embedding(vectors=checked([titan.embedding], request), input_tokens=titan.input_text_token_count)
            found = checked(_cohere.decode(answer).embeddings.vectors, request)
        except ValueError as error:
            raise failures.nonsense(f"Bedrock's vectors make no sense: {error}") from error
        # Cohere's count is in a header that Bedrock does not document for InvokeModel, so every byte counts as a token.
        tokens = sum(len(text.encode()) for text in request.texts) + ENDPOINT_OVERHEAD_TOKENS
        return Embedding(vectors=found, input_tokens=tokens)


def body_of(model: str, request: EmbeddingRequest) -> Json:
    """The family's body. `model` is the id without a profile's prefix."""
    options = request.options
    if model.startswith(TITAN_V2):
        (text,) = request.texts
        return {"inputText": text, "dimensions": options.dimensions, "normalize": options.normalize}
    if model.startswith(TITAN):
        (text,) = request.texts
        return {"inputText": text}
    body: Json = {"texts": list(request.texts), "input_type": options.purpose, "embedding_types": ["float"]}
    if options.truncate is not None:
        body["truncate"] = options.truncate
    if model.startswith(COHERE_V4):
        body["output_dimension"] = options.dimensions
    return body
