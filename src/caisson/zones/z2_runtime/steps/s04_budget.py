"""Step 4, budget: reserve the worst case, atomically, before anything is spent (SESS-01)."""

from __future__ import annotations

from caisson.errors import Refusal
from caisson.policy.tokens import worst_case_input_tokens
from caisson.zones.z2_runtime.exchange import Exchange

RESERVATION_GRACE_S = 5.0
"""Added to the request's own time limit, so that a living worker always settles before its reservation lapses."""


async def run(exchange: Exchange) -> Refusal | None:
    """Rates apply to every operation; tokens and the action only to those that call a model."""
    conversation, principal, _ = exchange.known()
    system = exchange.snapshot.system
    if exchange.operation.calls_model:
        ceiling = system.models[exchange.alias].output_tokens_max
        asked = conversation.output_tokens_max
        exchange.output_tokens_max = ceiling if asked is None else min(asked, ceiling)
        exchange.worst_case_input_tokens = worst_case_input_tokens(conversation)
    now = exchange.runtime.clock.now()
    granted = await exchange.runtime.ledger.reserve(
        reservation_id=exchange.request_id,
        session_id=principal.root_session_id,
        tokens=exchange.worst_case_input_tokens + exchange.output_tokens_max,
        actions=1 if exchange.operation.calls_model else 0,
        rates=exchange.snapshot.rates(principal.user),
        now=now,
        deadline=now + system.limits.request_timeout_s + RESERVATION_GRACE_S,
    )
    if isinstance(granted, Refusal):
        return granted
    exchange.reservation = granted
    return None
