"""Step 2, identity: who stands behind the request (IAM-01)."""

from __future__ import annotations

from caisson.errors import Refusal
from caisson.zones.z2_runtime.exchange import Exchange


async def run(exchange: Exchange) -> Refusal | None:
    """Verify the credentials; revocations and expired orders refuse here too."""
    result = await exchange.authenticate()
    if isinstance(result, Refusal):
        return result
    exchange.principal = result
    return None
