"""Step 8 for embedding models: numbers for inspected texts, with credentials that only this process holds (SUP-01).

Step 9 has nothing to read: what the embedder says is numbers of the asked length (ports/embedder.py).
"""

from __future__ import annotations

from caisson.errors import CallerError, DeveloperError, Refusal, WireError
from caisson.ports.embedder import Embedding, EmbeddingRequest
from caisson.ports.model import Usage
from caisson.zones.z2_runtime.dialects.embeddings import texts_of
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.steps.s08_model import too_slow


async def run(exchange: Exchange) -> Embedding:
    """Call the embedder.

    Raises:
        CallerError: the guardrail blocked the texts; an embedding has no place for its message.
        UpstreamError: it failed, took too long or answered nonsense.
    """
    conversation, _, context = exchange.known()
    if conversation.embedding is None:
        raise DeveloperError("an embedding was asked for by a request that has none")
    if exchange.blocked is not None:
        message, _ = exchange.snapshot.guardrail.messages(context.guardrail)
        raise CallerError(
            Refusal(
                error=WireError.VALIDATION,
                rule=exchange.blocked.rule,
                message=f"The guardrail stopped the texts: {message}",
                rationale=exchange.blocked.rationale,
            )
        )
    clock, embedder = exchange.runtime.clock, exchange.runtime.embedder
    exchange.upstream = embedder.name
    began = clock.monotonic()
    try:
        with exchange.runtime.deadlines.within(exchange.snapshot.system.limits.request_timeout_s):
            answer = await embedder.embed(
                EmbeddingRequest(
                    request_id=exchange.request_id,
                    model_id=exchange.target,
                    texts=texts_of(conversation),
                    options=conversation.embedding,
                )
            )
    except TimeoutError as error:
        raise too_slow() from error
    finally:
        exchange.upstream_seconds = clock.monotonic() - began
    exchange.usage = Usage(input_tokens=answer.input_tokens, output_tokens=0)
    exchange.stop_reason = "embedded"
    return answer
