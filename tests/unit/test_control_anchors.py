"""Checkpoints become anchors that only grow; what no honest logging zone says is reported (LOG-07)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.channels.messages import CheckpointFinding, FaultEvent, Message, ProcessEvent
from caisson.errors import ChannelError, ConfigurationError
from caisson.ports.channel import ChainHead, Fault, Received
from caisson.zones.z5_control import anchors
from caisson.zones.z5_control.anchors import Anchors, judge
from control_world import World, done


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "anchors.jsonl"


def checkpoint(size: int, root: str = "") -> CheckpointFinding:
    return CheckpointFinding(timestamp=float(size), size=size, root=root or f"{size:064x}", signature="c2ln")


def received(message: Message, sequence: int = 0, writer: str = "logging-0") -> Received:
    return Received(
        message=message, writer=writer, incarnation="0" * 16, sequence=sequence, digest="0" * 64, chain="0" * 64
    )


async def test_checkpoints_are_kept_and_the_channel_forgets_them(world: World) -> None:
    control = await world.begun()
    world.findings.items = [received(checkpoint(size)) for size in (5, 9, 12)]
    await control.tick()
    assert world.findings.items == []
    assert (await done(control, "status"))["anchored_size"] == 12
    lines = (world.state / "anchors.jsonl").read_text().splitlines()
    assert lines[0] == f'{{"size":5,"root":"{5:064x}","signature":"c2ln","timestamp":5.0}}'
    assert len(lines) == 3
    assert world.told(FaultEvent) == []


async def test_what_is_delivered_again_is_kept_once(world: World) -> None:
    control = await world.begun()
    items = [received(checkpoint(size)) for size in (5, 9)]
    world.findings.items = [*items, *items]
    await control.tick()
    restarted = await world.begun()
    world.findings.items = list(items)
    await restarted.tick()
    assert len((world.state / "anchors.jsonl").read_text().splitlines()) == 2
    assert world.told(FaultEvent) == []


@pytest.mark.parametrize(
    ("message", "writer", "fault"),
    [
        (checkpoint(9), "logging-0", "missing"),
        (checkpoint(12, "f" * 64), "logging-0", "forged"),
        (checkpoint(20), "evaluation-0", "forged"),
        (checkpoint(20), "logging", "forged"),
        (ProcessEvent(zone="logging", change="started", timestamp=0.0), "logging-0", "forged"),
    ],
    ids=["smaller", "another root", "another zone", "no worker", "another message"],
)
async def test_what_no_honest_logging_zone_says_is_reported(
    world: World, message: Message, writer: str, fault: str
) -> None:
    control = await world.begun()
    world.findings.items = [received(checkpoint(12)), received(message, 1, writer)]
    await control.tick()
    (event,) = world.told(FaultEvent)
    assert (event.fault, event.writer) == (fault, writer)
    assert event.where == f"findings/{'0' * 16}/1"
    assert (await done(control, "status"))["anchored_size"] == 12
    assert world.findings.items == []


async def test_faults_of_the_channel_are_passed_on_and_heads_are_not_news(world: World) -> None:
    control = await world.begun()
    head = ChainHead(
        writer="logging-0",
        incarnation="0" * 16,
        previous_incarnation="",
        previous_length=0,
        previous_chain="",
        length=1,
        chain="0" * 64,
        closed=False,
        key_id="k",
        signature="",
    )
    world.findings.items = [head, Fault(kind="replayed", writer="logging-0", where="segment 1, byte 7", detail="twice")]
    await control.tick()
    (event,) = world.told(FaultEvent)
    assert (event.fault, event.where, event.detail) == ("replayed", "findings/segment 1, byte 7", "twice")


async def test_the_channel_keeps_what_is_not_recorded_yet(world: World) -> None:
    control = await world.begun()
    world.findings.items = [Fault(kind="damaged", writer="logging-0", where="segment 1, byte 7", detail="")]
    world.events.full = True
    await control.tick()
    assert len(world.findings.items) == 1
    world.events.full = False
    await control.tick()
    await control.tick()
    assert world.findings.items == []
    assert {event.fault for event in world.told(FaultEvent)} == {"damaged"}


async def test_a_channel_that_cannot_be_read_stops_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    control = await world.begun()
    source = world.repository.source()
    source.refresh()

    def broken(_: int) -> None:
        raise ChannelError("the spool is gone")

    monkeypatch.setattr(world.findings, "poll", broken)
    world.clock.advance(150)
    await control.tick()
    assert source.refresh()[1].expires == world.clock.now() + 300


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from("ab")), max_size=30))
def test_kept_anchors_grow_and_nothing_else_is_new(offered: list[tuple[int, str]]) -> None:
    kept: dict[int, str] = {}
    for size, root in offered:
        verdict = judge(kept, size=size, root=root)
        assert (verdict == "known") == (kept.get(size) == root)
        if verdict == "new":
            assert all(size > other for other in kept)
            kept[size] = root
        elif verdict == "missing":
            assert any(size < other for other in kept)
    assert list(kept) == sorted(kept)


@pytest.mark.parametrize("cut", [1, 10, 50])
def test_a_line_that_a_crash_cut_off_is_dropped(path: Path, cut: int) -> None:
    held = Anchors(path)
    for size in (5, 9):
        held.take(checkpoint(size))
    content = path.read_bytes()
    path.write_bytes(content[:-cut])
    again = Anchors(path)
    assert again.newest_size == 5
    assert again.take(checkpoint(9)) == "new"
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [b"not json\n", b'{"size":5}\n', b"\xff\n", b"\n", b'{"size":9,"root":"a","signature":"","timestamp":1.0}\n' * 2],
)
def test_a_damaged_file_is_kept_and_named(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^damaged: .*line \d.*evidence"):
        Anchors(path)
    assert path.read_bytes() == content


def test_the_file_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "ANCHORS_KEPT_MAX", 3)
    held = Anchors(path)
    for size in range(1, 21):
        assert held.take(checkpoint(size)) == "new"
        assert len(path.read_bytes().splitlines()) <= 6
    assert held.take(checkpoint(1)) == "missing"
    assert Anchors(path).newest_size == 20
    monkeypatch.setattr(anchors, "FILE_BYTES_MAX", 100)
    with pytest.raises(ConfigurationError, match="longer than 100 bytes"):
        Anchors(path)


def test_a_file_that_cannot_be_used_is_named(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ConfigurationError, match="cannot be used"):
        Anchors(path)
