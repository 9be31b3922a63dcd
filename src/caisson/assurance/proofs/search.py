"""Looks for a request that is allowed and against a claim, among one request of every class.

Classes are built for one action and one resource at a time, from the statements that can matter there. Keys are chosen
one after the other; as soon as a Deny covers everything that is left, or an exception does, that part is passed over.
What remains is decided by the evaluator of concrete requests, with all policies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from caisson.assurance.iam.condition import Condition, holds
from caisson.assurance.iam.context import Context, Values, has_many_values
from caisson.assurance.iam.decision import Decision, Outcome, decide
from caisson.assurance.iam.document import Effect, Statement
from caisson.assurance.iam.organization import limits_resource
from caisson.assurance.iam.pattern import Solid, Variable, fits, parse, solid
from caisson.assurance.iam.principal_element import Named
from caisson.assurance.iam.principals import Principal
from caisson.assurance.iam.request import Level, Request
from caisson.assurance.iam.services import needs_resource_policy
from caisson.assurance.iam.statement import acts_on, covers
from caisson.assurance.iam.truth import every
from caisson.assurance.proofs.actions import expanded, known
from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.deciding import decided, named, policies_of
from caisson.assurance.proofs.estate import Estate
from caisson.assurance.proofs.languages import TooMany
from caisson.assurance.proofs.principals import principals, said_of, services
from caisson.assurance.proofs.universe import INVOKES, OUTSIDE_ACCOUNT
from caisson.assurance.proofs.values import Choice, Unbuildable, alternatives, pattern_parts
from caisson.assurance.verdict import Verdict

DECISIONS_MAX = 400_000
"""Requests decided for one claim before nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Counterexample:
    """A request that is allowed although the claim says never."""

    request: Request
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What is known of a claim."""

    claim: Claim
    verdict: Verdict
    reason: str
    """One sentence."""
    counterexample: Counterexample | None = None
    way: tuple[str, ...] = ()
    """Of a claim about a network: the hops of packets that are against it, and what can go this way."""
    passed: int = 0
    """Classes of requests that a Deny or an exception covers as a whole."""
    decided: int = 0
    """Classes of which one request each was decided."""


@dataclass(kw_only=True)
class _Count:
    passed: int = 0
    decided: int = 0
    doubts: list[str] = field(default_factory=list)


def prove(claim: Claim, estate: Estate) -> Proof:
    """Decide a claim over all requests."""
    for still in claim.still:
        decision = decided(still, estate)
        if decision.outcome is not Outcome.ALLOW:
            verdict = Verdict.UNDETERMINED if decision.outcome is Outcome.UNDETERMINED else Verdict.BROKEN
            reason = f"{still.principal} must still be able to call {still.action}: {decision.reason}"
            return Proof(claim=claim, verdict=verdict, reason=reason)
    count = _Count()
    verdict, reason, example = Verdict.HOLDS, "no request of any class is allowed against it", None
    try:
        example = next(_against(claim, estate, count), None)
    except (Unbuildable, TooMany) as error:
        verdict, reason = Verdict.UNDETERMINED, str(error)
    if example is not None:
        verdict, asked = Verdict.BROKEN, example.request
        reason = f"{asked.action} on {asked.resource} is allowed to {asked.principal.text}"
    elif count.doubts:
        verdict, reason = Verdict.UNDETERMINED, count.doubts[0]
    return Proof(
        claim=claim, verdict=verdict, reason=reason, counterexample=example, passed=count.passed, decided=count.decided
    )


def _against(claim: Claim, estate: Estate, count: _Count) -> Iterator[Counterexample]:
    excepted = tuple(one.statement() for one in claim.but)
    for account, only in _askers(claim):
        owner = claim.owner or account
        held = [] if only is None else list(_held(only, estate))
        guarding = [one for arn in claim.on if arn in estate.guarded for one in estate.guarded[arn].statements]
        guarding += [one for arn in claim.on if arn.endswith("/*") for one in estate.policy_of(arn).statements]
        limits = _statements((*estate.scps(account), *estate.rcps(owner)))
        passed = [statement for one in estate.through for statement in one.statements]
        statements = list(dict.fromkeys([*limits, *guarding, *held, *passed]))
        granting = {*held, *guarding}
        written = [*_written(statements), *_written(excepted)]
        alike: set[tuple[str, tuple[int, ...]]] = set()
        for action in expanded(claim.actions, written):
            matching = [one for one in statements if acts_on(one.action, action)]
            spared = [one for one in excepted if acts_on(one.action, action)]
            if only is not None and not any(one.effect is Effect.ALLOW for one in matching if one in granting):
                continue  # nothing grants it
            kind = (_service(action), tuple(map(id, (*matching, *spared))))
            if kind in alike:
                continue  # no policy tells it from one that was looked at
            alike.add(kind)
            for principal in _asking(claim, account, only, [*matching, *spared], estate):
                yield from _for_action(claim, estate, count, principal, owner, action, matching, spared)


def _askers(claim: Claim) -> Iterator[tuple[str, Principal | None]]:
    """Accounts, each with its one principal where the claim names principals."""
    if not claim.who:
        for account in claim.accounts if claim.by == "members" else (OUTSIDE_ACCOUNT,):
            yield account, None
    for arn in claim.who:
        only = named(arn)
        yield only.account, only


def _asking(
    claim: Claim, account: str, only: Principal | None, statements: Sequence[Statement], estate: Estate
) -> Iterable[Principal]:
    if only is not None:
        return (only,)
    return (
        services(statements) if claim.by == "services" else principals(account, statements, estate.universe.partition)
    )


def _held(only: Principal, estate: Estate) -> Iterator[Statement]:
    held = estate.held[only.text]
    for one in (*held.identity, *held.boundary):
        yield from one.statements


def _for_action(
    claim: Claim, estate: Estate, count: _Count, principal: Principal, owner: str, action: str,
    matching: Sequence[Statement], spared: Sequence[Statement],
) -> Iterator[Counterexample]:  # fmt: skip
    given = {
        key: Values((value,), single=not has_many_values(key))
        for key, value in claim.given.items()
        if value is not None
    }
    silent = frozenset(key for key, value in claim.given.items() if value is None)
    fixed, written = {**said_of(principal, estate), **given}, _written_as(action, claim)
    denials = [one for one in matching if one.effect is Effect.DENY]
    meant = [parse(text, variables=False).pieces for text in claim.on]
    patterns = [parts for one in (*matching, *spared) for parts in _resource_patterns(one)]
    patterns += [parts for parts in (pattern_parts(solid(pieces)) for pieces in meant) if len(parts) == 6]
    for resource in estate.universe.resources(action, patterns, owner):
        if not any(fits(solid(pieces), resource) for pieces in meant):
            continue
        request = Request(
            principal=principal, action=written, resource=resource, resource_account=owner, context=Context(fixed)
        )
        own = estate.policy_of(resource)
        bound = (*own.statements, *(statement for passed in estate.through for statement in passed.statements))
        near = [one for one in denials if _binds(one, request, bound) and _may_cover(one, request)]
        apart = [one for one in spared if _may_cover(one, request)]
        choices = _choices(
            [*near, *apart, *(one for one in matching if one.effect is Effect.ALLOW)], {*fixed, *silent}, estate
        )
        policies = policies_of(request, estate)
        grants = [one for one in own.statements if one.effect is Effect.ALLOW]
        needed = grants if needs_resource_policy(request) else None
        for context in _contexts(request, fixed, choices, near, apart, needed, count):
            count.decided += 1
            if count.decided > DECISIONS_MAX:
                raise Unbuildable(f"more than {DECISIONS_MAX:,} classes of requests")
            whole = _with(request, context)
            decision = decide(whole, policies)
            if decision.outcome is Outcome.ALLOW:
                yield Counterexample(request=whole, decision=decision)
            elif decision.outcome is Outcome.UNDETERMINED:
                count.doubts.append(f"{action} on {resource}: {decision.reason}")


def _contexts(
    request: Request, fixed: dict[str, Values], choices: dict[str, tuple[Choice, ...]],
    denials: Sequence[Statement], spared: Sequence[Statement], needed: Sequence[Statement] | None, count: _Count,
) -> Iterator[dict[str, Values]]:  # fmt: skip
    """What can be said for the keys, without what a Deny or an exception covers already, and without what none of the
    statements covers any more of which one must (`needed`)."""
    keys = sorted(choices, key=lambda key: (len(choices[key]), key))
    ends = [(one, _keys(one) & set(keys)) for one in (*denials, *spared)]

    def onward(at: int, said: dict[str, Values], known: frozenset[str]) -> Iterator[dict[str, Values]]:
        here = _with(request, said)
        covered = any(tested <= known and covers(one, here).known_yes for one, tested in ends)
        if covered or (needed is not None and not any(_may_still_cover(one, here, known) for one in needed)):
            count.passed += 1
            return
        if at == len(keys):
            yield said
            return
        key = keys[at]
        for choice in choices[key]:
            yield from onward(at + 1, said if choice is None else {**said, key: choice}, known | {key})

    yield from onward(0, dict(fixed), frozenset())


def _choices(statements: Iterable[Statement], fixed: Collection[str], estate: Estate) -> dict[str, tuple[Choice, ...]]:
    tested: dict[str, list[Condition]] = {}
    for statement in statements:
        for condition in statement.conditions:
            key = condition.key.lower()
            if key not in fixed:
                tested.setdefault(key, []).append(condition)
    return {
        key: alternatives(key, tuple(dict.fromkeys(conditions)), estate.universe) for key, conditions in tested.items()
    }


def _binds(statement: Statement, request: Request, bound: Sequence[Statement]) -> bool:
    """Whether the statement's policy surely concerns the request: service control policies bind whoever is asked for
    here, the policies of the resource and of the endpoint (`bound`) whoever asks, resource control policies who
    reaches into services that take them."""
    if statement.principal is None:
        return True
    everyone = all(entry.named is Named.EVERYONE for entry in statement.principal.entries)
    if not everyone or statement.principal.inverted:
        return False
    return statement in bound or limits_resource(request).known_yes


def _may_cover(statement: Statement, request: Request) -> bool:
    """Whether some context makes the statement cover the request."""
    bare = every(
        (
            covers(_without_conditions(statement), request),
            *(
                holds(condition, request.context)
                for condition in statement.conditions
                if condition.key.lower() in request.context.values
            ),
        )
    )
    return bare.possible


def _may_still_cover(statement: Statement, request: Request, known: Collection[str]) -> bool:
    """Whether some value of the keys that are not chosen yet makes the statement cover the request."""
    told = (
        one for one in statement.conditions if one.key.lower() in known or one.key.lower() in request.context.values
    )
    return every(
        (covers(_without_conditions(statement), request), *(holds(one, request.context) for one in told))
    ).possible


def _without_conditions(statement: Statement) -> Statement:
    return Statement(
        pointer=statement.pointer, sid=statement.sid, effect=statement.effect, principal=statement.principal,
        action=statement.action, resource=statement.resource, conditions=(),
    )  # fmt: skip


def _with(request: Request, context: dict[str, Values]) -> Request:
    return Request(
        principal=request.principal, action=request.action, resource=request.resource,
        resource_account=request.resource_account, context=Context(context),
    )  # fmt: skip


def _keys(statement: Statement) -> set[str]:
    return {condition.key.lower() for condition in statement.conditions}


def _written_as(action: str, claim: Claim) -> str:
    """As AWS writes it, or the claim."""
    return known().get(action) or next((one for one in claim.actions if one.lower() == action), action)


def _service(action: str) -> str:
    """What the evaluator knows of an action beside its patterns: its service, for some the action itself."""
    service = action.partition(":")[0]
    return action if service in ("kms", "sts") or action in INVOKES else service


def _statements(levels: Iterable[Level]) -> list[Statement]:
    found: dict[Statement, None] = {}
    for level in levels:
        for one in level.policies:
            found.update(dict.fromkeys(one.statements))
    return list(found)


def _written(statements: Iterable[Statement]) -> Iterator[str]:
    for statement in statements:
        yield from (pattern.text for pattern in statement.action.patterns)


def _resource_patterns(statement: Statement) -> Iterator[list[list[Solid]]]:
    for pattern in statement.resource.patterns if statement.resource is not None else ():
        if any(isinstance(piece, Variable) for piece in pattern.pieces):
            raise Unbuildable(f"the resource {pattern.text!r} has a policy variable")
        parts = pattern_parts(solid(pattern.pieces))
        if len(parts) == 6:
            yield parts
        elif pattern.text != "*":
            raise Unbuildable(f"the resource {pattern.text!r} is no ARN of six parts")
