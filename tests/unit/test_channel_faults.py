"""Whatever is done to a spool is found, and called by its name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from caisson.adapters.embedded.channel import reader as reader_module
from caisson.adapters.embedded.channel import spool as spool_module
from caisson.adapters.embedded.channel.segment import FRAME_HEADER_BYTES, HEAD, RECORD, SegmentName, frame_header
from caisson.adapters.embedded.channel.writer import RETRY_AFTER_S
from caisson.adapters.embedded.keys import FileKeys
from caisson.errors import ChannelError, StartError
from caisson.ports.channel import Received
from channel_world import World, event, faults, flip, heads, kinds, texts


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def frames(path: Path) -> list[tuple[int, int, int]]:
    """Kind, start and end of each frame."""
    data = path.read_bytes()
    at = len(b"caisson segment 1\n") + 4 + int.from_bytes(data[18:22], "big") + 64
    found = []
    while at < len(data):
        length, kind = frame_header(data, at)
        found.append((kind, at, at + FRAME_HEADER_BYTES + length))
        at = found[-1][2]
    return found


def records(path: Path) -> list[tuple[int, int]]:
    return [(start, end) for kind, start, end in frames(path) if kind == RECORD]


def written(world: World, count: int = 4, **changes: object) -> Path:
    """A closed segment with one head behind each record, and an incarnation after it that says how far it went."""
    writer = world.writer(**changes)
    for number in range(count):
        writer.append(event(number))
    writer.close()
    world.writer(**changes).close()
    return world.segments()[0]


async def quietly(world: World, count: int) -> Path:
    """A closed segment whose records stand side by side: heads are due later than this loop lets them."""
    writer = world.writer()
    for number in range(count):
        writer.append(event(number))
    writer.close()
    world.writer().close()
    return world.segments()[0]


def cut_out(path: Path, start: int, end: int) -> bytes:
    data = path.read_bytes()
    path.write_bytes(data[:start] + data[end:])
    return data[start:end]


def put_in(path: Path, at: int, piece: bytes) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:at] + piece + data[at:])


def test_an_untouched_spool_has_no_fault_and_ends_empty(world: World) -> None:
    written(world)
    items = world.read()
    assert texts(items) == ["0", "1", "2", "3"]
    assert faults(items) == []
    assert list(world.spool.iterdir()) == []


def test_a_flip_of_any_byte_is_found(world: World) -> None:
    """And never gives a wrong message. Odd bytes lose the lowest bit, even ones the bit between cases of hex digits."""
    path = written(world, 1)
    whole = path.read_bytes()
    for offset in range(len(whole)):
        flip(path, offset, 0x01 if offset % 2 else 0x20)
        items = world.read(commit=False)
        assert faults(items), f"byte {offset}"
        assert set(texts(items)) <= {"0"}
        path.write_bytes(whole)


def test_cutting_at_any_byte_is_found(world: World) -> None:
    path = written(world, 1)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        items = world.read(commit=False)
        assert set(kinds(items)) <= {"missing", "damaged"}, f"cut at {length}"
        assert faults(items), f"cut at {length}"
        path.write_bytes(whole)


async def test_a_record_cut_out_is_missing(world: World) -> None:
    path = await quietly(world, 5)
    cut_out(path, *records(path)[2])
    items = world.read()
    assert texts(items) == ["0", "1", "3", "4"]
    assert kinds(items) == ["missing", "missing"]  # the record, and the bytes at the segment's end
    assert "record 2" in faults(items)[0].detail


async def test_a_changed_record_is_forged_and_not_also_missing(world: World) -> None:
    path = await quietly(world, 5)
    flip(path, records(path)[2][1] - 1)
    items = world.read()
    assert texts(items) == ["0", "1", "3", "4"]
    assert kinds(items) == ["forged"]
    assert faults(items)[0].where == f"{path.name}@{records(world.kept()[0])[2][0]}"


async def test_swapped_records_are_reordered_and_none_is_lost(world: World) -> None:
    path = await quietly(world, 5)
    (start, end), (_, stop) = records(path)[1:3]
    put_in(path, stop, path.read_bytes()[start:end])
    cut_out(path, start, end)
    items = world.read()
    assert texts(items) == ["0", "2", "1", "3", "4"]
    assert kinds(items) == ["reordered"]


async def test_a_repeated_record_is_replayed_and_not_delivered_again(world: World) -> None:
    path = await quietly(world, 5)
    start, end = records(path)[1]
    put_in(path, records(path)[3][1], path.read_bytes()[start:end])
    items = world.read()
    assert texts(items) == ["0", "1", "2", "3", "4"]
    assert kinds(items) == ["replayed"]


def test_a_repeated_head_is_replayed(world: World) -> None:
    path = written(world, 3)
    _, start, end = [each for each in frames(path) if each[0] == HEAD][1]
    put_in(path, frames(path)[-1][1], path.read_bytes()[start:end])
    items = world.read()
    assert kinds(items) == ["replayed"]
    assert len(heads(items)) == len({(head.length, head.closed, head.incarnation) for head in heads(items)})


def test_a_head_of_another_incarnation_is_replayed(world: World) -> None:
    path = written(world, 3)
    _, start, end = frames(path)[-1]
    put_in(world.segments()[1], frames(world.segments()[1])[0][1], path.read_bytes()[start:end])
    assert kinds(world.read()) == ["replayed"]


def test_a_record_of_another_segment_is_forged(world: World) -> None:
    """It was sealed under another key, whatever place it claims."""
    path = written(world, 1)
    start, end = records(path)[0]
    other = world.segments()[1]
    put_in(other, frames(other)[-1][1], path.read_bytes()[start:end])
    items = world.read()
    assert texts(items) == ["0"]
    assert kinds(items) == ["forged"]


def test_a_deleted_segment_is_missing(world: World) -> None:
    path = written(world, 3)
    path.unlink()
    items = world.read()
    assert set(kinds(items)) == {"missing"}
    assert any("records 0 to 2" in fault.detail for fault in faults(items))


def test_a_deleted_segment_between_others_is_missing(world: World) -> None:
    writer = world.writer(segment_bytes_max=1)
    for number in range(4):
        writer.append(event(number))
    writer.close()
    world.segments()[2].unlink()  # the first one is full with its header
    items = world.read()
    assert texts(items) == ["0", "2", "3"]
    assert set(kinds(items)) == {"missing"}
    assert any(fault.detail == "record 1" for fault in faults(items))


def test_a_live_segment_that_vanishes_is_missing_at_once(world: World) -> None:
    writer, reader = world.writer(), world.reader()
    writer.append(event("read"))
    world.read(reader)
    world.segments()[0].unlink()
    writer.append(event("lost"))
    items = world.read(reader)
    assert kinds(items) == ["missing"]
    assert kinds(world.read(reader)) == []
    writer.close()
    world.writer().close()
    assert any("record" in fault.detail for fault in faults(world.read(reader)))


def test_a_live_segment_that_is_cut_is_missing_and_later_records_come_whole(world: World) -> None:
    writer, reader = world.writer(), world.reader()
    writer.append(event(0))
    path = world.segments()[0]
    keep = records(path)[0][0]
    writer.append(event(1))
    os.truncate(path, keep)
    writer.append(event(2))
    writer.close()
    world.writer().close()
    items = world.read(reader)
    assert texts(items) == ["2"]
    assert set(kinds(items)) == {"missing"}


def test_a_cut_below_what_was_read_is_missing(world: World) -> None:
    writer, reader = world.writer(), world.reader()
    writer.append(event(0))
    assert texts(world.read(reader)) == ["0"]
    os.truncate(world.segments()[0], 100)
    assert "missing" in kinds(world.read(reader)) or "forged" in kinds(world.read(reader))
    writer.close()


def test_a_copied_segment_is_replayed(world: World) -> None:
    path = written(world, 2)
    name = SegmentName.parse(path.name)
    assert name is not None
    copy = SegmentName(writer=name.writer, incarnation=name.incarnation, number=7)
    shutil.copy(path, world.spool / str(copy))
    items = world.read()
    assert kinds(items) == ["replayed"]
    assert texts(items) == ["0", "1"]


def test_a_segment_put_back_is_replayed(world: World, tmp_path: Path) -> None:
    path = written(world, 2)
    shutil.copy(path, tmp_path / "saved")
    last = world.segments()[-1].name
    shutil.copy(world.segments()[-1], tmp_path / "saved-last")
    reader = world.reader()
    world.read(reader)
    shutil.copy(tmp_path / "saved", path)
    shutil.copy(tmp_path / "saved-last", world.spool / last)
    items = world.read(world.reader())
    assert kinds(items) == ["replayed", "replayed"]
    assert texts(items) == []
    assert world.segments() == []


def test_a_segment_of_another_channel_is_replayed(world: World, tmp_path: Path) -> None:
    spool, state = tmp_path / "requests", tmp_path / "other"
    spool.mkdir()
    state.mkdir()
    writer = world.writer(channel="requests", spool=spool, state=state)
    writer.append(event())
    writer.close()
    (path,) = spool.iterdir()
    shutil.copy(path, world.spool / path.name)
    items = world.read()
    assert kinds(items) == ["replayed"]
    assert texts(items) == []


def test_a_segment_signed_by_a_stranger_is_forged(world: World, tmp_path: Path) -> None:
    stranger = FileKeys.create(tmp_path / "stranger", signing=("channel",))
    writer = world.writer(signing=stranger.signing("channel"))
    writer.append(event("lie"))
    writer.close()
    items = world.read()
    assert kinds(items) == ["forged"]
    assert texts(items) == []


def test_a_zone_cannot_write_in_anothers_name(world: World) -> None:
    """Control's key is known and good, but not for what claims to be the runtime zone's."""
    reader = world.reader(
        writers={
            "runtime": (world.logging.signing("channel").public_bytes,),
            "control": (world.runtime.signing("channel").public_bytes,),
        }
    )
    writer = world.writer("runtime-0")
    writer.append(event("lie"))
    writer.close()
    assert kinds(world.read(reader)) == ["forged"]


def test_a_segment_sealed_to_another_reader_is_forged(world: World, tmp_path: Path) -> None:
    other = FileKeys.create(tmp_path / "other", sealing=("events",))
    writer = world.writer(reader_public=other.sealing("events").public_bytes)
    writer.append(event())
    writer.close()
    items = world.read()
    assert kinds(items) == ["forged"]
    assert "does not hold" in faults(items)[0].detail


def test_old_reader_keys_still_open_old_segments(world: World, tmp_path: Path) -> None:
    new = FileKeys.create(tmp_path / "new", sealing=("events",)).sealing("events")
    writer = world.writer()
    writer.append(event("old"))
    writer.close()
    writer = world.writer(reader_public=new.public_bytes)
    writer.append(event("new"))
    writer.close()
    items = world.read(world.reader(keys=[new, world.logging.sealing("events")]))
    assert texts(items) == ["old", "new"]
    assert faults(items) == []


def test_a_writer_that_lost_its_memory_is_reported(world: World) -> None:
    writer = world.writer()
    for number in range(3):
        writer.append(event(number))
    world.kill(writer)
    for path in world.writer_state.iterdir():
        path.unlink()
    world.clock.step(1)
    world.writer().close()
    items = world.read()
    assert texts(items) == ["0", "1", "2"]
    assert kinds(items) == ["missing"]
    assert "remembers nothing" in faults(items)[0].detail


def test_a_reader_that_lost_its_position_reports_what_it_had_deleted(world: World) -> None:
    written(world, 3)
    world.read()
    for path in world.reader_state.iterdir():
        path.unlink()
    world.writer().close()
    assert set(kinds(world.read())) == {"missing"}


@pytest.mark.parametrize(
    "name", ["x", "runtime-0.segment", "..segment", "runtime-0.0000000000000001.00000001.segment~"]
)
def test_a_file_of_no_writers_name_is_reported_once_and_set_aside(world: World, name: str) -> None:
    (world.spool / name).write_bytes(b"caisson segment 1\n")
    reader = world.reader()
    expected = [] if name.startswith(".") else ["forged"]
    assert kinds(world.read(reader)) == expected
    assert kinds(world.read(reader)) == []


def test_a_link_to_a_good_segment_is_forged(world: World, tmp_path: Path) -> None:
    path = written(world, 1)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    items = world.read()
    assert "forged" in kinds(items)
    assert texts(items) == []


def test_a_file_that_took_a_segments_place_is_judged_anew(world: World) -> None:
    writer, reader = world.writer(), world.reader()
    writer.append(event("read"))
    assert texts(world.read(reader)) == ["read"]
    path = world.segments()[0]
    (segment,) = reader._spool.scan()[0]["runtime-0"]
    other = path.with_name("other")
    other.write_text("nothing of ours")
    other.rename(path)
    assert list(segment.frames(0)) == []  # between two scans
    assert set(kinds(world.read(reader))) == {"forged", "missing"}
    writer.close()


def test_a_cut_that_takes_no_record_is_missing_too(world: World) -> None:
    """The signed head behind the last record of a full segment."""
    writer = world.writer(segment_bytes_max=1)
    writer.append(event("one"))
    writer.append(event("two"))
    writer.close()
    path = world.segments()[1]
    kind, start, _ = frames(path)[-1]
    assert kind == HEAD
    os.truncate(path, start)
    items = world.read()
    assert texts(items) == ["one", "two"]
    assert kinds(items) == ["missing"]


def test_a_cut_of_a_segment_that_was_given_up_is_missing(world: World) -> None:
    """It is no torn write: the next header says how much of it was whole."""
    writer = world.writer()
    writer.append(event("one"))
    world.disk.fail["write"] = OSError(28, "No space left on device")
    with pytest.raises(ChannelError):
        writer.append(event("refused"))
    world.disk.fail.clear()
    world.clock.step(RETRY_AFTER_S)
    writer.append(event("two"))
    writer.close()
    os.truncate(world.segments()[0], frames(world.segments()[0])[-1][1])
    items = world.read()
    assert texts(items) == ["one", "two"]
    assert kinds(items) == ["missing"]


def test_a_listing_that_missed_a_file_is_no_gap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that grows while it is listed may show a later file without an earlier one."""
    writer = world.writer(segment_bytes_max=1)
    for number in range(3):
        writer.append(event(number))
    hidden = world.segments()[1].name
    listed = spool_module.Spool._list
    calls = iter([{hidden}])

    def miss(spool: spool_module.Spool) -> dict[str, int]:
        missed = next(calls, set())
        return {name: inode for name, inode in listed(spool).items() if name not in missed}

    monkeypatch.setattr(spool_module.Spool, "_list", miss)
    items = world.read()
    assert texts(items) == ["0", "1", "2"]
    assert faults(items) == []
    writer.close()


