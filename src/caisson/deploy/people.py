"""Permission sets of IAM Identity Center and who gets them (rows S07, S14)."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_sso as sso

from caisson.deploy.landscape import Landscape, camel
from caisson.deploy.policies.people import SESSION, Set, permission_sets
from caisson.deploy.policies.statement import document
from caisson.deploy.stacks import Built, new_stack
from caisson.system.deployment import IdentityCenter

ROWS = {"operator": ("S07", "S14"), "approver": ("S07", "S14"), "reader": ("S07",)}


def people(app: Any, land: Landscape, center: IdentityCenter) -> Built:
    """The stack in the region of Identity Center."""
    built = new_stack(app, land, "people", account=land.management, region=center.region or land.region)
    instance = f"arn:{land.partition}:sso:::instance/{center.instance}"
    for found in permission_sets(
        land.names,
        partition=land.partition,
        region=land.region,
        accounts=land.accounts,
    ):
        _permission_set(built, land, center, found, instance)
    return built


def _permission_set(built: Built, land: Landscape, center: IdentityCenter, found: Set, instance: str) -> None:
    made = sso.CfnPermissionSet(
        built.stack,
        found.duty.capitalize(),
        name=land.names.permission_set(found.duty),
        description=found.description,
        instance_arn=instance,
        session_duration=SESSION,
        inline_policy=document(found.statements),
    )
    built.carries(made, ROWS[found.duty])
    for group, principal in center.groups.items():
        if found.right in land.system.identity.groups[group].may:
            assigned = sso.CfnAssignment(
                built.stack,
                f"{found.duty.capitalize()}Of{camel(group)}",
                instance_arn=instance,
                permission_set_arn=made.attr_permission_set_arn,
                principal_type="GROUP",
                principal_id=principal,
                target_type="AWS_ACCOUNT",
                target_id=land.accounts[found.zone],
            )
            built.carries(assigned, ROWS[found.duty])
