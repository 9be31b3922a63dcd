"""A disk that refuses, stops half way or lies: what was acknowledged is there, what may be lost is not acknowledged."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import resource
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from caisson.adapters.embedded.channel import backlog as backlog_module
from caisson.adapters.embedded.channel import writer as writer_module
from caisson.adapters.embedded.channel.disk import Disk, segment_mode
from caisson.adapters.embedded.channel.memory import Memory, Remembered
from caisson.errors import ChannelError
from channel_world import World, event, faults, heads, kinds, texts
from forked import in_child

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
BROKEN = OSError(errno.EIO, os.strerror(errno.EIO))
NOBODY = 65534


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def read_after_restart(world: World) -> list[str]:
    """What arrives, after the next incarnation has said how far this one went; no fault may be among it."""
    world.writer().close()
    items = world.read()
    assert faults(items) == []
    return texts(items)


def test_short_writes_are_continued(world: World) -> None:
    world.disk.take = lambda size: max(1, size // 3)
    writer = world.writer()
    for number in range(5):
        writer.append(event(number))
    writer.close()
    assert read_after_restart(world) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("error", [FULL, BROKEN], ids=["ENOSPC", "EIO"])
def test_a_refused_write_refuses_the_record_and_later_ones_are_whole(world: World, error: OSError) -> None:
    writer = world.writer()
    writer.append(event("before"))
    world.disk.fail["write"] = error
    with pytest.raises(ChannelError, match=os.strerror(error.errno or 0)):
        writer.append(event("refused"))
    world.disk.fail.clear()
    with pytest.raises(ChannelError, match="refused"):
        writer.append(event("too soon"))
    world.clock.step(writer_module.RETRY_AFTER_S)
    writer.append(event("after"))
    writer.close()
    assert read_after_restart(world) == ["before", "after"]


def test_a_torn_record_is_left_behind_in_its_segment(world: World) -> None:
    """Its sequence is sealed again, under another segment's key: one nonce never serves two records."""
    writer = world.writer()
    writer.append(event("before"))
    writes = iter([40])

    def take(size: int) -> int:
        try:
            return next(writes)
        except StopIteration:
            raise FULL from None

    world.disk.take = take
    with pytest.raises(ChannelError):
        writer.append(event("torn"))
    world.disk.take = None
    world.clock.step(writer_module.RETRY_AFTER_S)
    writer.append(event("after"))
    writer.close()
    assert len(world.segments()) == 2
    assert read_after_restart(world) == ["before", "after"]


def test_a_header_that_did_not_fit_is_finished_in_the_same_file(world: World) -> None:
    """However long the disk stays full, it leaves one file and not one a second."""
    writer = world.writer(segment_bytes_max=1)
    room = [100]

    def take(size: int) -> int:
        taken, room[0] = min(size, room[0]), room[0] - min(size, room[0])
        if not taken:
            raise FULL
        return taken

    world.disk.take = take
    for _ in range(20):
        with pytest.raises(ChannelError):
            writer.append(event("refused"))
        world.clock.step(writer_module.RETRY_AFTER_S)
        room[0] = 7
    assert len(world.segments()) == 2
    world.disk.take = None
    writer.append(event("after"))
    writer.close()
    assert read_after_restart(world) == ["after"]


def test_a_head_that_cannot_be_written_takes_no_record_back(world: World) -> None:
    writer = world.writer()
    sizes: list[int] = []

    def take(size: int) -> int:
        sizes.append(size)
        if len(sizes) == 2:  # outside a loop the head follows its record at once
            raise FULL
        return size

    world.disk.take = take
    writer.append(event("kept"))
    with pytest.raises(ChannelError):
        writer.append(event("refused"))
    world.clock.step(writer_module.RETRY_AFTER_S)
    writer.append(event("after"))
    writer.close()
    world.disk.take = None
    assert read_after_restart(world) == ["kept", "after"]


