"""The policies of an organization, read from the templates that `synth` writes.

A value that AWS will assign is a parameter of a template. What stands in for it is the most dangerous value that the
parameter's pattern admits: a pattern that lets a draft of a guardrail through is as good as a draft.

>>> estate_of(templates, landscape).scps("222222222222")  # doctest: +SKIP
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from caisson.assurance.iam.document import Kind, Policy
from caisson.assurance.iam.grammar import Unreadable, policy
from caisson.assurance.iam.request import Level
from caisson.assurance.proofs.shape import Json, resources
from caisson.assurance.proofs.universe import OUTSIDE_ACCOUNT, Universe
from caisson.errors import OperatorError

POLICY_TYPE = "AWS::Organizations::Policy"
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
FULL_ACCESS = policy(_EVERYTHING, Kind.SERVICE_CONTROL, "FullAWSAccess")
"""Attached by AWS at every level (Organizations user guide, orgs_manage_policies_scps)."""
FULL_ACCESS_TO_RESOURCES = policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]},
    Kind.RESOURCE_CONTROL,
    "RCPFullAWSAccess",
)
ADMINISTRATOR = policy(_EVERYTHING, Kind.IDENTITY, "AdministratorAccess")
"""The most that IAM can give a principal."""
OPEN = policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]},
    Kind.RESOURCE,
    "open to everybody",
)
"""The most that a resource can give away."""


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A policy of the organization."""

    name: str
    kind: Kind
    targets: tuple[str, ...]
    policy: Policy


@dataclass(frozen=True, kw_only=True)
class Held:
    """What one principal may do by its own policies."""

    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...] = ()
    """None: there is no boundary."""


@dataclass(frozen=True, kw_only=True)
class Estate:
    """An organization as far as its policies go."""

    organization: str
    """Its id; empty where it is not known, so that requests may say any."""
    management: str
    """Number of the management account; empty where it is not known."""
    universe: Universe
    levels: Mapping[str, tuple[str, ...]]
    """Account to what stands over it, the organization's units first, the account last."""
    attached: tuple[Attached, ...]
    values: Mapping[str, str]
    """Parameter to what stands in for it."""
    guarded: Mapping[str, Policy] = field(default_factory=dict)
    """ARN of a resource to its own policy. All others are open to everybody."""
    held: Mapping[str, Held] = field(default_factory=dict)
    """ARN of a principal to what it holds. All others are administrators."""
    through: tuple[Policy, ...] = ()
    """Of the VPC endpoint that every request passes; none: it passes none."""

    def scps(self, account: str) -> tuple[Level, ...]:
        """Service control policies from the root to an account; none for the management account or an outsider."""
        return self._levels(account, Kind.SERVICE_CONTROL, FULL_ACCESS)

    def rcps(self, account: str) -> tuple[Level, ...]:
        """Resource control policies likewise."""
        return self._levels(account, Kind.RESOURCE_CONTROL, FULL_ACCESS_TO_RESOURCES)

    def policy_of(self, resource: str) -> Policy:
        """The resource's own policy; for an object that of its bucket."""
        bucket = resource.partition("/")[0] if resource.startswith("arn:") and ":s3:::" in resource else resource
        return self.guarded.get(resource) or self.guarded.get(bucket) or OPEN

    def _levels(self, account: str, kind: Kind, full: Policy) -> tuple[Level, ...]:
        if account == self.management or account not in self.levels:
            return ()
        found = [Level(target="root", policies=(full,))]
        for target in self.levels[account]:
            own = tuple(one.policy for one in self.attached if one.kind is kind and target in one.targets)
            found.append(Level(target=target, policies=(full, *own)))
        return tuple(found)


def stand_in(name: str) -> str:
    """What stands in for an endpoint that a parameter of this name is about."""
    return "vpce-" + sha256(name.encode()).hexdigest()[:17]


def pinned(name: str, *, partition: str, region: str, owner: str) -> str:
    """What stands in for a guardrail in its version."""
    return f"arn:{partition}:bedrock:{region}:{owner}:guardrail/{name.lower()}:1"


