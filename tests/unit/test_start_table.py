"""What `caisson up` shows when it is ready, for every outcome that a reader must not miss."""

from __future__ import annotations

from pathlib import Path

import pytest

from caisson.adapters.embedded.isolation import Isolation, Mechanism
from caisson.cli.start_table import next_commands, show_started
from caisson.system.loader import load
from caisson.system.schema import System
from caisson.wiring.settings import Upstream
from caisson.wiring.system import Asked, Started

CLAIMS = Path(__file__).parents[2] / "examples/claims/caisson.yaml"


@pytest.fixture
def loosened(tmp_path: Path) -> System:
    path = tmp_path / "caisson.yaml"
    path.write_text(
        CLAIMS.read_text() + "sessions:\n  tokens: {value: 9000000, because: '[red]long[/red] documents'}\n"
    )
    return load(path, carrier="up")


def started(*, holds: bool = True, staged: bool = False, nominal: bool = False) -> Started:
    mechanism = Mechanism(holds=holds, detail="Landlock ABI 7" if holds else "none: no [b]Landlock[/b]")
    return Started(
        endpoint="https://localhost:8443", version=3, staged=staged, nominal_approval=nominal, pids={"gateway": 7},
        isolation=Isolation(landlock=mechanism, users=mechanism),
    )  # fmt: skip


def shown(capsys: pytest.CaptureFixture[str], system: System, what: Started, data: str = ".caisson") -> str:
    upstream = Upstream(kind="script", location="/x/[hostile].yaml")
    show_started(what, Path(data), Asked(system=system, data=Path(data), port=8443, upstream=upstream))
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", ["80", "100"])
def test_it_fits_and_says_what_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    out = shown(capsys, load(CLAIMS, carrier="up"), started())
    facts = [line for line in out.splitlines() if not line.startswith("  ")]  # commands stay whole, to be copied
    assert max(map(len, facts)) <= int(columns)
    for fact in ("tier 2 (medium)", "https://localhost:8443", "script /x/[hostile].yaml", "version 3", "not built"):
        assert fact in out
    for absent in ("broken", "loosened", "approval  ", "not in force"):
        assert absent not in out


def test_what_is_loosened_is_text_and_never_markup(capsys: pytest.CaptureFixture[str], loosened: System) -> None:
    out = shown(capsys, loosened, started())
    assert "sessions.tokens" in out
    assert "because [red]long[/red] documents" in out


def test_what_does_not_hold_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, load(CLAIMS, carrier="up"), started(holds=False, staged=True, nominal=True))
    assert "NET-01: neither Landlock nor own users" in out
    assert "LOG-07: neither Landlock nor own users" in out
    assert "none: no [b]Landlock[/b]" in out
    assert "not in force" in out
    assert "two signatures are one person's" in out


def test_what_to_do_next_can_be_pasted() -> None:
    system = load(CLAIMS, carrier="up")
    sign_in, talk = next_commands(system, Path(".caisson"))
    assert sign_in.startswith('eval "$(')
    assert sign_in.endswith('caisson session new --user alice --agent claims --task answer)"')
    assert talk.endswith("caisson chat --user alice")
    assert next_commands(system, Path("my data"))[1].endswith("--data 'my data'")
