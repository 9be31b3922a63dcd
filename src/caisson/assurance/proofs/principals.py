"""Who may ask: principals of an account in every way that policies tell them apart, and what AWS says of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caisson.assurance.iam.context import Values
from caisson.assurance.iam.document import Statement
from caisson.assurance.iam.pattern import Variable, Wild, solid
from caisson.assurance.iam.principal_element import Named
from caisson.assurance.iam.principals import Kind, Principal, identity, principal
from caisson.assurance.iam.services import SERVICE_LINKED_PATH
from caisson.assurance.proofs.estate import Estate
from caisson.assurance.proofs.languages import words
from caisson.assurance.proofs.universe import OUTSIDE_ORGANIZATION
from caisson.assurance.proofs.values import Unbuildable, pattern_parts


def said_of(asking: Principal, estate: Estate) -> dict[str, Values]:
    """What AWS says of a principal by itself."""
    if asking.kind is Kind.SERVICE:
        said = {"aws:principalisawsservice": "true", "aws:principalservicename": asking.text}
        return {key: Values((value,), single=True) for key, value in said.items()}
    said = {
        "aws:principalarn": asking.text,
        "aws:principalaccount": asking.account,
        "aws:principalisawsservice": "false",
    }
    if estate.organization:
        said |= _organization(asking, estate)
    return {key: Values((value,), single=True) for key, value in said.items()}


def _organization(asking: Principal, estate: Estate) -> dict[str, str]:
    inside = asking.account in estate.levels or asking.account == estate.management
    if not inside:
        return {"aws:principalorgid": OUTSIDE_ORGANIZATION}
    return {"aws:principalorgid": estate.organization, "aws:principalorgmasteraccountid": estate.management}


def services(statements: Sequence[Statement]) -> Iterator[Principal]:
    """Each service that a policy names, and one that none does: what delivers logs."""
    named = [
        entry.text
        for statement in statements
        if statement.principal is not None
        for entry in statement.principal.entries
        if entry.named is Named.SERVICE
    ]
    for name in dict.fromkeys(["delivery.logs.amazonaws.com", *named]):
        found = principal(name)
        if found is not None:
            yield found


def principals(account: str, statements: Sequence[Statement], partition: str) -> Iterator[Principal]:
    """Roles, a user and the root user of an account, in every way that policies tell them apart."""
    tails = []
    for statement in statements:
        for condition in statement.conditions:
            if condition.key.lower() != "aws:principalarn":
                continue
            for pattern in condition.values:
                if any(isinstance(piece, Variable) for piece in pattern.pieces):
                    raise Unbuildable("aws:PrincipalArn is compared with a policy variable")
                parts = pattern_parts(solid(pattern.pieces))
                if len(parts) != 6:
                    raise Unbuildable(
                        f"aws:PrincipalArn is compared with {pattern.text!r}, which is no ARN of six parts"
                    )
                tails.append(parts[5])
    linked = f"role{SERVICE_LINKED_PATH}"
    for tail in ["root", *words([*tails, ("role/", Wild.MANY), ("user/", Wild.MANY)], path=True)]:
        if tail.startswith(linked) or not (tail == "root" or tail.startswith(("role/", "user/"))):
            continue
        found = identity(f"arn:{partition}:iam::{account}:{tail}")
        if found is not None and found.kind in (Kind.ROOT, Kind.ROLE, Kind.USER):
            yield found
