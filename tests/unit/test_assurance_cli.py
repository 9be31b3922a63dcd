"""`probe` and `report` on input that is wrong: refused with what was expected, never a traceback."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from caisson.cli.probe import probe
from caisson.cli.report import report
from running_system import CLAIMS


def refused(command: object, *arguments: str) -> str:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


@pytest.mark.parametrize("endpoint", ["https://localhost:99999", "https://localhost:x", "http://localhost", "https://"])
def test_an_endpoint_that_is_none(endpoint: str, tmp_path: Path) -> None:
    said = refused(probe, "--endpoint", endpoint, "--system", str(CLAIMS), "--data", str(tmp_path))
    assert "expected an https URL" in said


@pytest.mark.parametrize("content", ["[]", "1", "{}", "nonsense"])
def test_a_session_that_is_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "session.json").write_text(content)
    arguments = ("--endpoint", "https://localhost:1", "--system", str(CLAIMS), "--data", str(tmp_path))
    assert "expected what" in refused(probe, *arguments, "--session", str(tmp_path / "session.json"))


@pytest.mark.parametrize("command", [probe, report])
def test_rehearsing_is_asked_for_or_forbidden(command: object, tmp_path: Path) -> None:
    more = ("--out", str(tmp_path / "out")) if command is report else ()
    said = refused(command, "--rehearse", "--no-rehearsal", "--system", str(CLAIMS), "--data", str(tmp_path), *more)
    assert "give one of them" in said


@pytest.mark.parametrize(
    ("key", "expected"), [("", "32 bytes"), ("?", "base64"), (base64.b64encode(bytes(31)).decode(), "32 bytes")]
)
def test_a_key_that_is_none_trusts_nobody(key: str, expected: str, tmp_path: Path) -> None:
    assert expected in refused(report, "--check", str(tmp_path), "--key", key)


def test_a_key_is_for_checking(tmp_path: Path) -> None:
    assert "--check" in refused(report, "--out", str(tmp_path / "out"), "--key", "x")
