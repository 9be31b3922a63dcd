"""Everything that is claimed of a system's organization, decided from its templates (IAM-01, IAM-03, NET-02, LOG-07).

>>> [prove(claim, estate).verdict for claim in claims]  # doctest: +SKIP
[<Verdict.HOLDS: 'holds'>, …]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caisson.assurance.proofs.claims import Claim
from caisson.assurance.proofs.estate import POLICY_TYPE, Estate, parameters_of, policies_of
from caisson.assurance.proofs.families import claims, roles
from caisson.assurance.proofs.guarded import guarded_by
from caisson.assurance.proofs.shape import Json, checked
from caisson.assurance.proofs.universe import Universe, regions_of
from caisson.deploy.landscape import CONFIGURATION, Landscape, landscape
from caisson.deploy.policies import management
from caisson.deploy.policies.stream import STREAM
from caisson.deploy.retention import RECORDINGS
from caisson.deploy.synthesis import synthesize
from caisson.errors import OperatorError, SystemFileError
from caisson.system.loader import Reading

TEMPLATE_BYTES_MAX = 1_000_000
"""Largest template (CloudFormation user guide, cloudformation-limits)."""


def claimed(reading: Reading, folder: Path | None = None) -> tuple[tuple[Claim, ...], Estate]:
    """The claims about a system, and the organization that its templates make.

    Args:
        reading: the system file.
        folder: what `synth` wrote, or an edited copy of it; else the file is synthesized.

    Raises:
        SystemFileError: the file is wrong, or has no section `aws`.
        OperatorError: a template cannot be read.
    """
    system = reading.require()
    if system.aws is None:
        raise SystemFileError(f"{reading.name}: expected the section aws, whose policies are proved, found none")
    templates = synthesized(reading) if folder is None else read_templates(folder)
    land = landscape(system)
    made = estate(land, templates)
    return (*claims(land), *roles.claims(land, made)), made


def estate(land: Landscape, templates: Mapping[str, Json]) -> Estate:
    """The organization as the templates make it."""
    universe = Universe(
        partition=land.partition,
        region=land.region,
        accounts=tuple(dict.fromkeys(land.accounts.values())),
        regions=regions_of(land.partition),
    )
    owners = (land.accounts["control"],)
    values: dict[str, str] = {}
    for file, template in templates.items():
        if any(resource.get("Type") == POLICY_TYPE for resource in template["Resources"].values()):
            values |= parameters_of(file, template, universe, owners)
    levels = {place.account: tuple(dict.fromkeys((place.target, place.account))) for place in land.places}
    if land.siem:
        levels.setdefault(land.siem, (land.siem,))  # of the organization, and bound by none of our policies
    return Estate(
        organization=land.organization,
        management=land.management,
        universe=universe,
        levels=levels,
        attached=tuple(policies_of(templates, universe, owners)),
        values=values,
        guarded=guarded_by(templates, _accounts(land, templates), universe),
    )


def _accounts(land: Landscape, templates: Mapping[str, Json]) -> dict[str, str]:
    """Template of a part to the account that it is for."""
    parts = {
        "logging": "logging",
        RECORDINGS: "logging",
        STREAM: "logging",
        "guardrails": "control",
        CONFIGURATION: "control",
        "egress": "network",
        **{zone: zone for zone in land.invoking},
    }
    stacks = {f"{land.names.of(part)}.json": land.accounts[zone] for part, zone in parts.items()}
    stacks |= {
        f"{land.names.of(f'{management.SETTINGS}-{place.label}')}.json": place.account
        for place in land.places
        if place.invokes
    }
    return {file: stacks[Path(file).name] for file in templates if Path(file).name in stacks}


def synthesized(reading: Reading) -> dict[str, Json]:
    """The templates that `synth` would write, by file."""
    files = synthesize(reading).files
    return {name: json.loads(text) for name, text in files.items() if name.startswith("templates/")}


def read_templates(folder: Path) -> dict[str, Json]:
    """The templates in a folder, or in its folder `templates`.

    Raises:
        OperatorError: there is none, or one is no JSON object, or has a key twice.
    """
    place = folder / "templates" if (folder / "templates").is_dir() else folder
    files = sorted(place.glob("*.json")) if place.is_dir() else []
    if not files:
        raise OperatorError(f"{folder}: expected a folder that `synth` wrote, found no templates")
    return {str(file.relative_to(folder)): _read(file) for file in files}


def _read(file: Path) -> Json:
    try:
        if file.stat().st_size > TEMPLATE_BYTES_MAX:
            raise OperatorError(f"{file}: expected at most {TEMPLATE_BYTES_MAX:,} bytes, found more")
        found = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=lambda pairs: _once(file, pairs))
    except (OSError, ValueError, RecursionError) as error:
        raise OperatorError(f"{file}: expected a template as JSON, found {error}") from None
    return checked(str(file), found)


def _once(file: Path, pairs: list[tuple[str, Any]]) -> Json:
    made: Json = {}
    for key, value in pairs:
        if key in made:
            raise OperatorError(f"{file}: expected each key once, found {key!r} again")
        made[key] = value
    return made
