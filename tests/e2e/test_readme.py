"""The README as a reader would follow it: every block is pasted into a shell, in order, and works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from running_system import ROOT, clean_environment, free_port

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(console|python)\n(.*?)```", README, re.DOTALL)
BIN = Path(sys.executable).parent


def commands() -> list[str]:
    """Shell lines and programs, in the order of the page."""
    lines: list[str] = []
    for kind, text in BLOCKS:
        if kind == "python":
            lines.append(f"python program-{len(lines)}.py")
        else:
            lines += [line.removeprefix("$ ").partition("  #")[0].strip() for line in text.splitlines()]
    return lines


def programs() -> dict[str, str]:
    found, place = {}, 0
    for kind, text in BLOCKS:
        if kind == "python":
            found[f"program-{place}.py"] = text
        place += 1 if kind == "python" else len(text.splitlines())
    return found


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The repository as a reader has it, with what `make up` would have installed."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "examples", folder / "examples")
    shutil.copytree(ROOT / "schema", folder / "schema")
    (folder / ".venv").symlink_to(BIN.parent)
    for name, text in programs().items():
        (folder / name).write_text(text)
    yield folder
    subprocess.run([BIN / "caisson", "down"], cwd=folder, capture_output=True, timeout=90, env=clean_environment())


def test_make_up_is_the_command_that_is_tried_here() -> None:
    assert commands()[0] == "make up"
    makefile = (ROOT / "Makefile").read_text()
    assert "SYSTEM ?= examples/claims/caisson.yaml\n" in makefile
    assert re.search(r"^up: install .*\n\t@exec \$\(BIN\)/caisson up --system \$\(SYSTEM\)$", makefile, re.MULTILINE)


def test_every_block_works_as_pasted(checkout: Path) -> None:
    port = free_port()
    up = f"caisson up --system examples/claims/caisson.yaml --port {port} --detach"
    script = ["set -euo pipefail", "set -x", f"export PATH={BIN}:$PATH", up]
    for line in commands()[1:]:
        if line.startswith("caisson up"):
            line += f" --port {port}"
        elif line.startswith("caisson chat --user"):
            line = f"echo Hello there | {line}"
        elif line.startswith("python"):
            line = f"{line} | tee said; ID=$(sed -n 's/^request //p' said); sleep 1"
        line = line.replace("--request ID", '--request "$ID"')
        if "project-falcon" in line:
            line = f"! {line}"  # blocked, so it exits with 1
        script.append(line)
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=checkout, capture_output=True, text=True, timeout=120,
        env=clean_environment(),
    )  # fmt: skip
    said = done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Report the damage within 72 hours." in said  # the program
    assert re.search(r"pii\.EMAIL  input messages\[0\]", said)  # the trace of its request
    assert "\nwhole\n" in said
    assert "offline model" in said  # chat
    assert "Clone it with [CREDENTIAL_" in said  # the hostile model
    assert "Sorry, the model cannot answer this question." in said
    assert re.search(r"blocked  words\.project-falcon", said)  # the query
    for canary in (checkout / "examples/claims/scripts/canaries.txt").read_text().splitlines():
        assert canary.startswith("#") or not canary or canary not in said


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_figures_have_their_place() -> None:
    cost = README.partition("## What it costs")[2].partition("\n## ")[0]
    assert cost.count("<!-- bench -->") == cost.count("<!-- /bench -->") == 1
