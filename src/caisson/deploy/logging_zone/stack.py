"""The stack of the logging account."""

from __future__ import annotations

from typing import Any

from caisson.deploy.channel_queue import EVENTS, channel_queue, key_uses
from caisson.deploy.keys import make_key
from caisson.deploy.landscape import Landscape
from caisson.deploy.logging_zone.archive import archive
from caisson.deploy.logging_zone.events import alarming, alarms, log_groups
from caisson.deploy.logging_zone.trail import trail_store
from caisson.deploy.logging_zone.watching import macie_session
from caisson.deploy.policies import management, zone
from caisson.deploy.stacks import Built, new_stack

ZONE = "logging"


def logging_zone(app: Any, land: Landscape) -> Built:
    """Everything of the logging account that has a template."""
    built = new_stack(app, land, "logging", account=land.accounts["logging"], region=land.region)
    trail_store(built, land)
    archive(built, land)
    key = _zone_key(built, land)
    queues = channel_queue(built, land, EVENTS, key, ("S06",))
    alarms(built, land, key, log_groups(built, land, key), queues)
    macie_session(built, land)
    return built


def _zone_key(built: Built, land: Landscape) -> Any:
    """The key of what is under way: queue, log groups and topic."""
    account = land.accounts["logging"]
    log_groups_arn = f"arn:{land.partition}:logs:{land.region}:{account}:log-group:{land.names.log_group('*')}"
    return make_key(
        built,
        land,
        ZONE,
        (
            zone.administration(account, [land.role(management.DEPLOYMENT)], land.partition),
            key_uses(land, EVENTS),
            zone.encrypts_log_groups(region=land.region, log_groups=log_groups_arn),
            zone.encrypts_alarms(alarming(land)),
        ),
        description="Encrypts the event queue, log groups and alarms",
    )
