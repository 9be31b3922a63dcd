"""The management account: control policies, the enforced floor guardrail and the organization's trail.

Rows S08, S10, S13–S15, S41, S43, S44, S74, S76, S77.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_bedrock as bedrock
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_organizations as organizations

from caisson.deploy.guardrails import configure, make_version
from caisson.deploy.landscape import Landscape
from caisson.deploy.logging_zone.store import bucket_name
from caisson.deploy.logging_zone.trail import trail_bucket, trail_key_alias
from caisson.deploy.policies import floor
from caisson.deploy.policies.catalogue import OrganizationPolicy
from caisson.deploy.policies.events import selectors
from caisson.deploy.policies.guardrail import settings_of
from caisson.deploy.policies.statement import Statement, document
from caisson.deploy.retention import buckets
from caisson.deploy.stacks import Built, in_order, new_stack, suppress

FLOOR_ROWS = ("S44",)
TRAIL_ROWS = ("S26", "S77")
"""Evaluations of guardrails are data events (`policies/events.py`)."""


def organization(app: Any, land: Landscape, policies: tuple[OrganizationPolicy, ...]) -> Built:
    """The stack of the management account."""
    built = new_stack(
        app, land, "organization", account=land.management, region=land.region, parameters=land.parameters
    )
    made = [_control_policy(built, policy) for policy in policies]
    enforced = _floor(built, land)
    in_order([*made, enforced] if enforced is not None else made)  # Organizations takes one change at a time
    _trail(built, land)
    return built


def _control_policy(built: Built, policy: OrganizationPolicy) -> Any:
    made = organizations.CfnPolicy(
        built.stack,
        policy.id,
        name=policy.name,
        description=policy.description,
        type=policy.kind,
        content=policy.document(),
        target_ids=list(policy.targets),
    )
    built.carries(made, policy.rows)
    return made


def _floor(built: Built, land: Landscape) -> Any:
    """The enforced guardrail; None when every zone that invokes is in the management account."""
    targets = floor.targets_of(land)
    if not targets:
        return None
    settings = floor_settings(land)
    guardrail = bedrock.CfnGuardrail(
        built.stack,
        "Floor",
        name=land.names.guardrail(floor.NAME),
        description="Floor under the guardrails of the system, enforced by Organizations",
        blocked_input_messaging=settings["BlockedInputMessaging"],
        blocked_outputs_messaging=settings["BlockedOutputsMessaging"],
    )
    configure(guardrail, settings)
    version = make_version(built, "FloorVersion", guardrail, settings)
    shared = bedrock.CfnResourcePolicy(
        built.stack,
        "FloorPolicy",
        resource_arn=guardrail.attr_guardrail_arn,
        policy_document=document((_shared(guardrail, land),)),
    )
    enforced = organizations.CfnPolicy(
        built.stack,
        "FloorEnforced",
        name=land.names.of(floor.NAME),
        description="AWS applies the floor guardrail to every invocation",
        type="BEDROCK_POLICY",
        content=floor.bedrock_policy(land.region, cdk.Fn.sub("${Floor.GuardrailArn}:${FloorVersion.Version}")),
        target_ids=list(targets),
    )
    enforced.add_resource_dependency(shared)  # enforced before it may be applied, it would fail every invocation
    for resource in (guardrail, version, shared, enforced):
        built.carries(resource, FLOOR_ROWS)
    return enforced


def _shared(guardrail: Any, land: Landscape) -> Statement:
    return floor.applied_by_members(guardrail.attr_guardrail_arn, land.organization)


def floor_settings(land: Landscape) -> dict[str, Any]:
    """What the floor evaluates, as CloudFormation writes it."""
    named = [land.system.guardrails[name] for name in land.guardrails]
    return settings_of(floor.guardrail_of(floor.floor_of(named)))


def _trail(built: Built, land: Landscape) -> None:
    trail = cloudtrail.CfnTrail(
        built.stack,
        "Trail",
        trail_name=land.names.of("trail"),
        is_logging=True,
        is_organization_trail=True,
        is_multi_region_trail=True,
        include_global_service_events=True,
        enable_log_file_validation=True,
        s3_bucket_name=trail_bucket(land),
        kms_key_id=trail_key_alias(land),
        advanced_event_selectors=[
            cloudtrail.CfnTrail.AdvancedEventSelectorProperty(
                name=selector.name,
                field_selectors=[
                    cloudtrail.CfnTrail.AdvancedFieldSelectorProperty(
                        field=condition.field,
                        equal_to=list(condition.equals) or None,
                        starts_with=list(condition.starts_with) or None,
                    )
                    for condition in selector.conditions
                ],
            )
            for selector in selectors([f"arn:{land.partition}:s3:::{bucket_name(land, what)}/" for what in buckets()])
        ],
    )
    suppress(
        trail,
        {
            "NIST.800.53.R5-CloudTrailCloudWatchLogsEnabled": "The trail is read from the logging account's bucket; a "
            "copy in the management account would be a second place to protect, where no control policy binds.",
        },
    )
    built.carries(trail, TRAIL_ROWS)
