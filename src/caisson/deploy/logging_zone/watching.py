"""Services that watch: Macie over the logging account's buckets (SEC-04, row S66), GuardDuty in every account (S34).

Macie knows AWS's, Google's and Stripe's keys, not those of model providers and code hosts. Those come from the rules
that the gateway itself detects with, so that what one finds the other looks for.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_guardduty as guardduty
from aws_cdk import aws_macie as macie

from caisson.deploy.landscape import Landscape, Place
from caisson.deploy.stacks import Built, new_stack
from caisson.detect.rules.credentials import CREDENTIALS

ROWS = ("S66",)
DETECTOR_ROWS = ("S34",)
FEATURES = ("AI_PROTECTION", "S3_DATA_EVENTS")
"""Features of GuardDuty beyond its foundation (GuardDuty user guide, guardduty-features-activation-model)."""
RULES = (
    "anthropic-key",
    "aws-bedrock-api-key",
    "github-fine-grained-token",
    "github-token",
    "huggingface-token",
    "npm-token",
    "openai-key",
    "pypi-token",
)
"""Rules of `credentials.*` that Macie has no identifier for (Macie user guide, mdis-reference-credentials)."""
REGEX_CHARACTERS_MAX = 512
"""Macie user guide, cdis-options."""


def macie_session(built: Built, land: Landscape) -> None:
    """The session and the identifiers. CloudFormation cannot switch on automated discovery; that is done by hand."""
    session = macie.CfnSession(
        built.stack,
        "Macie",
        status="ENABLED",
        finding_publishing_frequency="FIFTEEN_MINUTES",
    )
    built.carries(session, ROWS)
    patterns = {rule.id.removeprefix("credentials."): rule.pattern for rule in CREDENTIALS}
    for name in RULES:
        identifier = macie.CfnCustomDataIdentifier(
            built.stack,
            "".join(word.capitalize() for word in name.split("-")),
            name=land.names.of(name),
            description=f"Rule credentials.{name} of the gateway",
            regex=patterns[name],
        )
        identifier.add_resource_dependency(session)
        built.carries(identifier, ROWS)


def detector(app: Any, land: Landscape, place: Place) -> Built:
    """A stack with GuardDuty in a member account; AI protection reports prompt injection and unusual invocations."""
    built = new_stack(app, land, f"watching-{place.label}", account=place.account, region=land.region)
    made = guardduty.CfnDetector(
        built.stack,
        "Detector",
        enable=True,
        finding_publishing_frequency="FIFTEEN_MINUTES",
        features=[
            guardduty.CfnDetector.CFNFeatureConfigurationProperty(name=name, status="ENABLED") for name in FEATURES
        ],
    )
    built.carries(made, DETECTOR_ROWS)
    return built
