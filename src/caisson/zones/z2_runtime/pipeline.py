"""The request path: one list, in order, for every route, dialect and stream mode (NET-02).

Steps 1 to 6 run before the model and may refuse or block. Steps 8 and 9 are a chain of event streams, so that a whole
answer and a streamed one are inspected by the same code. Steps 10 and 11 run however the answer ends: whole, blocked,
failed, or left by the client. What was not evaluated is not recorded as evaluated.

    1  frame           size, type, strict shape, nesting bound
    2  identity        SigV4 session credentials or a bearer token
    3  session         task and model in scope
    3  documents       what is not text is extracted, apart from this process
    4  budget          reserve the worst case
    5  record request  raw, sealed, before any guardrail
    6  inspect input   every role, every string
    8  model           pinned model, bounded answer
    9  inspect output  nothing leaves before every rule that governs it has answered
    10 settle budget   what was really used
    11 record response every decision that ran, before the last byte leaves

Step 7 (retrieve) and step 12 (evaluation) are not built yet; a system file that asks for them does not start.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from caisson.errors import CallerError, Refusal, UpstreamError
from caisson.zones.z2_runtime.answer import collect
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.record import observe
from caisson.zones.z2_runtime.steps import (
    s01_frame,
    s02_identity,
    s03_documents,
    s03_session,
    s04_budget,
    s05_record_request,
    s06_inspect_input,
    s08_embed,
    s08_model,
    s09_inspect_output,
    s10_settle,
    s11_record_response,
)

Json = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One step before the model."""

    number: int
    name: str
    run: Callable[[Exchange], Awaitable[Refusal | None]]


BEFORE = (
    Step(1, "frame", s01_frame.run),
    Step(2, "identity", s02_identity.run),
    Step(3, "session", s03_session.run),
    Step(3, "documents", s03_documents.run),
    Step(4, "budget", s04_budget.run),
    Step(5, "record request", s05_record_request.run),
    Step(6, "inspect input", s06_inspect_input.run),
)


async def admit(exchange: Exchange) -> Refusal | None:
    """Run steps 1 to 6. A refusal has already been recorded when the request had an identity."""
    for step in BEFORE:
        refusal = await step.run(exchange)
        if refusal is not None:
            if exchange.principal is None:
                await s02_identity.run(exchange)  # a malformed body is refused as such, but the record names its sender
            await conclude(exchange, refusal=refusal, step=f"{step.number} {step.name}")
            return refusal
    return None


async def conclude(
    exchange: Exchange, *, refusal: Refusal | None = None, step: str = "", cancelled: bool = False
) -> None:
    """Run steps 10 and 11, once, whatever happened. The ledger is written last (docs/decisions/0007).

    A request on record whose response is not, as on a full disk, keeps its reservation: `lost` explains it later.
    """
    s10_settle.measure(exchange, cancelled=cancelled, failed=refusal is not None)
    try:
        await s11_record_response.run(exchange, refusal=refusal, step=step, cancelled=cancelled)
    finally:
        if exchange.answered or not exchange.recorded:
            await s10_settle.settle(exchange)
    observe(exchange, refusal=refusal, cancelled=cancelled)


async def answer(exchange: Exchange) -> Refusal | None:
    """Steps 8 to 11 for a whole answer; `exchange.answer` or `exchange.embedding` is what the client may have."""
    refusal: Refusal | None = None
    cancelled = True
    try:
        try:
            if exchange.known()[0].embedding is not None:
                exchange.embedding = await s08_embed.run(exchange)
            elif exchange.blocked is None:
                exchange.answer = await s09_inspect_output.whole(exchange, await s08_model.whole(exchange))
            else:
                exchange.answer = collect(s09_inspect_output.refused_input(exchange))
        except (UpstreamError, CallerError) as error:
            refusal = error.refusal
        cancelled = False
    finally:
        await conclude(exchange, refusal=refusal, step="8 model" if refusal else "", cancelled=cancelled)
    return refusal


async def stream(exchange: Exchange) -> AsyncGenerator[Json, None]:
    """Steps 8 to 11 for a streamed answer: ConverseStream events that may leave.

    The closing events (`messageStop`, `metadata`) come only after the response is recorded.

    Raises:
        UpstreamError: the model failed; what was yielded before had been inspected, and the failure is recorded.
        CallerError: likewise.
    """
    refusal: Refusal | None = None
    cancelled = True
    closing: list[Json] = []
    try:
        if exchange.blocked is None:
            events = s09_inspect_output.streamed(exchange, s08_model.streamed(exchange))
        else:
            events = _each(s09_inspect_output.refused_input(exchange))
        async with aclosing(events):
            async for event in events:
                if "messageStop" in event or "metadata" in event:
                    closing.append(event)
                else:
                    yield event
        cancelled = False
    except (UpstreamError, CallerError) as error:
        refusal, cancelled = error.refusal, False
        raise
    finally:
        await conclude(exchange, refusal=refusal, step="8 model" if refusal else "", cancelled=cancelled)
    for event in closing:
        yield event


async def _each(events: Iterable[Json]) -> AsyncGenerator[Json, None]:
    for event in events:
        yield event


async def without_model(exchange: Exchange) -> None:
    """ApplyGuardrail and CountTokens: the path without steps 8 and 9."""
    await conclude(exchange)
