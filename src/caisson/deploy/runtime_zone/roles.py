"""The permission boundary of a zone's roles, and the role that its code runs as (IAM-01, IAM-02, rows S09, S11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_iam as iam

from caisson.deploy.control_zone.repository import OBJECTS
from caisson.deploy.guardrails import KEY
from caisson.deploy.keys import key_alias
from caisson.deploy.landscape import CONFIGURATION, Landscape
from caisson.deploy.policies import ledger, repository, workload
from caisson.deploy.policies.statement import Statement, document, trust
from caisson.deploy.runtime_zone.arns import table_arn
from caisson.deploy.runtime_zone.channels import sending, written
from caisson.deploy.runtime_zone.endpoints import Endpoints
from caisson.deploy.stacks import Built, suppress
from caisson.deploy.zone_network import CALLERS, Network, bare_pins
from caisson.system import tiers

BOUNDS = "A boundary grants nothing: which resources a role reaches is said by its own policy, which names each of them"
SERVED = (
    "A geographic profile is served in regions of its geography that AWS chooses, and its ARN has the caller's "
    "account; profile and model are named whole, and a guardrail in one version is asked for"
)
KEYS = "The key is in another account, and its id is AWS's: it is told by its alias, in one account and region"


def boundary(built: Built, land: Landscape, zone: str) -> Any:
    """The zone's permission boundary."""
    configured = zone == "runtime"
    made = iam.CfnManagedPolicy(
        built.stack,
        "Boundary",
        path=land.names.path,
        managed_policy_name=land.names.role(f"{workload.BOUNDARY}-{zone}"),
        description=f"The most that a role of zone {zone} may do",
        policy_document=document(workload.boundary(receives=zone == "evaluation", configured=configured)),
    )
    found = ("AwsSolutions-IAM5[Resource::*]", "CKV_AWS_107", "CKV_AWS_111", *(("CKV_AWS_108",) if configured else ()))
    suppress(made, dict.fromkeys(found, BOUNDS))
    built.carries(made, ("S11",))
    return made


def caller(built: Built, land: Landscape, zone: str, made: Network, bound: Any, more: Sequence[Statement] = ()) -> None:
    """The role that the zone's code runs as. It invokes, and does what `more` says."""
    duty = CALLERS[zone]
    takers = workload.task_trust(account=built.account, region=land.region, partition=land.partition)
    role = iam.CfnRole(
        built.stack,
        f"{duty.capitalize()}Role",
        path=land.names.path,
        role_name=land.names.role(duty),
        description=f"Runs the code of zone {zone}",
        permissions_boundary=bound.ref,
        assume_role_policy_document=trust(takers),
    )
    place = land.place(zone)
    statements = workload.invoking(
        models=land.models_of(zone),
        pins=place.pins,
        guardrails=bare_pins(land, place),
        endpoint=made.models.ref,
        partition=land.partition,
        region=land.region,
    )
    explained = {
        f"AwsSolutions-IAM5[Resource::{arn}]": SERVED
        for arn in statements[0].resources
        if isinstance(arn, str) and "*" in arn
    }
    if tiers.fact("distinct_accounts", land.system.tier):  # then guardrails have a key (deploy/guardrails.py)
        keys = _keys(land, "control")
        explained[f"AwsSolutions-IAM5[Resource::{keys}]"] = KEYS
        statements += (workload.guardrail_key(keys=keys, alias=key_alias(land, KEY)),)
    policy = iam.CfnManagedPolicy(
        built.stack,
        f"{duty.capitalize()}Policy",
        path=land.names.path,
        managed_policy_name=land.names.role(duty),
        description=f"What the code of zone {zone} does",
        roles=[role.ref],
        policy_document=document((*statements, *more)),
    )
    for statement in more:
        explained |= {
            f"AwsSolutions-IAM5[Resource::{arn}]": KEYS
            for arn in statement.resources
            if isinstance(arn, str) and arn.endswith(":key/*")
        }
        explained |= {
            f"AwsSolutions-IAM5[Resource::{arn}]": OBJECTS
            for arn in statement.resources
            if isinstance(arn, str) and ":s3:::" in arn and arn.endswith("/*")
        }
    if explained:
        suppress(policy, explained)
    for resource in (role, policy):
        built.carries(resource, ("S09", "S11"))


def of_gateway(built: Built, land: Landscape, key: Any, ways: Endpoints) -> tuple[Statement, ...]:
    """What the gateway does beside invoking: the ledger, sessions, and the channels that it writes."""
    return (
        *workload.reading_ledger(table=table_arn(built, land), endpoint=ways.ledger.ref),
        ledger.key_of_the_table(key.attr_arn, land.region),
        workload.assuming_sessions(sessions=land.role(ledger.SESSION, built.account), endpoint=ways.tokens.ref),
        *repository.reading(
            land.repository_bucket,
            endpoint=ways.configuration.ref,
            keys=_keys(land, "control"),
            alias=key_alias(land, CONFIGURATION),
            region=land.region,
            partition=land.partition,
        ),
        *(statement for channel in written(land) for statement in sending(land, channel, ways.queues.ref)),
    )


def _keys(land: Landscape, zone: str) -> str:
    return f"arn:{land.partition}:kms:{land.region}:{land.accounts[zone]}:key/*"
