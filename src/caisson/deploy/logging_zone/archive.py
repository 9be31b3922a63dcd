"""The archive: a bucket for each class of data, under a key of its own (LOG-08, rows S06, S31, S61)."""

from __future__ import annotations

from typing import Any

from caisson.deploy import retention
from caisson.deploy.keys import make_key
from caisson.deploy.landscape import Landscape
from caisson.deploy.logging_zone.store import bucket_name, make_bucket
from caisson.deploy.policies import management, people, zone
from caisson.deploy.stacks import Built

ARCHIVE = "archive"
ROWS = ("S06", "S31", "S61")
MACIE_ROLE = "aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
"""Macie reads as its service-linked role (Macie user guide, discovery-supported-encryption-types)."""


def archive(built: Built, land: Landscape) -> None:
    """The key and the buckets."""
    key = _key(built, land)
    built.carries(key, ROWS)
    writer = land.role(management.LOGGING)
    for class_ in retention.kept():
        what = retention.archive(class_)
        name = bucket_name(land, what)
        statements = (
            *zone.evidence_bucket(name, land.partition),
            zone.one_writer(name, writer, land.partition),
            *zone.written_once(name, land.partition),
        )
        for resource in make_bucket(built, land, what, key, statements, days=class_.days):
            built.carries(resource, ROWS)


def _key(built: Built, land: Landscape) -> Any:
    account, s3 = land.accounts["logging"], f"s3.{land.region}.amazonaws.com"
    writer = land.role(management.LOGGING)
    reader = management.permission_set_role(land.names, land.partition, people.READER)
    return make_key(
        built,
        land,
        ARCHIVE,
        (
            zone.administration(account, [land.role(management.DEPLOYMENT)], land.partition),
            zone.used_through(
                "Writing",
                ("kms:GenerateDataKey",),
                accounts=[account],
                roles=[writer],
                service=s3,
                partition=land.partition,
            ),
            zone.used_through(
                "Reading",
                ("kms:Decrypt",),
                accounts=[account],
                roles=[writer, reader],
                service=s3,
                partition=land.partition,
            ),
            zone.used_through(
                "MacieReads",
                ("kms:Decrypt",),
                accounts=[account],
                roles=[f"arn:{land.partition}:iam::{account}:role/{MACIE_ROLE}"],
                service=s3,
                partition=land.partition,
            ),
        ),
        description="Encrypts the archive",
    )
