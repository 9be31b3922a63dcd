"""A policy statement as a value, and documents made of statements (IAM user guide, reference_policies_grammar).

- An intrinsic value, such as a guardrail that only the deployment knows, is a `Parameter`. It counts with its longest
  value, so that a document which fits here fits on AWS.
- `merged` joins statements that differ in actions only. `minified` is the text whose length AWS counts.

>>> deny = Statement(sid="NoUsers", effect="Deny", actions=("iam:CreateUser",), resources=("*",))
>>> minified(document((deny,)))
'{"Version":"2012-10-17","Statement":[{"Sid":"NoUsers","Effect":"Deny","Action":"iam:CreateUser","Resource":"*"}]}'
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

VERSION = "2012-10-17"
"""The only version with policy variables (IAM user guide, reference_policies_elements_version)."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A value that AWS assigns: a parameter of the template, filled in by `deploy` from `caisson.aws.lock`."""

    name: str
    """Logical id in the template."""
    description: str
    pattern: str
    """Regular expression of every acceptable value (CloudFormation, AllowedPattern)."""
    example: str
    """A value of this form, as long as any."""

    @property
    def longest(self) -> int:
        """Characters of the longest value."""
        return len(self.example)


Value = str | Parameter
Condition = Mapping[str, Mapping[str, tuple[Value, ...]]]
"""Operator to condition key to values."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement. Exactly one of actions and not_actions, and of resources and not_resources, is given."""

    sid: str
    """Letters and digits; what an access-denied message and the proofs name."""
    effect: Literal["Allow", "Deny"]
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[Value, ...] = ()
    not_resources: tuple[Value, ...] = ()
    conditions: Condition = field(default_factory=dict)
    principals: Mapping[str, tuple[Value, ...]] | Literal["*"] | None = None
    """Kind of principal to names; only in policies of resources."""

    def __post_init__(self) -> None:
        if bool(self.actions) == bool(self.not_actions) or bool(self.resources) == bool(self.not_resources):
            raise ValueError(f"expected one of actions and not_actions, and of the resources, in {self.sid!r}")


Render = Callable[[Parameter], Any]


def reference(parameter: Parameter) -> dict[str, str]:
    """A parameter as a template writes it."""
    return {"Ref": parameter.name}


def longest(parameter: Parameter) -> str:
    """A parameter as long as it can be."""
    return "x" * parameter.longest


def document(statements: Sequence[Statement], render: Render = reference) -> dict[str, Any]:
    """The policy document, with parameters as `render` writes them."""
    return {"Version": VERSION, "Statement": [_body(statement, render) for statement in statements]}


def trust(statements: Sequence[Statement]) -> dict[str, Any]:
    """A role's trust policy, which names no resource (IAM user guide, id_roles_terms-and-concepts)."""
    made = document(statements)
    for statement in made["Statement"]:
        del statement["Resource"]
    return made


def _body(statement: Statement, render: Render) -> dict[str, Any]:
    body: dict[str, Any] = {"Sid": statement.sid, "Effect": statement.effect}
    if statement.principals == "*":
        body["Principal"] = "*"
    elif statement.principals is not None:
        body["Principal"] = {kind: _listed(names, render) for kind, names in statement.principals.items()}
    for key, values in (
        ("Action", statement.actions),
        ("NotAction", statement.not_actions),
        ("Resource", statement.resources),
        ("NotResource", statement.not_resources),
    ):
        if values:
            body[key] = _listed(values, render)
    if statement.conditions:
        body["Condition"] = {
            operator: {key: _listed(values, render) for key, values in keys.items()}
            for operator, keys in statement.conditions.items()
        }
    return body


def _listed(values: Sequence[Value], render: Render) -> Any:
    """One value stands alone, which is shorter and means the same."""
    rendered = [render(value) if isinstance(value, Parameter) else value for value in values]
    return rendered[0] if len(rendered) == 1 else rendered


def minified(policy: Mapping[str, Any]) -> str:
    """The policy without white space, as AWS counts it."""
    return json.dumps(policy, separators=(",", ":"), ensure_ascii=False)


def characters(statements: Sequence[Statement]) -> int:
    """Length of the minified document with every parameter as long as it can be."""
    return len(minified(document(statements, longest)))


def merged(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The same permissions in fewer statements: those that differ in actions only become one, named after all of them.

    A statement with NotAction becomes one with its equal only: the union of two would mean something else.
    """
    found: dict[str, Statement] = {}
    for statement in statements:
        key = _apart_from_actions(statement)
        known = found.get(key)
        found[key] = (
            statement
            if known is None
            else replace(
                known,
                sid=f"{known.sid}And{statement.sid}",
                actions=tuple(dict.fromkeys(known.actions + statement.actions)),
            )
        )
    return tuple(found.values())


def _apart_from_actions(statement: Statement) -> str:
    body = _body(statement, reference)
    del body["Sid"]
    if statement.actions:
        del body["Action"]
    return json.dumps(body, sort_keys=True)
