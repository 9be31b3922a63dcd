"""Nobody fills the spool without credentials: refusals are counted, and their events are few whatever the rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from caisson.adapters.embedded.channel import RefusalAggregator
from caisson.adapters.embedded.channel.refusals import KINDS_MAX, SAMPLES_MAX, SOURCES_MAX, WINDOW_S
from caisson.channels.messages import Message, RefusalEvent, encode
from caisson.errors import ChannelError
from caisson.ports.channel import ChannelWriter, Received
from channel_world import HeldClock, World, faults


class Written(ChannelWriter):
    """Keeps what is appended; refuses when told to."""

    def __init__(self) -> None:
        self.events: list[RefusalEvent] = []
        self.room = 10_000

    def append(self, message: Message) -> str:
        if self.room == 0:
            raise ChannelError("full")
        self.room -= 1
        assert isinstance(message, RefusalEvent)
        self.events.append(message)
        return str(len(self.events))

    async def durable(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def refusals(written: Written, clock: HeldClock) -> RefusalAggregator:
    return RefusalAggregator(written, clock)


def refuse(
    refusals: RefusalAggregator, number: int = 0, rule: str = "sigv4.signature", source: str = "192.0.2.7"
) -> None:
    refusals.record(error="InvalidSignatureException", rule=rule, source=source, request_id=f"r-{number}")


def test_a_window_gives_one_event_for_each_error_and_rule(
    refusals: RefusalAggregator, written: Written, clock: HeldClock
) -> None:
    for number in range(1_000):
        refuse(refusals, number)
    refuse(refusals, 1_000, rule="sigv4.window", source="::1")
    refusals.tick()
    assert written.events == []
    clock.step(WINDOW_S)
    refusals.tick()
    first, second = written.events
    assert (first.count, first.rule, first.sources, first.window_s) == (
        1_000,
        "sigv4.signature",
        {"192.0.2.7": 1_000},
        10.0,
    )
    assert first.sample_request_ids == tuple(f"r-{number}" for number in range(SAMPLES_MAX))
    assert (second.count, second.rule, second.sources) == (1, "sigv4.window", {"::1": 1})
    assert first.timestamp == clock.now()
    clock.step(WINDOW_S)
    refusals.tick()
    assert len(written.events) == 2


def test_a_window_begins_with_its_first_refusal(
    refusals: RefusalAggregator, written: Written, clock: HeldClock
) -> None:
    clock.step(1_000)
    refuse(refusals)
    clock.step(WINDOW_S - 1)
    refusals.tick()
    assert written.events == []
    clock.step(1)
    refusals.tick()
    assert [event.window_s for event in written.events] == [WINDOW_S]


def test_memory_and_events_stay_small_whoever_calls(
    refusals: RefusalAggregator, written: Written, clock: HeldClock
) -> None:
    for number in range(5_000):
        refuse(
            refusals, number, rule=f"rule-{number % 200}" + "x" * 10_000, source=f"2001:db8::{number:x}" + "y" * 10_000
        )
    refusals.flush()
    assert len(written.events) == KINDS_MAX + 1
    assert sum(event.count for event in written.events) == 5_000
    assert written.events[-1].rule == "other"
    for event in written.events:
        assert len(event.sources) <= SOURCES_MAX + 1
        assert sum(event.sources.values()) == event.count
        assert len(event.sample_request_ids) <= SAMPLES_MAX
        assert len(encode(event)) < 10_000


def test_a_full_quota_keeps_counting_and_writes_later(
    refusals: RefusalAggregator, written: Written, clock: HeldClock
) -> None:
    written.room = 1
    refuse(refusals, rule="a")
    refuse(refusals, rule="b")
    clock.step(WINDOW_S)
    refusals.tick()
    assert [event.rule for event in written.events] == ["a"]
    refuse(refusals, rule="b")
    clock.step(5)
    written.room = 10
    refusals.tick()
    (late,) = written.events[1:]
    assert (late.rule, late.count, late.window_s) == ("b", 2, 15.0)


def test_its_own_writer_keeps_the_others_spool_free(tmp_path: Path) -> None:
    """The gateway's requests go on although refusals have used up their quota."""
    world = World(tmp_path)
    own = world.writer("runtime-refusals", bytes_max=16_000)
    refusals = RefusalAggregator(own, world.clock)
    counted = 0
    for _ in range(500):
        refuse(refusals)
        counted += 1
        refusals.flush()
    events = world.writer("runtime-0")
    events.append(RefusalEvent(timestamp=0.0, count=1, error="", rule="", window_s=0.0))
    assert sum(path.stat().st_size for path in world.segments() if "refusals" in path.name) < 20_000
    events.close()
    items = world.read()
    refusals.flush()
    own.close()
    items += world.read()
    received = [item for item in items if isinstance(item, Received) and item.writer == "runtime-refusals"]
    assert sum(item.message.count for item in received) == counted  # type: ignore[union-attr]
    assert faults(items) == []
