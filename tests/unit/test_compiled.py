"""Compiled patterns outlive a process, and only what the zone itself stored is ever loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from caisson.adapters.embedded import compiled
from caisson.adapters.embedded.compiled import CompiledPatterns
from caisson.detect.prefilter import Prefilter, keep_in

SECRET = b"s" * 32
PATTERNS = ["falcon", r"CLM-[0-9]{8}"]
TEXT = b"the falcon of CLM-12345678"


class Memory:
    """A store that says what it was asked."""

    def __init__(self, answer: bytes | None = None) -> None:
        self.stored: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.answer = answer

    def load(self, name: str) -> bytes | None:
        self.asked.append(name)
        return self.stored.get(name) if self.answer is None else self.answer

    def store(self, name: str, data: bytes) -> None:
        self.stored[name] = data


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    yield
    keep_in(None)


def databases(*patterns: str) -> dict[str, bytes]:
    memory = Memory()
    keep_in(memory)
    Prefilter(patterns)
    keep_in(None)
    return memory.stored


def test_what_is_kept_is_loaded_instead_of_compiled() -> None:
    (other,) = databases("of", "the").values()  # shows by its hits that it, and nothing else, was used
    keep_in(Memory(answer=other))
    assert sorted(Prefilter(PATTERNS).hits(b"falcon of the")) == [0, 1]
    assert Prefilter(PATTERNS).hits(TEXT[:10]) == [1]


def test_a_loaded_database_finds_what_a_compiled_one_finds() -> None:
    memory = Memory()
    keep_in(memory)
    first, second = Prefilter(PATTERNS), Prefilter(PATTERNS)
    assert sorted(first.hits(TEXT)) == sorted(second.hits(TEXT)) == [0, 1]
    assert len(memory.stored) == 1 and len(memory.asked) == 2


def test_the_name_stands_for_the_patterns_and_their_numbers() -> None:
    names = {*databases("a", "b"), *databases("b", "a"), *databases("a"), *databases(r"[^\s]", "a"), *databases("a,b")}
    assert len(names) == 5


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\0" * 4096])
def test_what_the_engine_refuses_is_compiled(damage: bytes) -> None:
    keep_in(Memory(answer=damage))
    assert sorted(Prefilter(PATTERNS).hits(TEXT)) == [0, 1]


def test_a_zone_gets_back_what_it_stored(tmp_path: Path) -> None:
    folder = tmp_path / "compiled"
    CompiledPatterns(folder, SECRET).store("a", b"data")
    assert CompiledPatterns(folder, SECRET).load("a") == b"data"
    assert CompiledPatterns(folder, SECRET).load("b") is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]


def test_what_another_key_or_nobody_stored_is_not_loaded(tmp_path: Path) -> None:
    CompiledPatterns(tmp_path, b"t" * 32).store("a", b"data")
    kept = CompiledPatterns(tmp_path, SECRET)
    assert kept.load("a") is None
    (tmp_path / "b.patterns").write_bytes(b"x" * 100)
    assert kept.load("b") is None


def test_no_byte_can_be_changed_moved_or_cut(tmp_path: Path) -> None:
    kept = CompiledPatterns(tmp_path, SECRET)
    kept.store("a", b"data")
    path = tmp_path / "a.patterns"
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert kept.load("a") is None
        path.write_bytes(whole[:at])
        assert kept.load("a") is None
    (tmp_path / "b.patterns").write_bytes(whole)
    assert kept.load("b") is None
    path.unlink()
    path.symlink_to(tmp_path / "b.patterns")
    assert kept.load("a") is None


def test_the_oldest_go_when_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "FILES_MAX", 2)
    kept = CompiledPatterns(tmp_path, SECRET)
    for number, name in enumerate("abc"):
        kept.store(name, b"data")
        if name != "c":
            os.utime(tmp_path / f"{name}.patterns", (number, number))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.patterns", "c.patterns"]


def test_a_disk_that_refuses_costs_the_cache_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    kept = CompiledPatterns(tmp_path / "file", SECRET)
    kept.store("a", b"data")
    assert kept.load("a") is None
