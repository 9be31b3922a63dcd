"""Cases read from JSON Lines: one request with its policies a line.

    {"id": "read", "request": {"principal": "arn:aws:iam::111122223333:user/ana", "action": "s3:GetObject",
     "resource": "arn:aws:s3:::records/1", "resource_account": "111122223333", "context": {}},
     "identity_policies": [{"Version": "2012-10-17", "Statement": […]}]}

Every field but `id` and `request` may be left out or null, which means that there is no policy of that kind. An unknown
field, a repeated key or a policy that AWS would not store is a problem with line and JSON pointer, and the case is not
decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from caisson.assurance.iam.context import Context, Values
from caisson.assurance.iam.document import Kind, Policy
from caisson.assurance.iam.grammar import Unreadable, policy
from caisson.assurance.iam.place import Number, Problem, decode, is_text, named, step
from caisson.assurance.iam.principals import ACCOUNT, EXPECTED, principal
from caisson.assurance.iam.request import Level, Policies, Request
from caisson.assurance.iam.services import assumes_role

LINE_BYTES_MAX = 1024 * 1024
"""Fifty policies of the largest size that AWS stores, 20,480 characters, fit in."""
VALUES_MAX = 1_000
"""Values of one condition key; AWS sends at most some tens."""
PROBLEMS_MAX = 100
"""Problems that one line is searched for."""

_FIELDS = (
    "id", "request", "identity_policies", "boundary", "session_policy", "vpc_endpoint_policies", "resource_policy",
    "scps", "rcps",
)  # fmt: skip
_REQUEST = ("principal", "action", "resource", "resource_account", "context")
_LEVEL = ("target", "policies")
_ACTION = re.compile(r"[A-Za-z0-9-]+:[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case to decide."""

    id: str | int
    """Of the input, to find the answer by."""
    request: Request
    policies: Policies


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A line that is no case."""

    line: int
    problems: tuple[Problem, ...]


def cases(lines: Iterable[bytes]) -> Iterator[Case | Rejected]:
    """Read lines one at a time. Empty lines are passed over."""
    for number, raw in enumerate(lines, start=1):
        if len(raw) <= LINE_BYTES_MAX and not raw.strip():
            continue
        read = _Reading()
        case = read.case(raw)
        yield Rejected(line=number, problems=tuple(read.problems[:PROBLEMS_MAX])) if case is None else case


class _Reading:
    """One line being read."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, pointer: str, message: str) -> None:
        self.problems.append(Problem(pointer, message))

    def case(self, raw: bytes) -> Case | None:
        value = self.json(raw)
        if value is None:
            return None
        self.keys(value, _FIELDS, "")
        identifier = self.identifier(value)
        request = self.request(value.get("request"))
        kind = Kind.TRUST if request is not None and assumes_role(request) else Kind.RESOURCE
        read = Policies(
            identity=self.documents(value, "identity_policies", Kind.IDENTITY),
            boundary=self.documents(value, "boundary", Kind.BOUNDARY),
            session=self.documents(value, "session_policy", Kind.SESSION),
            endpoint=self.documents(value, "vpc_endpoint_policies", Kind.ENDPOINT),
            resource=self.documents(value, "resource_policy", kind),
            scps=self.levels(value, "scps", Kind.SERVICE_CONTROL),
            rcps=self.levels(value, "rcps", Kind.RESOURCE_CONTROL),
        )
        if self.problems or request is None:
            return None
        return Case(id=identifier, request=request, policies=read)

    def json(self, raw: bytes) -> dict[str, Any] | None:
        if len(raw) > LINE_BYTES_MAX:
            self.problem("", f"expected at most {LINE_BYTES_MAX:,} bytes a line, found {len(raw):,}")
            return None
        try:
            value, self.problems = decode(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            self.problem("", f"expected UTF-8, found byte {raw[error.start]:#04x} at byte {error.start}")
            return None
        if not self.problems and not isinstance(value, dict):
            self.problem("", f"expected an object, found {named(value)}")
        return None if self.problems else value

    def keys(self, value: dict[str, Any], allowed: tuple[str, ...], pointer: str) -> None:
        for key in value:
            if key not in allowed:
                self.problem(step(pointer, key), f"expected one of {', '.join(allowed)}, found {key[:80]!r}")

    def identifier(self, value: dict[str, Any]) -> str | int:
        found = value.get("id")
        if isinstance(found, Number) and found.lstrip("-").isdigit() and len(found) < 20:
            return int(found)
        if not is_text(found) or not found:
            self.problem("/id", f"expected text or an integer, found {named(found) if 'id' in value else 'none'}")
            return ""
        return found

    def request(self, value: Any) -> Request | None:
        if not isinstance(value, dict):
            self.problem("/request", f"expected an object, found {named(value)}")
            return None
        self.keys(value, _REQUEST, "/request")
        texts = {key: self.text(value, key) for key in _REQUEST[:4]}
        asking = principal(texts["principal"]) if texts["principal"] else None
        if texts["principal"] and asking is None:
            self.problem("/request/principal", f"expected {EXPECTED}, found {named(texts['principal'])}")
        if texts["action"] and not _ACTION.fullmatch(texts["action"]):
            self.problem("/request/action", f"expected one action such as s3:GetObject, found {named(texts['action'])}")
        resource = texts["resource"]
        if resource and resource != "*" and ("*" in resource or "?" in resource or not resource.startswith("arn:")):
            self.problem("/request/resource", f"expected one ARN, without wildcards, or '*', found {named(resource)}")
        if texts["resource_account"] and not ACCOUNT.fullmatch(texts["resource_account"]):
            message = f"expected twelve digits, found {named(texts['resource_account'])}"
            self.problem("/request/resource_account", message)
        context = self.context(value.get("context"))
        if asking is None or self.problems:
            return None
        return Request(principal=asking, action=texts["action"], resource=resource,
                       resource_account=texts["resource_account"], context=context)  # fmt: skip

    def text(self, value: dict[str, Any], key: str) -> str:
        found = value.get(key)
        if not is_text(found) or not found:
            self.problem(f"/request/{key}", f"expected text, found {named(found) if key in value else 'none'}")
            return ""
        return found

    def context(self, value: Any) -> Context:
        if value is None:
            return Context({})
        if not isinstance(value, dict):
            self.problem("/request/context", f"expected an object of condition keys, found {named(value)}")
            return Context({})
        read: dict[str, Values] = {}
        for key, found in value.items():
            at = step("/request/context", key)
            if key.lower() in read:
                self.problem(at, "expected each key once, found it again in another case")
            several = isinstance(found, list)
            if several and len(found) > VALUES_MAX:
                self.problem(at, f"expected at most {VALUES_MAX:,} values, found {len(found):,}")
                continue
            texts = [self.context_value(one, step(at, index) if several else at)
                     for index, one in enumerate(found if several else [found])]  # fmt: skip
            read[key.lower()] = Values(tuple(texts), single=not several)
        return Context(read)

    def context_value(self, value: Any, pointer: str) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return str(value)
        self.problem(pointer, f"expected text, a number, a boolean or a list of them, found {named(value)}")
        return ""

    def documents(self, value: dict[str, Any], field: str, kind: Kind, pointer: str = "") -> tuple[Policy, ...]:
        """A bare document, a list of them, or null."""
        found, at = value.get(field), step(pointer, field)
        if found is None:
            return ()
        read = []
        several = isinstance(found, list)
        for index, document in enumerate(found if several else [found]):
            try:
                read.append(policy(document, kind, step(at, index) if several else at))
            except Unreadable as error:
                self.problems += error.problems
        return tuple(read)

    def levels(self, value: dict[str, Any], field: str, kind: Kind) -> tuple[Level, ...]:
        """Root to account, each with its policies."""
        found = value.get(field)
        if found is None:
            return ()
        if not isinstance(found, list):
            self.problem(f"/{field}", f"expected a list from root to account, found {named(found)}")
            return ()
        read = []
        for index, level in enumerate(found):
            at = step(f"/{field}", index)
            if not isinstance(level, dict):
                self.problem(at, f"expected an object with target and policies, found {named(level)}")
                continue
            self.keys(level, _LEVEL, at)
            target = level.get("target")
            if not is_text(target) or not target:
                found_target = named(target) if "target" in level else "none"
                self.problem(step(at, "target"), f"expected text, found {found_target}")
                target = ""
            if "policies" not in level:
                self.problem(at, "expected policies, found none")
            read.append(Level(target=target, policies=self.documents(level, "policies", kind, at)))
        return tuple(read)
