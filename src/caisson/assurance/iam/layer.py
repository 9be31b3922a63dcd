"""One kind of policy at one place: which of its statements cover a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from caisson.assurance.iam.document import Effect, Policy, Statement
from caisson.assurance.iam.principal_element import Reach, matches
from caisson.assurance.iam.request import Request
from caisson.assurance.iam.statement import covers
from caisson.assurance.iam.truth import YES, Truth, every, some


@dataclass(frozen=True, slots=True)
class Hit:
    """A statement that covers the request, or may."""

    statement: Statement
    truth: Truth


@dataclass(frozen=True, slots=True)
class Hits:
    """Statements of one effect that cover the request, or may."""

    all: tuple[Hit, ...]

    @property
    def truth(self) -> Truth:
        """Whether one of them does."""
        return some(hit.truth for hit in self.all)

    @property
    def deciding(self) -> tuple[Statement, ...]:
        """Those that do; where none does for sure, those that may."""
        sure = tuple(hit.statement for hit in self.all if hit.truth.known_yes)
        return sure or tuple(hit.statement for hit in self.all)


def hits(
    policies: Iterable[Policy], effect: Effect, request: Request, *, least: Reach = Reach.ACCOUNT, bounded: bool = False
) -> Hits:
    """Statements of `policies` with `effect` that cover the request.

    Args:
        least: how directly an Allow must name the principal.
        bounded: the principal has a permissions boundary (NotPrincipal heeds it).
    """
    found = []
    for policy in policies:
        for statement in policy.statements:
            if statement.effect is not effect:
                continue
            truth = every(_parts(statement, request, least, bounded))
            if truth.possible:
                found.append(Hit(statement, truth))
    return Hits(tuple(found))


def _parts(statement: Statement, request: Request, least: Reach, bounded: bool) -> Iterable[Truth]:
    deny = statement.effect is Effect.DENY
    if statement.principal is None:
        yield YES
    else:
        yield matches(statement.principal, request.principal, deny=deny, bounded=bounded, least=least)
    yield covers(statement, request)