def test_a_file_that_cannot_be_made_is_a_refusal(world: World) -> None:
    writer = world.writer(segment_bytes_max=1)
    world.disk.fail["create"] = OSError(errno.EDQUOT, "quota")
    with pytest.raises(ChannelError, match="quota"):
        writer.append(event())
    writer.close()


def test_a_memory_that_cannot_be_made_opens_nothing(world: World) -> None:
    world.disk.fail["map"] = BROKEN
    with pytest.raises(ChannelError, match="cannot be opened"):
        world.writer()
    assert world.disk.open == set()
    world.disk.fail.clear()
    world.writer().close()


def test_a_memory_has_its_blocks_from_the_start(world: World) -> None:
    """A mapped page without one would end the process when the disk is full."""
    writer = world.writer()
    status = next(world.writer_state.glob("*.chain")).stat()
    assert status.st_size == 512
    assert status.st_blocks > 0
    writer.close()


def test_names_taken_by_others_are_passed_over_and_not_without_end(world: World) -> None:
    writer = world.writer(segment_bytes_max=1)
    first = world.segments()[0].name
    for number in range(1, 4):
        (world.spool / first.replace("00000000.segment", f"{number:08d}.segment")).write_text("taken")
    writer.append(event("fourth"))
    assert len(world.segments()) == 5
    for number in range(5, 5 + writer_module.CREATE_TRIES_MAX):
        (world.spool / first.replace("00000000.segment", f"{number:08d}.segment")).write_text("taken")
    with pytest.raises(ChannelError, match="are taken"):
        writer.append(event("none"))
    writer.append(event("next"))
    writer.close()
    items = world.read()
    assert texts(items) == ["fourth", "next"]
    assert set(kinds(items)) == {"forged"}


def test_a_message_longer_than_any_frame_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "FRAME_BYTES_MAX", 2_000)
    writer = world.writer()
    with pytest.raises(ChannelError, match="at most"):
        writer.append(event("x" * 2_000))
    writer.append(event("short"))
    writer.close()
    assert read_after_restart(world) == ["short"]


def test_old_segments_give_way_to_new_ones(world: World) -> None:
    writer = world.writer()
    writer.append(event("one"))
    world.clock.step(writer_module.SEGMENT_AGE_MAX_S)
    writer.append(event("two"))
    assert len(world.segments()) == 2
    assert texts(world.read()) == ["one", "two"]
    assert len(world.segments()) == 1
    writer.close()


def test_a_clock_that_steps_back_does_not_change_the_order_of_incarnations(world: World) -> None:
    for number in range(4):
        writer = world.writer()
        writer.append(event(number))
        world.kill(writer)
        world.clock.time -= 1_000
    assert read_after_restart(world) == ["0", "1", "2", "3"]


# Stable storage


async def test_callers_share_a_sync(world: World) -> None:
    writer = world.writer()
    loop = asyncio.get_running_loop()
    begun, go_on = asyncio.Event(), threading.Event()

    def hold() -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(10)

    world.disk.on_sync, world.disk.syncs = hold, 0
    writer.append(event("first"))
    first = asyncio.create_task(writer.durable())
    await begun.wait()
    others = []
    for number in range(20):
        writer.append(event(number))
        others.append(asyncio.create_task(writer.durable()))
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, *others)
    assert world.disk.syncs == 2
    await writer.durable()
    assert world.disk.syncs == 2
    writer.close()


async def test_a_cancelled_caller_leaves_the_others_waiting_for_the_same_sync(world: World) -> None:
    writer = world.writer()
    writer.append(event())
    cancelled, waiting = asyncio.create_task(writer.durable()), asyncio.create_task(writer.durable())
    await asyncio.sleep(0)
    cancelled.cancel()
    await waiting
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    writer.close()


