"""Whom VPC endpoints of templates let through, by their own policies alone (NET-01, NET-04, row S40).

Whoever runs code in a VPC can bring credentials of an account of his own, and carry data to what is his: past every
firewall, as an endpoint needs none. Where somebody meant to limit what leaves, by a firewall or by the endpoint's
policy, nobody from outside passes. Where a policy speaks of guardrails, no model is asked through it without one.

>>> [one.name for one in passages(read(Path("cdk.out")))]  # doctest: +SKIP
['Network/S3Endpoint']
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from caisson.assurance.iam.document import Kind
from caisson.assurance.identities.claims import around, speaks_of_guardrails, unguarded
from caisson.assurance.identities.holders import account_of
from caisson.assurance.identities.readings import Bounds, bounds
from caisson.assurance.proofs.claims import Claim, Spared
from caisson.assurance.proofs.universe import OUTSIDE_ACCOUNT, OUTSIDE_ORGANIZATION
from caisson.assurance.templates import Resource, Templates, placeholder

TYPE, FIREWALL = "AWS::EC2::VPCEndpoint", "AWS::NetworkFirewall::Firewall"
LIMITED = ("Gateway", "Interface")
"""Types of endpoints that take a policy (PrivateLink guide, vpc-endpoints-access)."""
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
"""What an endpoint without a policy of its own has."""
_PREFIX = {
    "bedrock-agent": "bedrock", "bedrock-agent-runtime": "bedrock", "bedrock-runtime": "bedrock",
    "bedrock-fips": "bedrock", "bedrock-runtime-fips": "bedrock", "monitoring": "cloudwatch",
    "email-smtp": "ses", "elasticfilesystem": "elasticfilesystem", "synthetics": "synthetics",
}  # fmt: skip
"""Name of a service in endpoints to its prefix in policies, where they differ by more than what follows a dot."""
_ORGANIZATION = f"{OUTSIDE_ORGANIZATION}/r-outs/"
THEIRS = {
    "aws:principalorgid": OUTSIDE_ORGANIZATION, "aws:principalorgpaths": _ORGANIZATION,
    "aws:resourceaccount": OUTSIDE_ACCOUNT, "aws:resourceorgid": OUTSIDE_ORGANIZATION,
    "aws:resourceorgpaths": _ORGANIZATION,
}  # fmt: skip
"""What AWS says of a request that an outsider makes of what is his own."""
OF_AWS = tuple(
    f"arn:aws:s3:::{name}/*"
    for name in (
        "prod-*-starport-layer-bucket", "al2023-repos-*", "amazonlinux-2-repos-*", "amazonlinux.*.amazonaws.com",
        "repo.*.amazonaws.com", "packages.*.amazonaws.com",
    )
)  # fmt: skip
"""Objects of AWS that are read through endpoints with credentials of anyone (ECR and Amazon Linux user guides)."""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """An endpoint that takes a policy, where something is claimed of it."""

    name: str
    account: str
    service: str
    """As in its name: `bedrock-runtime`; empty where that is not known."""
    place: str
    policy: Bounds

    def claims(self, owners: Sequence[str]) -> Iterator[Claim]:
        """What is claimed. `owners`: accounts whose guardrails count."""
        yield _outsiders(self.name, self.service, self.place)
        if speaks_of_guardrails(self.policy):
            yield unguarded(self.name, owners=owners, accounts=(self.account,), place=self.place)
            yield around(self.name, accounts=(self.account,), place=self.place)


def passages(templates: Templates) -> tuple[Passage, ...]:
    """Every endpoint of which something is claimed.

    Raises:
        TemplateError: a policy is none.
    """
    guarded = next(templates.resources(FIREWALL), None) is not None
    return tuple(_passage(templates, one) for one in templates.resources(TYPE) if _limits(one, guarded=guarded))


def _limits(one: Resource, *, guarded: bool) -> bool:
    """Whether somebody means to limit what leaves through it."""
    kind = placeholder(one.properties.get("VpcEndpointType", "Gateway"))
    return (kind is None or kind in LIMITED) and (guarded or "PolicyDocument" in one.properties)


def _passage(templates: Templates, one: Resource) -> Passage:
    maybe = f"{one.place}: it is there on the condition {one.condition}" if one.condition else ""
    written = one.properties.get("PolicyDocument", FULL)
    policy = bounds(written, Kind.ENDPOINT, one.at("PolicyDocument"), maybe=maybe)
    return Passage(
        name=one.name, account=account_of(templates, one), service=_service(one), place=str(one.place), policy=policy
    )  # fmt: skip


def _outsiders(name: str, service: str, place: str) -> Claim:
    prefix = _PREFIX.get(service, service.partition(".")[0])
    actions = (f"{prefix}:*", f"{prefix}:Example") if prefix else ("*",)  # one that no table has
    return Claim(
        id=f"endpoint.no-outsider: {name}",
        controls=("NET-01", "NET-04"),
        says="Through it nobody uses credentials of another organization for what is there.",
        accounts=(OUTSIDE_ACCOUNT,),
        owner=OUTSIDE_ACCOUNT,
        by="outsiders",
        given=THEIRS,
        actions=actions,
        on=("arn:*",),
        but=(Spared(actions=("s3:GetObject",), resources=OF_AWS),),
        about=name,
        place=place,
    )


def _service(one: Resource) -> str:
    """`com.amazonaws.eu-west-1.bedrock-runtime`: what follows the region."""
    name = placeholder(one.properties.get("ServiceName")) or ""
    parts = name.split(".", 3)
    return parts[3] if len(parts) == 4 else ""
