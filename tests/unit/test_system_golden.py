"""The bundle is a stored format: signed configurations of earlier versions must still be read.

A change that adds keys with defaults still reads these files. Write them anew only when an example changes on purpose.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caisson.system.loader import load
from caisson.system.schema import System

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests/golden/system").glob("*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_stored_bundle_is_read_and_says_the_same(path: Path) -> None:
    stored = json.loads(path.read_text())
    assert System.from_bundle(stored).to_bundle() == stored


@pytest.mark.parametrize("example", ["claims", "full"])
def test_the_examples_resolve_to_their_bundles(example: str) -> None:
    stored = json.loads((ROOT / f"tests/golden/system/{example}.json").read_text())
    assert load(ROOT / f"examples/{example}/caisson.yaml").to_bundle() == stored