def candidates(name: str, universe: Universe, owners: tuple[str, ...]) -> Iterator[str]:
    """Values of a parameter, the most dangerous first."""
    yield "*"
    where = {"partition": universe.partition, "region": universe.region}
    yield pinned(name, **where, owner=OUTSIDE_ACCOUNT)
    for owner in owners:
        fixed = pinned(name, **where, owner=owner)
        yield fixed.rpartition(":")[0]  # the bare ARN is the draft
        yield fixed.rpartition(":")[0] + ":DRAFT"
        yield fixed.rpartition(":")[0] + ":*"
    for owner in owners:
        yield pinned(name, **where, owner=owner)
    yield stand_in(name)


def policies_of(templates: Mapping[str, Json], universe: Universe, owners: tuple[str, ...]) -> Iterator[Attached]:
    """Every policy of the organization in the templates.

    Raises:
        OperatorError: a policy cannot be read, or is there on a condition; file and place are named.
    """
    kinds = {"SERVICE_CONTROL_POLICY": Kind.SERVICE_CONTROL, "RESOURCE_CONTROL_POLICY": Kind.RESOURCE_CONTROL}
    for file, template in templates.items():
        if not any(resource["Type"] == POLICY_TYPE for resource in template["Resources"].values()):
            continue
        values = parameters_of(file, template, universe, owners)
        for id_, properties in resources(file, template, POLICY_TYPE):
            at = f"{file}: Resources/{id_}/Properties"
            kind = kinds.get(str(properties.get("Type")))
            if kind is None:
                continue  # what Bedrock itself enforces is no permission
            content = resolved(properties.get("Content"), values, f"{at}/Content")
            targets = resolved(properties.get("TargetIds", []), values, f"{at}/TargetIds")
            if not isinstance(targets, list):
                raise OperatorError(f"{at}/TargetIds: expected a list, found {targets!r}")
            try:
                read = policy(content, kind, id_)
            except Unreadable as error:
                raise OperatorError("\n".join(f"{at}/Content: {problem}" for problem in error.problems)) from None
            yield Attached(
                name=str(properties.get("Name", id_)), kind=kind, targets=tuple(map(str, targets)), policy=read
            )


def parameters_of(file: str, template: Json, universe: Universe, owners: tuple[str, ...]) -> dict[str, str]:
    """What stands in for each parameter of a template.

    Raises:
        OperatorError: its pattern is none, or admits nothing that is known here.
    """
    found = {"AWS::Partition": universe.partition, "AWS::Region": universe.region}
    for name, parameter in template.get("Parameters", {}).items():
        allowed = parameter.get("AllowedPattern", ".*")
        try:
            pattern = re.compile(allowed)
        except re.error as error:
            raise OperatorError(
                f"{file}: Parameters/{name}/AllowedPattern: expected a pattern, found {error}"
            ) from None
        listed = parameter.get("AllowedValues")
        value = next(
            (
                one
                for one in candidates(name, universe, owners)
                if pattern.fullmatch(one) and (listed is None or one in listed)
            ),
            None,
        )
        if value is None:
            only = "" if listed is None else f" and the values {listed!r}"
            raise OperatorError(
                f"{file}: Parameters/{name}: expected a guardrail or an endpoint, found the pattern {allowed!r}{only}, "
                "which nothing that this version knows fits"
            )
        found[name] = value
    return found


def resolved(value: Any, values: Mapping[str, str], at: str) -> Any:
    """The value without intrinsic functions.

    Raises:
        OperatorError: one that is not resolved here.
    """
    if isinstance(value, list):
        return [resolved(one, values, f"{at}/{index}") for index, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, given),) = value.items()
        if name == "Ref" and given in values:
            return values[given]
        if name == "Fn::Join" and isinstance(given, list) and len(given) == 2:
            pieces = resolved(given[1], values, f"{at}/Fn::Join/1")
            return str(given[0]).join(map(str, pieces))
        if name == "Ref" or name.startswith("Fn::"):
            raise OperatorError(
                f"{at}: expected a value or Ref of a parameter, found {name}, which is not resolved here"
            )
    return {key: resolved(one, values, f"{at}/{key}") for key, one in value.items()}
