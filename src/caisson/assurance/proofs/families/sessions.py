"""Who becomes a session: the gateway alone, and never without the tag that keeps sessions apart (IAM-06, S19, S21)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from caisson.assurance.proofs.claims import Claim, Spared, Still
from caisson.assurance.proofs.estate import stand_in
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import ledger

STS_ENDPOINT = "TokenEndpoint"
"""Logical id of the runtime's endpoint for STS."""
ASSUMES = ("sts:AssumeRole", "sts:TagSession")
BECOMES = (
    *ASSUMES, "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sts:SetSourceIdentity",
)  # fmt: skip
"""What a trust policy can let somebody do; `sts:SetContext` goes with AssumeRole."""


def claims(land: Landscape) -> Iterator[Claim]:
    """About the role of a session, for principals of every member account."""
    owner = land.accounts["runtime"]
    members = tuple(place.account for place in land.places)
    if owner not in members:
        return  # in the management account, which no such policy binds
    session, gateway = (land.role(duty, owner) for duty in (ledger.SESSION, ledger.GATEWAY))
    way = stand_in(STS_ENDPOINT)
    by_the_gateway: dict[str, dict[str, Any]] = {
        "ArnLike": {"aws:PrincipalArn": gateway},
        "ForAllValues:StringEquals": {"aws:TagKeys": list(ledger.TAGS)},
        "StringEquals": {"aws:SourceVpce": way},
        "StringLike": {f"aws:RequestTag/{tag}": "?*" for tag in ledger.TAGS},
    }
    context: dict[str, str | list[str]] = {
        **{f"aws:RequestTag/{tag}": "one" for tag in ledger.TAGS},
        "aws:TagKeys": list(ledger.TAGS),
        "sts:TransitiveTagKeys": list(ledger.TAGS),
        "aws:SourceVpce": way,
        "aws:RequestedRegion": land.region,
        "aws:SecureTransport": "true",
    }
    yield Claim(
        id="sessions.assumed",
        controls=("IAM-06", "SESS-03"),
        says=f"Nobody but the gateway becomes a session, through its endpoint, with {', '.join(ledger.TAGS)} and "
        "no other tag.",
        accounts=members,
        owner=owner,
        actions=BECOMES,
        on=(session,),
        but=(Spared(actions=ASSUMES, conditions=by_the_gateway),),
        still=(Still(principal=gateway, action=ASSUMES[0], resource=session, context=context),),
    )
    for tag in ledger.TAGS:
        yield Claim(
            id=f"sessions.transitive.{tag}",
            controls=("IAM-06", "SESS-03"),
            says=f"A session that becomes another role keeps its tag {tag}.",
            accounts=members,
            owner=owner,
            actions=("sts:AssumeRole",),
            on=(session,),
            but=(Spared(conditions={"ForAnyValue:StringEquals": {"sts:TransitiveTagKeys": tag}}),),
        )
