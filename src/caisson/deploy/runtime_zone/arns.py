"""ARNs of what the zone has and uses, known from names before anything is made: policies name each other by them."""

from __future__ import annotations

from caisson.deploy.landscape import Landscape
from caisson.deploy.logging_zone.queue import EVENTS, queue_name
from caisson.deploy.policies import management
from caisson.deploy.stacks import Built

TABLE = "ledger"


def role_in(land: Landscape, account: str, duty: str) -> str:
    """The role of a duty in one account."""
    return management.role_arn(land.names, land.partition, duty).replace("::*:", f"::{account}:")


def table_arn(built: Built, land: Landscape) -> str:
    """The ledger's table."""
    return f"arn:{land.partition}:dynamodb:{land.region}:{built.account}:table/{land.names.of(TABLE)}"


def event_queue_arn(land: Landscape) -> str:
    """The queue of the channel `events`."""
    return f"arn:{land.partition}:sqs:{land.region}:{land.accounts['logging']}:{queue_name(land, EVENTS)}"
