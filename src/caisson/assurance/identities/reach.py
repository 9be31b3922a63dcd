"""Who can become whom: a role by AssumeRole, or by a service that it is passed to, again and again (IAM-02).

>>> reach(holders, decide)["arn:aws:iam::222222222222:role/app"]  # doctest: +SKIP
{'arn:aws:iam::222222222222:role/admin': ('arn:…:role/app', 'arn:…:role/deploy', 'arn:…:role/admin')}
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping

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
    if allowed(becoming(one, other)):
        return True
    return other.workload and one.account == other.account and allowed(passing(one, other))


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
