"""The management account: control policies, the enforced floor guardrail and the organization's trail.

Rows S08, S10, S13–S15, S41, S43, S44, S74, S76, S77.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_bedrock as bedrock
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_organizations as organizations

from caisson.deploy.landscape import Landscape
from caisson.deploy.logging_zone.store import bucket_name
from caisson.deploy.logging_zone.trail import trail_bucket, trail_key_alias
from caisson.deploy.policies import floor
from caisson.deploy.policies.catalogue import OrganizationPolicy
from caisson.deploy.policies.events import selectors
from caisson.deploy.policies.statement import Statement, document
from caisson.deploy.retention import stores
from caisson.deploy.stacks import Built, in_order, new_stack, suppress
from caisson.system.guardrails import BLOCKED_MESSAGE

FLOOR_ROWS = ("S44",)
TRAIL_ROWS = ("S77",)


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
    targets = list(dict.fromkeys(place.target for place in land.places if place.invokes))
    if not targets:
        return None
    guardrail = _floor_guardrail(built, land)
    version = bedrock.CfnGuardrailVersion(
        built.stack,
        "FloorVersion",
        guardrail_identifier=guardrail.attr_guardrail_id,
        description=f"Configuration {_digest(guardrail_settings(land))}",  # another configuration is another version
    )
    version.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # a rollback goes back to it
    shared = bedrock.CfnResourcePolicy(
        built.stack,
        "FloorPolicy",
        resource_arn=guardrail.attr_guardrail_arn,
        policy_document=document((_shared(guardrail, land),)),
    )
    enforced = organizations.CfnPolicy(
        built.stack,
        "FloorEnforced",
        name=land.names.of("floor"),
        description="AWS applies the floor guardrail to every invocation",
        type="BEDROCK_POLICY",
        content=floor.bedrock_policy(land.region, cdk.Fn.sub("${Floor.GuardrailArn}:${FloorVersion.Version}")),
        target_ids=targets,
    )
    enforced.add_resource_dependency(shared)  # enforced before it may be applied, it would fail every invocation
    for resource in (guardrail, version, shared, enforced):
        built.carries(resource, FLOOR_ROWS)
    return enforced


def _shared(guardrail: Any, land: Landscape) -> Statement:
    return floor.applied_by_members(guardrail.attr_guardrail_arn, land.organization)


def guardrail_settings(land: Landscape) -> dict[str, Any]:
    """What the floor evaluates, as JSON values."""
    named = {agent.guardrail for agent in land.system.agents.values()}
    if land.system.judge is not None:
        named.add(land.system.judge.guardrail)
    found = floor.floor_of(land.system.guardrails[name] for name in sorted(named))
    return {"filters": floor.content_filters(found), "credentials": floor.credential_rules(found)}


def _floor_guardrail(built: Built, land: Landscape) -> Any:
    settings = guardrail_settings(land)
    filters = [
        bedrock.CfnGuardrail.ContentFilterConfigProperty(
            type=found["type"], input_strength=found["inputStrength"], output_strength=found["outputStrength"]
        )
        for found in settings["filters"]
    ]
    rules = [
        bedrock.CfnGuardrail.PiiEntityConfigProperty(type=rule["type"], action=rule["action"])
        for rule in settings["credentials"]
    ]
    return bedrock.CfnGuardrail(
        built.stack,
        "Floor",
        name=land.names.guardrail("floor"),
        description="Floor under the guardrails of the system, enforced by Organizations",
        blocked_input_messaging=BLOCKED_MESSAGE,
        blocked_outputs_messaging=BLOCKED_MESSAGE,
        content_policy_config=bedrock.CfnGuardrail.ContentPolicyConfigProperty(filters_config=filters)
        if filters
        else None,
        sensitive_information_policy_config=bedrock.CfnGuardrail.SensitiveInformationPolicyConfigProperty(
            pii_entities_config=rules
        ),
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


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
            for selector in selectors([f"arn:{land.partition}:s3:::{bucket_name(land, what)}/" for what in stores()])
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
