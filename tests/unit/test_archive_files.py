"""The embedded archive's files: kills, torn writes, compaction, pruning, and what a disk can read."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from caisson.adapters.embedded.archive import EmbeddedArchive, EmbeddedArchiveReader, columnar, compaction, disk, writer
from caisson.adapters.embedded.archive.columnar import confined_duckdb, events_to_parquet, memory_file
from caisson.errors import OperatorError
from caisson.policy.merkle import HASH_BYTES
from caisson.ports.archive import Entry, Query, Unreadable
from logging_zone import STORE, HeldClock


def entry(index: int, **event: Any) -> Entry:
    fields = {"kind": "model.request.v1", "timestamp": 1_000.0 + index, "request_id": f"r{index}", "text": "x" * 50}
    return Entry(
        index=index, event=fields | event, writer="runtime-0", incarnation="a", sequence=index, digest=f"{index:064x}"
    )


class Folder:
    """An archive's folder."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock = path, HeldClock()

    def open(self) -> EmbeddedArchive:
        return EmbeddedArchive(self.path / "archive", self.path / "tree", STORE, region="eu-west-1", clock=self.clock)

    def reader(self) -> EmbeddedArchiveReader:
        return EmbeddedArchiveReader(self.path / "archive", self.path / "tree", STORE)

    def journals(self) -> list[Path]:
        return sorted((self.path / "archive" / "journal").iterdir())

    def parquets(self) -> list[Path]:
        return sorted(self.path.rglob("*.parquet.enc"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "log")


def indexes(archive: EmbeddedArchiveReader) -> list[int]:
    return [item.index for item in archive.scan() if isinstance(item, Entry)]


def test_an_archive_killed_after_any_byte_recovers_to_what_was_acknowledged_or_more(
    folder: Folder, tmp_path: Path
) -> None:
    archive = folder.open()
    archive.append([entry(0), entry(1)])
    before = {path: path.stat().st_size for path in (*folder.journals(), folder.path / "tree" / "leaves")}
    archive.append([entry(2), entry(3)])
    archive.append([entry(4)])
    (journal,) = folder.journals()
    size = journal.stat().st_size
    for at in range(before[journal], size + 1, 7):
        for leaves in (2, 3, 4, 5):
            copy = Folder(tmp_path / "copy")
            shutil.copytree(folder.path, copy.path)
            with open(copy.journals()[0], "r+b") as file:
                file.truncate(at)
            with open(copy.path / "tree" / "leaves", "r+b") as file:
                file.truncate(leaves * HASH_BYTES - (5 if leaves == 5 else 0))
            stored = len(indexes(copy.reader()))
            if stored < min(leaves, 4):  # leaves follow the journal, so a kill cannot leave this
                shutil.rmtree(copy.path)
                continue
            recovered = copy.open()
            assert recovered.size() == stored >= 2
            assert recovered.last_sequence("runtime-0", "a") == stored - 1
            recovered.append([entry(stored), entry(stored + 1)])
            assert indexes(recovered) == list(range(stored + 2))
            assert not [item for item in recovered.scan() if isinstance(item, Unreadable)]
            assert list(recovered.leaves()) == [item.leaf_hash for item in recovered.scan()]  # type: ignore[union-attr]
            shutil.rmtree(copy.path)


def test_a_killed_process_loses_nothing_that_was_acknowledged(folder: Folder) -> None:
    program = """
import sys; sys.path[:0] = sys.argv[2:]
from pathlib import Path
import test_archive_files as t
archive = t.Folder(Path(sys.argv[1])).open()
for index in range(archive.size(), 10**6):
    archive.append([t.entry(index)])
    print(index, flush=True)
"""
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    acknowledged = -1
    for kill_after in (3, 1, 7, 20):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(folder.path), *paths], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            for _ in range(kill_after):
                acknowledged = int(process.stdout.readline())
            process.kill()
        assert len(indexes(folder.reader())) > acknowledged
    archive = folder.open()
    assert indexes(archive) == list(range(archive.size()))
    assert list(archive.leaves()) == [item.leaf_hash for item in archive.scan()]  # type: ignore[union-attr]


