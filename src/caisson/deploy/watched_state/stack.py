"""The stack with which an account records how it is: recorder, channel, rules, and an alarm (rows S05, S32).

- One recorder and one channel an account and region: Config must not be on already.
- The recorder has Config's service-linked role, which nobody takes or changes; Config then delivers as a service.
- CloudFormation starts the recorder once the channel is there (its reference, AWS::Config::ConfigurationRecorder).
"""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_config as config
from aws_cdk import aws_events as events

from caisson.deploy.alarms import Metric, above
from caisson.deploy.landscape import Landscape, Place
from caisson.deploy.logging_zone.store import bucket_name
from caisson.deploy.policies.evidence import FINDINGS
from caisson.deploy.policies.recordings import CONFIG
from caisson.deploy.retention import RECORDINGS
from caisson.deploy.stacks import Built, new_stack
from caisson.deploy.watched_state.checks import make_own, needs, own_rules
from caisson.deploy.watched_state.rules import rules

ROWS = ("S05",)
ALARM_ROWS = ("S05", "S32")
ROLE = f"aws-service-role/{CONFIG}/AWSServiceRoleForConfig"
"""Made once an account by hand: CloudFormation fails where it is there already (docs/deploy.md)."""


def watched_state(app: Any, land: Landscape, place: Place) -> Built:
    """The stack of a member account."""
    built = new_stack(
        app, land, f"rules-{place.label}", account=place.account, region=land.region, parameters=needs(land, place)
    )
    recorder = config.CfnConfigurationRecorder(
        built.stack,
        "Recorder",
        name=land.names.of("recorder"),
        role_arn=f"arn:{land.partition}:iam::{place.account}:role/{ROLE}",
        recording_group=config.CfnConfigurationRecorder.RecordingGroupProperty(
            all_supported=True, include_global_resource_types=True
        ),
    )
    channel = config.CfnDeliveryChannel(
        built.stack, "Channel", name=land.names.of("channel"), s3_bucket_name=bucket_name(land, RECORDINGS)
    )  # it waits for the recorder by itself, as the recorder for it: neither may depend on the other
    for resource in (recorder, channel):
        built.carries(resource, ROWS)
    for rule in rules(land, place):
        made = config.CfnConfigRule(
            built.stack,
            "".join(word.capitalize() for word in rule.name.split("-")),
            config_rule_name=land.names.of(rule.name),
            description=f"Asked for by {', '.join(rule.controls)}",
            source=config.CfnConfigRule.SourceProperty(owner="AWS", source_identifier=rule.identifier),
            input_parameters=rule.parameters or None,
        )
        made.add_resource_dependency(recorder)
        built.carries(made, ROWS)
    for own in own_rules(land, place):
        built.carries(make_own(built, land, own, recorder), ROWS)
    _alarm(built, land)
    return built


def _alarm(built: Built, land: Landscape) -> None:
    """A rule of EventBridge counts what departs, and an alarm says so (EventBridge user guide, eb-monitoring)."""
    name = land.names.of(FINDINGS)
    counted = events.CfnRule(
        built.stack,
        "Findings",
        name=name,
        description="Counts resources that begin to depart from a rule; nothing is sent by it",
        event_pattern={
            "source": ["aws.config"],
            "detail-type": ["Config Rules Compliance Change"],
            "detail": {
                "messageType": ["ComplianceChangeNotification"],
                "newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]},
            },
        },
    )
    matched = Metric(namespace="AWS/Events", name="MatchedEvents", dimensions={"RuleName": name})
    meaning = "A resource departs from a rule of AWS Config: look there which, and who changed it"
    alarm = above(built, land, FINDINGS, matched, meaning, id_="Findings")
    for resource in (counted, alarm):
        built.carries(resource, ALARM_ROWS)
