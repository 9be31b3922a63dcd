"""What all stacks have in common: one stack a part and account, no assets, nothing that differs from run to run.

- Resources stand directly in their stack, so that a logical id is the id that the code says.
- `Built` notes which resources carry which row; `suppress` keeps the reason for a finding beside its resource.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk

from caisson.deploy.landscape import Landscape
from caisson.deploy.policies.statement import Parameter


@dataclass(kw_only=True)
class Built:
    """A stack and what it carries."""

    part: str
    stack: Any
    """A `cdk.Stack`."""
    account: str
    region: str
    parameters: tuple[Parameter, ...] = ()
    """Values that AWS assigns and the stack needs."""
    rows: dict[str, list[str]] = field(default_factory=dict)
    """Row to `Stack/LogicalId`."""

    @property
    def name(self) -> str:
        """The stack's name."""
        return str(self.stack.stack_name)

    def carries(self, resource: Any, rows: Iterable[str]) -> None:
        """Note that a resource carries rows."""
        for row in rows:
            self.rows.setdefault(row, []).append(f"{self.name}/{resource.node.id}")


def new_stack(
    app: Any, land: Landscape, part: str, *, account: str, region: str, parameters: Sequence[Parameter] = ()
) -> Built:
    """An empty stack for a part."""
    stack = cdk.Stack(
        app,
        land.names.of(part),
        env=cdk.Environment(account=account, region=region),
        synthesizer=cdk.BootstraplessSynthesizer(),  # no assets, no bootstrap rule, and the caller's own role
        analytics_reporting=False,
        termination_protection=True,
        description=f"Caisson system {land.system.name}, {part}",
    )
    for key, value in land.names.tags.items():
        cdk.Tags.of(stack).add(key, value)
    for parameter in parameters:
        cdk.CfnParameter(
            stack,
            parameter.name,
            type="String",
            allowed_pattern=parameter.pattern,
            description=parameter.description,
            constraint_description=f"must match {parameter.pattern}",
        )
    return Built(part=part, stack=stack, account=account, region=region, parameters=tuple(parameters))


def in_order(resources: Sequence[Any]) -> None:
    """Have CloudFormation make resources one after the other."""
    for before, after in itertools.pairwise(resources):
        after.add_resource_dependency(before)


def suppress(resource: Any, reasons: Mapping[str, str]) -> None:
    """Say why findings of cdk-nag do not concern a resource: rule to reason, for cdk-nag and in the template itself."""
    for rule, reason in reasons.items():
        cdk.Validations.of(resource).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))
    resource.add_metadata(
        "cdk_nag", {"rules_to_suppress": [{"id": rule, "reason": reason} for rule, reason in reasons.items()]}
    )