async def test_a_failed_sync_refuses_until_the_reader_has_what_was_in_doubt(world: World) -> None:
    """The system says once that it lost data; a later sync of the same file would succeed (fsync(2))."""
    writer, reader = world.writer(), world.reader()
    writer.append(event("in doubt"))
    world.disk.fail["sync"] = BROKEN
    failed = await asyncio.gather(writer.durable(), writer.durable(), return_exceptions=True)
    assert [type(error) for error in failed] == [ChannelError, ChannelError]
    world.disk.fail.clear()
    with pytest.raises(ChannelError, match="did not confirm"):
        await writer.durable()
    world.clock.step(writer_module.RETRY_AFTER_S)
    writer.append(event("after"))
    with pytest.raises(ChannelError, match="did not confirm"):
        await writer.durable()
    assert texts(world.read(reader)) == ["in doubt", "after"]
    await writer.durable()
    writer.close()
    assert read_after_restart(world) == []


async def test_a_segment_that_was_full_before_the_sync_counts_too(world: World) -> None:
    writer = world.writer(segment_bytes_max=1)
    writer.append(event("one"))
    first = True

    def fail_first() -> None:
        nonlocal first
        if first:
            first = False
            raise BROKEN

    world.disk.on_sync = fail_first
    writer.append(event("two"))  # retires the segment of `one`; that of `two` is fine
    with pytest.raises(ChannelError, match="did not confirm"):
        await writer.durable()
    writer.close()


def test_closing_when_the_disk_is_full_releases_everything(world: World) -> None:
    writer = world.writer()
    writer.append(event("kept"))
    world.disk.fail["write"] = FULL
    with pytest.raises(ChannelError):
        writer.close()
    assert world.disk.open == set()
    world.disk.fail.clear()
    assert read_after_restart(world) == ["kept"]


# What a writer remembers


def test_a_torn_memory_falls_back_to_the_update_before(tmp_path: Path) -> None:
    path, begun = tmp_path / "memory", Remembered(incarnation="00000000000000aa")
    memory = Memory(path, Disk())
    for length in range(1, 4):
        memory.store(length=length, chain=bytes(32), number=0, end=100 * length, of=begun)
    memory.close()
    whole = path.read_bytes()
    for offset in range(256, 256 + 140):  # the third update is in the second slot
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 1]) + whole[offset + 1 :])
        again = Memory(path, Disk())
        assert again.remembered.length == 2
        again.close()
    path.write_bytes(b"")
    empty = Memory(path, Disk())
    assert empty.remembered == Remembered()
    empty.close()


def test_crash_loops_without_a_reader_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog_module, "SEGMENTS_UNREAD_MAX", 5)
    for _ in range(5):
        world.kill(world.writer())
    with pytest.raises(ChannelError, match="start its reader"):
        world.writer()
    world.disk.kill()
    world.read()
    world.writer().close()


def test_bytes_of_earlier_incarnations_count(world: World) -> None:
    accepted = 0
    with pytest.raises(ChannelError, match="bound"):
        while True:
            writer = world.writer(bytes_max=40_000)
            try:
                writer.append(event("x" * 3_000))
            finally:
                world.kill(writer)
            accepted += 1
    assert 4 <= accepted < 13


def test_a_damaged_list_of_own_segments_begins_anew(world: World) -> None:
    world.writer().close()
    (world.writer_state / "events-runtime-0.unread").write_bytes(b"\xff\xfe../../etc/passwd\n")
    writer = world.writer()
    writer.append(event("fine"))
    writer.close()
    assert read_after_restart(world) == ["fine"]


# The real thing


def test_sigkill_in_the_middle_of_appending_loses_nothing_acknowledged(world: World) -> None:
    """A real process, killed wherever it happens to be; its acknowledgements come through a pipe."""
    for life in range(12):
        reads, writes = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                writer = world.writer(segment_bytes_max=20_000, disk=Disk())
                number = 0
                while True:
                    writer.append(event(f"{life}.{number} {'x' * 5_000}"))
                    os.write(writes, number.to_bytes(4, "big"))
                    number += 1
            finally:
                os._exit(1)
        os.close(writes)
        acknowledged = -1
        for _ in range(3 + 7 * life):
            acknowledged = int.from_bytes(os.read(reads, 4), "big")
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while more := os.read(reads, 4):
            acknowledged = int.from_bytes(more, "big")
        os.close(reads)
        world.clock.step(1)
        world.writer(disk=Disk()).close()
        items = world.read()
        assert faults(items) == []
        numbers = [int(text.split()[0].split(".")[1]) for text in texts(items)]
        assert numbers == list(range(len(numbers)))
        assert acknowledged < len(numbers) <= acknowledged + 2


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB; without root, RLIMIT_FSIZE below stands in."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", bytes(folder), b"tmpfs", 0, b"size=64k") != 0:
        pytest.skip(f"this machine lets root mount nothing ({os.strerror(ctypes.get_errno())})")
    yield folder
    libc.umount2(bytes(folder), 2)


