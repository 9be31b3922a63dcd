"""The examples of docs/verify.md print what they say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from caisson.assurance.verdict import Verdict
from running_system import CAISSON, ROOT, clean_environment

PAGE = (ROOT / "docs/verify.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ caisson (.*)\n((?:.*\n)*?)```", PAGE)


def test_there_are_examples() -> None:
    assert EXAMPLES
    for verdict in Verdict:
        assert f"| `{verdict.value}` |" in PAGE


@pytest.mark.parametrize(("command", "printed"), EXAMPLES)
def test_an_example(command: str, printed: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [CAISSON, *command.split(), "--data", str(tmp_path / "data")],
        capture_output=True, text=True, timeout=180, cwd=ROOT, env=clean_environment(COLUMNS="100"),
    )  # fmt: skip
    said = "\n".join(line.rstrip() for line in done.stdout.splitlines())
    assert said == printed.rstrip("\n"), done.stderr
