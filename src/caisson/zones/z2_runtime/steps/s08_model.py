"""Step 8, model: the pinned model, with credentials that only this process holds (SUP-01, SEC-07).

The model is hostile: what it says is bounded in size and time whatever it declares.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from caisson.channels.messages import GuardrailAction
from caisson.errors import Refusal, UpstreamError, WireError
from caisson.ports.model import ModelAnswer, ModelRequest, PinnedGuardrail, Usage
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.said import Said

Json = dict[str, Any]

OUTPUT_BYTES_PER_TOKEN_MAX = 64
"""A model that says more than this many bytes for each token it may use is not keeping to its limit."""
OUTPUT_BYTES_FLOOR = 65_536
EVENTS_PER_ANSWER_MAX = 1_000_000


def request_of(exchange: Exchange) -> ModelRequest:
    """What goes to the model: the inspected texts, the file's limits, nothing that the caller chose beyond them."""
    conversation, principal, context = exchange.known()
    pinned = exchange.snapshot.system.guardrails[context.guardrail].aws
    return ModelRequest(
        request_id=exchange.request_id,
        model_id=exchange.target,
        system=tuple(conversation.system),
        messages=tuple(conversation.messages),
        output_tokens_max=exchange.output_tokens_max,
        inference=conversation.inference,
        additional=conversation.additional,
        tools=conversation.tools,
        session_id=principal.session_id,
        user=principal.user,
        guardrail=PinnedGuardrail(identifier=pinned.id, version=str(pinned.version)) if pinned else None,
    )


async def whole(exchange: Exchange) -> ModelAnswer:
    """Call the model for a whole answer.

    Raises:
        UpstreamError: it failed, took too long or said too much.
    """
    clock = exchange.runtime.clock
    exchange.upstream = exchange.runtime.model.name
    began = clock.monotonic()
    try:
        with exchange.runtime.deadlines.within(exchange.snapshot.system.limits.request_timeout_s):
            answer = await exchange.runtime.model.converse(request_of(exchange))
    except TimeoutError as error:
        raise too_slow() from error
    finally:
        exchange.upstream_seconds = clock.monotonic() - began
    exchange.usage, exchange.stop_reason = answer.usage, answer.stop_reason
    _decided(exchange, answer.guardrail_actions)
    said = Said(exchange.raw_output)
    for block in answer.content:
        _account(exchange, said.whole(block))
    return answer


async def streamed(exchange: Exchange) -> AsyncGenerator[Json, None]:
    """Call the model for a stream of events.

    Raises:
        UpstreamError: as `whole`, at any point of the stream.
    """
    clock, limits = exchange.runtime.clock, exchange.snapshot.system.limits
    exchange.upstream = exchange.runtime.model.name
    stops_at = clock.monotonic() + limits.request_timeout_s
    count = 0
    async with aclosing(exchange.runtime.model.converse_stream(request_of(exchange))) as events:
        said = Said(exchange.raw_output)
        try:
            while True:
                began = clock.monotonic()
                try:
                    with exchange.runtime.deadlines.within(stops_at - clock.monotonic()):
                        event = await anext(events, None)
                except TimeoutError as error:
                    raise too_slow() from error
                finally:
                    exchange.upstream_seconds += clock.monotonic() - began
                if event is None:
                    return
                count += 1
                if count > EVENTS_PER_ANSWER_MAX:
                    raise _too_much()
                _observe(exchange, said, event)
                yield event
        finally:
            said.end()  # of a block that broke off


def _observe(exchange: Exchange, said: Said, event: Json) -> None:
    if "contentBlockDelta" in event:
        piece = event["contentBlockDelta"]
        _account(exchange, said.delta(piece["contentBlockIndex"], piece["delta"]))
    elif "contentBlockStart" in event:
        _account(exchange, said.start(event["contentBlockStart"]["start"]["toolUse"]))
    elif "contentBlockStop" in event:
        said.end()
    elif "messageStop" in event:
        exchange.stop_reason = event["messageStop"]["stopReason"]
    elif "metadata" in event:
        counts = event["metadata"]["usage"]
        exchange.usage = Usage(
            input_tokens=counts["inputTokens"],
            output_tokens=counts["outputTokens"],
            cached_input_tokens=counts.get("cachedInputTokens", 0),
        )
        _decided(exchange, event["metadata"].get("guardrailActions", ()))


def _decided(exchange: Exchange, actions: tuple[GuardrailAction, ...]) -> None:
    """What a guardrail of the endpoint decided belongs to the record like our own."""
    exchange.actions.extend(actions)
    exchange.blocked = next((action for action in actions if action.decision == "blocked"), exchange.blocked)


def _account(exchange: Exchange, texts: list[str]) -> None:
    for text in texts:
        exchange.output_bytes += len(text.encode("utf-8", "surrogatepass"))
    if exchange.output_bytes > max(OUTPUT_BYTES_FLOOR, exchange.output_tokens_max * OUTPUT_BYTES_PER_TOKEN_MAX):
        raise _too_much()


def too_slow() -> UpstreamError:
    """The endpoint took longer than a request may."""
    return UpstreamError(
        "the model took longer than limits.request_timeout",
        Refusal(
            error=WireError.MODEL_TIMEOUT, rule="model.timeout", message="The model took too long to answer; retry."
        ),
    )


def _too_much() -> UpstreamError:
    return UpstreamError(
        "the model said more than its token limit allows",
        Refusal(
            error=WireError.MODEL_ERROR,
            rule="model.too-much",
            message="The model's answer exceeded its limit and was cut.",
        ),
    )