def test_a_really_full_disk(full_disk: Path, world: World) -> None:
    spool, filler = full_disk / "spool", full_disk / "filler"
    spool.mkdir()
    filler.write_bytes(bytes(20_000))
    writer, reader = world.writer(spool=spool, disk=Disk()), world.reader(spool=spool)
    accepted = []
    with pytest.raises(ChannelError, match="No space left"):
        for number in range(100):
            writer.append(event(f"{number} {'x' * 3_000}"))
            accepted.append(str(number))
    assert 5 < len(accepted) < 30
    with pytest.raises(ChannelError):
        writer.append(event("refused"))
    filler.unlink()
    world.clock.step(writer_module.RETRY_AFTER_S)
    writer.append(event("after"))
    writer.close()
    world.writer(spool=spool, disk=Disk()).close()
    items = world.read(reader)
    assert [text.split()[0] for text in texts(items)] == [*accepted, "after"]
    assert faults(items) == []


def test_a_limit_on_file_size_is_met_half_way_through_a_record(world: World) -> None:
    """RLIMIT_FSIZE cuts a write short and then refuses: what a quota does."""

    def child() -> list[str]:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        writer = world.writer(disk=Disk())
        accepted = []
        for number in range(30):
            try:
                writer.append(event(f"{number} {'x' * 3_000}"))
                accepted.append(str(number))
            except ChannelError:
                world.clock.step(writer_module.RETRY_AFTER_S)
        writer.close()
        return accepted

    accepted = in_child(child)
    assert 15 < len(accepted) < 30
    world.clock.step(60)
    assert [text.split()[0] for text in read_after_restart(world)] == accepted


def test_a_folder_that_denies_listing_and_reading_is_enough_for_a_writer(world: World) -> None:
    """Another user's process writes, rotates and restarts; it can neither list the spool nor read a segment back."""
    if os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    for folder in [world.root, *world.root.parents]:
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    world.spool.chmod(0o3733)
    os.chown(world.writer_state, NOBODY, NOBODY)

    def child() -> list[str]:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        outcome = []
        for life in range(2):
            writer = world.writer(segment_bytes_max=6_000, disk=Disk())
            for number in range(3):
                writer.append(event(f"{life}.{number} {'x' * 3_000}"))
            asyncio.run(writer.durable())
            writer.close()
            world.clock.step(1)
        try:
            os.listdir(world.spool)
            outcome.append("listed")
        except PermissionError:
            outcome.append("not listed")
        return outcome

    assert in_child(child) == ["not listed"]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in world.segments()}
    assert modes == {0o640}
    assert {path.stat().st_gid for path in world.segments()} == {world.spool.stat().st_gid}
    items = world.read()
    assert [text.split()[0] for text in texts(items)] == [
        f"{life}.{number}" for life in range(2) for number in range(3)
    ]
    assert faults(items) == []
    assert [head.closed for head in heads(items)].count(True) == 2
    assert world.segments() == []


def test_files_are_no_wider_than_their_reader_needs(tmp_path: Path) -> None:
    assert segment_mode(tmp_path) == 0o600
    if os.geteuid() == 0:
        os.chown(tmp_path, NOBODY, NOBODY)
        assert segment_mode(tmp_path) == 0o644
        tmp_path.chmod(0o3733)
        assert segment_mode(tmp_path) == 0o640
