"""Who can become whom: a role by AssumeRole, or by a service that it is passed to, again and again (IAM-02).

>>> reach(holders, decide)["arn:aws:iam::222222222222:role/app"]  # doctest: +SKIP
{'arn:aws:iam::222222222222:role/admin': ('arn:…:role/app', 'arn:…:role/deploy', 'arn:…:role/admin')}
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from caisson.assurance.iam.document import Covered, Effect
from caisson.assurance.iam.pattern import fits, solid
from caisson.assurance.iam.principal_element import Named
from caisson.assurance.iam.principals import Principal
from caisson.assurance.identities.holders import Holder
from caisson.assurance.proofs.claims import Claim

ASSUMES = ("sts:AssumeRole",)
PASSES = ("iam:PassRole",)


def becoming(one: Holder, other: Holder) -> Claim:
    """That one principal never assumes another's role."""
    return Claim(
        id=f"becomes: {one.name}", controls=(), says="", who=(one.arn,), accounts=(), actions=ASSUMES,
        on=(other.arn,), owner=other.account,
    )  # fmt: skip


def passing(one: Holder, other: Holder) -> Claim:
    """That one principal never passes another's role to a service."""
    return Claim(
        id=f"passes: {one.name}", controls=(), says="", who=(one.arn,), accounts=(), actions=PASSES, on=(other.arn,),
        owner=other.account,
    )  # fmt: skip


def reach(
    held: Iterable[Holder], allowed: Callable[[Claim], bool], *, roles: Iterable[Holder]
) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """ARN of each principal to the roles that it reaches, with the shortest way there, itself first.

    Args:
        held: who starts.
        allowed: whether some request is against a claim.
        roles: who can be become; those of workloads can be passed, too.
    """
    everybody = list(roles)
    starts = list(held)
    onward = {
        one.arn: [other.arn for other in everybody if other is not one and _edge(one, other, allowed)]
        for one in dict.fromkeys((*starts, *everybody))
    }
    return {one.arn: _ways(one.arn, onward) for one in starts}


def _edge(one: Holder, other: Holder, allowed: Callable[[Claim], bool]) -> bool:
    """Looks first whether any statement could grant it, as nearly always none does."""
    invited = _names(other, one)
    if (invited or (invited is None and _grants(one, ASSUMES[0], other.arn))) and allowed(becoming(one, other)):
        return True
    passes = other.workload and one.account == other.account and _grants(one, PASSES[0], other.arn)
    return passes and allowed(passing(one, other))


def _names(role: Holder, asking: Holder) -> bool | None:
    """Whether a trust policy may let a principal in: by itself; None: if its own policies allow it, too."""
    found: bool | None = False
    for policy in role.trust.most:
        for one in policy.statements:
            if one.effect is not Effect.ALLOW or one.principal is None:
                continue
            kinds = {entry.named for entry in one.principal.entries}
            named = any(_is(entry.identity, asking) for entry in one.principal.entries)
            if one.principal.inverted or named or kinds & {Named.EVERYONE, Named.UNIQUE_ID}:
                return True
            if Named.ACCOUNT in kinds:
                found = None
    return found


def _is(identity: Principal | None, asking: Holder) -> bool:
    """Whether a principal may be this one, or a session of it."""
    name = asking.arn.rpartition("/")[2]
    return identity is not None and (identity.account, identity.name) == (asking.account, name)


def _grants(holder: Holder, action: str, resource: str) -> bool:
    """Whether a statement may allow an action on a resource, conditions aside."""
    return any(
        one.effect is Effect.ALLOW and _fits(one.action, action.lower()) and _fits(one.resource, resource)
        for policy in holder.identity.most
        for one in policy.statements
    )


def _fits(covered: Covered | None, text: str) -> bool:
    return covered is None or covered.inverted or any(fits(solid(one.pieces), text) for one in covered.patterns)


def _ways(start: str, onward: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    waiting: deque[tuple[str, ...]] = deque([(start,)])
    while waiting:
        way = waiting.popleft()
        for other in onward[way[-1]]:
            if other != start and other not in found:
                found[other] = (*way, other)
                waiting.append(found[other])
    return found