def test_writer_names_on_a_channel_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "WRITERS_MAX", 2)
    for number in range(4):
        writer = world.writer(f"runtime-{number}")
        writer.append(event(number))
        writer.close()
    items = world.read()
    assert texts(items) == ["0", "1"]
    assert kinds(items) == ["forged", "forged"]


def test_the_position_is_on_stable_storage_before_anything_is_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(world, 1)
    reader, done = world.reader(), list[str]()
    sync, unlink = os.fsync, Path.unlink
    monkeypatch.setattr(os, "fsync", lambda descriptor: (done.append("sync"), sync(descriptor))[1])
    monkeypatch.setattr(Path, "unlink", lambda path, **more: (done.append("delete"), unlink(path, **more))[1])
    list(reader.poll(100))
    reader.commit()
    assert done[:2] == ["sync", "sync"]  # the file and its folder
    assert done[2:] == ["delete", "delete"]


def segment_path(world: World, number: int = 0) -> Path:
    return world.spool / str(SegmentName(writer="runtime-0", incarnation="f" * 16, number=number))


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "unopenable", "text", "long header"])
def test_what_is_no_segment_under_a_segments_name_is_forged_and_blocks_nothing(world: World, kind: str) -> None:
    path = segment_path(world)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
        (path / "inside").write_text("x")
    elif kind == "link":
        path.symlink_to("/etc/hostname")
    elif kind == "unopenable":
        path.symlink_to(path)
    elif kind == "text":
        path.write_text("nothing of ours")
    else:
        path.write_bytes(b"caisson segment 1\n" + b"\xff" * 100)
    writer = world.writer()
    writer.append(event("fine"))
    writer.close()
    reader = world.reader()
    items = world.read(reader)
    assert kinds(items) == ["forged"]
    assert texts(items) == ["fine"]
    assert kinds(world.read(reader)) == []


