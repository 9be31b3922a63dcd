"""One request and all policies of an estate that concern it."""

from __future__ import annotations

from collections.abc import Sequence

from caisson.assurance.iam.context import Context, Values
from caisson.assurance.iam.decision import Decision, decide
from caisson.assurance.iam.principals import Principal, identity
from caisson.assurance.iam.request import Policies, Request
from caisson.assurance.proofs.claims import Still
from caisson.assurance.proofs.estate import ADMINISTRATOR, Estate
from caisson.assurance.proofs.principals import said_of


def named(arn: str) -> Principal:
    """The identity with this ARN."""
    found = identity(arn)
    if found is None:
        raise ValueError(f"expected the ARN of an identity, found {arn!r}")
    return found


def decided(still: Still, estate: Estate) -> Decision:
    """What is decided of a request that must be allowed."""
    asking = named(still.principal)
    context = {**said_of(asking, estate), **{key.lower(): _values(value) for key, value in still.context.items()}}
    request = Request(
        principal=asking, action=still.action, resource=still.resource, resource_account=asking.account,
        context=Context(context),
    )  # fmt: skip
    return decide(request, policies_of(request, estate))


def _values(value: str | Sequence[str]) -> Values:
    return Values((value,), single=True) if isinstance(value, str) else Values(tuple(value), single=False)


def policies_of(request: Request, estate: Estate) -> Policies:
    """What decides a request: what the principal holds, or the most that IAM and the resource can give, and the
    organization's limits."""
    held = estate.held.get(request.principal.text)
    if held is not None:
        own = estate.guarded.get(request.resource)
        return Policies(
            identity=held.identity,
            boundary=held.boundary,
            endpoint=estate.through,
            resource=() if own is None else (own,),
            scps=estate.scps(request.principal.account),
            rcps=estate.rcps(request.resource_account),
        )
    return Policies(
        identity=(ADMINISTRATOR,),
        endpoint=estate.through,
        resource=(estate.policy_of(request.resource),),
        scps=estate.scps(request.principal.account),
        rcps=estate.rcps(request.resource_account),
    )
