"""Where AWS Config records: a bucket of the logging account under a key of its own (LOG-07, row S05).

The one store of evidence there without Object Lock: Config does not deliver under it (CloudFormation reference,
AWS::Config::DeliveryChannel). That its objects stay is the policy `evidence` and the bucket's own policy.
"""

from __future__ import annotations

from typing import Any

from caisson.channels.retention import DAYS
from caisson.deploy.keys import make_key
from caisson.deploy.landscape import Landscape
from caisson.deploy.logging_zone.store import bucket_name, make_bucket
from caisson.deploy.policies import management, people, zone
from caisson.deploy.policies import recordings as policies
from caisson.deploy.retention import RECORDINGS
from caisson.deploy.stacks import Built, new_stack

ROWS = ("S05",)


def recordings(app: Any, land: Landscape) -> Built:
    """The stack with the key and the bucket. It stands before any account records."""
    built = new_stack(app, land, RECORDINGS, account=land.accounts["logging"], region=land.region)
    accounts = tuple(place.account for place in land.places)
    reader = management.permission_set_role(land.names, land.partition, people.READER)
    key = make_key(
        built,
        land,
        RECORDINGS,
        (
            zone.administration(built.account, [land.role(management.DEPLOYMENT)], land.partition),
            policies.bucket_encryption(accounts, land.organization),
            zone.used_through(
                "Reading",
                ("kms:Decrypt",),
                accounts=(built.account,),
                roles=[reader],
                service=f"s3.{land.region}.amazonaws.com",
                partition=land.partition,
            ),
        ),
        description="Encrypts what AWS Config records",
    )
    statements = policies.bucket_statements(
        bucket=bucket_name(land, RECORDINGS),
        accounts=accounts,
        organization=land.organization,
        partition=land.partition,
    )
    bucket = make_bucket(built, land, RECORDINGS, key, statements, days=DAYS["access"], locked=False)
    for resource in (key, *bucket):
        built.carries(resource, ROWS)
    return built
