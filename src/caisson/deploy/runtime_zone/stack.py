"""The stack of the runtime account, and that of the evaluation account as far as its network goes."""

from __future__ import annotations

from typing import Any

from caisson.deploy.channel_queue import EVALUATIONS, ends, key_uses
from caisson.deploy.destinations import attaches_runtime
from caisson.deploy.egress_zone.attachment import way_to_hosts
from caisson.deploy.egress_zone.transit import GATEWAY
from caisson.deploy.keys import make_key
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import ledger, management, zone
from caisson.deploy.policies.statement import Statement
from caisson.deploy.runtime_zone.channels import of_evaluation
from caisson.deploy.runtime_zone.endpoints import endpoints
from caisson.deploy.runtime_zone.ledger import ledger_table
from caisson.deploy.runtime_zone.roles import boundary, caller, of_gateway
from caisson.deploy.stacks import Built, new_stack
from caisson.deploy.zone_network import zone_network


def invoking_zone(app: Any, land: Landscape, zone_: str) -> Built:
    """What a zone that invokes models has; the runtime its ledger, too."""
    account = land.accounts[zone_]
    pins = land.place(zone_).pins
    attached = (GATEWAY,) if zone_ == "runtime" and attaches_runtime(land) else ()
    built = new_stack(app, land, zone_, account=account, region=land.region, parameters=(*pins, *attached))
    key = _key(built, land, zone_)
    bound = boundary(built, land, zone_)
    made = zone_network(built, land, zone_, key, bound)
    if zone_ == "runtime":
        ways = endpoints(built, land, made)
        ledger_table(built, land, key, ways, bound)
        caller(built, land, zone_, made, bound, of_gateway(built, land, key, ways))
    else:
        caller(built, land, zone_, made, bound, of_evaluation(built, land, key, made))
    if attached:
        way_to_hosts(built, land, key)
    return built


def _of_the_ledger(built: Built, land: Landscape, deployment: str) -> list[Statement]:
    """The deployment makes the table, with a grant for DynamoDB; gateway and sessions use it, without any."""
    users = [land.role(duty) for duty in (ledger.GATEWAY, ledger.SESSION)]
    return [
        zone.used_through(
            sid,
            actions,
            accounts=(built.account,),
            roles=roles,
            service=f"dynamodb.{land.region}.amazonaws.com",
            partition=land.partition,
        )
        for sid, actions, roles in (
            ("LedgerMade", (*ledger.KEY_USE, "kms:CreateGrant"), [deployment]),
            ("LedgerUsed", ledger.KEY_USE, users),
        )
    ]


def _of_the_queue(built: Built, land: Landscape) -> tuple[Statement, ...]:
    """The gateway sends what is to be evaluated, the judge receives it."""
    receives = zone.used_through(
        "JudgeReceives", ("kms:Decrypt",), accounts=(built.account,), roles=(ends(land, EVALUATIONS).reader,),
        service=f"sqs.{land.region}.amazonaws.com", partition=land.partition,
    )  # fmt: skip
    return key_uses(land, EVALUATIONS), receives


def _key(built: Built, land: Landscape, zone_: str) -> Any:
    """The zone's key: of its log group, and of the ledger or the queue of what is to be evaluated."""
    groups = f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{land.names.log_group('*')}"
    deployment = land.role(management.DEPLOYMENT)
    statements = [
        zone.administration(built.account, [deployment], land.partition),
        zone.encrypts_log_groups(region=land.region, log_groups=groups),
    ]
    if zone_ == "runtime":
        statements += _of_the_ledger(built, land, deployment)
    else:
        statements += _of_the_queue(built, land)
    key = make_key(built, land, zone_, statements, description=f"Encrypts what zone {zone_} keeps")
    built.carries(key, ("S59",))
    return key
