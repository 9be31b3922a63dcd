"""Only the models of the system file, in its geography, through its endpoints (SUP-01, NET-04)."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared
from caisson.assurance.proofs.estate import stand_in
from caisson.assurance.proofs.families.guardrails import INVOKE, invocation
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies.models import GEOGRAPHIES, Model

CARRIES_TEXT = (
    *INVOKE,
    "bedrock:ApplyGuardrail",
    "bedrock:CountTokens",
    "bedrock:InvokeGuardrailChecks",
    "bedrock:Retrieve",
)
"""What carries a request's text to Bedrock and is used here."""


def claims(land: Landscape) -> Iterator[Claim]:
    """For every account."""
    for place in land.places:
        if not place.invokes:
            yield Claim(
                id=f"models.none.{place.label}",
                controls=("SUP-01", "NET-01"),
                says=f"No principal of {place.label} invokes any model.",
                accounts=(place.account,),
                actions=INVOKE,
            )
            continue
        models = [Model.of(name) for name in place.models]
        approved = dict.fromkeys(
            arn for one in models for arn in one.arns(partition=land.partition, region=land.region)
        )
        regions = {land.region, *(pattern for one in models for pattern in GEOGRAPHIES.get(one.geography, ()))}
        yield Claim(
            id=f"models.approved.{place.label}",
            controls=("SUP-01",),
            says=f"No principal of {place.label} invokes a model or profile that the system file does not name.",
            accounts=(place.account,),
            actions=INVOKE,
            but=(Spared(resources=tuple(approved)),),
            still=(invocation(land, place),),
        )
        yield Claim(
            id=f"models.geography.{place.label}",
            controls=("SUP-01",),
            says=f"No invocation from {place.label} is answered outside {', '.join(sorted(regions))}.",
            accounts=(place.account,),
            actions=INVOKE,
            but=(Spared(conditions={"StringLike": {"aws:RequestedRegion": sorted(regions)}}),),
            still=(invocation(land, place),),
        )
        profiles = [one.profile_arn(partition=land.partition, region=land.region) for one in models if one.geography]
        yield Claim(
            id=f"models.elsewhere-by-profile.{place.label}",
            controls=("SUP-01",),
            says=f"Another region answers {place.label} only for a geographic profile that the system file names.",
            accounts=(place.account,),
            actions=INVOKE,
            but=(
                Spared(conditions={"StringEquals": {"aws:RequestedRegion": land.region}}),
                *(Spared(conditions={"ArnLike": {"bedrock:InferenceProfileArn": one}}) for one in profiles),
            ),
        )
        yield Claim(
            id=f"models.endpoint.{place.label}",
            controls=("NET-01",),
            says=f"No text of {place.label} reaches Bedrock but through its endpoint, services of AWS aside.",
            accounts=(place.account,),
            actions=CARRIES_TEXT,
            but=(
                Spared(
                    conditions={"StringEquals": {"aws:SourceVpce": [stand_in(one.name) for one in place.endpoints]}}
                ),
                Spared(conditions={"Bool": {"aws:ViaAWSService": "true"}}),
            ),
            still=(invocation(land, place),),
        )
