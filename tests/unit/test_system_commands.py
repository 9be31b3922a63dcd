"""`caisson init` and `caisson check` as a user meets them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from caisson.cli import check as check_module
from caisson.cli import init as init_module
from caisson.system.loader import load
from deployments import aws
from system_files import minimal, text_of

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(command: Any, *arguments: str) -> Result:
    import typer

    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("tier", [1, 2, 3, 4])
def test_init_writes_a_file_that_check_accepts_and_up_runs(tmp_path: Path, tier: int) -> None:
    result = run(init_module.init, str(tmp_path / "new/folder"), "--name", "mine", "--tier", str(tier))
    assert result.exit_code == 0, result.output
    path = tmp_path / "new/folder/caisson.yaml"
    system = load(path, carrier="up")
    assert (system.name, system.tier, system.loosened) == ("mine", tier, ())
    assert path.read_text().startswith("# yaml-language-server: $schema=caisson.schema.json\n")
    assert json.loads((path.parent / "caisson.schema.json").read_text())["title"] == "Caisson system file"
    assert run(check_module.check, "--system", str(path)).exit_code == 0


def test_init_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "caisson.yaml").write_text("mine")
    result = run(init_module.init, str(tmp_path))
    assert result.exit_code == 2
    assert "found one; it is left as it is" in result.stderr
    assert (tmp_path / "caisson.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "Claims", "a b", "x\ntier: 4", "a" * 32])
def test_init_refuses_other_names(tmp_path: Path, name: str) -> None:
    result = run(init_module.init, str(tmp_path), "--name", name)
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_init_into_something_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(init_module.init, str(tmp_path / "file/below"))
    assert result.exit_code == 2
    assert "expected a folder to write into" in result.stderr


def test_check_shows_what_a_file_resolves_to() -> None:
    output = run(check_module.check, "--system", str(EXAMPLES / "full/caisson.yaml")).stdout
    text = " ".join(output.split())
    for part in (
        "claims-platform, tier 3 (high)",
        "sessions.duration: 1h instead of 30m",
        "guardrails.trial.mode: detect instead of enforce",
        "up refuses identity.groups.adjusters.departments (line 40)",
        "guardrails.main.images: allow instead of refuse, because adjusters send photographs",
        "and 4 more",
        "1h, 200,000 tokens, 50 actions",
    ):
        assert part in text, part


def test_check_reports_every_problem_and_exits_2(tmp_path: Path) -> None:
    path = tmp_path / "caisson.yaml"
    shutil.copy(EXAMPLES / "claims/caisson.yaml", path)
    path.write_text(path.read_text().replace("guardrail: main", "guardrail: mian").replace("word", "wrod"))
    result = run(check_module.check, "--system", str(path))
    assert result.exit_code == 2
    assert "did you mean 'words'?" in result.stderr
    assert result.stdout == ""


def test_check_in_json() -> None:
    result = run(check_module.check, "--system", str(EXAMPLES / "full/caisson.yaml"), "--json")
    described = json.loads(result.stdout)
    assert result.exit_code == 0
    assert described["ok"] is True
    assert described["not_built"]["up"][0] == {
        "line": 40,
        "column": 42,
        "key": "identity.groups.adjusters.departments",
        "message": "expected only keys that `up` runs in this version, found 'identity.groups.adjusters.departments'; "
        "leave it out",
    }
    assert described["system"]["sessions"]["duration"] == "1h"


SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}}


def test_check_prints_what_pins_a_tool(tmp_path: Path) -> None:
    schema, config = tmp_path / "schema.json", tmp_path / "tools.json"
    schema.write_text(json.dumps(SCHEMA, indent=4))
    spec = {"name": "calendar", "inputSchema": {"json": SCHEMA}}
    config.write_text(json.dumps({"tools": [{"toolSpec": spec}, {"cachePoint": {"type": "default"}}]}))
    canonical = b'{"properties":{"day":{"type":"string"}},"type":"object"}'
    pin = sha256(canonical).hexdigest()
    assert run(check_module.check, "--tool-schema", str(schema)).stdout == f"schema_sha256: {pin}\n"
    printed = run(check_module.check, "--tool-schema", str(config)).stdout
    assert printed == f"client_tools:\n  calendar: {{schema_sha256: {pin}}}\n"
    as_json = run(check_module.check, "--tool-schema", str(config), "--json").stdout
    assert json.loads(as_json) == {"calendar": {"schema_sha256": pin}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected JSON"),
        ("[" * 100_000, "expected JSON"),
        ('{"tools": [{"toolSpec": {}}]}', "expected tools with toolSpec.name"),
        ('{"$ref": "https://example.com/schema.json"}', "expected a schema that is complete in itself"),
        ('{"type": "nothing"}', "expected a sound JSON Schema"),
        ('{"maximum": 1e400}', "expected"),
    ],
)
def test_check_refuses_what_cannot_be_pinned(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "schema.json"
    path.write_text(content)
    result = run(check_module.check, "--tool-schema", str(path))
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_check_says_what_fewer_accounts_weaken(tmp_path: Path) -> None:
    path = tmp_path / "caisson.yaml"
    path.write_text(text_of(minimal(aws=aws(evaluation="333333333333", control="111111111111"))))
    text = " ".join(run(check_module.check, "--system", str(path)).stdout.split())
    assert "weakened zone control is in the management account, which no control policy binds" in text
    assert "weakened zones runtime, evaluation share an account: row S12 weakens" in text
    described = json.loads(run(check_module.check, "--system", str(path), "--json").stdout)
    assert len(described["weakened"]) == 2
    assert (
        json.loads(run(check_module.check, "--system", str(EXAMPLES / "full/caisson.yaml"), "--json").stdout)[
            "weakened"
        ]
        == []
    )


def test_check_does_without_the_sdk_and_cdk() -> None:
    code = (
        "import sys; from pathlib import Path; from caisson.cli import check\n"
        f"check.check(Path({str(EXAMPLES / 'full/caisson.yaml')!r}), False)\n"
        "print(sorted(set(sys.modules) & {'botocore', 'aws_cdk', 'jsii'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_check_of_a_missing_file(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.yaml")
    plain, as_json = (
        run(check_module.check, "--system", missing),
        run(check_module.check, "--system", missing, "--json"),
    )
    assert (plain.exit_code, as_json.exit_code) == (2, 2)
    assert "`caisson init` writes one" in plain.stderr
    assert json.loads(as_json.stdout)["ok"] is False


def test_check_cannot_be_made_to_print_markup(tmp_path: Path) -> None:
    path = tmp_path / "caisson.yaml"
    path.write_text("'[bold]x[/bold][/]': 1\n")
    result = run(check_module.check, "--system", str(path))
    assert result.exit_code == 2
    assert "[bold]x[/bold][/]" in result.stderr
