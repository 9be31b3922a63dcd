"""The stack of an account's settings in Bedrock, one for each account that invokes (rows S22, S24, S28)."""

from __future__ import annotations

from typing import Any

from caisson.deploy.account_settings.checks import checks
from caisson.deploy.account_settings.function import settings
from caisson.deploy.account_settings.invocation_log import invocation_log
from caisson.deploy.account_settings.network import function_network
from caisson.deploy.keys import make_key
from caisson.deploy.landscape import Landscape, Place
from caisson.deploy.policies import invocations, management, people, zone
from caisson.deploy.stacks import Built, new_stack


def account_settings(app: Any, land: Landscape, place: Place) -> Built:
    """Key, invocation log, the function that switches it on, and the one that looks at it.

    One log an account: zones that share one share it.
    """
    built = new_stack(app, land, f"{management.SETTINGS}-{place.label}", account=place.account, region=land.region)
    rows = _rows(land, place)
    key = _key(built, land)
    ground = function_network(built, land, key)
    settings(built, land, key, ground, invocation_log(built, land, key, rows), rows)
    checks(built, land, key, ground)
    return built


def _rows(land: Landscape, place: Place) -> tuple[str, ...]:
    """Rows that the log carries; the judge's is apart where its account is."""
    here = [zone_ for zone_ in place.zones if land.models_of(zone_)]
    return (*(("S22", "S24") if "runtime" in here else ()), *(("S28",) if here == ["evaluation"] else ()))


def _key(built: Built, land: Landscape) -> Any:
    """Bedrock encrypts, readers of the log decrypt."""
    groups = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{land.names.log_group('*')}"
    deployment = land.role(management.DEPLOYMENT)
    reader = management.permission_set_role(land.names, land.partition, people.READER)
    key = make_key(
        built,
        land,
        management.SETTINGS,
        (
            zone.administration(built.account, [deployment], land.partition),
            zone.encrypts_log_groups(region=land.region, log_groups=groups),
            invocations.bucket_encryption(built.account, land.region, land.partition),
            zone.used_through(
                "Reading",
                ("kms:Decrypt",),
                accounts=(built.account,),
                roles=[reader],
                service=f"s3.{land.region}.amazonaws.com",
                partition=land.partition,
            ),
        ),
        description="Encrypts the invocation log",
    )
    built.carries(key, ("S59",))
    return key
