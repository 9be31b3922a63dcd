"""Texts to vectors (API_runtime_InvokeModel with an embedding model).

Texts are inspected before they get here. An embedder is as hostile as any model: what it answers is numbers of the
asked length, or nothing (`checked`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import isfinite
from typing import Literal

import msgspec

from caisson.errors import Refusal, UpstreamError, WireError

Vectors = tuple[tuple[float, ...], ...]
"""One a text, in the texts' order."""
Purpose = Literal["search_document", "search_query", "classification", "clustering"]
Truncate = Literal["NONE", "START", "END"]

MAGNITUDE_MAX = 1e6
"""Of a component. Vectors of length one have none above 1; ones that are not normalised some hundreds."""


class EmbeddingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller may choose beside the texts."""

    dimensions: int
    """Components of each vector."""
    normalize: bool = True
    """Vectors of length one."""
    purpose: Purpose | None = None
    """What the vectors are for, where the family asks."""
    truncate: Truncate | None = None
    """Which end of a text that is too long is left out, where the family asks."""


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent after input inspection."""

    request_id: str
    model_id: str
    """The system file's id."""
    texts: tuple[str, ...]
    options: EmbeddingOptions


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """An answer."""

    vectors: Vectors
    input_tokens: int
    """As the model counted them, or a bound where it does not say."""


class Embedder(ABC):
    """One endpoint of embedding models."""

    name: str
    """What the event and the header `x-caisson-upstream` say."""

    @abstractmethod
    async def embed(self, request: EmbeddingRequest) -> Embedding:
        """One vector a text.

        Raises:
            UpstreamError: the endpoint refused, failed, timed out, cannot do this, or answered nonsense.
        """

    async def close(self) -> None:  # noqa: B027 - most hold nothing
        """Release connections."""


def checked(vectors: Sequence[Sequence[float]], request: EmbeddingRequest) -> Vectors:
    """The vectors, if they are what was asked for.

    >>> asked = EmbeddingRequest(
    ...     request_id="r", model_id="m", texts=("a",), options=EmbeddingOptions(dimensions=2)
    ... )
    >>> checked([[1.0, 0.0]], asked)
    ((1.0, 0.0),)

    Raises:
        ValueError: another number of vectors or of components, or a component that is no such number.
    """
    if len(vectors) != len(request.texts):
        raise ValueError(f"expected {len(request.texts)} vectors, found {len(vectors)}")
    asked = request.options.dimensions
    for vector in vectors:
        if len(vector) != asked:
            raise ValueError(f"expected {asked} dimensions, found {len(vector)}")
        if not all(isfinite(component) and abs(component) <= MAGNITUDE_MAX for component in vector):
            raise ValueError(f"expected components of at most {MAGNITUDE_MAX:g}, found another")
    return tuple(tuple(map(float, vector)) for vector in vectors)


class NoEmbedder(Embedder):
    """Embeds nothing: what a runtime has that was given no embedder."""

    name = "none"

    async def embed(self, request: EmbeddingRequest) -> Embedding:
        message = "No embedding model answers here; ask the operator."
        refusal = Refusal(error=WireError.UNAVAILABLE, rule="model.unavailable", message=message)
        raise UpstreamError("no embedder is wired", refusal)
