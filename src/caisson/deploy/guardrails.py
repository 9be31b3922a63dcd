"""The control account's guardrails: each that an agent or the judge names, in a version that is never changed.

A changed configuration is another version; the earlier one stays, so that a rollback is a pin (row S70). The stack's
outputs are what the organization's policies are pinned to: output and parameter have one name.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_bedrock as bedrock

from caisson.deploy.keys import make_key
from caisson.deploy.landscape import Landscape, camel, guardrail_pin
from caisson.deploy.policies import management, zone
from caisson.deploy.policies.floor import APPLY
from caisson.deploy.policies.guardrail import settings_of
from caisson.deploy.policies.statement import Statement, document
from caisson.deploy.stacks import Built, new_stack
from caisson.system import tiers

ROWS = ("S53", "S54", "S68")
KEY_ROWS = ("S59",)
KEY = "guardrails"


def guardrails(app: Any, land: Landscape) -> Built:
    """The stack of the guardrails that invocations name."""
    built = new_stack(app, land, "guardrails", account=land.accounts["control"], region=land.region)
    callers = list(dict.fromkeys(place.account for place in land.places if place.invokes)) or [land.management]
    key = _key(built, land, callers) if tiers.fact("distinct_accounts", land.system.tier) else None
    for name in land.guardrails:
        _guardrail(built, land, name, callers, key)
    return built


def digest(value: Any) -> str:
    """What tells one configuration from another."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def make_version(built: Built, id_: str, guardrail: Any, settings: dict[str, Any]) -> Any:
    """A version of a guardrail; another configuration is another version."""
    version = bedrock.CfnGuardrailVersion(
        built.stack,
        id_,
        guardrail_identifier=guardrail.attr_guardrail_id,
        description=f"Configuration {digest(settings)}",
    )
    version.apply_removal_policy(cdk.RemovalPolicy.RETAIN)  # a rollback goes back to it
    return version


def configure(guardrail: Any, settings: dict[str, Any]) -> None:
    """Put the properties in as they are."""
    for name, value in settings.items():
        guardrail.add_property_override(name, value)


def _guardrail(built: Built, land: Landscape, name: str, callers: list[str], key: Any) -> None:
    settings = settings_of(land.system.guardrails[name])
    pin = guardrail_pin(name, partition=land.partition, region=land.region, owner=land.accounts["control"])
    made = bedrock.CfnGuardrail(
        built.stack,
        camel(name),
        name=land.names.guardrail(name),
        description=f"Guardrail {name} of the system file",
        blocked_input_messaging=settings["BlockedInputMessaging"],
        blocked_outputs_messaging=settings["BlockedOutputsMessaging"],
        kms_key_arn=key.attr_arn if key is not None else None,
    )
    configure(made, settings)
    version = make_version(built, f"{camel(name)}Version", made, settings)
    shared = bedrock.CfnResourcePolicy(
        built.stack,
        f"{camel(name)}Policy",
        resource_arn=made.attr_guardrail_arn,
        policy_document=document(
            (
                Statement(
                    sid="AppliedByInvokers",
                    effect="Allow",
                    principals={"AWS": tuple(zone.account_root(account, land.partition) for account in callers)},
                    actions=APPLY,
                    resources=(made.attr_guardrail_arn,),
                    conditions={"StringEquals": {"aws:PrincipalOrgID": (land.organization,)}},
                ),
            )
        ),
    )
    for resource in (made, version, shared):
        built.carries(resource, ROWS)
    cdk.CfnOutput(
        built.stack,
        pin.name,
        value=cdk.Fn.join(":", [made.attr_guardrail_arn, version.attr_version]),
        description=pin.description,
    )
    built.outputs.append(pin.name)


def _key(built: Built, land: Landscape, callers: list[str]) -> Any:
    """Bedrock encrypts a guardrail for whoever makes it and decrypts it for whoever applies it."""
    account = land.accounts["control"]
    deployment = land.role(management.DEPLOYMENT)
    key = make_key(
        built,
        land,
        KEY,
        (
            zone.administration(account, [deployment], land.partition),
            Statement(
                sid="GuardrailsEncrypt",
                effect="Allow",
                principals={"AWS": (zone.account_root(account, land.partition),)},
                actions=("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),
                resources=zone.THIS_KEY,
                conditions={"ArnLike": {"aws:PrincipalArn": (deployment,)}},
            ),
            Statement(
                sid="InvokersDecrypt",
                effect="Allow",
                principals={"AWS": tuple(zone.account_root(caller, land.partition) for caller in callers)},
                actions=("kms:Decrypt",),
                resources=zone.THIS_KEY,
                conditions={"ArnLike": {"aws:PrincipalArn": (land.role("*"),)}},
            ),
        ),
        description="Encrypts guardrails",
    )
    built.carries(key, KEY_ROWS)
    return key
