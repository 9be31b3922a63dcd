"""ARNs of what the zone has and uses, known from names before anything is made: policies name each other by them."""

from __future__ import annotations

from caisson.deploy.landscape import Landscape
from caisson.deploy.stacks import Built

TABLE = "ledger"


def table_arn(built: Built, land: Landscape) -> str:
    """The ledger's table."""
    return f"arn:{land.partition}:dynamodb:{land.region}:{built.account}:table/{land.names.of(TABLE)}"
