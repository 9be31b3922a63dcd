"""Step 11, record response: every decision that ran, before the last byte leaves (LOG-01, LOG-02).

Below tier 3 the event has left this process for what outlives it; from tier 3 it is on stable storage.
"""

from __future__ import annotations

from caisson.errors import CallerError, ChannelError, Refusal, WireError
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.record import append, request_event, response_event


async def run(exchange: Exchange, *, refusal: Refusal | None, step: str, cancelled: bool) -> None:
    """Write the response's event; a refusal before step 5 gets its request's event here, without the text.

    Raises:
        CallerError: it cannot be recorded, so the answer must not be acknowledged.
    """
    if exchange.principal is None:
        return  # the ingress aggregates refusals of callers without an identity
    exchange.recorded = exchange.recorded or append(exchange, request_event(exchange, admitted=False))
    event = response_event(exchange, refusal=refusal, step=step, cancelled=cancelled)
    recorded = exchange.answered = exchange.recorded and append(exchange, event)
    if exchange.recorded and not exchange.answered and exchange.reservation is None:
        exchange.runtime.unrecorded.append(event)  # no reservation will tell of it later
    if recorded and not cancelled:
        try:
            await exchange.runtime.events.acknowledged(fsync=exchange.snapshot.system.fsync)
        except ChannelError:
            recorded = False
            exchange.answered = exchange.runtime.events.outlives  # else the reservation stays, and tells what is lost
    if not recorded:
        raise CallerError(
            Refusal(
                error=WireError.UNAVAILABLE,
                rule="record.response",
                message="The answer could not be recorded, so it is withheld; retry later.",
            )
        )
