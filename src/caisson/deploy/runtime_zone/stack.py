"""The stack of the runtime account, and that of the evaluation account as far as its network goes."""

from __future__ import annotations

from typing import Any

from caisson.deploy.keys import make_key
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import management, zone
from caisson.deploy.runtime_zone.ledger import ledger_table
from caisson.deploy.stacks import Built, new_stack
from caisson.deploy.zone_network import zone_network


def invoking_zone(app: Any, land: Landscape, zone_: str) -> Built:
    """What a zone that invokes models has; the runtime its ledger, too."""
    account = land.accounts[zone_]
    pins = land.place(zone_).pins
    built = new_stack(app, land, zone_, account=account, region=land.region, parameters=pins)
    key = _key(built, land, zone_)
    zone_network(built, land, zone_, key)
    if zone_ == "runtime":
        ledger_table(built, land, key)
    return built


def _key(built: Built, land: Landscape, zone_: str) -> Any:
    """The zone's key: of its log group, and of the ledger."""
    groups = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{land.names.log_group('*')}"
    deployment = management.role_arn(land.names, land.partition, management.DEPLOYMENT)
    statements = [
        zone.administration(built.account, [deployment], land.partition),
        zone.encrypts_log_groups(region=land.region, log_groups=groups),
    ]
    if zone_ == "runtime":
        statements.append(
            zone.used_through(
                "LedgerEncrypts",
                ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"),
                accounts=(built.account,),
                roles=[management.role_arn(land.names, land.partition, "*")],
                service=f"dynamodb.{land.region}.amazonaws.com",
                partition=land.partition,
            )
        )
    key = make_key(built, land, zone_, statements, description=f"Encrypts what zone {zone_} keeps")
    built.carries(key, ("S59",))
    return key
