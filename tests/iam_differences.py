"""Where the independent simulator and AWS's documentation differ, and the documentation settles it for us.

Each entry says what it is recognised by, which answers it explains, and where AWS says so. A difference that no entry
explains fails the comparison; in particular nothing else may be allowed here that the simulator denies.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from caisson.assurance.iam.decision import Decision

Case = dict[str, Any]
GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
LOGIC = GUIDE + "reference_policies_evaluation-logic_policy-eval-denyallow.html"
KINDS = (
    "identity_policies", "boundary", "session_policy", "vpc_endpoint_policies", "resource_policy", "scps", "rcps",
)  # fmt: skip

MORE = {("allow", "deny_implicit")}
FEWER = {("deny_implicit", "allow")}
INVERTED = MORE | {("deny_explicit", "allow"), ("deny_explicit", "deny_implicit")}
"""A statement with an inverted test covers the request for us, and not for the simulator."""

DENIED = {("allow", "deny_explicit"), ("deny_implicit", "deny_explicit")}


@dataclass(frozen=True)
class Difference:
    """One rule of AWS that the simulator does not have."""

    name: str
    answers: set[tuple[str, str]]
    """Ours and theirs."""
    page: str
    says: str
    """What the page says, in short."""
    recognised: Callable[[Case, Decision], bool]


def _policies(case: Case) -> Iterator[dict[str, Any]]:
    waiting = [case.get(kind) for kind in KINDS]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        elif isinstance(found, dict) and "policies" in found:
            waiting.append(found["policies"])
        elif found:
            yield found


def _statements(case: Case) -> Iterator[dict[str, Any]]:
    for policy in _policies(case):
        found = policy["Statement"]
        yield from found if isinstance(found, list) else [found]


def _root(case: Case, _: Decision) -> bool:
    return str(case["request"]["principal"]).endswith(":root")


def _federated(case: Case) -> bool:
    return ":federated-user/" in case["request"]["principal"]


def _granted_itself(case: Case, ours: Decision) -> bool:
    """Allowed by a resource policy, past a session policy that does not allow."""
    used = {statement.pointer.split("/")[1] for statement in ours.statements}
    return bool(case.get("session_policy")) and "resource_policy" in used and "session_policy" not in used


def _without_value(case: Case, _: Decision) -> bool:
    """A variable has no value where a test is inverted."""
    present = {key.lower() for key in case["request"]["context"]}

    def missing(part: Any) -> bool:
        return any(key.lower() not in present for key in re.findall(r"\$\{([\w:/]+)\}", json.dumps(part)))

    return any(
        missing(statement.get("NotResource", []))
        or any(missing(keys) for operator, keys in statement.get("Condition", {}).items() if "Not" in operator)
        for statement in _statements(case)
    )


def _other_version_of_ip(case: Case, _: Decision) -> bool:
    """NotIpAddress sets an address beside a range of the other version."""
    source = {key.lower(): value for key, value in case["request"]["context"].items()}.get("aws:sourceip")
    tested = [
        one
        for statement in _statements(case)
        for operator, keys in statement.get("Condition", {}).items()
        for ranges in keys.values()
        for one in (ranges if isinstance(ranges, list) else [ranges])
        if operator.startswith("NotIpAddress")
    ]
    return source is not None and any(
        ipaddress.ip_network(one, strict=False).version != ipaddress.ip_address(source).version for one in tested
    )


def _literal_variables(case: Case, _: Decision) -> bool:
    """A policy of the old version has the text of a variable in it."""
    return any(policy.get("Version") != "2012-10-17" and "${" in json.dumps(policy) for policy in _policies(case))


DIFFERENCES = (
    Difference("root user", MORE, LOGIC, "all are denied by default but the root user, which has full access", _root),
    Difference(
        "root user and roles", FEWER, "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
        "you cannot call AssumeRole by using root user credentials", _root,
    ),
    Difference(
        "federated user without session policy", FEWER,
        GUIDE + "id_credentials_temp_control-access_getfederationtoken.html",
        "if you do not pass a policy, the session has no permissions",
        lambda case, _: _federated(case) and not case.get("session_policy"),
    ),
    Difference(
        "federated user and STS", FEWER, GUIDE + "id_credentials_temp_request.html",
        "GetFederationToken credentials cannot call STS operations but GetCallerIdentity",
        lambda case, _: _federated(case) and case["request"]["action"].startswith("sts:"),
    ),
    Difference(
        "role without trust policy", FEWER, LOGIC, "trust policies must explicitly allow access for principals",
        lambda case, _: case["request"]["action"].startswith("sts:") and not case.get("resource_policy"),
    ),
    Difference(
        "granted to the session", MORE, LOGIC,
        "what is granted directly to a session is not limited by an implicit deny in a session policy", _granted_itself,
    ),
    Difference(
        "variable without value", INVERTED, GUIDE + "reference_policies_variables.html",
        "inverted operators match against a null value; a resource with it matches no resource", _without_value,
    ),
    Difference(
        "variables in the old version", INVERTED | FEWER | DENIED, GUIDE + "reference_policies_variables.html",
        "without version 2012-10-17 variables are literal strings", _literal_variables,
    ),
    Difference(
        "NotIpAddress across versions of IP", INVERTED, GUIDE + "reference_policies_elements_condition_operators.html",
        "NotIpAddress is all addresses except the specified range", _other_version_of_ip,
    ),
)  # fmt: skip


def explained(case: Case, ours: Decision, theirs: str) -> str | None:
    """The name of what explains a difference."""
    answers = (ours.outcome.value, theirs)
    for difference in DIFFERENCES:
        if answers in difference.answers and difference.recognised(case, ours):
            return difference.name
    return None
