"""Policy documents read into values, or what is wrong with them.

The grammar is that of reference_policies_grammar, narrowed by what each kind of policy may say (`_RULES`). An element
that the grammar does not have, such as "Actoin", is a problem: a statement that says less or more than its author
meant is worse than none. Not checked: sizes, which characters a Sid may have, and whether actions and condition keys
exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from caisson.assurance.iam.condition import Condition
from caisson.assurance.iam.document import Covered, Effect, Kind, Policy, Statement
from caisson.assurance.iam.operators import Operator, Test, operator
from caisson.assurance.iam.pattern import Pattern, Wild, parse
from caisson.assurance.iam.place import Problem, is_text, named, step
from caisson.assurance.iam.principal_element import PrincipalElement
from caisson.assurance.iam.principal_grammar import principal_element

VERSIONS = ("2012-10-17", "2008-10-17")
VERSION_WITH_VARIABLES = "2012-10-17"


@dataclass(frozen=True, slots=True)
class _Rules:
    """What one kind of policy may say."""

    principal: bool
    """Statements name principals; otherwise they must not."""
    resource: bool | None
    """Statements name resources; None: they may leave it out."""


_RULES = {
    Kind.IDENTITY: _Rules(False, True),
    Kind.BOUNDARY: _Rules(False, True),
    Kind.SESSION: _Rules(False, True),
    Kind.SERVICE_CONTROL: _Rules(False, True),
    Kind.RESOURCE_CONTROL: _Rules(True, True),
    Kind.ENDPOINT: _Rules(True, True),
    Kind.RESOURCE: _Rules(True, None),
    Kind.TRUST: _Rules(True, None),
}
_DOCUMENT = ("Version", "Id", "Statement")
_STATEMENT = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[\w*?.-]+", re.ASCII)


class Unreadable(Exception):  # noqa: N818  (carries problems to the caller that collects them)
    """A document that AWS would not store."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


def policy(value: Any, kind: Kind, pointer: str = "") -> Policy:
    """Read a document.

    Args:
        value: as `place.decode` gives it.
        kind: where the policy is attached.
        pointer: where the document stands in the input.

    Raises:
        Unreadable: with every problem found, each with its pointer.
    """
    reading = _Reading(kind, [])
    statements = reading.document(value, pointer)
    if reading.problems:
        raise Unreadable(reading.problems)
    return Policy(kind=kind, statements=tuple(statements))


