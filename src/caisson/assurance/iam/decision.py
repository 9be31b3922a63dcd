"""The decision: all kinds of policies together, for one request.

The rules are AWS's (reference_policies_evaluation-logic_policy-eval-denyallow,
reference_policies_evaluation-logic-cross- account):

1. a Deny that covers the request ends it, in whatever policy it stands
2. every limit that is there must allow: VPC endpoint policy, service control policies at each level (`routes.limits`)
3. one way of being granted must be open, with the limits that bind it (`routes.routes`)

The answer is undetermined as soon as it depends on something unknown, also when the request is refused either way and
only the kind of refusal is in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from caisson.assurance.iam.document import Effect, Policy, Statement
from caisson.assurance.iam.layer import hits
from caisson.assurance.iam.organization import limits_principal, limits_resource
from caisson.assurance.iam.part import Part
from caisson.assurance.iam.request import Policies, Request
from caisson.assurance.iam.routes import Route, limits, routes
from caisson.assurance.iam.services import needs_no_permission
from caisson.assurance.iam.truth import YES, Truth, every, some


class Outcome(Enum):
    """What is decided."""

    ALLOW = "allow"
    DENY_IMPLICIT = "deny_implicit"
    DENY_EXPLICIT = "deny_explicit"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer with its grounds."""

    outcome: Outcome
    statements: tuple[Statement, ...]
    """Those that decide: the denials, the grants, or those in doubt. None for an implicit denial."""
    reason: str
    """One sentence."""


def decide(request: Request, policies: Policies) -> Decision:
    """Decide one request."""
    if needs_no_permission(request):
        return _free(request, policies)
    denials = tuple(_denials(request, policies))
    needed = tuple(limits(request, policies))
    ways = routes(request, policies)
    denied = some(denial.truth for denial in denials)
    allowed = every((_all(needed), some(_all(way) for way in ways)))
    if denied.known_yes:
        return _denied([denial for denial in denials if denial.truth.known_yes])
    if denied.value is None or allowed.value is None:
        return _undetermined(denials, needed, ways, denied, allowed)
    if allowed.known_yes:
        return _allowed((*needed, *next(way for way in ways if _all(way).known_yes)))
    return _lacking(needed, ways)


def _free(request: Request, policies: Policies) -> Decision:
    """What needs no permission and cannot be denied. Whether an endpoint can keep it out is not documented."""
    allowed = hits(policies.endpoint, Effect.ALLOW, request)
    denied = hits(policies.endpoint, Effect.DENY, request)
    if policies.endpoint and (denied.truth.possible or not allowed.truth.known_yes):
        reason = f"whether a VPC endpoint policy can refuse {request.action}, which needs no permission"
        return Decision(outcome=Outcome.UNDETERMINED, statements=denied.deciding, reason=reason)
    return Decision(outcome=Outcome.ALLOW, statements=(), reason="it needs no permission, and no policy can deny it")


def _all(parts: Iterable[Part]) -> Truth:
    return every(part.truth for part in parts)


def _denials(request: Request, policies: Policies) -> Iterator[Part]:
    """Every kind of policy with its Deny statements that cover the request. The part holds when one does."""

    def part(name: str, documents: Iterable[Policy], concerned: Truth = YES) -> Part:
        found = hits(documents, Effect.DENY, request, bounded=bool(policies.boundary))
        return Part(name=name, truth=every((concerned, found.truth)), lack="", statements=found.deciding)

    yield part("identity_policies", policies.identity)
    yield part("boundary", policies.boundary)
    yield part("session_policy", policies.session)
    yield part("vpc_endpoint_policies", policies.endpoint)
    yield part("resource_policy", policies.resource)
    for level in policies.scps:
        yield part(f"scps of {level.target}", level.policies, limits_principal(request))
    for level in policies.rcps:
        yield part(f"rcps of {level.target}", level.policies, limits_resource(request))


def _denied(denials: list[Part]) -> Decision:
    reason = f"denied by {_names(denials)}"
    return Decision(outcome=Outcome.DENY_EXPLICIT, statements=_statements(denials), reason=reason)


def _allowed(parts: tuple[Part, ...]) -> Decision:
    reason = f"allowed by {_names(parts)}; nothing denies it"
    return Decision(outcome=Outcome.ALLOW, statements=_statements(parts), reason=reason)


def _undetermined(
    denials: tuple[Part, ...], needed: tuple[Part, ...], ways: tuple[Route, ...], denied: Truth, allowed: Truth
) -> Decision:
    doubted = [part for way in ways if _all(way).value is None for part in way]
    doubtful = [part for part in (*denials, *needed, *doubted) if part.truth.value is None]
    reasons = [*dict.fromkeys((*denied.reasons, *allowed.reasons))]
    if allowed.value is False:
        reasons.append("refused either way, by a Deny or for want of an Allow")
    return Decision(outcome=Outcome.UNDETERMINED, statements=_statements(doubtful), reason="; ".join(reasons))


def _lacking(needed: tuple[Part, ...], ways: tuple[Route, ...]) -> Decision:
    """What was missing: the limits that did not allow, or else what closed each way."""
    closed = [part.lack for part in needed if part.truth.value is False]
    closed = closed or [part.lack for way in ways for part in way if part.truth.value is False]
    reason = "; ".join(dict.fromkeys(closed))
    return Decision(outcome=Outcome.DENY_IMPLICIT, statements=(), reason=reason)


def _statements(parts: Iterable[Part]) -> tuple[Statement, ...]:
    return tuple(dict.fromkeys(statement for part in parts for statement in part.statements))


def _names(parts: Iterable[Part]) -> str:
    return ", ".join(dict.fromkeys(part.name for part in parts))
