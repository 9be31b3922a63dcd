"""What IAM answers to one request, by the policies that a test names; all others allow."""

from __future__ import annotations

from typing import Any

from caisson.assurance.iam.context import Context, Values
from caisson.assurance.iam.decision import Outcome, decide
from caisson.assurance.iam.principals import identity
from caisson.assurance.iam.request import Policies, Request
from caisson.assurance.proofs.estate import ADMINISTRATOR


def outcome(
    principal: str, action: str, on: str, context: dict[str, Any], *, account: str = "222222222222", **documents: Any
) -> Outcome:
    asking = identity(principal)
    assert asking is not None
    said = {"aws:principalarn": principal, "aws:principalaccount": asking.account} | context
    values = {
        key.lower(): Values(tuple(one), single=False) if isinstance(one, list) else Values((one,), single=True)
        for key, one in said.items()
        if one is not None
    }
    request = Request(principal=asking, action=action, resource=on, resource_account=account, context=Context(values))
    return decide(request, Policies(**{"identity": (ADMINISTRATOR,), **documents})).outcome
