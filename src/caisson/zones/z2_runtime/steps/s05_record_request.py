"""Step 5, record request: raw, sealed, before any guardrail sees it (LOG-01)."""

from __future__ import annotations

from caisson.errors import Refusal, WireError
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.record import append, request_event


async def run(exchange: Exchange) -> Refusal | None:
    """A request that cannot be recorded does not happen."""
    if not append(exchange, request_event(exchange)):
        return Refusal(
            error=WireError.UNAVAILABLE,
            rule="record.request",
            message="The request could not be recorded, so it was not carried out; retry later.",
        )
    exchange.recorded = True
    return None
