"""Vectors from the static embedding that ships with this version (detect/embedding), for the upstreams without weights.

They have 128 components; where a family answers with more, the rest are zeros, which leaves every cosine as it is.
English above all (docs/models/embedding.md): good enough to build against, not to search a real corpus with.
"""

from __future__ import annotations

import asyncio

from caisson.adapters.embedded.model import failures
from caisson.detect.embedding.static import DIMENSIONS, vectors
from caisson.policy.tokens import estimate_tokens
from caisson.ports.embedder import Embedder, Embedding, EmbeddingRequest, checked

THREAD_FROM_CHARACTERS = 16_384
"""More text is read in a thread, so that other requests go on."""


class StaticEmbedder(Embedder):
    """The same texts always have the same vectors, of length one."""

    def __init__(self, name: str) -> None:
        """Args:
        name: of the upstream that it stands in for.
        """
        self.name = name

    async def embed(self, request: EmbeddingRequest) -> Embedding:
        asked = request.options.dimensions
        if asked < DIMENSIONS:
            raise failures.cannot(f"vectors of fewer than {DIMENSIONS} dimensions")
        if sum(map(len, request.texts)) >= THREAD_FROM_CHARACTERS:
            found = await asyncio.to_thread(vectors, request.texts)
        else:
            found = vectors(request.texts)
        padding = [0.0] * (asked - DIMENSIONS)
        return Embedding(
            vectors=checked([[*row, *padding] for row in found.tolist()], request),
            input_tokens=sum(map(estimate_tokens, request.texts)),
        )
