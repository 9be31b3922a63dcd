"""What a deployment would do, stage by stage, before anything is done. Pure.

- A stack that AWS does not have yet is made of its template: everything is added.
- Of a stack that it has, AWS itself says what changes (a change set), so that replacements are AWS's answer, not ours.
- Until the values are known that an earlier stage still changes, two templates are compared. Whether such a change
  replaces a resource is known when its stage begins, and asked about then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from caisson.deploy.lock import Lock, digest
from caisson.errors import DeploymentError
from caisson.ports.stacks import Change, ChangeSet, Stack

State = Literal["new", "changed", "same"]
Basis = Literal["template", "change set"]
DESTRUCTIVE = ("replace", "may replace", "delete")
"""What nobody gets without having seen it in a plan."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A value that a stack needs."""

    name: str
    description: str
    pattern: str
    output_of: str | None
    """The stack that puts it out; None: whoever deploys gives it."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stack of the manifest."""

    name: str
    part: str
    account: str
    region: str
    template: dict[str, Any]
    parameters: tuple[Parameter, ...]

    @property
    def digest(self) -> str:
        """Of the template."""
        return digest(self.template)

    @property
    def body(self) -> str:
        """The template as it is sent."""
        return json.dumps(self.template, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What AWS has of a stage."""

    stack: Stack | None
    template: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StagePlan:
    """What would become of one stack."""

    stage: Stage
    state: State
    basis: Basis
    changes: tuple[Change, ...] = ()
    waits_for: tuple[str, ...] = ()
    """Parameters whose values an earlier stage makes or may change."""

    @property
    def counts(self) -> dict[str, int]:
        """Number of changes by action."""
        found: dict[str, int] = {}
        for change in self.changes:
            found[change.action] = found.get(change.action, 0) + 1
        return found


def stages_of(manifest: Mapping[str, Any], files: Mapping[str, str]) -> tuple[Stage, ...]:
    """The stages of a synthesized deployment, in order."""
    return tuple(
        Stage(
            name=stack["name"],
            part=stack["part"],
            account=stack["account"],
            region=stack["region"],
            template=json.loads(files[stack["template"]]),
            parameters=tuple(Parameter(**parameter) for parameter in stack["parameters"]),
        )
        for stack in manifest["stacks"]
    )


def compare(old: Mapping[str, Any], new: Mapping[str, Any], *, follows: tuple[str, ...] = ()) -> Iterator[Change]:
    """Changes between two templates; `follows`: parameters that will have another value."""
    before, after = old.get("Resources", {}), new.get("Resources", {})
    for name, resource in after.items():
        if name not in before:
            yield Change(action="add", resource=name, type=resource["Type"])
            continue
        followed = [parameter for parameter in follows if _refers(resource, parameter)]
        kept = before[name].get("UpdateReplacePolicy") == "Retain"
        if resource["Type"] != before[name]["Type"]:
            yield Change(action="replace", resource=name, type=resource["Type"], kept=kept, note="another type")
        elif {**resource, "Metadata": None} != {**before[name], "Metadata": None}:
            yield Change(action="change", resource=name, type=resource["Type"], kept=kept)
        elif followed:
            yield Change(action="change", resource=name, type=resource["Type"], note=f"follows {', '.join(followed)}")
    for name, resource in before.items():
        if name not in after:
            kept = resource.get("DeletionPolicy") == "Retain"
            yield Change(action="leave" if kept else "delete", resource=name, type=resource["Type"], kept=kept)


def _refers(value: Any, parameter: str) -> bool:
    text = json.dumps(value)
    return f'"Ref": "{parameter}"' in text or f"${{{parameter}}}" in text


def waiting(stage: Stage, unsettled: Mapping[str, State]) -> tuple[str, ...]:
    """Parameters of a stage that come from stacks which are new or change; `unsettled`: state by stack."""
    return tuple(
        parameter.name
        for parameter in stage.parameters
        if parameter.output_of is not None and unsettled.get(parameter.output_of, "same") != "same"
    )


def ungiven(stages: tuple[Stage, ...], given: Mapping[str, str]) -> tuple[Parameter, ...]:
    """Parameters that no stack puts out and nobody has given."""
    found = {
        parameter.name: parameter
        for stage in stages
        for parameter in stage.parameters
        if parameter.output_of is None and parameter.name not in given
    }
    return tuple(found.values())


def check_given(stages: tuple[Stage, ...], given: Mapping[str, str]) -> None:
    """Whether values that were given are wanted, and of the right form.

    Raises:
        DeploymentError: one is not.
    """
    wanted = {p.name: p for stage in stages for p in stage.parameters if p.output_of is None}
    for name, value in given.items():
        if name not in wanted:
            raise DeploymentError(
                f"parameter {name!r}: expected one of {', '.join(sorted(wanted)) or 'none'}, which no stack puts out"
            )
        if not re.fullmatch(wanted[name].pattern, value):
            raise DeploymentError(f"parameter {name}: expected {wanted[name].pattern}, found {value!r}")


def values(stage: Stage, outputs: Mapping[str, Mapping[str, str]], given: Mapping[str, str]) -> dict[str, str]:
    """The stage's parameters; `outputs` by stack.

    Raises:
        DeploymentError: one has no value, or one that its pattern does not take.
    """
    found = {}
    for parameter in stage.parameters:
        source = given if parameter.output_of is None else outputs.get(parameter.output_of, {})
        value = source.get(parameter.name)
        if value is None:
            whence = (
                f"the output of {parameter.output_of}, which is to be deployed first"
                if parameter.output_of
                else f"--parameter {parameter.name}=…"
            )
            raise DeploymentError(
                f"{stage.name}: expected a value for {parameter.name} ({parameter.description}) from {whence}, "
                "found none"
            )
        if not re.fullmatch(parameter.pattern, value):
            raise DeploymentError(f"{stage.name}: expected {parameter.name} as {parameter.pattern}, found {value!r}")
        found[parameter.name] = value
    return found


def is_same(stage: Stage, found: Found, parameters: Mapping[str, str]) -> bool:
    """Whether AWS has the stage already, with these values."""
    stack = found.stack
    return (
        stack is not None
        and stack.status.endswith("_COMPLETE")
        and digest(found.template) == stage.digest
        and dict(stack.parameters) == dict(parameters)
    )


def check_known(stage: Stage, found: Found, lock: Lock, *, system: str, tag: str) -> None:
    """Whether what AWS has is what the lock says.

    Raises:
        DeploymentError: the stack is somebody else's, or was changed or deleted by something else.
    """
    entry, stack = lock.stacks.get(stage.name), found.stack
    if entry is not None and (entry.account, entry.region) != (stage.account, stage.region):
        raise DeploymentError(
            f"{stage.name}: the lock has it in account {entry.account}, {entry.region}, the file in {stage.account}, "
            f"{stage.region}; a stack is not moved: remove it there first (docs/deploy.md), then its entry in the lock"
        )
    if stack is None:
        if entry is not None and entry.applied is not None:
            raise DeploymentError(
                f"{stage.name}: the lock has it as {entry.id}, account {stage.account} has no such stack: it was "
                "deleted by something else. If that is meant, remove its entry from the lock; it is made anew then"
            )
        return
    if stack.tags.get(tag) != system and stack.status != "REVIEW_IN_PROGRESS":
        raise DeploymentError(
            f"{stage.name}: account {stage.account} has a stack of this name without the tag {tag}={system}: it is "
            "not Caisson's, and is left alone"
        )
    if entry is None or not found.template:
        return
    applied = entry.applied.template if entry.applied is not None else None
    target = entry.applying.template if entry.applying is not None else None
    if entry.applied is not None and stack.id != entry.id:
        raise DeploymentError(
            f"{stage.name}: the lock has {entry.id}, AWS has {stack.id}: the stack was made anew by something else. "
            "If that is meant, remove its entry from the lock; it is taken from AWS then"
        )
    if digest(found.template) not in (applied, target):
        raise DeploymentError(
            f"{stage.name}: the template that AWS has is none that the lock knows: something else changed the stack. "
            "If that is meant, remove its entry from the lock; the plan then shows what would be put back"
        )


def unseen(shown: StagePlan, proposed: ChangeSet) -> tuple[Change, ...]:
    """What AWS would destroy and the plan did not show."""
    seen = {(change.action, change.resource) for change in shown.changes}
    return tuple(
        change
        for change in proposed.changes
        if change.action in DESTRUCTIVE and (change.action, change.resource) not in seen
    )
