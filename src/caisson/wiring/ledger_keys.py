"""The process that resolves the ledger's AWS profile and hands leases to the gateway; as for the upstream (SEC-07)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from caisson.errors import StartError
from caisson.wiring.settings import LEDGER_SOCKET, read
from caisson.wiring.upstream import hand_out


def run(settings_file: Path) -> int:
    """Hand out leases until told to stop."""
    settings = read(settings_file)
    if settings.ledger is None:
        raise StartError("expected a ledger in the settings, found none")
    asyncio.run(hand_out(settings, profile=settings.ledger.profile, socket=LEDGER_SOCKET, option="--ledger dynamodb"))
    return 0
