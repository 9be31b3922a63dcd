"""How far a reader is behind, from outside: bytes, segments, and since when."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.adapters.embedded.channel.lag import NOTED_EVERY_S, CaughtUp, Lag, lag
from caisson.errors import ChannelError
from caisson.ports.channel import Item
from caisson.zones.z6_logging import ingest as ingest_module
from caisson.zones.z6_logging import service
from channel_world import World, event
from logging_zone import ORIGIN, WRITER_KEYS, ListReader, MarkingRedactor, NamedKeys, Run, Zone

NOTHING = Lag(unread_bytes=0, unread_segments=0, behind_s=0.0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def measured(world: World) -> Lag:
    return lag(world.spool, world.reader_state, "events", now=world.clock.now())


def test_what_was_never_read_waits_whole(world: World) -> None:
    assert measured(world) == NOTHING
    writer = world.writer()
    writer.append(event(1))
    size = world.segments()[0].stat().st_size
    assert measured(world) == Lag(unread_bytes=size, unread_segments=1, behind_s=None)


def test_what_was_read_does_not_wait_whether_it_is_deleted_or_not(world: World) -> None:
    writer = world.writer()
    writer.append(event(1))
    world.read()
    assert world.segments() and measured(world) == NOTHING
    before = world.segments()[0].stat().st_size
    writer.append(event(2))
    assert measured(world).unread_bytes == world.segments()[0].stat().st_size - before
    writer.close()
    world.read()
    assert measured(world) == NOTHING


def test_what_was_given_and_not_committed_waits(world: World) -> None:
    writer = world.writer()
    writer.append(event(1))
    world.read(commit=False)
    assert measured(world).unread_segments == 1


def test_segments_of_all_writers_count_and_nothing_else_does(world: World) -> None:
    for name in ("runtime-0", "runtime-1"):
        writer = world.writer(name, segment_bytes_max=1)
        writer.append(event(1))
        writer.append(event(2))
    (world.spool / "junk").write_bytes(b"x" * 100)
    (world.spool / ".hidden").write_bytes(b"x" * 100)
    (world.spool / f"{world.segments()[0].name}.kept").write_bytes(b"x" * 100)
    total = sum(path.stat().st_size for path in world.segments())
    assert measured(world) == Lag(unread_bytes=total, unread_segments=len(world.segments()), behind_s=None)
    assert len(world.segments()) >= 4


def test_seconds_count_from_when_the_reader_had_all(world: World) -> None:
    caught_up = CaughtUp(world.reader_state, "events")
    caught_up.note(world.clock.now())
    world.clock.step(NOTED_EVERY_S / 2)
    caught_up.note(world.clock.now())  # not again so soon
    world.clock.step(60)
    assert measured(world) == NOTHING
    world.writer().append(event(1))
    assert measured(world).behind_s == pytest.approx(60 + NOTED_EVERY_S / 2)
    caught_up.note(world.clock.now())
    world.clock.step(1)
    assert measured(world).behind_s == pytest.approx(1)
    world.clock.step(-3600)  # the machine's clock was set back
    caught_up.note(world.clock.now())
    assert measured(world).behind_s == 0.0


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=30))
def test_the_noted_moment_is_never_later_than_one_that_was_given(moments: list[float]) -> None:
    noted: list[float] = []
    caught_up = CaughtUp(Path("/nonexistent"), "events")  # a folder that cannot be written harms nobody
    for moment in moments:
        caught_up.note(1_000 + moment)
        noted.append(caught_up._noted)
        assert noted[-1] in {1_000 + given for given in moments}
        assert noted[-1] <= 1_000 + moment


def test_what_cannot_be_read_is_said(world: World) -> None:
    world.spool.rmdir()
    with pytest.raises(ChannelError, match="cannot be listed"):
        measured(world)
    (world.reader_state / "events.position").write_text("nonsense")
    with pytest.raises(ChannelError, match="cannot be read"):
        measured(world)


def test_the_zone_notes_only_when_it_had_all_and_the_time_before_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "ITEMS_POLLED", 4)
    monkeypatch.setattr(service, "ITEMS_POLLED", 4)
    zone, run = Zone(tmp_path), Run()
    items: list[Item] = [item for number in range(3) for item in run.exchange(number)]
    left: list[int] = []
    moments: list[float] = []

    class Slow(ListReader):
        def commit(self) -> None:
            super().commit()
            zone.clock.advance(1)

    reader, stop = Slow(items), asyncio.Event()

    def caught_up(moment: float) -> None:
        left.append(len(reader.items))
        moments.append(moment)
        stop.set()

    began = zone.clock.now()
    asyncio.run(
        service.serve(
            reader=reader, archive=zone.archive(), keys=NamedKeys(), findings=zone.findings,
            redactor=MarkingRedactor(), clock=zone.clock, stop=stop, origin=ORIGIN, writer_keys=WRITER_KEYS,
            caught_up=caught_up,
        )
    )  # fmt: skip
    assert (left, moments) == ([0], [began + 2])
