"""Some of the ways to open the example's deployment; `make prove-mutations` tries all of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bench.prove_openings import _opens_nothing

from caisson.assurance import templates as reader
from caisson.assurance.deployment import roles_of, sessions_of
from caisson.assurance.identities.examination import Examination
from caisson.assurance.network.examination import examine
from caisson.assurance.proofs.families import custody, keys, roles, sessions
from caisson.assurance.proofs.organization import estate
from caisson.assurance.proofs.search import prove
from caisson.assurance.verdict import Verdict
from caisson.deploy.landscape import landscape
from caisson.deploy.output import write
from caisson.deploy.synthesis import synthesize
from caisson.system.loader import read
from deployment_mutations import Change, opened

EXAMPLE = Path(__file__).parents[2] / "examples/aws/caisson.yaml"


@cache
def world() -> tuple[Any, Any, dict[str, Any], dict[str, Change]]:
    reading = read(EXAMPLE)
    made = synthesize(reading)
    templates = {name: json.loads(text) for name, text in made.files.items() if name.startswith("templates/")}
    return reading, made, templates, {change.name: change for change in opened(templates)}


def test_there_are_hundreds_and_each_is_one() -> None:
    _, _, templates, changes = world()
    assert len(changes) > 200
    assert all(change.templates != templates and change.claims for change in changes.values())


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("logging: TrailBucketPolicy TrailAlone dropped", "custody.write.trail"),
        ("logging: TrailBucketPolicy TrailWrites to everybody", "custody.deliver.trail"),
        ("logging: ArchiveKey Reading to everybody", "keys.used.archive"),
        ("logging: LoggingKey Administration without ArnLike", "keys.managed.logging"),
        ("logging: EventsPolicy OneReader dropped", "custody.read.events"),
        ("runtime: SessionRole open to everybody", "sessions.assumed"),
        ("runtime: SessionRole GatewayAssumes without ForAllValues:StringEquals", "sessions.assumed"),
        ("runtime: SessionRole TransitiveTask dropped", "sessions.transitive.Task"),
        ("runtime: GatewayRole OwnTasks to everybody", "roles.assumed: runtime/caisson-claims-eu-gateway"),
        ("evaluation: SettingsKey Reading to everybody", "keys.used.settings-evaluation"),
        ("evaluation: InvocationsBucketPolicy BedrockAlone dropped", "custody.write.invocations-evaluation"),
    ],
)
def test_policies_of_resources(name: str, claim: str) -> None:
    reading, _, _, changes = world()
    land = landscape(reading.require())
    around = estate(land, changes[name].templates)
    every = [*custody.claims(land), *keys.claims(land), *sessions.claims(land), *roles.claims(land, around)]
    (asked,) = [one for one in every if one.id == claim]
    assert claim.startswith(changes[name].claims)
    assert prove(asked, around).verdict is not Verdict.HOLDS


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("runtime: Routes with a route for one network to the internet", "network.inside: runtime"),
        ("egress: ToolSubnet1Routes with a route for private networks to a peer", "network.inside: network"),
        ("evaluation: Routes with a route for everything to a peer", "network.inside: evaluation"),
        ("evaluation: Routes with a route to a transit gateway of somebody", "network.inside: evaluation"),
        ("runtime: ModelEndpoint with another for ssm", "network.endpoint: caisson-claims-eu-runtime/OpenedEndpoint"),
    ],
)
def test_networks(name: str, claim: str, tmp_path: Path) -> None:
    reading, made, _, changes = world()
    files = {**made.files, **{file: json.dumps(one) for file, one in changes[name].templates.items()}}
    write(tmp_path / "out", files, made.manifest)
    found = {proof.claim.id: proof.verdict for proof in examine(reader.read(tmp_path / "out"), reading.require())}
    assert found[claim] is not Verdict.HOLDS


def test_what_another_policy_denies_anyway_opens_nothing() -> None:
    reading, _, templates, changes = world()
    assert _opens_nothing(reading, templates, changes["logging: EventsPolicy EncryptedTransport dropped"])
    assert not _opens_nothing(reading, templates, changes["logging: EventsPolicy OneReader dropped"])


def test_a_session_s_rights_that_name_no_session_are_broken(tmp_path: Path) -> None:
    reading, made, _, changes = world()
    change = changes["runtime: SessionPolicy OwnItems without ForAllValues:StringLike"]
    files = {**made.files, **{file: json.dumps(one) for file, one in change.templates.items()}}
    write(tmp_path / "out", files, made.manifest)
    system = reading.require()
    asked = Examination(reader.read(tmp_path / "out"), callers=roles_of(system), sessions=sessions_of(system))
    found = {proof.claim.id: proof.verdict for proof in asked.isolated()}
    assert found == {"isolation.tags: caisson-claims-eu-runtime/SessionRole by SessionId": Verdict.BROKEN}
