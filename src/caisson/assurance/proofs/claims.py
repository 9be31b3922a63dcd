"""Claims as values: who may never do what, but for which exceptions; and who must still be able to do what.

A claim reads like the policies that it is about. `actions` on anything are never allowed to principals of `accounts`,
unless one of the exceptions (`but`) covers the request. A claim that is kept by denying everything is worth nothing:
each names requests that must be allowed (`still`).

>>> claim = Claim(id="x", controls=("NET-02",), says="…", accounts=("222222222222",), actions=("bedrock:Invoke*",))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from caisson.assurance.iam.document import Kind, Statement
from caisson.assurance.iam.grammar import policy


@dataclass(frozen=True, kw_only=True)
class Spared:
    """Requests that a claim spares: all of what is given must fit."""

    actions: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """As in a policy."""

    def statement(self) -> Statement:
        """As a statement, which the evaluator reads."""
        written: dict[str, Any] = {"Effect": "Deny", "Action": [*self.actions], "Resource": [*self.resources]}
        if self.conditions:
            written["Condition"] = {name: dict(block) for name, block in self.conditions.items()}
        document = {"Version": "2012-10-17", "Statement": [written]}
        return policy(document, Kind.SERVICE_CONTROL, "").statements[0]


@dataclass(frozen=True, kw_only=True)
class Still:
    """A request that must be allowed, whatever the claim forbids."""

    principal: str
    """ARN of a role."""
    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim."""

    id: str
    """`guardrail.pinned`."""
    controls: tuple[str, ...]
    """Controls of the catalogue that it shows."""
    says: str
    """One sentence that a reader can check against `actions` and `but`."""
    accounts: tuple[str, ...]
    """Whose principals: every role, user and root user of these, with any permissions that IAM can give."""
    actions: tuple[str, ...]
    """Patterns of actions, `bedrock:Create*`."""
    on: tuple[str, ...] = ("*",)
    """Patterns of resources; `*` is everything."""
    but: tuple[Spared, ...] = ()
    """What is not against the claim."""
    still: tuple[Still, ...] = ()
    """What must be allowed all the same."""
    owner: str = ""
    """Account of the resources; the principal's own where empty."""
    who: tuple[str, ...] = ()
    """ARNs of the only principals that it is about, with no more than the estate says that they hold; `accounts` then
    counts for nothing."""
    given: Mapping[str, str | None] = field(default_factory=dict)
    """What every request says of a condition key, in lower case; None: nothing. As of a session with a tag."""
    about: str = ""
    """What the claims with this name are about; empty: the whole organization."""
    place: str = ""
    """Where that stands, `file:line: /pointer`; empty where it is in no file."""
    by: Literal["members", "outsiders", "services"] = "members"
    """Whose requests: principals of `accounts`; of an account that is not of the organization; or services of AWS,
    acting for whoever made them."""
