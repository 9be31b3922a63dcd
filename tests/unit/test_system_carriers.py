"""No key is parsed and ignored: each is run, refused by name, or for the other command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel

from caisson.errors import SystemFileError
from caisson.system.carriers import Carried, dotted, unbuilt
from caisson.system.entities import NATIONAL_TYPES, PII_TYPES
from caisson.system.keys import walk
from caisson.system.loader import load, read
from caisson.system.schema import System
from system_files import minimal, reading

EXAMPLES = Path(__file__).parents[2] / "examples"


def refused(system: System) -> set[str]:
    return {found.key for found in unbuilt(system, "up")}


def test_up_runs_all_of_the_claims_example() -> None:
    system = load(EXAMPLES / "claims/caisson.yaml", carrier="up")
    assert refused(system) == set()
    assert system.name == "claims-assistant"
    assert system.loosened == ()


def test_up_refuses_by_name_what_it_does_not_run() -> None:
    assert refused(load(EXAMPLES / "full/caisson.yaml")) == {
        "identity.groups.adjusters.departments",
        "identity.groups.approvers.may",
        "identity.groups.operators.may",
        "guardrails.main.content",
        "guardrails.main.topics",
        "guardrails.main.grounding",
        "knowledge",
        "tools",
        "agents.claims.knowledge",
        "agents.claims.tasks.refund.tools",
        "judge",
        "logging.forensic_custodians",
    }


def test_refusals_say_where_the_key_stands() -> None:
    path = EXAMPLES / "full/caisson.yaml"
    lines = path.read_text().splitlines()
    for problem in read(path).unbuilt("up"):
        line = lines[problem.position.line - 1]
        assert line[problem.position.column - 1 :].startswith(str(problem.path[-1])), dotted(problem.path)
    with pytest.raises(
        SystemFileError,
        match=r"caisson.yaml:82:1: expected only keys that `up` runs in this version, found 'knowledge'",
    ):
        load(path, carrier="up")


def test_a_key_that_says_nothing_asks_for_nothing() -> None:
    empty = minimal(
        knowledge={}, tools={}, agents__helper__client_tools={}, agents__helper__tasks__answer={"tools": []}
    )
    assert refused(reading(empty).require()) == set()


@pytest.mark.parametrize("entity", sorted(PII_TYPES | NATIONAL_TYPES))
def test_up_runs_every_type_of_personal_data(entity: str) -> None:
    assert refused(reading(minimal(guardrails__main__pii={entity: "block"})).require()) == set()


def test_an_entry_without_a_detector_is_refused_by_name() -> None:
    class Some(BaseModel):
        pii: Annotated[dict[str, str], Carried(by=("up",), built=("up",), entries={"up": frozenset({"EMAIL"})})]

    some = Some(pii={"EMAIL": "block", "SHOE_SIZE": "block"})
    assert [found.key for found in unbuilt(some, "up")] == ["pii.SHOE_SIZE"]


def test_synth_refuses_what_no_command_runs_and_lists_what_waits() -> None:
    path = EXAMPLES / "full/caisson.yaml"
    reading = read(path)
    assert {dotted(found.path) for found in reading.unbuilt("synth")} == {
        "identity.groups.adjusters.departments",
        "knowledge",
        "agents.claims.knowledge",
        "logging.forensic_custodians",
    }
    waiting = {dotted(found.path) for found in reading.waiting("synth")}
    assert waiting >= {"sessions", "limits", "judge.sample", "agents.claims.tasks"}
    assert waiting >= {
        "identity.groups.adjusters.clearance",
        "agents.claims.client_tools",
        "guardrails.main.prompt_leak",
    }
    assert not any(key.startswith(("aws", "sessions.", "limits.")) for key in waiting)
    assert {key for key in waiting if key.startswith("tools.")} == {
        "tools.payments.credential",
        "tools.payments.operations",
    }  # the firewall reads tools.payments.url
    assert reading.waiting("up") == ()


def test_only_keys_that_the_file_states_wait() -> None:
    waiting = {dotted(found.path) for found in reading(minimal()).waiting("synth")}
    assert waiting == {"agents.helper.tasks"}
    assert "sessions" in {dotted(found.path) for found in reading(minimal(sessions__actions=9)).waiting("synth")}


def test_types_that_aws_does_not_know_wait_for_the_gateway() -> None:
    found = reading(minimal(guardrails__main__pii={"NAME": "block", "CH_AHV": "block"}))
    assert [dotted(one.path) for one in found.waiting("synth")] == ["guardrails.main.pii.CH_AHV", "agents.helper.tasks"]
    assert found.unbuilt("synth") == ()
    assert found.unbuilt("up") == ()


def test_keys_of_aws_are_carried_by_synth_alone() -> None:
    system = reading(minimal()).require()
    assert not {found.key for found in unbuilt(system, "synth")} & {"caisson", "name", "tier", "models", "agents"}


def test_keys_for_aws_do_not_concern_up() -> None:
    system = load(EXAMPLES / "full/caisson.yaml")
    assert system.aws is not None
    assert not any(key.startswith("aws") for key in refused(system))


def test_every_key_says_what_carries_it_and_what_it_means() -> None:
    for key in walk():
        assert key.carried.by, key.pattern
        assert set(key.carried.built) <= set(key.carried.by), key.pattern
        assert key.field.description and key.field.description.endswith("."), key.pattern
