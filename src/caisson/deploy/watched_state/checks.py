"""Rules of our own where AWS manages none: the function `checks` of the account answers them (row S05).

They are asked each hour about the account as a whole. What they want is what the stacks of settings and of enforcement
make, by the same names and the same parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_config as config

from caisson.deploy.account_settings.own_function import arn_of
from caisson.deploy.landscape import INVOCATIONS, Landscape, Place, camel
from caisson.deploy.policies import management
from caisson.deploy.policies.statement import Parameter
from caisson.deploy.runtime_zone.enforcement import enforced
from caisson.deploy.stacks import Built

EVERY = "One_Hour"


@dataclass(frozen=True, kw_only=True)
class OwnRule:
    """A question to the function."""

    check: str
    """As the function calls it."""
    controls: tuple[str, ...]
    parameters: dict[str, Any]
    """What it wants, beside the check's name."""


def needs(land: Landscape, place: Place) -> tuple[Parameter, ...]:
    """What AWS assigns and the rules compare with: the pin of the guardrail that the account enforces."""
    return place.pins if place in enforced(land) else ()


def own_rules(land: Landscape, place: Place) -> tuple[OwnRule, ...]:
    """Those of an account; none where nothing is invoked, for there is no function."""
    if not place.invokes:
        return ()
    log = {
        "LogGroup": land.names.log_group(INVOCATIONS),
        "Role": land.role(management.DELIVERY, place.account),
        "Bucket": land.names.bucket(INVOCATIONS, place.account),
    }
    return (
        OwnRule(check="InvocationLog", controls=("LOG-01",), parameters=log),
        OwnRule(check="DataRetention", controls=("LOG-08", "DAT-05"), parameters={}),
        *(
            OwnRule(check="EnforcedGuardrail", controls=("NET-02",), parameters={"Pin": cdk.Fn.ref(pin.name)})
            for pin in needs(land, place)
        ),
    )


def make_own(built: Built, land: Landscape, rule: OwnRule, recorder: Any) -> Any:
    """The rule in the stack."""
    function = arn_of(built, land, management.CHECKS)
    asked = config.CfnConfigRule.SourceDetailProperty(
        event_source="aws.config", message_type="ScheduledNotification", maximum_execution_frequency=EVERY
    )
    made = config.CfnConfigRule(
        built.stack,
        camel(rule.check),
        config_rule_name=land.names.of(rule.check),
        description=f"Asked for by {', '.join(rule.controls)}",
        source=config.CfnConfigRule.SourceProperty(
            owner="CUSTOM_LAMBDA", source_identifier=function, source_details=[asked]
        ),
        input_parameters={"Check": rule.check, **rule.parameters},
    )
    made.add_resource_dependency(recorder)
    return made