def test_a_new_process_begins_a_new_journal_so_that_no_nonce_is_used_twice(folder: Folder) -> None:
    folder.open().append([entry(0)])
    first = folder.journals()
    folder.open().append([entry(1)])
    assert len(folder.journals()) == 2
    assert folder.journals()[0] == first[0]


def test_lost_entries_stay_visible(folder: Folder) -> None:
    archive = folder.open()
    archive.append([entry(0)])
    archive.append([entry(1)])
    archive.close()
    (journal,) = folder.journals()
    with open(journal, "r+b") as file:
        file.truncate(journal.stat().st_size - 1)
    again = folder.open()
    again.append([entry(2)])
    assert indexes(again) == [0, 2]


def test_a_frame_that_lost_power_is_dropped_because_nobody_was_told_of_it(folder: Folder) -> None:
    folder.open().append([entry(0)])
    (journal,) = folder.journals()
    with open(journal, "ab") as file:
        file.write((64).to_bytes(4, "big") + bytes(64))  # its length reached the disk, its content did not
    assert [item for item in folder.reader().scan() if isinstance(item, Unreadable)]
    again = folder.open()
    again.append([entry(1)])
    assert indexes(again) == [0, 1]
    assert not [item for item in again.scan() if isinstance(item, Unreadable)]


def test_a_damaged_frame_that_was_acknowledged_stays_as_evidence(folder: Folder) -> None:
    archive = folder.open()
    archive.append([entry(0)])
    archive.append([entry(1)])
    archive.close()
    (journal,) = folder.journals()
    content = journal.read_bytes()
    journal.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    again = folder.open()
    again.append([entry(2)])
    assert indexes(again) == [0, 2]
    assert [item for item in again.scan() if isinstance(item, Unreadable)]
    assert journal.read_bytes()[: len(content) - 1] == content[:-1]


