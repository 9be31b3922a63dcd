"""Whom VPC endpoints of templates let through, by their own policies alone (NET-01, NET-04, row S40).

Whoever runs code in a VPC can bring credentials of an account of his own, and carry data to what is his: past every
firewall, as an endpoint needs none. Where somebody meant to limit what leaves, by a firewall or by the endpoint's
policy, nobody from outside passes. Where a policy speaks of guardrails, no model is asked through it without one. Of a
deployment of a system file both are claimed always.

>>> [one.name for one in passages(read(Path("cdk.out")))]  # doctest: +SKIP
['Network/S3Endpoint']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from caisson.assurance.iam.document import Kind
from caisson.assurance.identities.claims import around, speaks_of_guardrails, unguarded
from caisson.assurance.identities.holders import account_of
from caisson.assurance.identities.readings import Bounds, bounds
from caisson.assurance.proofs.claims import Claim, Spared
from caisson.assurance.proofs.universe import OUTSIDE_ACCOUNT, OUTSIDE_ORGANIZATION
from caisson.assurance.templates import Resource, Templates, placeholder

TYPE, FIREWALL = "AWS::EC2::VPCEndpoint", "AWS::NetworkFirewall::Firewall"
MODELS = "bedrock-runtime"
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
THEIRS: Mapping[str, str | None] = {
    "aws:principalorgid": OUTSIDE_ORGANIZATION, "aws:principalorgpaths": _ORGANIZATION,
    "aws:resourceaccount": OUTSIDE_ACCOUNT, "aws:resourceorgid": OUTSIDE_ORGANIZATION,
    "aws:resourceorgpaths": _ORGANIZATION,
}  # fmt: skip
"""What AWS says of a request that an outsider makes of what is his own."""
NOBODYS: Mapping[str, str | None] = {**dict.fromkeys(THEIRS), "aws:resourceaccount": OUTSIDE_ACCOUNT}
"""The same where his account is of no organization."""
OF_AWS = (
    "prod-{region}-starport-layer-bucket", "al2023-repos-{region}-de612dc2", "amazonlinux-2-repos-{region}",
    "amazonlinux.{region}.amazonaws.com", "repo.{region}.amazonaws.com", "packages.{region}.amazonaws.com",
)  # fmt: skip
"""Buckets of AWS that are read through endpoints with credentials of anyone (ECR and Amazon Linux user guides). Whole
names: anybody may have a bucket whose name only looks like one."""
ANYBODYS = Spared(actions=("sts:GetCallerIdentity",))
"""Nobody can be kept from asking who he is (STS API reference, GetCallerIdentity)."""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """An endpoint that takes a policy, where something is claimed of it."""

    name: str
    account: str
    service: str
    """As in its name: `bedrock-runtime`; empty where that is not known."""
    region: str
    """As in its name; empty where that is not known."""
    place: str
    policy: Bounds
    callers: str
    """ARN pattern of the roles that it is for, of a deployment of a system file; empty: of anybody's templates."""

    def claims(self, owners: Sequence[str]) -> Iterator[Claim]:
        """What is claimed. `owners`: accounts whose guardrails count."""
        yield _outsiders(self, THEIRS)
        yield _outsiders(self, NOBODYS)
        if self.callers:
            yield self._for_callers()
        if speaks_of_guardrails(self.policy) or (self.callers and self.service.startswith(MODELS)):
            yield unguarded(self.name, owners=owners, accounts=(self.account,), place=self.place)
            yield around(self.name, accounts=(self.account,), place=self.place)

    def _for_callers(self) -> Claim:
        return Claim(
            id=f"endpoint.callers: {self.name}",
            controls=("NET-01",),
            says="Through it nobody but the system's own roles of this account asks for anything.",
            accounts=(self.account,),
            actions=_asked_for(self.service),
            on=("arn:*",),
            but=(Spared(conditions={"ArnLike": {"aws:PrincipalArn": self.callers}}), *_anybodys(self)),
            about=self.name,
            place=self.place,
        )


def passages(templates: Templates, *, callers: str = "") -> tuple[Passage, ...]:
    """Every endpoint of which something is claimed.

    Args:
        templates: what was read.
        callers: of a deployment of a system file, ARN pattern of the roles that its endpoints are for, in any account.

    Raises:
        TemplateError: a policy is none.
    """
    guarded = bool(callers) or next(templates.resources(FIREWALL), None) is not None
    found = (one for one in templates.resources(TYPE) if _limits(one, guarded=guarded))
    return tuple(_passage(templates, one, callers=callers) for one in found)


def _limits(one: Resource, *, guarded: bool) -> bool:
    """Whether somebody means to limit what leaves through it."""
    kind = placeholder(one.properties.get("VpcEndpointType", "Gateway"))
    return (kind is None or kind in LIMITED) and (guarded or "PolicyDocument" in one.properties)


def _passage(templates: Templates, one: Resource, *, callers: str) -> Passage:
    maybe = f"{one.place}: it is there on the condition {one.condition}" if one.condition else ""
    written = one.properties.get("PolicyDocument", FULL)
    policy = bounds(written, Kind.ENDPOINT, one.at("PolicyDocument"), maybe=maybe)
    account = account_of(templates, one)
    region, service = _named(one)
    return Passage(
        name=one.name, account=account, service=service, region=region, place=str(one.place), policy=policy,
        callers=callers.replace("::*:", f"::{account}:"),
    )  # fmt: skip


def _outsiders(one: Passage, theirs: Mapping[str, str | None]) -> Claim:
    where = "another organization" if theirs is THEIRS else "an account of no organization"
    kind = "endpoint.no-outsider" if theirs is THEIRS else "endpoint.no-stranger"
    return Claim(
        id=f"{kind}: {one.name}",
        controls=("NET-01", "NET-04"),
        says=f"Through it nobody uses credentials of {where} for what is there.",
        accounts=(OUTSIDE_ACCOUNT,),
        owner=OUTSIDE_ACCOUNT,
        by="outsiders",
        given=theirs,
        actions=_asked_for(one.service),
        on=("arn:*",),
        but=tuple(_anybodys(one)),
        about=one.name,
        place=one.place,
    )


def _anybodys(one: Passage) -> Iterator[Spared]:
    """What passes with any credentials and carries nothing to their owner."""
    yield ANYBODYS
    if one.region:
        layers = (f"arn:*:s3:::{name.format(region=one.region)}/*" for name in OF_AWS)
        yield Spared(actions=("s3:GetObject",), resources=tuple(layers))
        # functions of custom resources answer there, by addresses that CloudFormation signed (its user guide)
        answers = f"cloudformation-custom-resource-response-{one.region.replace('-', '')}"
        yield Spared(actions=("s3:PutObject",), resources=(f"arn:*:s3:::{answers}/*",))


def _asked_for(service: str) -> tuple[str, ...]:
    """Every action of a service, one that no table has among them."""
    prefix = _PREFIX.get(service, service.partition(".")[0])
    return (f"{prefix}:*", f"{prefix}:Example") if prefix else ("*",)


def _named(one: Resource) -> tuple[str, str]:
    """Region and service of `com.amazonaws.eu-west-1.bedrock-runtime`; both empty where they are not known."""
    name = placeholder(one.properties.get("ServiceName")) or ""
    parts = name.split(".", 3)
    return (parts[2], parts[3]) if len(parts) == 4 else ("", "")
