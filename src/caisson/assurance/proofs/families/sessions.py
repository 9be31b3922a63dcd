"""Who becomes a session: the gateway alone, and never without the tag that keeps sessions apart (IAM-06, S19, S21)."""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared, Still
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import ledger

BECOMES = ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sts:TagSession")


def claims(land: Landscape) -> Iterator[Claim]:
    """About the role of a session, for principals of every member account."""
    owner = land.accounts["runtime"]
    members = tuple(place.account for place in land.places)
    if owner not in members:
        return  # in the management account, which no such policy binds
    path = f"arn:{land.partition}:iam::{owner}:role{land.names.path}"
    session, gateway = (f"{path}{land.names.role(duty)}" for duty in (ledger.SESSION, ledger.GATEWAY))
    tagged = {"Null": {f"aws:RequestTag/{ledger.TAG}": "false"}}
    yield Claim(
        id="sessions.assumed",
        controls=("IAM-06", "SESS-03"),
        says=f"Nobody but the gateway becomes a session, and it never without the tag {ledger.TAG}.",
        accounts=members,
        owner=owner,
        actions=BECOMES,
        on=(session,),
        but=(Spared(conditions={"ArnLike": {"aws:PrincipalArn": gateway}, **tagged}),),
        still=(
            Still(
                principal=gateway, action=BECOMES[0], resource=session,
                context={f"aws:RequestTag/{ledger.TAG}": "session-1", "aws:RequestedRegion": land.region,
                         "aws:SecureTransport": "true"},
            ),
        ),
    )  # fmt: skip
