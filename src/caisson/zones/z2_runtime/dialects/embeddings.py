"""InvokeModel bodies of embedding models: Titan Text Embeddings V2 and G1, Cohere Embed 3 and 4 (Bedrock User Guide:
Amazon Titan Embeddings Text, Cohere Embed and Embed v4).

Each text is a turn's block, so that it is inspected and masked like any other. What is no text (images, mixed content)
is refused; so is a vector type other than floats, which nothing behind here computes.

>>> conversation(b'{"inputText": "hi"}', "amazon.titan-embed-text-v2:0", Operation.INVOKE_MODEL).embedding.dimensions
1024
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from caisson.errors import DeveloperError
from caisson.policy.prices import base_model
from caisson.ports.embedder import Embedding, EmbeddingOptions, Purpose, Truncate
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects.shape import Shape, decode, refused
from caisson.zones.z2_runtime.operations import Operation

Json = dict[str, Any]

TEXT_CHARACTERS_MAX = 50_000
"""Longest input of Titan; a text of Cohere's Embed 4 may be longer, ours may not."""
TEXTS_MAX = 96
"""Texts of one call (Cohere Embed: texts)."""
G1_DIMENSIONS, V3_DIMENSIONS, V4_DIMENSIONS = 1_536, 1_024, 1_536

Text = Annotated[str, Meta(min_length=1, max_length=TEXT_CHARACTERS_MAX)]
Floats = Annotated[list[Literal["float"]], Meta(min_length=1, max_length=1)]


class TitanG1(Shape):
    """Body of `amazon.titan-embed-text-v1`."""

    input_text: Text


class TitanV2(Shape):
    """Body of `amazon.titan-embed-text-v2:0`."""

    input_text: Text
    dimensions: Literal[256, 512, 1024] = 1024
    normalize: bool = True
    embedding_types: Floats | UnsetType = UNSET


class CohereV3(Shape, rename=None):
    """Body of `cohere.embed-english-v3` and `cohere.embed-multilingual-v3`."""

    texts: Annotated[list[Text], Meta(min_length=1, max_length=TEXTS_MAX)]
    input_type: Purpose
    truncate: Truncate | UnsetType = UNSET
    embedding_types: Floats | UnsetType = UNSET


class CohereV4(CohereV3):
    """Body of `cohere.embed-v4:0`; `LEFT` and `RIGHT` are refused, as version 3 has other names for them."""

    output_dimension: Literal[256, 512, 1024, 1536] = 1536


Body = TitanG1 | TitanV2 | CohereV3

_BODIES: tuple[tuple[str, type[Any]], ...] = (
    ("amazon.titan-embed-text-v2", TitanV2),
    ("amazon.titan-embed-text-v1", TitanG1),
    ("amazon.titan-embed-g1-text", TitanG1),
    ("cohere.embed-english-v3", CohereV3),
    ("cohere.embed-multilingual-v3", CohereV3),
    ("cohere.embed-v4", CohereV4),
)
"""Beginning of an id to its body. Older generations and ones that embed images are not read."""
EMBEDDING_MODELS = tuple(beginning for beginning, _ in _BODIES)

_decoders = {body: msgspec.json.Decoder(body) for _, body in _BODIES}
_encoder = msgspec.json.Encoder()


def conversation(body: bytes, model_id: str, operation: Operation) -> Conversation:
    """The body as every dialect's: a turn with a block a text.

    Raises:
        CallerError: it is not of the schema, or a stream is asked for.
    """
    if operation.streams:
        raise refused("request", "an embedding is one answer, which no stream carries; use InvokeModel")
    given = decode(body, _decoders[_body_of(model_id)])
    texts = given.texts if isinstance(given, CohereV3) else [given.input_text]
    return Conversation(
        operation=operation,
        model_id=model_id,
        messages=({"role": "user", "content": [{"text": text} for text in texts]},),
        output_tokens_max=0,
        embedding=_options(given),
        vector_types=_types(given),
    )


def texts_of(request: Conversation) -> tuple[str, ...]:
    """The inspected texts, in order."""
    return tuple(block["text"] for message in request.messages for block in message["content"])


def render(request: Conversation, answer: Embedding, *, request_id: str) -> bytes:
    """The family's response body. Nothing in it is the model's but numbers."""
    body = _body_of(request.model_id)
    if issubclass(body, CohereV3):
        typed = bool(request.vector_types)
        floats = [list(vector) for vector in answer.vectors]
        return _encoder.encode(
            {
                "id": request_id,
                "response_type": "embeddings_by_type" if typed else "embeddings_floats",
                "embeddings": {"float": floats} if typed else floats,
                "texts": texts_of(request),
            }
        )
    (vector,) = answer.vectors
    found: Json = {"embedding": vector, "inputTextTokenCount": answer.input_tokens}
    if body is TitanV2:
        found["embeddingsByType"] = {"float": vector}
    return _encoder.encode(found)


def _body_of(model_id: str) -> type[Any]:
    _, model = base_model(model_id)
    for beginning, body in _BODIES:
        if model.startswith(beginning):
            return body
    raise DeveloperError("a body was read as an embedding's whose model is none that embeds")


def _options(given: Body) -> EmbeddingOptions:
    if isinstance(given, TitanV2):
        return EmbeddingOptions(dimensions=given.dimensions, normalize=given.normalize)
    if isinstance(given, CohereV3):
        return EmbeddingOptions(
            dimensions=given.output_dimension if isinstance(given, CohereV4) else V3_DIMENSIONS,
            purpose=given.input_type,
            truncate=None if given.truncate is UNSET else given.truncate,
        )
    return EmbeddingOptions(dimensions=G1_DIMENSIONS, normalize=False)


def _types(given: Body) -> tuple[str, ...]:
    types = UNSET if isinstance(given, TitanG1) else given.embedding_types
    return () if types is UNSET else tuple(types)
