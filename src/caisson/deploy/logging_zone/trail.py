"""The store of the organization's trail (rows S61, S77)."""

from __future__ import annotations

from caisson.channels.retention import DAYS
from caisson.deploy.keys import key_alias, make_key
from caisson.deploy.landscape import Landscape
from caisson.deploy.logging_zone.store import bucket_name, make_bucket
from caisson.deploy.policies import delivery, evidence, management, people
from caisson.deploy.retention import TRAIL
from caisson.deploy.stacks import Built

ROWS = ("S06", "S61", "S77")


def trail_bucket(land: Landscape) -> str:
    """Name of the trail's bucket."""
    return bucket_name(land, TRAIL)


def trail_key_alias(land: Landscape) -> str:
    """ARN of the alias of the trail's key, by which another account names it without knowing the key's id."""
    return f"arn:{land.partition}:kms:{land.region}:{land.accounts['logging']}:{key_alias(land, TRAIL)}"


def trail_store(built: Built, land: Landscape) -> None:
    """The trail's key and bucket."""
    account = land.accounts["logging"]
    trail = evidence.trail_arn(land.names, land.partition, account=land.management, region=land.region)
    key = make_key(
        built,
        land,
        TRAIL,
        delivery.key_statements(
            account=account,
            administrators=[land.role(management.DEPLOYMENT)],
            trail=trail,
            management=land.management,
            readers=[management.permission_set_role(land.names, land.partition, people.READER)],
            partition=land.partition,
        ),
        description="Encrypts the organization's trail",
    )
    statements = delivery.bucket_statements(
        bucket=trail_bucket(land),
        trail=trail,
        management=land.management,
        organization=land.organization,
        partition=land.partition,
    )
    for resource in (key, *make_bucket(built, land, TRAIL, key, statements, days=DAYS["access"])):
        built.carries(resource, ROWS)
