"""The catalogue: all controls, what they name exists, and every check shows something."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import caisson
from caisson.assurance.controls import CATALOGUE, FAMILIES, Control, Kind
from caisson.assurance.probes import CHECKS

PACKAGE = Path(caisson.__file__).parent
EACH = pytest.mark.parametrize("control", CATALOGUE.values(), ids=list(CATALOGUE))
COUNTS = {
    "IAM": 8, "LOG": 10, "NET": 8, "DAT": 8, "SEC": 8, "SUP": 8, "IR": 8, "TOOL": 6, "SESS": 5, "DEL": 5, "SAND": 6,
}  # fmt: skip


def test_eighty_controls_in_eleven_families() -> None:
    assert Counter(control.family for control in CATALOGUE.values()) == COUNTS
    assert sum(COUNTS.values()) == 80
    for prefix, (_, controls) in FAMILIES.items():
        assert [control.id for control in controls] == [
            f"{prefix}-{number:02}" for number in range(1, COUNTS[prefix] + 1)
        ]


def test_the_seed_is_carried() -> None:
    """Every row of the reference pattern belongs to a control."""
    carried = {row for control in CATALOGUE.values() for row in control.seed}
    assert carried == {f"S{number:02}" for number in range(1, 78)}


@EACH
def test_a_control_says_what_it_means(control: Control) -> None:
    assert control.tier in (1, 2, 3, 4)
    assert control.zones and set(control.zones) <= {1, 2, 3, 4, 5, 6}
    for text in (control.title, control.need, control.embedded, control.aws):
        assert text.strip() == text != ""
    assert control.shown


@EACH
def test_the_code_that_enforces_it_exists(control: Control) -> None:
    for name in control.code:
        assert (PACKAGE / name).is_file(), f"{control.id} names {name}"


@EACH
def test_parts_are_shown_or_say_why_not(control: Control) -> None:
    for part in control.shown:
        if part.kind in (Kind.PROOF, Kind.MANUAL):
            assert not part.checks and not part.missing
        else:
            assert part.checks or part.missing, f"{control.id}: {part.claim}"
        assert set(part.checks) <= set(CHECKS)


@EACH
def test_what_is_tried_is_enforced_somewhere(control: Control) -> None:
    """A control with checks names code, and one without code has none."""
    assert bool(control.code) == any(part.checks for part in control.shown)


def test_every_check_shows_something() -> None:
    used = {name for control in CATALOGUE.values() for part in control.shown for name in part.checks}
    assert used == set(CHECKS)
    for name, check in CHECKS.items():
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", name)
        assert check.name == name
        assert check.claim.endswith(".")
