"""Any server that speaks OpenAI's embeddings (API reference: Create embeddings), as an embedder.

>>> embedder = OpenAIEmbedder("http://127.0.0.1:11434", clock)  # doctest: +SKIP
>>> (await embedder.embed(request)).vectors  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from caisson.adapters.embedded.model import failures
from caisson.adapters.embedded.model.openai_calls import EMBEDDINGS, RESPONSE_BYTES_MAX, OpenAICalls
from caisson.policy.tokens import ENDPOINT_OVERHEAD_TOKENS
from caisson.ports.embedder import Embedder, Embedding, EmbeddingRequest, checked

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class _Vector(msgspec.Struct):
    embedding: list[float]
    index: Count


class _Usage(msgspec.Struct):
    prompt_tokens: Count


class _Answer(msgspec.Struct):
    data: list[_Vector]
    usage: _Usage | None = None


_decoder = msgspec.json.Decoder(_Answer)


class OpenAIEmbedder(Embedder):
    """One server."""

    name = "openai"

    def __init__(self, base_url: str, **settings: Any) -> None:
        """Args:
            base_url: as the model's.
            settings: as `OpenAICalls` takes them.

        Raises:
            StartError: the address or the key cannot be used.
        """
        self._calls = OpenAICalls(base_url, EMBEDDINGS, **settings)

    async def embed(self, request: EmbeddingRequest) -> Embedding:
        body = {
            "model": self._calls.model or request.model_id,
            "input": list(request.texts),
            "dimensions": request.options.dimensions,
            "encoding_format": "float",
        }
        async with self._calls.call(msgspec.json.encode(body)) as response:
            try:
                answer = _decoder.decode(await response.body(RESPONSE_BYTES_MAX))
                if [one.index for one in answer.data] != list(range(len(answer.data))):
                    raise ValueError("expected vectors in the texts' order")
                found = checked([one.embedding for one in answer.data], request)
            except ValueError as error:
                raise failures.nonsense(f"the server's vectors make no sense: {error}") from error
        return Embedding(vectors=found, input_tokens=_tokens(answer.usage, request))

    async def close(self) -> None:
        """Release connections."""
        await self._calls.close()


def _tokens(usage: _Usage | None, request: EmbeddingRequest) -> int:
    if usage is not None:
        return usage.prompt_tokens
    return sum(len(text.encode()) for text in request.texts) + ENDPOINT_OVERHEAD_TOKENS
