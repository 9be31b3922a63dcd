"""Who uses and who manages the keys of a system, by the policies of the keys (DAT-05, LOG-07, rows S59, S61)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from caisson.assurance.proofs.claims import Claim, Spared, Still
from caisson.deploy.destinations import leaves
from caisson.deploy.landscape import CONFIGURATION, Landscape
from caisson.deploy.policies import ledger, management, repository, stream
from caisson.deploy.retention import RECORDINGS
from caisson.system import tiers

USES = (
    "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
    "kms:ReEncryptTo", "kms:CreateGrant",
)  # fmt: skip
MANAGES = (
    "kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias", "kms:EnableKey", "kms:DisableKey",
    "kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:RotateKeyOnDemand", "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:ReplicateKey", "kms:ImportKeyMaterial",
    "kms:DeleteImportedKeyMaterial", "kms:RevokeGrant", "kms:TagResource", "kms:UntagResource",
)  # fmt: skip
READER = "reader"
"""Permission set of people who read the log."""
ANY_DUTY = "*"
_THROUGH: dict[str, tuple[str, ...]] = {
    "archive": ("s3",), "logging": ("sqs",), "evaluation": ("sqs",), "runtime": ("dynamodb",),
    management.SETTINGS: ("s3",), RECORDINGS: ("s3",), CONFIGURATION: ("s3",), stream.STREAM: ("s3", "firehose"),
}  # fmt: skip
"""Key to the services by way of which it is used."""


def claims(land: Landscape) -> Iterator[Claim]:
    """About each key, for principals of every member account."""
    members = tuple(place.account for place in land.places)
    zones = {"trail": "logging", "archive": "logging", "logging": "logging", RECORDINGS: "logging"}
    zones[CONFIGURATION] = "control"
    if land.siem:
        zones[stream.STREAM] = "logging"
    if tiers.fact("distinct_accounts", land.system.tier):
        zones["guardrails"] = "control"  # else guardrails have AWS's key
    if leaves(land):
        zones["egress"] = "network"
    for what, zone in {**zones, **{zone: zone for zone in land.invoking}}.items():
        owner = land.accounts[zone]
        if owner in members:  # nothing binds the management account
            yield from _of(land, what, what, owner, members)
    for place in land.places:
        if place.invokes:
            yield from _of(land, f"{management.SETTINGS}-{place.label}", management.SETTINGS, place.account, members)


def _of(land: Landscape, what: str, key_name: str, owner: str, members: tuple[str, ...]) -> Iterator[Claim]:
    key = f"arn:{land.partition}:kms:{land.region}:{owner}:key/{key_name}key"
    users = _users(land, owner).get(key_name, ())
    through = _THROUGH.get(key_name)
    condition: dict[str, dict[str, Any]] = {"ArnLike": {"aws:PrincipalArn": list(users)}}
    if through is not None:
        services = [f"{service}.{land.region}.amazonaws.com" for service in through]
        condition["StringEquals"] = {"kms:ViaService": services}
    yield Claim(
        id=f"keys.used.{what}",
        controls=("LOG-07", "DAT-05") if what == "archive" else ("DAT-05",),
        says=f"Nobody uses the key of {what} but whom it is for, and they by way of the service that it is for.",
        accounts=members,
        owner=owner,
        actions=USES,
        on=(key,),
        but=(Spared(conditions=condition),) if users else (),
        still=_still(land, what, owner, key),
    )
    yield Claim(
        id=f"keys.managed.{what}",
        controls=("DAT-05",),
        says=f"Nobody but the deployment manages the key of {what}.",
        accounts=members,
        owner=owner,
        actions=MANAGES,
        on=(key,),
        but=(Spared(conditions={"ArnLike": {"aws:PrincipalArn": land.role(management.DEPLOYMENT, owner)}}),),
    )


def _users(land: Landscape, owner: str) -> dict[str, tuple[str, ...]]:
    """Key to the principals that it is for. A zone's key that is not here is for its log groups alone."""
    logging, runtime = land.accounts["logging"], land.accounts["runtime"]
    reader = management.permission_set_role(land.names, land.partition, READER).replace("::*:", f"::{owner}:")
    of_the_ledger = (management.DEPLOYMENT, ledger.GATEWAY, ledger.SESSION)
    return {
        "trail": (reader,),
        "archive": (reader, land.role(management.LOGGING, logging)),
        "logging": (land.role(ANY_DUTY),),  # whoever sends to the queue
        "guardrails": (land.role(ANY_DUTY),),  # whoever invokes
        management.SETTINGS: (reader,),
        RECORDINGS: (reader,),
        stream.STREAM: tuple(land.role(duty, logging) for duty in (management.DEPLOYMENT, stream.STREAM, stream.SIEM)),
        CONFIGURATION: (land.role(repository.CONTROL, land.accounts["control"]), land.role(ledger.GATEWAY, runtime)),
        "runtime": tuple(land.role(duty, runtime) for duty in of_the_ledger),
        "evaluation": (land.role(ledger.GATEWAY, runtime), land.role("judge", owner)),
    }


def _still(land: Landscape, what: str, owner: str, key: str) -> tuple[Still, ...]:
    if what != "archive":
        return ()
    role = land.role(management.LOGGING, owner)
    said = {"aws:RequestedRegion": land.region, "aws:SecureTransport": "true"}
    context = {**said, "kms:ViaService": f"s3.{land.region}.amazonaws.com"}
    return (Still(principal=role, action="kms:Decrypt", resource=key, context=context),)
