"""Every direct dependency has a line with its reason, and every line names a dependency."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_dependency_has_its_reason() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[>=<\[ ]", line)[0] for line in declared}
    documented = set(re.findall(r"^\| ([a-z][\w.-]+) \| \S", (ROOT / "docs/dependencies.md").read_text(), re.M))
    assert documented == names


def test_locks_carry_hashes() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock", "requirements-checkov.lock"):
        text = (ROOT / lock).read_text()
        pins = re.findall(r"^([a-z0-9][\w.-]+)==", text, re.M)
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)
