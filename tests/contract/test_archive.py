"""What every archive promises, run over every adapter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caisson.adapters.embedded.archive import EmbeddedArchive
from caisson.errors import DeveloperError, OperatorError
from caisson.policy.merkle import Frontier
from caisson.ports.archive import Archive, Entry, Query
from logging_zone import STORE, HeldClock

Open = Callable[[], Archive]


@pytest.fixture(params=["embedded"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same archive each time."""
    clock = HeldClock()

    def open_embedded() -> Archive:
        return EmbeddedArchive(tmp_path / "archive", tmp_path / "tree", STORE, region="eu-west-1", clock=clock)

    return {"embedded": open_embedded}[request.param]


@pytest.fixture(params=["fresh", "compacted"])
def settle(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Archive], None]:
    """Brings an archive into the state in which it is queried."""
    if request.param == "fresh":
        return lambda archive: None
    monkeypatch.setattr("caisson.adapters.embedded.archive.writer.JOURNAL_BYTES_MAX", 1)
    monkeypatch.setattr("caisson.adapters.embedded.archive.compaction.COMPACT_BYTES", 1)
    return lambda archive: archive.compact()


def entry(index: int, **event: Any) -> Entry:
    fields: dict[str, Any] = {
        "kind": "model.request.v1", "message_id": f"m{index}", "timestamp": 1_000.0 + index, "request_id": f"r{index}",
        "session_id": f"s{index % 2}", "user_identity": "alice" if index % 3 else "bob", "input_text": "ünïcode \u0000",
    }  # fmt: skip
    return Entry(
        index=index, event=fields | event, writer="runtime-0", incarnation="a", sequence=index, digest=f"{index:064x}"
    )


def fill(archive: Archive, count: int, start: int = 0) -> list[Entry]:
    entries = [entry(index) for index in range(start, start + count)]
    for one in entries:
        archive.append([one])
    return entries


def indexes(archive: Archive, query: Query) -> list[int]:
    return [found.index for found in archive.query(query)]


def test_a_new_archive_is_empty(opened: Open) -> None:
    archive = opened()
    assert archive.size() == 0
    assert list(archive.scan()) == list(archive.leaves()) == list(archive.checkpoints()) == []
    assert list(archive.query(Query())) == []
    assert archive.last_checkpoint() == ""
    assert archive.last_sequence("runtime-0", "a") == -1
    archive.append([])
    archive.compact()
    assert archive.size() == 0


def test_what_was_appended_is_there_at_once_and_when_opened_again(
    opened: Open, settle: Callable[[Archive], None]
) -> None:
    archive = opened()
    entries = fill(archive, 5)
    assert list(archive.scan()) == entries
    settle(archive)
    assert list(archive.scan()) == entries
    archive.close()
    again = opened()
    assert list(again.scan()) == entries
    assert list(again.leaves()) == [one.leaf_hash for one in entries]
    assert list(again.leaves(3)) == [one.leaf_hash for one in entries[3:]]
    assert again.size() == 5
    assert again.last_sequence("runtime-0", "a") == 4
    assert list(again.scan()) + fill(again, 2, 5) == list(again.scan())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), range(12)),
        (Query(limit=3), [9, 10, 11]),
        (Query(limit=0), []),
        (Query(request_id="r7"), [7]),
        (Query(request_id="r70"), []),
        (Query(session_id="s1"), [1, 3, 5, 7, 9, 11]),
        (Query(session_id="s1", limit=2), [9, 11]),
        (Query(user="bob"), [0, 3, 6, 9]),
        (Query(user="bob", session_id="s1"), [3, 9]),
        (Query(user="b"), []),
        (Query(kind="model.request.v1", limit=1), [11]),
        (Query(kind="head.v1"), []),
        (Query(without_kinds=("model.request.v1",)), []),
        (Query(since=1_004.0, until=1_006.0), [4, 5, 6]),
        (Query(since=1_011.5), []),
        (Query(start=10), [10, 11]),
        (Query(start=10, limit=1), [11]),
        (Query(user='"alice"'), []),
        (Query(user="' OR 1=1 --"), []),
    ],
)
def test_a_query_gives_the_newest_matches_oldest_first(
    opened: Open, settle: Callable[[Archive], None], query: Query, expected: list[int]
) -> None:
    archive = opened()
    fill(archive, 12)
    settle(archive)
    assert indexes(archive, query) == list(expected)