def test_a_failed_write_makes_the_archive_refuse_until_it_is_opened_anew(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = folder.open()
    archive.append([entry(0)])

    def full(_handle: int, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("caisson.adapters.embedded.archive.journal.write_all", full)
        with pytest.raises(OperatorError, match="No space left"):
            archive.append([entry(1)])
    with pytest.raises(OperatorError, match="takes nothing more"):
        archive.append([entry(1)])
    with pytest.raises(OperatorError, match="takes nothing more"):
        archive.append_checkpoint("note")
    again = folder.open()
    again.append([entry(1)])
    assert indexes(again) == [0, 1]


def test_journals_roll_by_size_age_and_day(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = folder.open()
    archive.append([entry(0)])
    archive.append([entry(1)])
    assert len(folder.journals()) == 1
    folder.clock.advance(writer.JOURNAL_AGE_MAX_S)
    archive.append([entry(2)])
    assert len(folder.journals()) == 2
    monkeypatch.setattr(writer, "JOURNAL_BYTES_MAX", 10)
    archive.append([entry(3)])
    assert len(folder.journals()) == 3


def test_compaction_gathers_small_journals_by_age_and_day(folder: Folder) -> None:
    for index in range(4):
        archive = folder.open()
        archive.append([entry(index)])
    archive.compact()
    assert folder.parquets() == []
    folder.clock.advance(compaction.COMPACT_AGE_S)
    archive.append([entry(4)])
    archive.compact()
    assert [path.name for path in folder.parquets()] == ["0000000000000000-0000000000000003.parquet.enc"]
    assert len(folder.journals()) == 1
    assert indexes(archive) == [0, 1, 2, 3, 4]
    folder.clock.advance(86_400)
    archive.append([entry(5)])
    archive.compact()
    assert len(folder.parquets()) == 2
    assert {path.parent.name for path in folder.parquets()} == {"eventDay=20270115"}
    assert "ext/caisson/region=eu-west-1/accountId=000000000000" in str(folder.parquets()[0])
    assert indexes(archive) == [0, 1, 2, 3, 4, 5]


@pytest.fixture
def compacted(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(writer, "JOURNAL_BYTES_MAX", 1)
    monkeypatch.setattr(compaction, "COMPACT_BYTES", 1)
    archive = folder.open()
    for index in range(6):
        archive.append([entry(2 * index), entry(2 * index + 1)])
    archive.compact()
    archive.close()
    assert len(folder.parquets()) == 5
    return folder


def test_a_kill_between_parquet_and_removal_of_journals_duplicates_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = folder.open()
    archive.append([entry(0), entry(1)])
    folder.clock.advance(writer.JOURNAL_AGE_MAX_S)
    archive.append([entry(2)])
    saved = {path: path.read_bytes() for path in folder.journals()}
    archive.compact()
    archive.close()
    for path, content in saved.items():
        path.write_bytes(content)
    (folder.parquets()[0].parent / "half.parquet.enc.new").write_bytes(b"half")
    assert indexes(folder.reader()) == [0, 1, 2]
    again = folder.open()
    assert indexes(again) == [0, 1, 2]
    assert len(folder.journals()) == 1
    assert not list(folder.path.rglob("*.new"))


def test_a_reader_that_listed_a_journal_before_it_was_compacted_still_finds_its_entries(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = folder.open()
    archive.append([entry(0), entry(1)])
    folder.clock.advance(writer.JOURNAL_AGE_MAX_S)
    archive.append([entry(2)])
    reader = folder.reader()
    scan = reader.scan()
    from caisson.adapters.embedded.archive import reader as module

    original, listed = module.list_units, []

    def list_then_compact(path: Path) -> Any:
        found = original(path)
        if not listed:
            listed.append(True)
            archive.compact()
        return found

    monkeypatch.setattr(module, "list_units", list_then_compact)
    assert [item.index for item in scan if isinstance(item, Entry)] == [0, 1, 2]
    assert folder.parquets()


def test_a_query_opens_only_files_that_may_hold_the_answer(compacted: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    original = columnar.read_file

    def counting(path: Path, secret: bytes, query: Query | None = None) -> Any:
        opened.append(path.name)
        return original(path, secret, query)

    monkeypatch.setattr(columnar, "read_file", counting)
    reader = compacted.reader()
    assert [found.index for found in reader.query(Query(request_id="r3"))] == [3]
    assert opened == ["0000000000000002-0000000000000003.parquet.enc"]
    opened.clear()
    assert [found.index for found in reader.query(Query(since=1_002.0, until=1_003.0))] == [2, 3]
    assert opened == ["0000000000000002-0000000000000003.parquet.enc"]


def test_an_altered_parquet_file_is_unreadable_and_the_rest_stays_readable(compacted: Folder) -> None:
    path = compacted.parquets()[1]
    content = path.read_bytes()
    for at in (0, 20, 60, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        items = list(compacted.reader().scan())
        assert [item.index for item in items if isinstance(item, Entry)] == [0, 1, *range(4, 12)]
        assert any(path.name in item.where for item in items if isinstance(item, Unreadable))
        assert indexes(compacted.open()) == [0, 1, *range(4, 12)]


def test_columns_that_differ_from_the_leaf_are_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = columnar._row
    monkeypatch.setattr(columnar, "_row", lambda stored: {**original(stored), "request_id": "another"})
    path = tmp_path / "x.parquet.enc"
    columnar.write_file(path, STORE, [entry(0)], day="20270115", now=1.0, positions={})
    monkeypatch.undo()
    (item,) = columnar.read_file(path, STORE)
    assert isinstance(item, Unreadable)


def test_a_wrong_secret_reads_nothing(compacted: Folder) -> None:
    reader = EmbeddedArchiveReader(compacted.path / "archive", compacted.path / "tree", b"x" * 32)
    assert not [item for item in reader.scan() if isinstance(item, Entry)]
    assert list(reader.query(Query())) == []


def test_no_plaintext_reaches_the_disk(folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(writer, "JOURNAL_BYTES_MAX", 1)
    monkeypatch.setattr(compaction, "COMPACT_BYTES", 1)
    archive = folder.open()
    for index in range(3):
        archive.append([entry(index, text="canary-58213", user_identity="canary-58213", session_id="canary-58213")])
    archive.compact()
    assert len(list(archive.query(Query(user="canary-58213")))) == 3
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes(), path
            assert path.stat().st_mode & 0o077 == 0, path


def test_duckdb_reaches_memory_files_and_nothing_else(tmp_path: Path) -> None:
    import duckdb

    target = tmp_path / "x.csv"
    target.write_text("a\n1\n")
    for statement in (
        f"SELECT * FROM read_csv('{target}')", f"COPY (SELECT 1) TO '{target}'", f"ATTACH '{tmp_path / 'x.db'}'",
        "SET temp_directory = '/tmp'", "INSTALL httpfs", "LOAD httpfs", "SELECT * FROM read_csv('https://example.com/x')",
    ):  # fmt: skip
        with confined_duckdb() as connection, pytest.raises(duckdb.Error):
            connection.execute(statement).fetchall()
    assert target.read_text() == "a\n1\n"


def test_exported_parquet_has_the_columns_of_the_log(tmp_path: Path) -> None:
    action = {"guardrail_id": "main", "decision": "pass"}
    data = events_to_parquet([entry(0, guardrail_actions=[action], input_text="hello", metadata={"k": "v"}), entry(1)])
    with memory_file(data) as (_, path), confined_duckdb() as connection:
        rows = connection.execute(
            f"SELECT request_id, input_text, guardrail_actions->0->>'decision', metadata->>'k', event->>'text'"
            f" FROM read_parquet('{path}')"
        ).fetchall()
    assert rows == [("r0", "hello", "pass", "v", "x" * 50), ("r1", None, None, None, "x" * 50)]


def test_a_whole_file_replaces_or_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    disk.write_whole(path, b"first")

    def fail(_handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        disk.write_whole(path, b"second")
    assert path.read_bytes() == b"first"


def test_the_last_checkpoint_is_found_behind_an_unfinished_one(folder: Folder) -> None:
    archive = folder.open()
    notes = [f"o\n{n}\nroot\ntimestamp 1.000\n\n\u2014 o sig{n}\n" for n in range(3)]
    for note in notes:
        archive.append_checkpoint(note)
    archive.close()
    path = folder.path / "tree" / "checkpoints"
    whole = path.read_bytes()
    third = whole.index(notes[2].encode())
    for cut in range(third, len(whole)):
        path.write_bytes(whole[:cut])
        assert folder.reader().last_checkpoint() == notes[1], cut
        assert list(folder.reader().checkpoints()) == notes[:2]
    again = folder.open()
    again.append_checkpoint(notes[2])
    assert list(again.checkpoints()) == notes


@pytest.mark.parametrize("timestamp", [1e20, 1e300, -1e20, 0.1, 253402300800.0])
def test_a_writers_absurd_clock_neither_stops_compaction_nor_export(folder: Folder, timestamp: float) -> None:
    archive = folder.open()
    archive.append([entry(0, timestamp=timestamp, latency_ms=1e20), entry(1)])
    folder.clock.advance(compaction.COMPACT_AGE_S)
    archive.append([entry(2)])
    archive.compact()
    assert len(folder.parquets()) == 1
    assert indexes(folder.reader()) == [0, 1, 2]
    assert [found.index for found in archive.query(Query(since=0.0, until=1e308))] == [0, 1, 2][timestamp < 0 :]
    assert events_to_parquet([item for item in archive.scan() if isinstance(item, Entry)]).startswith(b"PAR1")