@dataclass(slots=True)
class _Reading:
    """One document being read."""

    kind: Kind
    problems: list[Problem]
    variables: bool = False

    def problem(self, pointer: str, message: str) -> None:
        self.problems.append(Problem(pointer, message))

    def keys(self, value: dict[str, Any], allowed: tuple[str, ...], pointer: str, what: str) -> None:
        for key in value:
            if key not in allowed:
                close = get_close_matches(key, allowed, n=1)
                hint = f" (did you mean {close[0]!r}?)" if close else ""
                self.problem(step(pointer, key), f"expected an element of a {what}, found {key[:80]!r}{hint}")

    def document(self, value: Any, pointer: str) -> list[Statement]:
        if not isinstance(value, dict):
            self.problem(pointer, f"expected a policy document, found {named(value)}")
            return []
        self.keys(value, _DOCUMENT, pointer, "policy")
        version = value.get("Version", "2008-10-17")
        if version not in VERSIONS:
            self.problem(step(pointer, "Version"), f"expected {' or '.join(VERSIONS)}, found {named(version)}")
        self.variables = version == VERSION_WITH_VARIABLES
        if not is_text(value.get("Id", "")):
            self.problem(step(pointer, "Id"), f"expected text, found {named(value['Id'])}")
        if "Statement" not in value:
            self.problem(pointer, "expected a Statement, found none")
            return []
        found, at = value["Statement"], step(pointer, "Statement")
        if isinstance(found, list):
            read = [self.statement(one, step(at, index)) for index, one in enumerate(found)]
        else:
            read = [self.statement(found, at)]
        return [one for one in read if one is not None]

    def statement(self, value: Any, pointer: str) -> Statement | None:
        if not isinstance(value, dict):
            self.problem(pointer, f"expected a statement, found {named(value)}")
            return None
        self.keys(value, _STATEMENT, pointer, "statement")
        before = len(self.problems)
        effect = value.get("Effect")
        if effect not in ("Allow", "Deny"):
            found = "none" if effect is None else named(effect)
            self.problem(step(pointer, "Effect") if "Effect" in value else pointer,
                         f"expected the Effect Allow or Deny, found {found}")  # fmt: skip
        sid = value.get("Sid")
        if not is_text(value.get("Sid", "")):
            self.problem(step(pointer, "Sid"), f"expected text, found {named(sid)}")
        rules = _RULES[self.kind]
        principal = self.principal(value, pointer, rules)
        action = self.covered(value, "Action", pointer, needed=True)
        resource = self.covered(value, "Resource", pointer, needed=rules.resource is True)
        conditions = self.conditions(value.get("Condition", {}), step(pointer, "Condition"))
        if self.kind is Kind.RESOURCE_CONTROL:
            self.resource_control(value, pointer)
        if len(self.problems) > before or action is None:
            return None
        return Statement(pointer=pointer, sid=sid, effect=Effect(effect), principal=principal, action=action,
                         resource=resource, conditions=tuple(conditions))  # fmt: skip

    def one_of(self, value: dict[str, Any], name: str, pointer: str, *, needed: bool) -> str | None:
        """Which of `Name` and `NotName` is there."""
        present = [key for key in (name, f"Not{name}") if key in value]
        if len(present) == 2:
            self.problem(step(pointer, present[1]), f"expected {name} or Not{name}, found both")
            return None
        if not present and needed:
            self.problem(pointer, f"expected {name} or Not{name}, found neither")
        return present[0] if present else None

    def principal(self, value: dict[str, Any], pointer: str, rules: _Rules) -> PrincipalElement | None:
        key = self.one_of(value, "Principal", pointer, needed=rules.principal)
        if key is None:
            return None
        if not rules.principal:
            self.problem(step(pointer, key), f"expected no principal ({self.kind.value}), found {key}")
            return None
        if key == "NotPrincipal" and self.kind in (Kind.TRUST, Kind.RESOURCE_CONTROL):
            self.problem(step(pointer, key), f"expected Principal ({self.kind.value}), found NotPrincipal")
            return None
        element, problems = principal_element(value[key], step(pointer, key), inverted=key == "NotPrincipal")
        self.problems += problems
        return element

    def covered(self, value: dict[str, Any], name: str, pointer: str, *, needed: bool) -> Covered | None:
        key = self.one_of(value, name, pointer, needed=needed)
        if key is None:
            return None
        at, found = step(pointer, key), value[key]
        entries = found if isinstance(found, list) else [found]
        if not entries:
            self.problem(at, "expected at least one entry, found an empty list")
        patterns = []
        for index, entry in enumerate(entries):
            where = step(at, index) if isinstance(found, list) else at
            if not is_text(entry):
                self.problem(where, f"expected text, found {named(entry)}")
            elif name == "Action":
                if not _ACTION.fullmatch(entry):
                    self.problem(where, f"expected an action such as s3:GetObject or '*', found {named(entry)}")
                patterns.append(parse(entry.lower(), variables=False))
            else:
                patterns.append(self.resource(entry, where))
        return Covered(tuple(patterns), key.startswith("Not"))

    def resource(self, entry: str, where: str) -> Pattern:
        pattern = parse(entry, variables=self.variables)
        everything = all(piece is Wild.MANY for piece in pattern.pieces) and pattern.pieces
        if not everything and not entry.startswith(("arn:", "execute-api:/")):
            self.problem(where, f"expected an ARN or '*', found {named(entry)}")
        return pattern

    def conditions(self, value: Any, pointer: str) -> list[Condition]:
        if not isinstance(value, dict):
            self.problem(pointer, f"expected an object of condition operators, found {named(value)}")
            return []
        read = []
        for name, keys in value.items():
            at = step(pointer, name)
            if not isinstance(keys, dict):
                self.problem(at, f"expected an object of condition keys, found {named(keys)}")
                continue
            for key, values in keys.items():
                which = operator(name)
                read.append(Condition(which, key, tuple(self.condition_values(values, which, step(at, key)))))
        return read

    def condition_values(self, found: Any, which: Operator, pointer: str) -> Iterable[Pattern]:
        values = found if isinstance(found, list) else [found]
        if not values:
            self.problem(pointer, "expected at least one value, found an empty list")
        for index, value in enumerate(values):
            if isinstance(value, bool):
                text = "true" if value else "false"
            elif isinstance(value, str):
                text = str(value)
            else:
                where = step(pointer, index) if isinstance(found, list) else pointer
                self.problem(where, f"expected text, a number or a boolean, found {named(value)}")
                continue
            yield parse(text, variables=self.variables, wildcards=which.test in (Test.STRING_LIKE, Test.ARN))

    def resource_control(self, value: dict[str, Any], pointer: str) -> None:
        """What only resource control policies must heed (orgs_manage_policies_rcps_syntax)."""
        if "NotAction" in value:
            self.problem(step(pointer, "NotAction"), "expected Action in a resource control policy, found NotAction")
        if value.get("Principal", "*") not in ("*", {"AWS": "*"}):
            self.problem(step(pointer, "Principal"), "expected '*' in a resource control policy")
        everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
        said = {key: found[0] if isinstance(found, list) and len(found) == 1 else found for key, found in value.items()}
        if said.pop("Effect", None) == "Allow" and {"Effect": "Allow", **said, "Sid": ""} != {**everything, "Sid": ""}:
            self.problem(step(pointer, "Effect"), "expected Deny, as only RCPFullAWSAccess allows, found Allow")
