"""What `caisson scan` reads, leaves out, and says (SEC-04)."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.cli.scanning import history
from caisson.cli.scanning.baseline import UNEXPLAINED, Baseline
from caisson.cli.scanning.findings import SHOWN_CHARACTERS, Examiner, Located, masked
from caisson.cli.scanning.ignore import matches
from caisson.cli.scanning.sources import FILE_BYTES_MAX, Skipped, Source, decoded, files
from caisson.errors import OperatorError

KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
PASSWORD = "hT7x!kQ2#mZ9"


def texts(path: Path) -> tuple[dict[str, str], list[Skipped]]:
    skipped: list[Skipped] = []
    found: dict[str, str] = {}
    for source in files(path, skipped):
        name = Path(source.name).relative_to(path).as_posix()
        found[name] = found.get(name, "") + source.text
    return found, skipped


def located(text: str, name: str = "a.py", line: int = 1, commit: str = "") -> list[Located]:
    return list(Examiner().examine(Source(name, text, line, commit)))


# What is read


def test_files_in_order_without_what_is_ignored(tmp_path: Path) -> None:
    for name in (".git/config", "b.txt", "a/c.txt", "a/skip.log", "build/x.txt", "keep.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".gitignore").write_text("*.log\n/build/\n!keep.log\n")
    found, skipped = texts(tmp_path)
    assert list(found) == [".gitignore", "b.txt", "keep.log", "a/c.txt"] and not skipped


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_bytes(b"x" * (FILE_BYTES_MAX + 1))
    (tmp_path / "image.png").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    found, skipped = texts(tmp_path)
    assert found == {}
    assert {(Path(one.name).name, one.undetermined) for one in skipped} == {("large.txt", True), ("image.png", False)}


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="expected a file or a folder"):
        list(files(tmp_path / "nowhere", []))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert decoded(f"é {KEY}".encode(encoding)) == f"é {KEY}"


def test_a_notebook_is_read_by_cell_and_output(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "source": ["import boto3\n", f'key = "{KEY}"\n'], "outputs": []},
        {"cell_type": "code", "source": "x", "outputs": [{"text": [f"password = {PASSWORD}\n"]}]},
        {"cell_type": "code", "source": "y", "outputs": [{"data": {"text/plain": "1", "image/png": "aGk="}}]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}, indent=1))
    examiner = Examiner()
    found = [one for source in files(path, []) for one in examiner.examine(source)]
    assert [one.rule for one in found] == ["credentials.aws-access-key-id", "credentials.password"]
    lines = path.read_text().splitlines()
    assert "import boto3" in lines[found[0].line - 2]
    path.write_text('{"cells": [' + KEY)
    assert [source.text for source in files(path, [])] == ['{"cells": [' + KEY]


def test_a_template_s_slots_are_no_secrets() -> None:
    assert located("password: {{ vault_password }}\ntoken = ${TOKEN}\nkey = <your key>\n") == []
    assert [one.rule for one in located(f"{{% if x %}}\npassword: {PASSWORD}\n{{% endif %}}\n")] == [
        "credentials.password"
    ]


@pytest.mark.parametrize(
    ("pattern", "path", "folder", "expected"),
    [
        ("*.log", "a/b.log", False, True), ("*.log", "a/b.log2", False, False), ("/a", "b/a", False, False),
        ("a/b", "a/b", False, True), ("a/b", "x/a/b", False, False), ("build/", "build", False, False),
        ("build/", "x/build", True, True), ("**/x", "a/b/x", False, True), ("a/**", "a/b/c", False, True),
        ("a/**/b", "a/b", False, True), ("[!a].txt", "b.txt", False, True), ("[!a].txt", "a.txt", False, False),
        ("\\#x", "#x", False, True), ("a?c", "abc", False, True), ("a?c", "a/c", False, False), ("[", "[", False, True),
    ],
)  # fmt: skip
def test_patterns(pattern: str, path: str, folder: bool, expected: bool) -> None:
    assert matches(pattern, path, folder=folder) is expected


NAMES = st.text(alphabet="ab.*?[]!/-\\#", min_size=1, max_size=8)


@given(pattern=NAMES, path=st.text(alphabet="ab./#", min_size=1, max_size=8))
def test_no_pattern_raises(pattern: str, path: str) -> None:
    assert matches(pattern, path, folder=False) in (True, False)


def test_patterns_agree_with_git(tmp_path: Path) -> None:
    patterns = ["*.log", "!keep.log", "/build/", "docs/**/x", "a/b", "temp*/", "[ab].txt"]
    names = [
        "x.log",
        "keep.log",
        "build/y",
        "src/build/y",
        "docs/x",
        "docs/q/x",
        "a/b",
        "c/a/b",
        "temp1/z",
        "a.txt",
        "c.txt",
    ]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("\n".join(patterns) + "\n")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert sorted(texts(tmp_path)[0]) == sorted(listed.stdout.splitlines())


# Findings


def test_where_a_finding_is() -> None:
    text = f"first\nsecond {KEY} é\n"
    (one,) = located(text, line=10)
    assert (one.line, one.column, one.end_line, one.end_column) == (11, 8, 11, 8 + len(KEY))
    assert one.place == "a.py:11:8"


@given(
    value=st.text(min_size=1, max_size=80),
    rule=st.sampled_from(["credentials.aws-access-key-id", "credentials.password"]),
)
def test_little_of_a_secret_is_ever_shown(value: str, rule: str) -> None:
    shown = masked(value, rule).partition("…")[0]
    assert shown in ("", value[:SHOWN_CHARACTERS]) and 5 * len(shown) <= len(value)
    assert not (shown and rule == "credentials.password")


def test_a_fingerprint_follows_a_move_and_nothing_else() -> None:
    (one,), (moved,) = located(f"x {KEY}"), located(f"\n\nlong before {KEY}")
    (elsewhere,), (other,) = located(f"x {KEY}", name="b.py"), located(f"x {KEY[:-1]}3")
    assert one.fingerprint == moved.fingerprint
    assert len({one.fingerprint, elsewhere.fingerprint, other.fingerprint}) == 3
    assert KEY[4:] not in json.dumps(one.as_json())


def test_a_commit_repeats_nothing_that_a_file_still_has() -> None:
    examiner = Examiner()
    assert len(list(examiner.examine(Source("a.py", KEY)))) == 1
    assert list(examiner.examine(Source("a.py", KEY, 1, "c0ffee"))) == []
    assert len(list(examiner.examine(Source("b.py", KEY, 1, "c0ffee")))) == 1


# Baseline


def test_a_baseline_keeps_reasons_and_drops_what_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    first, second = located(KEY), located(f"password = {PASSWORD}")
    Baseline.read(path).updated([*first, *second], ()).write(path)
    text = path.read_text()
    assert KEY not in text and PASSWORD not in text and text.count(UNEXPLAINED) == 2
    path.write_text(text.replace(UNEXPLAINED, "a sample", 1))
    known = Baseline.read(path)
    assert set(known.reasons) == {first[0].fingerprint, second[0].fingerprint}
    assert known.updated(first, ()).reasons == known.reasons  # of a file that nobody looked at
    kept = known.updated(first, {second[0].name})
    assert kept.reasons == {first[0].fingerprint: known.reasons[first[0].fingerprint]}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 2, "known": []}', '{"version": 1, "known": [{}]}', '{"version": 1}']
)
def test_a_file_that_is_no_baseline(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(OperatorError, match="expected a baseline of version 1"):
        Baseline.read(path)


# History


def stretches(text: str) -> tuple[list[Source], list[Skipped]]:
    skipped: list[Skipped] = []
    return list(history._Reading(Path(), skipped).read(io.StringIO(text, newline="\n"))), skipped


HEAD = "\0c1\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n"


def test_lines_that_look_like_headings_are_content() -> None:
    found, _ = stretches(HEAD + "@@ -0,0 +7,3 @@\n+++ b/other\n+@@ -1 +1 @@\n+\0c2\n@@ -9 +12 @@\n-old\n+new\n")
    assert found == [
        Source("x", "++ b/other\n@@ -1 +1 @@\n\0c2\n", 7, "c1"),
        Source("x", "new\n", 12, "c1"),
    ]


def test_a_carriage_return_ends_no_line() -> None:
    found, _ = stretches(HEAD + f"@@ -0,0 +1,2 @@\n+a\rb\n+{KEY}\n")
    assert found[0].text == f"a\rb\n{KEY}\n"


def test_long_lines_come_whole_and_what_is_too_large_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LINE_CHARACTERS_MAX", 16)
    found, skipped = stretches(HEAD + f"@@ -0,0 +1,2 @@\n+{'x' * 40}\n+{KEY}\n\\ No newline at end of file\n")
    assert found[0].text == f"{'x' * 40}\n{KEY}\n" and not skipped
    monkeypatch.setattr(history, "FILE_BYTES_MAX", 20)
    found, skipped = stretches(HEAD + f"@@ -0,0 +1,2 @@\n+{'x' * 40}\n+{KEY}\n")
    assert [one.name for one in skipped] == ["c1:x"]
