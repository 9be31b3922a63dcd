"""The ways in which a request can come to be granted, and the limits on all of them.

Which of a principal's own limits bind a grant depends on how the resource policy names it (`principal_element.Reach`),
on whether the request crosses accounts, and on whether the service insists on its resource policy (`services`).
Sources: reference_policies_evaluation-logic_policy-eval-denyallow, reference_policies_evaluation-logic-cross-account,
kms key-policies, id_credentials_temp_control-access_getfederationtoken.
"""

from __future__ import annotations

from collections.abc import Iterator

from caisson.assurance.iam.document import Effect, Policy
from caisson.assurance.iam.layer import hits
from caisson.assurance.iam.organization import limits_principal
from caisson.assurance.iam.part import Part
from caisson.assurance.iam.principal_element import Reach
from caisson.assurance.iam.principals import Kind
from caisson.assurance.iam.request import Policies, Request
from caisson.assurance.iam.services import assumes_role, names_no_owner, needs_resource_policy
from caisson.assurance.iam.truth import NO, YES, negated, some, unknown

Route = tuple[Part, ...]

_LIMITED = frozenset({Kind.USER, Kind.ROLE, Kind.SESSION, Kind.FEDERATED_USER})
"""Who can have a permissions boundary: users, roles, and sessions of either."""
_IN_SESSION = frozenset({Kind.ROLE, Kind.SESSION, Kind.FEDERATED_USER})


def limits(request: Request, policies: Policies) -> Iterator[Part]:
    """What must allow whichever way the request is granted."""
    kind = request.principal.kind
    if policies.endpoint:
        yield _allowing("vpc_endpoint_policies", policies.endpoint, request)
    if policies.boundary and kind not in _LIMITED:
        yield _misplaced(_allowing("boundary", policies.boundary, request), kind)
    if policies.session and kind not in _IN_SESSION:
        yield _misplaced(_allowing("session_policy", policies.session, request), kind)
    concerned = limits_principal(request)
    for level in policies.scps if concerned.possible else ():
        part = _allowing(f"scps of {level.target}", level.policies, request)
        truth = some((negated(concerned), part.truth))
        yield Part(name=part.name, truth=truth, lack=part.lack, statements=part.statements)
    if kind is Kind.FEDERATED_USER and request.service in ("iam", "sts"):
        yield Part(name="AWS", truth=NO, lack="a federated user cannot call IAM or STS")
    if kind is Kind.ROOT and assumes_role(request):
        yield Part(name="AWS", truth=NO, lack="a root user cannot assume a role")


def routes(request: Request, policies: Policies) -> tuple[Route, ...]:
    """Each way of being granted; a route is open when all its parts hold."""
    principal = request.principal
    itself, by_role, by_account = (_granting(policies.resource, request, reach) for reach in reversed(Reach))
    if not principal.has_identity:
        return ((itself,),)
    identity = _identity(request, policies)
    own = tuple(_own_limits(request, policies))
    if principal.account != request.resource_account:
        return ((by_account, identity, *own),)
    if reason := names_no_owner(request):
        own = (*own, Part(name="resource_policy", truth=unknown(reason), lack=reason))
    if not needs_resource_policy(request):
        return ((itself,), (by_role, *own), (identity, *own))
    return ((itself,), (by_role, *own), (by_account, identity, *own))


def _identity(request: Request, policies: Policies) -> Part:
    """What the principal's own policies grant. A root user needs none (id_root-user)."""
    if request.principal.kind is Kind.ROOT:
        return Part(name="the root user's own access", truth=YES, lack="")
    return _allowing("identity_policies", policies.identity, request)


def _own_limits(request: Request, policies: Policies) -> Iterator[Part]:
    """Permissions boundary and session policy, where they are and can be."""
    kind = request.principal.kind
    if policies.boundary and kind in _LIMITED:
        yield _allowing("boundary", policies.boundary, request)
    if policies.session and kind in _IN_SESSION:
        yield _allowing("session_policy", policies.session, request)
    elif kind is Kind.FEDERATED_USER:
        yield Part(name="session_policy", truth=NO, lack="a federated user has no permissions without session policy")


def _allowing(name: str, policies: tuple[Policy, ...], request: Request) -> Part:
    """A kind of policy of which one statement must allow."""
    found = hits(policies, Effect.ALLOW, request)
    lack = f"no statement of {name} allows it" if policies else f"{name} has no policy"
    return Part(name=name, truth=found.truth, lack=lack, statements=found.deciding)


def _granting(policies: tuple[Policy, ...], request: Request, least: Reach) -> Part:
    """The resource policy, naming the principal at least that directly."""
    found = hits(policies, Effect.ALLOW, request, least=least)
    ways = {
        Reach.ITSELF: "to the principal itself",
        Reach.ROLE: "to its role",
        Reach.ACCOUNT: "to the principal, its role or its account",
    }
    lack = f"no statement of resource_policy grants it {ways[least]}" if policies else "there is no resource_policy"
    return Part(name="resource_policy", truth=found.truth, lack=lack, statements=found.deciding)


def _misplaced(part: Part, kind: Kind) -> Part:
    """A limit of a kind that the principal cannot have: harmless where it allows, and otherwise without known
    meaning."""
    truth = YES if part.truth.known_yes else unknown(f"{part.name} of a principal that has none: {kind.value}")
    return Part(name=part.name, truth=truth, lack=part.lack, statements=part.statements)
