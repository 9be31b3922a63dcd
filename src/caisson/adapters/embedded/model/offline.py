"""A model without weights, network or chance: it answers with sentences of the conversation's own documents.

For first steps and demonstrations. It quotes what fits the last question, names the document, and says so when nothing
fits. The same request always gives the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from itertools import groupby

from caisson.adapters.embedded.model import failures
from caisson.adapters.embedded.model.events import START, Json, closing, text_block, words
from caisson.adapters.embedded.model.extract import Passage, best, question_of
from caisson.adapters.embedded.model.prompt import Prompt
from caisson.policy.tokens import BYTES_PER_TOKEN, estimate_tokens
from caisson.ports.clock import Clock
from caisson.ports.model import Model, ModelAnswer, ModelRequest, Usage

THREAD_FROM_CHARACTERS = 16_384
"""Longer prompts are read in a thread, so that other requests go on."""
NAMES_SHOWN_MAX = 5

NO_DOCUMENTS = (
    "I have no documents to answer from. I am Caisson's offline model: I quote the documents of a conversation and "
    "make nothing up. Attach one, or start with another upstream."
)


class OfflineModel(Model):
    """Extractive answers."""

    name = "offline"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def converse(self, request: ModelRequest) -> ModelAnswer:
        began = self._clock.monotonic()
        prompt = Prompt.of(request)
        if prompt.media:
            raise failures.cannot("images, video or audio")
        if sum(len(document.text) for document in prompt.documents) >= THREAD_FROM_CHARACTERS:
            full = await asyncio.to_thread(answer, prompt)
        else:
            full = answer(prompt)
        text, stop_reason = limited(full, request)
        return ModelAnswer(
            content=({"text": text},) if text else (),
            stop_reason=stop_reason,
            usage=Usage(input_tokens=prompt.tokens(), output_tokens=estimate_tokens(text)),
            latency_ms=(self._clock.monotonic() - began) * 1000,
        )

    async def converse_stream(self, request: ModelRequest) -> AsyncGenerator[Json, None]:
        whole = await self.converse(request)
        yield START
        for index, block in enumerate(whole.content):
            for event in text_block(index, words(block["text"])):
                yield event
        for event in closing(whole.stop_reason, whole.usage, whole.latency_ms):
            yield event

    async def close(self) -> None:
        """Nothing is held."""


def answer(prompt: Prompt) -> str:
    """Quotes from the documents; from what was said around the question when no document fits."""
    question, rest = question_of(prompt.last_user)
    documents = [Passage(source=f"“{document.name}”", text=document.text) for document in prompt.documents]
    spoken = [
        Passage(source=source, text=text)
        for source, text in (
            ("your message", rest),
            ("the instructions", prompt.system),
            *(("earlier in this conversation", text) for text in prompt.history),
        )
        if text
    ]
    quotes = best(question, documents) or best(question, spoken)
    if quotes:
        return "\n\n".join(
            f"From {source}: {' '.join(quote.sentence for quote in group)}"
            for source, group in groupby(quotes, key=lambda quote: quote.source)
        )
    if not documents:
        return NO_DOCUMENTS
    names = list(dict.fromkeys(passage.source for passage in documents))
    more = f" and {len(names) - NAMES_SHOWN_MAX} more" if len(names) > NAMES_SHOWN_MAX else ""
    return f"Nothing in {', '.join(names[:NAMES_SHOWN_MAX])}{more} answers that."


def limited(text: str, request: ModelRequest) -> tuple[str, str]:
    """The text up to the first stop sequence or the token limit, and which of them ended it."""
    reason = "end_turn"
    for sequence in request.inference.get("stopSequences", ()):
        head, found, _ = text.partition(sequence)
        if found:
            text, reason = head, "stop_sequence"
    if estimate_tokens(text) > request.output_tokens_max:
        cut = text.encode()[: request.output_tokens_max * BYTES_PER_TOKEN]
        text, reason = cut.decode("utf-8", "ignore"), "max_tokens"
    return text, reason
