"""Statements put into as few policies as AWS takes, and the limits of an organization.

- A statement is never cut: the parts of a Deny with NotResource would each deny what the other part allows.
- Packing keeps the order, so that the same statements give the same policies.

>>> [limit.characters for limit in (LIMITS["SERVICE_CONTROL_POLICY"], LIMITS["RESOURCE_CONTROL_POLICY"])]
[10240, 5120]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from caisson.deploy.policies.statement import Statement, characters, merged
from caisson.errors import OperatorError

Kind = Literal["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "BEDROCK_POLICY"]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What an organization takes of one type of policy (Organizations user guide, orgs_reference_limits)."""

    characters: int
    """Longest document, minified."""
    per_target: int
    """Policies that may be attached to one account or unit."""
    standing: int
    """Policies that AWS attaches everywhere by itself and that stay: FullAWSAccess, RCPFullAWSAccess."""

    @property
    def free(self) -> int:
        """Policies of ours that one target can take."""
        return self.per_target - self.standing


LIMITS: dict[Kind, Limit] = {
    "SERVICE_CONTROL_POLICY": Limit(characters=10_240, per_target=10, standing=1),
    "RESOURCE_CONTROL_POLICY": Limit(characters=5_120, per_target=5, standing=1),
    "BEDROCK_POLICY": Limit(characters=10_000, per_target=10, standing=0),
}
INLINE_CHARACTERS_MAX = 10_240
"""Inline policy of a permission set (IAM Identity Center API reference, PutInlinePolicyToPermissionSet)."""


def packed(statements: Sequence[Statement], kind: Kind) -> tuple[tuple[Statement, ...], ...]:
    """The merged statements in groups, each of which fits into one policy.

    Raises:
        OperatorError: one statement alone is too long.
    """
    limit = LIMITS[kind].characters
    groups: list[tuple[Statement, ...]] = []
    current: tuple[Statement, ...] = ()
    for statement in merged(statements):
        alone = characters((statement,))
        if alone > limit:
            raise OperatorError(
                f"expected policy statement {statement.sid!r} within AWS's {limit} characters, found {alone}; "
                "name fewer models or guardrails, because what a Deny spares cannot be split over policies"
            )
        if current and characters((*current, statement)) > limit:
            groups.append(current)
            current = ()
        current = (*current, statement)
    return (*groups, current) if current else tuple(groups)


def check_attachments(attachments: Iterable[tuple[Kind, str]]) -> dict[Kind, dict[str, int]]:
    """How many policies of each type each target gets. `attachments` holds a pair for each policy and target.

    Raises:
        OperatorError: a target would get more than it can take.
    """
    counted = Counter(attachments)
    for (kind, target), count in counted.items():
        if count > LIMITS[kind].free:
            raise OperatorError(
                f"expected at most {LIMITS[kind].free} policies of type {kind} on {target}, found {count}; "
                "name fewer models or guardrails, or give zones accounts of their own"
            )
    found: dict[Kind, dict[str, int]] = {}
    for (kind, target), count in sorted(counted.items()):
        found.setdefault(kind, {})[target] = count
    return found
