"""Step 1, frame: the body is of the operation's strict shape (NET-07).

Size, content type and slow bodies were bounded while the body was read (z1_ingress/gateway.py).
"""

from __future__ import annotations

from caisson.errors import Refusal
from caisson.zones.z2_runtime.exchange import Exchange


async def run(exchange: Exchange) -> Refusal | None:
    """Parse the body, or say where and why it is not what the operation takes."""
    parsed = exchange.parse()
    if isinstance(parsed, Refusal):
        return parsed
    exchange.conversation = parsed
    exchange.operation, exchange.target = parsed.operation, parsed.model_id  # a chat's body says both
    return None
