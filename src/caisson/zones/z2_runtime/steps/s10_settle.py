"""Step 10, settle budget: what was really used replaces the worst case, broken answers included (SESS-01)."""

from __future__ import annotations

from caisson.ports.model import Usage
from caisson.zones.z2_runtime.exchange import Exchange


def measure(exchange: Exchange, *, cancelled: bool, failed: bool) -> None:
    """What was used: the model's own count; where it gave none, an upper bound of what it can have cost."""
    if exchange.reservation is None:
        return
    usage = exchange.usage or _bound(exchange, interrupted=cancelled or failed or exchange.blocked is not None)
    exchange.settled_usage = usage
    exchange.cost_micro_usd = (
        exchange.runtime.prices.cost_micro_usd(exchange.target, usage) if exchange.operation.calls_model else 0
    )


async def settle(exchange: Exchange) -> None:
    """Charge it. After the record: a worker that dies in between leaves a reservation, which a survivor explains."""
    if exchange.reservation is None or exchange.settled_usage is None:
        return
    await exchange.runtime.ledger.settle(
        exchange.reservation.reservation_id,
        tokens=exchange.settled_usage.input_tokens + exchange.settled_usage.output_tokens,
        cost_micro_usd=exchange.cost_micro_usd,
    )


def _bound(exchange: Exchange, *, interrupted: bool) -> Usage:
    """Without the model's count: nothing when it never answered, else every byte as if it were a token."""
    if not exchange.upstream or (interrupted and exchange.output_bytes == 0 and exchange.upstream_seconds == 0):
        return Usage(input_tokens=0, output_tokens=0)
    return Usage(
        input_tokens=exchange.worst_case_input_tokens,
        output_tokens=min(exchange.output_bytes, exchange.output_tokens_max),
    )