def test_an_unfinished_file_waits_and_is_dropped_once_the_writer_went_on(world: World) -> None:
    writer = world.writer()
    writer.append(event("one"))
    world.kill(writer)
    incarnation = SegmentName.parse(world.segments()[0].name)
    assert incarnation is not None
    torn = world.spool / str(SegmentName(writer="runtime-0", incarnation=incarnation.incarnation, number=1))
    torn.write_bytes(b"caisson seg")
    reader = world.reader()
    assert texts(world.read(reader)) == ["one"]
    assert torn.exists()
    world.writer().close()
    assert faults(world.read(reader)) == []
    assert not torn.exists()


@pytest.mark.parametrize("tail", [b"\x00", b"\x00\x00\x00\x64\x01", b"\x00\x00\x00\x64\x01" + b"x" * 60])
def test_a_torn_write_of_a_killed_writer_is_no_fault(world: World, tail: bytes) -> None:
    """It waits while it may still grow, and the next header says that it was never whole."""
    writer = world.writer()
    writer.append(event("one"))
    world.kill(writer)
    with open(world.segments()[0], "ab") as file:
        file.write(tail)
    reader = world.reader()
    assert texts(world.read(reader)) == ["one"]
    world.writer().close()
    assert faults(world.read(reader)) == []


def test_a_record_that_was_written_and_not_remembered_is_no_fault(world: World) -> None:
    writer = world.writer()
    writer.append(event("one"))
    memory = world.writer_state / "events-runtime-0.chain"
    before = memory.read_bytes()
    writer.append(event("two"))
    world.kill(writer)
    memory.write_bytes(before)
    writer = world.writer()
    writer.append(event("three"))
    writer.close()
    items = world.read()
    assert texts(items) == ["one", "two", "three"]
    assert faults(items) == []


