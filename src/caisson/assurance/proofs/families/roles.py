"""Who becomes a role of the system: the service that runs as it, and nobody (IAM-02, IAM-03).

Sessions have claims of their own (`sessions`). That a service runs as a role only what the deployment passed the role
to is claimed of `iam:PassRole` (`management`), and for whom a service acts by `perimeter.no-deputy`.
"""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.proofs.claims import Claim, Spared
from caisson.assurance.proofs.estate import Estate
from caisson.assurance.proofs.families.sessions import BECOMES
from caisson.deploy.landscape import Landscape
from caisson.deploy.policies import ledger
from caisson.deploy.policies.stream import SIEM

SAYS_MORE = ("sts:SetSourceIdentity", "sts:TagSession")
"""What a session may be given besides; no policy of the SIEM's role reads it."""


def claims(land: Landscape, estate: Estate) -> Iterator[Claim]:
    """About each role that the templates make, for principals of every member account."""
    members = tuple(place.account for place in land.places)
    session = land.role(ledger.SESSION, land.accounts["runtime"])
    for arn in estate.guarded:
        account, _, rest = arn.partition(":iam::")[2].partition(":")
        if account in members and rest.startswith("role/") and arn != session:
            zones = next(place.label for place in land.places if place.account == account)
            siem = Spared(actions=("sts:AssumeRole",), conditions={"StringEquals": {"aws:PrincipalAccount": land.siem}})
            of_siem = bool(land.siem) and arn == land.role(SIEM, land.accounts["logging"])
            yield Claim(
                id=f"roles.assumed: {zones}/{rest.rpartition('/')[2]}",
                controls=("IAM-02", "IAM-03"),
                says="Nobody becomes it but principals of the SIEM's account."
                if of_siem
                else "No principal of the organization becomes it: a service of AWS runs as it.",
                accounts=tuple(dict.fromkeys((*members, land.siem))) if of_siem else members,
                owner=account,
                actions=(*BECOMES, *SAYS_MORE) if of_siem else BECOMES,
                on=(arn,),
                but=(siem,) if of_siem else (),
            )
