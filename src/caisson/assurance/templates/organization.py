"""Policies of an organization from files: bare documents, or what the AWS CLI prints.

- `{"Version": …, "Statement": […]}`: a service control policy, or a resource control policy where statements name
  principals, which one of them must and the other cannot (Organizations user guide, orgs_manage_policies_scps_syntax
  and orgs_manage_policies_rcps_syntax).
- `aws organizations describe-policy`: `{"Policy": {"PolicySummary": {"Name", "Type"}, "Content": "…"}}`.
- `aws organizations list-targets-for-policy`: `{"Targets": [{"TargetId"}]}`, in `NAME.targets.json` beside `NAME.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from caisson.assurance.iam.place import decode, step
from caisson.assurance.templates.model import OrganizationPolicy
from caisson.assurance.templates.place import Flaw, Place, Problem
from caisson.assurance.templates.source import Source

TARGETS = ".targets.json"
DOCUMENT = frozenset({"Id", "Statement", "Version"})
MANAGEMENT = {
    "bedrock": "BEDROCK_POLICY",
    "ec2_attributes": "DECLARATIVE_POLICY_EC2",
    "tags": "TAG_POLICY",
}
"""First key of a management policy to its type (orgs_manage_policies_inheritance_mgmt)."""


def is_policy(value: Any) -> bool:
    """Whether a file's content is one of these."""
    return isinstance(value, dict) and (
        "Statement" in value or "Policy" in value or "Targets" in value or _managing(value)
    )


def _managing(value: dict[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)) in MANAGEMENT and all(isinstance(one, dict) for one in value.values())


def policies(
    sources: Mapping[str, Source], flaws: list[Problem], problem: Callable[[Place, str], None]
) -> tuple[OrganizationPolicy, ...]:
    """The policies in files, and what they are attached to. What is wrong goes to `flaws`."""
    targets, found = {}, []
    for file, source in sources.items():
        try:
            if "Targets" in source.value:
                targets[file] = _targets(source)
        except Flaw as flaw:
            flaws.append(flaw.problem)
    used = set()
    for file, source in sources.items():
        if "Targets" in source.value:
            continue
        beside = file.removesuffix(".json") + TARGETS
        used.add(beside)
        try:
            found.append(_policy(file, source, targets.get(beside)))
        except Flaw as flaw:
            flaws.append(flaw.problem)
            continue
        if beside not in targets:
            problem(source.place(), "nothing says what this policy is attached to")
    for file in targets:
        if file not in used:
            problem(Place(file=file), "there is no policy beside these targets")
    return tuple(found)


def _targets(source: Source) -> tuple[str, ...]:
    listed = source.value["Targets"]
    if not isinstance(listed, list):
        raise Flaw(source.place("/Targets"), "expected a list of targets, found something else")
    found = []
    for index, one in enumerate(listed):
        id_ = one.get("TargetId") if isinstance(one, dict) else None
        if not isinstance(id_, str):
            raise Flaw(source.place(f"/Targets/{index}"), "expected a target with TargetId, found something else")
        found.append(str(id_))
    return tuple(found)


def _policy(file: str, source: Source, targets: tuple[str, ...] | None) -> OrganizationPolicy:
    value = source.value
    if "Policy" in value:
        return _described(file, source, targets)
    for key in value:
        if key not in DOCUMENT and not _managing(value):
            raise Flaw(source.place(step("", key)), f"expected {', '.join(sorted(DOCUMENT))}, found {key!r}")
    return OrganizationPolicy(
        name=file.rpartition("/")[2].rpartition(".")[0], kind=_kind(value), content=value, targets=targets,
        place=source.place(),
    )  # fmt: skip


def _described(file: str, source: Source, targets: tuple[str, ...] | None) -> OrganizationPolicy:
    policy = source.value["Policy"]
    place = source.place("/Policy")
    summary = policy.get("PolicySummary") if isinstance(policy, dict) else None
    content = policy.get("Content") if isinstance(policy, dict) else None
    if not isinstance(summary, dict) or not isinstance(summary.get("Type"), str) or not isinstance(content, str):
        raise Flaw(place, "expected a policy with PolicySummary and Content, found something else")
    read, problems = decode(content)
    if problems:
        raise Flaw(source.place("/Policy/Content"), str(problems[0]))
    name = summary.get("Name")
    return OrganizationPolicy(
        name=name if isinstance(name, str) else file, kind=summary["Type"], content=read, targets=targets, place=place
    )


def _kind(value: dict[str, Any]) -> str:
    if _managing(value):
        return MANAGEMENT[next(iter(value))]
    statements = value.get("Statement")
    for one in statements if isinstance(statements, list) else [statements]:
        if isinstance(one, dict) and ("Principal" in one or "NotPrincipal" in one):
            return "RESOURCE_CONTROL_POLICY"
    return "SERVICE_CONTROL_POLICY"
