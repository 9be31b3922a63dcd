"""What `caisson up` refuses of its options about workers."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from caisson.adapters.embedded.under_way import WORKERS_MAX
from caisson.cli.up import up
from running_system import CLAIMS

app = typer.Typer()
app.command()(up)


def asked(data: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--system", str(CLAIMS), "--data", str(data), *arguments])
    return done.exit_code, " ".join(done.output.replace("│", " ").split())


def test_nothing_is_started_by_asking_for_a_restart(tmp_path: Path) -> None:
    status, said = asked(tmp_path / "data", "--restart-workers")
    assert status == 2
    assert "nothing runs" in said
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("count", [0, -1, WORKERS_MAX + 1])
def test_the_number_of_workers_is_bounded(tmp_path: Path, count: int) -> None:
    status, said = asked(tmp_path / "data", "--workers", str(count))
    assert status == 2
    assert "'--workers'" in said
    assert not (tmp_path / "data").exists()
