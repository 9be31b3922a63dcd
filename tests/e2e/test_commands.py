"""The public contract's commands: each is built and explains itself, or is refused by name with exit 2."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from caisson.cli.main import BUILT, NOT_BUILT
from running_system import CAISSON, clean_environment

CONTRACT = (
    "init", "check", "up", "down", "session", "chat", "ingest", "approvals", "logs", "synth", "deploy", "prove",
    "probe", "explain", "verify", "report", "rollback", "contain", "scan", "bench", "bom",
)  # fmt: skip
PARTS = {"session": ("new", "list", "revoke"), "logs": ("query", "tail", "verify", "export")}
HEAVY = ("aiohttp", "botocore", "cryptography", "duckdb", "hyperscan", "pydantic", "rich.table", "ruamel", "tuf")
OVERVIEW = """
import json, sys
sys.argv = ["caisson", "--help"]
from caisson.cli.main import main
try:
    main()
except SystemExit:
    print(json.dumps(sorted(sys.modules)))
"""
BUILT_COMMANDS = [(name,) for name in BUILT] + [(name, part) for name, parts in PARTS.items() for part in parts]


def caisson(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CAISSON, *arguments], capture_output=True, text=True, timeout=60, env=clean_environment(COLUMNS="80", **extra)
    )


def complete(words: str, **extra: str) -> list[str]:
    """What bash is offered after `words`, as its completion script asks."""
    given = words.split(" ")
    done = caisson(COMP_WORDS=words, COMP_CWORD=str(len(given) - 1), _CAISSON_COMPLETE="complete_bash", **extra)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_each_command_of_the_contract_is_one_or_the_other() -> None:
    assert sorted([*BUILT, *NOT_BUILT]) == sorted(CONTRACT)


@pytest.mark.parametrize("command", BUILT_COMMANDS, ids=" ".join)
def test_what_is_built_explains_itself(command: tuple[str, ...]) -> None:
    done = caisson(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    entries = [line for line in done.stdout.splitlines() if line.startswith("  -")]
    assert entries
    assert max(map(len, done.stdout.splitlines())) <= 80
    rows = done.stdout.splitlines()
    assert not any("..." in row for row in rows if not row.startswith("Usage:"))  # no sentence is cut
    for place, row in enumerate(rows):
        if row.startswith("  -"):  # an option: what it is for stands beside it or beneath it
            beneath = rows[place + 1] if place + 1 < len(rows) else ""
            assert "  " in row.strip() or beneath.startswith("      "), row


@pytest.mark.parametrize("command", NOT_BUILT)
@pytest.mark.parametrize("more", [(), ("--help",), ("FILE", "--json")], ids=["bare", "help", "with arguments"])
def test_what_is_not_built_says_so(command: str, more: tuple[str, ...]) -> None:
    done = caisson(command, *more)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"caisson {command} is not built yet.")


def test_what_is_unknown_is_a_wrong_call() -> None:
    assert caisson("nothing").returncode == 2
    assert caisson("up", "--nothing").returncode == 2
    assert caisson("logs", "nothing").returncode == 2


def test_the_overview_loads_none_of_what_takes_time() -> None:
    done = subprocess.run([sys.executable, "-c", OVERVIEW], capture_output=True, text=True, timeout=60)
    *shown, loaded = done.stdout.splitlines()
    assert [line.split()[0] for line in shown[-len(BUILT) :]] == list(BUILT)
    modules = json.loads(loaded)
    assert not [name for name in modules if name.startswith(HEAVY)]
    assert not {f"caisson.cli.{name}" for name in BUILT} & set(modules)


def test_the_shell_can_complete() -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "caisson" in caisson("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1").stdout
    assert complete("caisson ") == list(BUILT)
    assert complete("caisson ses") == ["session"]
    assert complete("caisson session ") == ["new", "list", "revoke"]
    assert "--upstream" in complete("caisson up --up")
    complete("caisson deploy ")  # no message, no traceback
