"""The enforced guardrail of an account that invokes: AWS applies the pin to every invocation (NET-02, row S42).

- One configuration an account and region (Bedrock user guide, guardrails-enforcements): only where the file has a
  single guardrail for the account. With several, one of them would bind agents that name another; there the floor of
  the organization is what AWS applies to all.
- The version is the parameter that the service control policy pins, so that both move together (row S70).
- A stack of its own, after all others: whether an account may enforce a guardrail that another account of the
  organization owns is not documented, and a refusal must hold up nothing else.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_bedrock as bedrock

from caisson.deploy.landscape import Landscape, Place
from caisson.deploy.stacks import Built, new_stack
from caisson.deploy.zone_network import bare_pins

ROWS = ("S42",)
EVERYTHING = "COMPREHENSIVE"
"""Also what a caller leaves unmarked is evaluated."""


def enforced(land: Landscape) -> tuple[Place, ...]:
    """Accounts with a single guardrail to enforce."""
    return tuple(place for place in land.places if place.invokes and len(place.pins) == 1)


def enforcement(app: Any, land: Landscape, place: Place) -> Built:
    """The stack of an account's enforced guardrail."""
    (pin,) = place.pins
    built = new_stack(
        app, land, f"enforcement-{place.label}", account=place.account, region=land.region, parameters=(pin,)
    )
    (guardrail,) = bare_pins(land, place)
    made = bedrock.CfnEnforcedGuardrailConfiguration(
        built.stack,
        "Enforced",
        guardrail_identifier=guardrail,
        guardrail_version=cdk.Fn.select(6, cdk.Fn.split(":", cdk.Fn.ref(pin.name))),
        selective_content_guarding=bedrock.CfnEnforcedGuardrailConfiguration.SelectiveContentGuardingProperty(
            messages=EVERYTHING, system=EVERYTHING
        ),
    )
    built.carries(made, ROWS)
    return built