def test_a_refused_request_is_found_by_its_sampled_id(opened: Open, settle: Callable[[Archive], None]) -> None:
    archive = opened()
    refusals = {"kind": "refusals.v1", "timestamp": 1.0, "sample_request_ids": ["x1", "x2"]}
    archive.append([Entry(index=0, event=refusals, writer="w", incarnation="a", sequence=0, digest="")])
    fill(archive, 2, 1)
    settle(archive)
    assert indexes(archive, Query(request_id="x2")) == [0]
    assert indexes(archive, Query(request_id="x3")) == []


def test_indexes_continue_without_gaps(opened: Open) -> None:
    archive = opened()
    fill(archive, 2)
    for wrong in ([entry(1)], [entry(3)], [entry(2), entry(4)]):
        with pytest.raises(DeveloperError, match="index 2"):
            archive.append(wrong)
    assert archive.size() == 2


def test_checkpoints_and_frontier_are_kept(opened: Open) -> None:
    archive = opened()
    assert archive.load_frontier().size == 0
    entries = fill(archive, 3)
    notes = [f"caisson/x\n{size}\nroot\ntimestamp 1.000\n\n\u2014 caisson/x sig{size}\n" for size in range(30)]
    for note in notes:
        archive.append_checkpoint(note)
    frontier = Frontier()
    frontier.extend(one.leaf_hash for one in entries)
    archive.save_frontier(frontier)
    archive.close()
    again = opened()
    assert list(again.checkpoints()) == notes
    assert again.last_checkpoint() == notes[-1]
    assert (again.load_frontier().size, again.load_frontier().root()) == (3, frontier.root())


def test_each_run_of_a_writer_has_its_own_position(opened: Open, settle: Callable[[Archive], None]) -> None:
    archive = opened()
    for index, (writer, run, sequence) in enumerate([("a", "1", 0), ("a", "1", 1), ("b", "1", 0), ("a", "2", 0)]):
        archive.append(
            [Entry(index=index, event={"timestamp": 1.0}, writer=writer, incarnation=run, sequence=sequence, digest="")]
        )
    statement = Entry(index=4, event={"timestamp": 1.0}, writer="a", incarnation="1", sequence=-1, digest="")
    archive.append([statement])
    settle(archive)
    archive.close()
    again = opened()
    positions = [again.last_sequence(*run) for run in (("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"))]
    assert positions == [1, 0, 0, -1]


def test_a_closed_archive_takes_nothing(opened: Open) -> None:
    archive = opened()
    archive.close()
    with pytest.raises(OperatorError, match="closed"):
        archive.append([entry(0)])


def test_numbers_and_text_survive_exactly(opened: Open, settle: Callable[[Archive], None]) -> None:
    archive = opened()
    event = {
        "timestamp": 1_764_000_000.123456, "small": 1e-7, "large": 1e21, "zero": -0.0, "integer": 2**53 - 1,
        "text": 'quote " backslash \\ newline \n nul \x00 astral \U0001f600 line \u2028', "user_identity": "nul \x00 é",
        "nested": {"é": [None, True, {"": []}]},
    }  # fmt: skip
    stored = Entry(index=0, event=event, writer="w", incarnation="a", sequence=0, digest="")
    archive.append([stored])
    settle(archive)
    assert list(archive.scan()) == [stored]
    assert [one.leaf_hash for one in archive.scan()] == list(archive.leaves())  # type: ignore[union-attr]
    assert indexes(archive, Query(user="nul \x00 é")) == [0]