def test_faulty_segments_are_kept_and_only_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "KEPT_MAX", 3)
    for number in range(8):
        segment_path(world, number).write_text("nothing of ours")
    assert kinds(world.read()) == ["forged"] * 8
    assert len(world.kept()) == 3
    assert world.segments() == []


def test_a_flood_of_files_is_judged_in_portions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "NEW_FILES_PER_SCAN_MAX", 2)
    writer = world.writer(segment_bytes_max=1)
    for number in range(9):
        writer.append(event(number))
    writer.close()
    reader, items = world.reader(), []
    for _ in range(20):
        items += list(reader.poll(100))
        reader.commit()
    assert texts(items) == [str(number) for number in range(9)]
    assert faults(items) == []


def test_a_frame_that_claims_more_than_any_frame_has_is_damaged(world: World) -> None:
    path = written(world, 2)
    flip(path, records(path)[0][0], 0xFF)
    items = world.read()
    assert kinds(items)[0] == "damaged"
    assert "missing" in kinds(items)


def test_a_commit_that_was_killed_before_it_deleted_is_finished_by_the_next_reader(world: World) -> None:
    path = written(world, 2)
    saved = path.read_bytes()
    reader = world.reader()
    items = list(reader.poll(100))
    reader.commit()
    path.write_bytes(saved)  # as if the kill had come between the position and the deletion
    assert texts(items) == ["0", "1"]
    reader = world.reader()
    assert world.read(reader) == []
    assert world.segments() == []


