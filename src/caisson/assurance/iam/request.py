"""One concrete request, and the policies that can concern it."""

from __future__ import annotations

from dataclasses import dataclass

from caisson.assurance.iam.context import Context
from caisson.assurance.iam.document import Policy
from caisson.assurance.iam.principals import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks to do what to which resource."""

    principal: Principal
    action: str
    """`service:Name`, without wildcards; case does not matter."""
    resource: str
    """An ARN without wildcards, or `*` for actions that have no resource."""
    resource_account: str
    """The account that owns the resource, twelve digits. It decides whether the request crosses accounts."""
    context: Context

    @property
    def service(self) -> str:
        """The service prefix of the action, in lower case."""
        return self.action.partition(":")[0].lower()

    @property
    def operation(self) -> str:
        """The action without its service, in lower case."""
        return self.action.partition(":")[2].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The policies attached to one level of an organization: root, unit, or account."""

    target: str
    policies: tuple[Policy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """Everything attached to the two sides of a request. None, or no document, means that there is none of the kind."""

    identity: tuple[Policy, ...] = ()
    boundary: tuple[Policy, ...] = ()
    session: tuple[Policy, ...] = ()
    endpoint: tuple[Policy, ...] = ()
    """Of the VPC endpoint that the request passes."""
    resource: tuple[Policy, ...] = ()
    scps: tuple[Level, ...] = ()
    """From the root to the principal's account."""
    rcps: tuple[Level, ...] = ()
    """From the root to the resource's account."""
