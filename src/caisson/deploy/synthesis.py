"""`caisson synth`: a system file turned into the files of a deployment. The same file gives the same bytes.

>>> "rows.json" in synthesize(read(Path("examples/aws/caisson.yaml"))).files
True
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caisson import __version__
from caisson.deploy import toolchain
from caisson.deploy.acceptance import refusals, weakened
from caisson.deploy.destinations import destinations
from caisson.deploy.landscape import Landscape, guardrail_pin, landscape
from caisson.deploy.output import text_of
from caisson.deploy.parts import BUILT, PARTS, ROWS, reasons
from caisson.deploy.picture import architecture
from caisson.deploy.policies import floor
from caisson.deploy.policies.catalogue import OrganizationPolicy, catalogue
from caisson.deploy.policies.packing import LIMITS, Kind, check_attachments
from caisson.deploy.policies.statement import minified
from caisson.errors import OperatorError, SystemFileError
from caisson.system.carriers import dotted
from caisson.system.document import Problem
from caisson.system.loader import Reading

TEMPLATE_BYTES_MAX = 1_000_000
"""Largest template (CloudFormation user guide, cloudformation-limits)."""
PICTURE = "architecture.svg"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What `synth` writes."""

    files: dict[str, str]
    """Text by path in the output folder, without the manifest."""
    manifest: dict[str, Any]


def synthesize(reading: Reading) -> Deployment:
    """The deployment of a system file.

    Raises:
        SystemFileError: the file is wrong, or asks for what `synth` cannot deploy in this version.
        OperatorError: a policy does not fit into what AWS takes.
        StartError: the extra `aws` is missing.
    """
    system = reading.require()
    reading.refuse_unbuilt("synth")
    refused = [
        Problem(position=reading.document.value_at(found.path), path=found.path, message=found.message)
        for found in refusals(system)
    ]
    if refused:
        raise SystemFileError("\n".join(_located(reading.name, problem) for problem in refused))
    land = landscape(system)
    policies = catalogue(land)
    toolchain.ready()
    from caisson.deploy.application import application  # not before the extra is known to be there

    with tempfile.TemporaryDirectory(prefix="caisson-synth-") as scratch:
        made = application(land, policies, scratch=Path(scratch))
        templates = made.templates()
    rows = _rows([built.rows for built in made.stacks])
    missing = {row: reason for row, reason in _reasons(land).items() if not rows[row]}
    files = {f"templates/{name}.json": text_of(template) for name, template in templates.items()}
    for name, text in files.items():
        if len(text.encode()) > TEMPLATE_BYTES_MAX:
            raise OperatorError(
                f"expected {name} within CloudFormation's {TEMPLATE_BYTES_MAX} bytes, found {len(text.encode())}; "
                "declare fewer words or guardrails"
            )
    files |= {f"policies/{name}.json": text_of(content) for name, content in _policies(templates)}
    files |= {"rows.json": text_of(rows), "rows.missing.json": text_of(missing)}
    stacks = [
        {
            "name": built.name,
            "part": built.part,
            "account": built.account,
            "region": built.region,
            "template": f"templates/{built.name}.json",
            "parameters": [
                {
                    "name": parameter.name,
                    "description": parameter.description,
                    "pattern": parameter.pattern,
                    "output_of": next((one.name for one in made.stacks if parameter.name in one.outputs), None),
                }
                for parameter in built.parameters
            ],
        }
        for built in made.stacks
    ]
    manifest = _manifest(reading, land, policies, stacks)
    files[PICTURE] = architecture(files, manifest)
    return Deployment(files=files, manifest=manifest)


def _located(name: str, problem: Problem) -> str:
    where = f" ({dotted(problem.path)})" if problem.path else ""
    return f"{problem.line_in(name)}{where}"


def _policies(templates: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Name and content of each policy of the organization, as the templates have them."""
    for template in templates.values():
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Organizations::Policy":
                yield resource["Properties"]["Name"], resource["Properties"]["Content"]


def _described(land: Landscape, policies: tuple[OrganizationPolicy, ...]) -> list[dict[str, Any]]:
    """Each policy with its size and targets."""
    found: list[tuple[str, Kind, tuple[str, ...], int]] = [
        (policy.name, policy.kind, policy.targets, policy.characters) for policy in policies
    ]
    if enforced := floor.targets_of(land):
        longest = guardrail_pin(floor.NAME, partition=land.partition, region=land.region, owner=land.management).example
        size = len(minified(floor.bedrock_policy(land.region, longest)))
        found.append((land.names.of(floor.NAME), "BEDROCK_POLICY", enforced, size))
    return [
        {
            "name": name,
            "type": kind,
            "targets": list(targets),
            "characters": size,
            "characters_max": LIMITS[kind].characters,
        }
        for name, kind, targets, size in found
    ]


def _rows(carried: Sequence[dict[str, list[str]]]) -> dict[str, list[str]]:
    return {row: [resource for rows in carried for resource in rows.get(row, ())] for row in ROWS}


def _reasons(land: Landscape) -> dict[str, str]:
    aws = land.system.aws
    return reasons(
        with_people=aws is not None and aws.identity_center is not None,
        with_hosts=bool(destinations(land.system)),
        with_tools=bool(land.system.tools),
        with_siem=bool(land.siem),
    )


def _manifest(
    reading: Reading, land: Landscape, policies: tuple[OrganizationPolicy, ...], stacks: list[dict[str, Any]]
) -> dict[str, Any]:
    described = _described(land, policies)
    return {
        "version": __version__,
        "system": land.system.name,
        "tier": land.system.tier,
        "organization": land.organization,
        "stacks": stacks,
        "policies": described,
        "attached": check_attachments((policy["type"], target) for policy in described for target in policy["targets"]),
        "not_built": [part for part in PARTS if part not in BUILT],
        "weakened": list(weakened(land.system)),
        "waiting": [dotted(found.path) for found in reading.waiting("synth")],
    }