def test_a_damaged_position_is_refused(world: World) -> None:
    written(world, 1)
    world.read()
    path = world.reader_state / "events.position"
    path.write_bytes(b'{"\x80":1}')
    with pytest.raises(ChannelError, match="move it away"):
        world.reader()
    path.write_text("{")
    with pytest.raises(ChannelError, match="move it away"):
        world.reader()
    path.write_text('{"channel":"requests","tracks":{}}')
    with pytest.raises(ChannelError, match="requests"):
        world.reader()


def test_a_reader_takes_no_writer_that_the_table_does_not_name(world: World) -> None:
    with pytest.raises(StartError, match="runtime"):
        world.reader(channel="proposals")
    with pytest.raises(StartError, match="channel"):
        world.reader(channel="nonsense")


def test_a_spool_that_cannot_be_listed_is_an_error(world: World) -> None:
    shutil.rmtree(world.spool)
    with pytest.raises(ChannelError, match="cannot be listed"):
        list(world.reader().poll(1))


def test_no_message_stands_in_the_folders_in_the_clear(world: World) -> None:
    writer = world.writer()
    writer.append(event("canary-7f3a9c"))
    writer.close()
    assert texts(world.read(commit=False)) == ["canary-7f3a9c"]
    for folder in (world.spool, world.writer_state, world.reader_state):
        for path in folder.rglob("*"):
            assert b"canary" not in path.read_bytes(), path
    received = [item for item in world.read() if isinstance(item, Received)]
    assert received[0].writer == "runtime-0"
