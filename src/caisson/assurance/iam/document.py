"""Policies as frozen values: what a document says, before anything is evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from caisson.assurance.iam.condition import Condition
from caisson.assurance.iam.pattern import Pattern
from caisson.assurance.iam.principal_element import PrincipalElement


class Effect(Enum):
    """What a statement does to the requests that it covers."""

    ALLOW = "Allow"
    DENY = "Deny"


class Kind(Enum):
    """Where a policy is attached, which decides its grammar."""

    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource policy"
    TRUST = "trust policy"
    ENDPOINT = "VPC endpoint policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"


@dataclass(frozen=True, slots=True)
class Covered:
    """`Action`, `Resource`, or what stands for everything but."""

    patterns: tuple[Pattern, ...]
    inverted: bool
    """`NotAction` or `NotResource`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement."""

    pointer: str
    """JSON pointer to it in the input."""
    sid: str | None
    effect: Effect
    principal: PrincipalElement | None
    """None in policies of identities, which have none."""
    action: Covered
    resource: Covered | None
    """None in policies of one resource, which may leave it out."""
    conditions: tuple[Condition, ...]
    """All must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One document."""

    kind: Kind
    statements: tuple[Statement, ...]
