"""Whether a statement covers a request, apart from whom it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from caisson.assurance.iam.arn import PARTS, resource_matches
from caisson.assurance.iam.condition import holds
from caisson.assurance.iam.context import Context
from caisson.assurance.iam.document import Covered, Statement
from caisson.assurance.iam.pattern import Pattern, Solid, Variable, fits
from caisson.assurance.iam.request import Request
from caisson.assurance.iam.truth import NO, YES, Truth, every, negated, of, some, unknown
from caisson.assurance.iam.variables import replaced


def covers(statement: Statement, request: Request) -> Truth:
    """Whether action, resource and conditions fit. Cheap tests come first, and the first no ends it."""

    def parts() -> Iterator[Truth]:
        yield of(acts_on(statement.action, request.action.lower()))
        yield YES if statement.resource is None else _resource(statement.resource, request)
        yield from (holds(condition, request.context) for condition in statement.conditions)

    return every(parts())


def acts_on(covered: Covered, action: str) -> bool:
    """Whether an element of actions means an action in lower case: they have no case and no variables."""
    for pattern in covered.patterns:
        if fits(cast("tuple[Solid, ...]", pattern.pieces), action):
            return not covered.inverted
    return covered.inverted


def _resource(covered: Covered, request: Request) -> Truth:
    fitting = some(_entry(pattern, request.resource, request.context) for pattern in covered.patterns)
    if not covered.inverted:
        return fitting
    short = next(
        (pattern for pattern in covered.patterns if pattern.text.count(":") < PARTS - 1 and pattern.text != "*"), None
    )
    if short is not None and fitting.value is False:
        return unknown(f"what {short.text!r}, with fewer than six parts, excepts in NotResource")
    return negated(fitting)


def _entry(pattern: Pattern, resource: str, context: Context) -> Truth:
    if pattern.text.startswith("execute-api:/"):
        return unknown(f"the resource {pattern.text!r}, which API Gateway completes when the policy is stored")
    if _variable_too_early(pattern):
        return unknown(f"a policy variable before the resource part of {pattern.text!r}")
    found = replaced(pattern, context, wildcards=True)
    if found.unknown:
        return unknown(found.unknown)
    return NO if found.pieces is None else resource_matches(found.pieces, resource)


def _variable_too_early(pattern: Pattern) -> bool:
    """Variables may stand only after the fifth colon (reference_policies_variables)."""
    colons = 0
    for piece in pattern.pieces:
        if isinstance(piece, str):
            colons += piece.count(":")
        elif isinstance(piece, Variable) and colons < PARTS - 1:
            return True
    return False
