"""What passes is recorded for a year under a key: packets, queries, decisions of the firewall (NET-08, row S51)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_networkfirewall as nfw
from aws_cdk import aws_route53resolver as resolver

from caisson.channels.retention import DAYS
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import network
from caisson.deploy.policies.statement import document
from caisson.deploy.stacks import Built

ROWS = ("S51",)
FIREWALL_LOGS = ("ALERT", "FLOW", "TLS")


def group(built: Built, land: Landscape, id_: str, what: str, key: Any) -> Any:
    """A log group that outlives its stack."""
    made = logs.CfnLogGroup(
        built.stack, id_, log_group_name=land.names.log_group(what), kms_key_id=key.attr_arn,
        retention_in_days=DAYS["metadata"], deletion_protection_enabled=True,
    )  # fmt: skip
    made.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    built.carries(made, ROWS)
    return made


def _arn(built: Built, land: Landscape, what: str) -> str:
    return f"arn:{land.partition}:logs:{land.region}:{built.account}:log-group:{land.names.log_group(what)}"


def deliveries(built: Built, land: Landscape, what: str) -> Any:
    """Firewall and resolver write into log groups whose names begin so, for this account."""
    statement = network.log_delivery(f"{_arn(built, land, what)}*:log-stream:*", built.account, land.region)
    return logs.CfnResourcePolicy(
        built.stack, "LogDelivery", policy_name=land.names.of(f"{what}-delivery"),
        policy_document=json.dumps(document((statement,)), separators=(",", ":")),
    )  # fmt: skip


def queries(built: Built, land: Landscape, what: str, key: Any, vpcs: Sequence[Any], policy: Any) -> None:
    """Every query of some VPCs."""
    held = group(built, land, "QueriesLog", what, key)
    recorded = resolver.CfnResolverQueryLoggingConfig(
        built.stack, "Queries", name=land.names.of(what, longest=64), destination_arn=_arn(built, land, what)
    )  # fmt: skip
    for needed in (held, policy):
        recorded.add_resource_dependency(needed)
    for vpc in vpcs:
        resolver.CfnResolverQueryLoggingConfigAssociation(
            built.stack, f"QueriesOf{vpc.node.id}", resolver_query_log_config_id=recorded.ref, resource_id=vpc.ref
        )  # fmt: skip
    built.carries(recorded, ROWS)


def decisions(built: Built, land: Landscape, key: Any, firewalls: Sequence[Any], policy: Any) -> None:
    """What the firewalls let through, dropped and saw of TLS."""
    groups = [
        group(built, land, f"Firewall{kind.capitalize()}Log", f"egress-firewall-{kind.lower()}", key)
        for kind in FIREWALL_LOGS
    ]
    for firewall in firewalls:
        made = nfw.CfnLoggingConfiguration(
            built.stack, f"{firewall.node.id}Logs", firewall_arn=firewall.attr_firewall_arn,
            logging_configuration=nfw.CfnLoggingConfiguration.LoggingConfigurationProperty(
                log_destination_configs=[
                    nfw.CfnLoggingConfiguration.LogDestinationConfigProperty(
                        log_type=kind, log_destination_type="CloudWatchLogs", log_destination={"logGroup": held.ref}
                    )
                    for kind, held in zip(FIREWALL_LOGS, groups, strict=True)
                ]
            ),
        )  # fmt: skip
        made.add_resource_dependency(policy)
        built.carries(made, ROWS)
