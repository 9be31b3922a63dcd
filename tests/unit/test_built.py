"""Rules compiled at installation: used where nobody but the program's owner could have written them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.cli import prepare
from caisson.cli.init import FILE_NAME, init
from caisson.detect import prefilter
from caisson.detect.built import Built
from caisson.detect.prefilter import Prefilter, keep_in
from caisson.system.loader import load

PATTERNS = ["falcon", r"CLM-[0-9]{8}"]
ME = os.geteuid()


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Built]:
    """An installation's folder of our own."""
    made = Built(tmp_path / "built", ME)
    monkeypatch.setattr(prefilter, "BUILT", made)
    monkeypatch.setattr(prepare, "BUILT", made)
    yield made
    keep_in(None)


def test_what_was_built_is_not_compiled(built: Built, tmp_path: Path) -> None:
    keep_in(built)
    Prefilter(["of", "the"])
    keep_in(None)
    (file,) = (tmp_path / "built").iterdir()
    Prefilter(PATTERNS)
    keep_in(built)
    Prefilter(PATTERNS)
    keep_in(None)
    other = next(each for each in (tmp_path / "built").iterdir() if each != file)
    other.write_bytes(file.read_bytes())  # shows by its hits that it, and nothing else, was used
    assert sorted(Prefilter(PATTERNS).hits(b"falcon of the")) == [0, 1]
    assert Prefilter(PATTERNS).hits(b"falcon") == []


@pytest.mark.parametrize("where", ["folder", "file"])
@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_what_others_may_write_is_not_loaded(tmp_path: Path, where: str, mode: int) -> None:
    Built(tmp_path / "built", ME).store("a", b"data")
    assert Built(tmp_path / "built", ME).load("a") == b"data"
    (tmp_path / "built" if where == "folder" else tmp_path / "built/a.patterns").chmod(mode)
    assert Built(tmp_path / "built", ME).load("a") is None


def test_what_another_user_owns_is_not_loaded(tmp_path: Path) -> None:
    Built(tmp_path / "built", ME).store("a", b"data")
    assert Built(tmp_path / "built", ME + 1).load("a") is None


def test_links_are_not_followed(tmp_path: Path) -> None:
    Built(tmp_path / "real", ME).store("a", b"data")
    (tmp_path / "built").symlink_to(tmp_path / "real")
    assert Built(tmp_path / "built", ME).load("a") is None
    Built(tmp_path / "other", ME).store("b", b"data")
    (tmp_path / "other/a.patterns").symlink_to(tmp_path / "real/a.patterns")
    assert Built(tmp_path / "other", ME).load("a") is None


def test_nothing_there_is_no_error(tmp_path: Path) -> None:
    Built(tmp_path / "none", ME).clear()
    assert Built(tmp_path / "none", ME).load("a") is None


def test_preparing_leaves_the_built_in_rules_to_load_and_removes_what_is_old(
    built: Built, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    built.store("old", b"of former rules")
    prefilter.prefilter.cache_clear()
    assert prepare.main() == 0
    assert built.load("old") is None
    prefilter.prefilter.cache_clear()
    monkeypatch.setattr(prefilter.hyperscan, "Database", _never)  # from here on nothing can be compiled
    init(tmp_path, tier=2)
    EmbeddedGuardrail(load(tmp_path / FILE_NAME, carrier="up"), 1)


def test_an_installation_that_cannot_be_written_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    prefilter.prefilter.cache_clear()
    monkeypatch.setattr(prepare, "BUILT", Built(tmp_path / "file/built", ME))
    monkeypatch.setattr(prefilter, "BUILT", Built(tmp_path / "file/built", ME))
    assert prepare.main() == 1
    assert "were not compiled in advance: Not a directory" in capsys.readouterr().err
    keep_in(None)


def _never(*_: object, **__: object) -> None:
    raise AssertionError("compiled")
