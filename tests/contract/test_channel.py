"""One behavioural suite for every channel: one direction, in order, at least once, bounded, nothing lost by a kill."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_gate import DEAF
from caisson.adapters.embedded.keys import verify
from caisson.channels.chain import GENESIS, extend
from caisson.errors import ChannelError, StartError
from caisson.ports.channel import ChainHead, ChannelReader, ChannelWriter, Item, Received
from channel_world import World, event, faults, heads, texts
from queue_world import Queues, QueueWorld


class Harness(ABC):
    """What an adapter brings to be tested."""

    @abstractmethod
    def writer(self, name: str = "runtime-0") -> ChannelWriter: ...

    @abstractmethod
    def small_writer(self) -> ChannelWriter:
        """One that may leave few messages of 1,000 characters unread."""

    @abstractmethod
    def strange_writer(self) -> ChannelWriter:
        """One of a zone that the table does not let write; raises."""

    @abstractmethod
    def reader(self) -> ChannelReader: ...

    @abstractmethod
    def kill(self, writer: ChannelWriter) -> None:
        """As SIGKILL."""

    @abstractmethod
    def public(self, key_id: str) -> bytes: ...


class Embedded(Harness):
    def __init__(self, root: Path) -> None:
        self._world = World(root)

    def writer(self, name: str = "runtime-0") -> ChannelWriter:
        return self._world.writer(name)

    def small_writer(self) -> ChannelWriter:
        return self._world.writer(bytes_max=32_000)

    def strange_writer(self) -> ChannelWriter:
        return self._world.writer(channel="proposals")

    def reader(self) -> ChannelReader:
        return self._world.reader()

    def kill(self, writer: ChannelWriter) -> None:
        self._world.kill(writer)  # type: ignore[arg-type]

    def public(self, key_id: str) -> bytes:
        return {key.key_id: key.public_bytes for key in [self._world.runtime.signing("channel")]}[key_id]


class OverQueue(Harness):
    """Through moto's SQS. Whoever reads waits until what the living writers have is under way."""

    def __init__(self, root: Path, queues: Queues) -> None:
        self._queues = queues
        self._ends = QueueWorld(root, queues)

    def writer(self, name: str = "runtime-0") -> ChannelWriter:
        return self._ends.writer(name)

    def small_writer(self) -> ChannelWriter:
        """The queue is out of reach until somebody reads."""
        self._queues.gate.fail("SendMessageBatch", *[DEAF] * 10_000)
        return self._ends.writer(bytes_max=32_000)

    def strange_writer(self) -> ChannelWriter:
        return self._ends.writer(channel="proposals")

    def reader(self) -> ChannelReader:
        return self._ends.reader()

    def kill(self, writer: ChannelWriter) -> None:
        self._ends.kill(writer)

    def public(self, key_id: str) -> bytes:
        return {key.key_id: key.public_bytes for key in [self._ends.world.runtime.signing("channel")]}[key_id]

    def close(self) -> None:
        self._ends.close()


@pytest.fixture(params=["embedded", "sqs"])
def channel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    if request.param == "embedded":
        yield Embedded(tmp_path)
        return
    harness = OverQueue(tmp_path, request.getfixturevalue("queues"))
    yield harness
    harness.close()


def read_all(reader: ChannelReader) -> list[Item]:
    items: list[Item] = []
    while batch := list(reader.poll(100)):
        items += batch
        reader.commit()
    return items


def test_a_closed_writers_messages_arrive_whole_and_in_order(channel: Harness) -> None:
    writer = channel.writer()
    ids = [writer.append(event(number)) for number in range(250)]
    writer.close()
    items = read_all(channel.reader())
    received = [item for item in items if isinstance(item, Received)]
    assert texts(items) == [str(number) for number in range(250)]
    assert [item.message.message_id for item in received] == ids
    assert [item.sequence for item in received] == list(range(250))
    assert len(set(ids)) == 250
    assert faults(items) == []


def test_a_given_message_id_is_kept(channel: Harness) -> None:
    writer = channel.writer()
    message = event("x")
    given = type(message)(**{**{f: getattr(message, f) for f in message.__struct_fields__}, "message_id": "mine"})
    assert writer.append(given) == "mine"
    writer.close()
    (received,) = [item for item in read_all(channel.reader()) if isinstance(item, Received)]
    assert received.message == given


def test_an_auditor_can_recompute_the_chain_up_to_the_signed_head(channel: Harness) -> None:
    writer = channel.writer()
    for number in range(5):
        writer.append(event(number))
    writer.close()
    items = read_all(channel.reader())
    chain = GENESIS
    for item in items:
        if isinstance(item, Received):
            chain = extend(chain, bytes.fromhex(item.digest))
            assert item.chain == chain.hex()
    last = heads(items)[-1]
    assert (last.length, last.chain, last.closed) == (5, chain.hex(), True)
    for head in heads(items):
        assert verify(channel.public(head.key_id), bytes.fromhex(head.signature), head.signed_text)


def test_what_is_appended_can_be_read_while_the_writer_lives(channel: Harness) -> None:
    writer, reader = channel.writer(), channel.reader()
    assert texts(read_all(reader)) == []
    for number in range(3):
        writer.append(event(number))
        assert texts(read_all(reader)) == [str(number)]
    writer.close()


def test_items_come_again_until_they_are_committed(channel: Harness) -> None:
    writer = channel.writer()
    for number in range(4):
        writer.append(event(number))
    writer.close()
    reader = channel.reader()
    first = list(reader.poll(100))
    assert list(reader.poll(100)) == first
    assert list(channel.reader().poll(100)) == first
    reader.commit()
    assert list(reader.poll(100)) == []
    assert list(channel.reader().poll(100)) == []


def test_only_what_was_taken_from_a_poll_is_committed(channel: Harness) -> None:
    writer = channel.writer()
    for number in range(6):
        writer.append(event(number))
    writer.close()
    reader = channel.reader()
    taken: list[Item] = []
    for item in reader.poll(100):
        taken.append(item)
        if texts(taken) == ["0", "1"]:
            break
    reader.commit()
    assert texts(read_all(channel.reader())) == ["2", "3", "4", "5"]


def test_a_poll_gives_at_most_its_limit_and_no_writer_starves_another(channel: Harness) -> None:
    busy, quiet = channel.writer("runtime-0"), channel.writer("runtime-1")
    for number in range(100):
        busy.append(event(f"busy {number}"))
    quiet.append(event("quiet"))
    busy.close()
    quiet.close()
    reader = channel.reader()
    batch = list(reader.poll(10))
    assert len(batch) == 10
    assert "quiet" in texts(batch)
    assert list(reader.poll(0)) == []


def test_a_kill_loses_nothing_that_was_appended(channel: Harness) -> None:
    for life in range(3):
        writer = channel.writer()
        for number in range(3):
            writer.append(event(f"{life}.{number}"))
        channel.kill(writer)
    writer = channel.writer()
    writer.close()
    items = read_all(channel.reader())
    assert texts(items) == [f"{life}.{number}" for life in range(3) for number in range(3)]
    assert faults(items) == []


def test_an_incarnation_signs_how_far_the_killed_one_before_it_went(channel: Harness) -> None:
    writer = channel.writer()
    for number in range(3):
        writer.append(event(number))
    channel.kill(writer)
    channel.writer().close()
    items = read_all(channel.reader())
    last_received = [item for item in items if isinstance(item, Received)][-1]
    last = heads(items)[-1]
    assert last.previous_incarnation == last_received.incarnation < last.incarnation
    assert (last.previous_length, last.previous_chain) == (3, last_received.chain)


def test_incarnations_without_records_do_not_hide_the_one_that_holds_some(channel: Harness) -> None:
    writer = channel.writer()
    writer.append(event("only"))
    channel.kill(writer)
    for _ in range(3):
        channel.kill(channel.writer())
    channel.writer().close()
    items = read_all(channel.reader())
    assert faults(items) == []
    assert {head.previous_length for head in heads(items)[1:]} <= {0, 1}
    assert heads(items)[-1].previous_length == 1


def test_two_processes_cannot_write_under_one_name(channel: Harness) -> None:
    writer = channel.writer()
    with pytest.raises(ChannelError, match="another process"):
        channel.writer()
    writer.close()


def test_a_zone_that_the_table_does_not_name_cannot_write(channel: Harness) -> None:
    with pytest.raises(StartError, match="channel table"):
        channel.strange_writer()


def test_a_full_channel_refuses_and_goes_on_once_it_was_read(channel: Harness) -> None:
    writer, reader = channel.small_writer(), channel.reader()
    accepted = []
    with pytest.raises(ChannelError, match="bound"):
        for number in range(1_000):
            writer.append(event(f"{number} {'x' * 1_000}"))
            accepted.append(number)
    with pytest.raises(ChannelError, match="bound"):
        writer.append(event("y" * 1_000))
    read = texts(read_all(reader))
    assert [text.split()[0] for text in read] == [str(number) for number in accepted]
    writer.append(event("again"))
    writer.close()
    items = read_all(reader)
    assert texts(items) == ["again"]
    assert faults(items) == []


def test_a_closed_writer_takes_nothing(channel: Harness) -> None:
    writer = channel.writer()
    writer.close()
    writer.close()
    with pytest.raises(ChannelError, match="closed"):
        writer.append(event())


async def test_durable_returns_for_all_callers(channel: Harness) -> None:
    writer = channel.writer()
    await writer.durable()

    async def one(number: int) -> None:
        writer.append(event(number))
        await writer.durable()

    await asyncio.gather(*(one(number) for number in range(50)))
    writer.close()
    with pytest.raises(ChannelError, match="closed"):
        await writer.durable()
    assert len(texts(read_all(channel.reader()))) == 50


async def test_a_caller_that_gives_up_takes_nobody_with_it(channel: Harness) -> None:
    """As when a client leaves while its request waits for the log."""
    writer = channel.writer()
    for number in range(10):
        writer.append(event(number))
        gone, other = (asyncio.create_task(writer.durable()) for _ in range(2))
        for _ in range(number // 2):
            await asyncio.sleep(0)
        gone.cancel()
        _, told = await asyncio.gather(gone, other, return_exceptions=True)
        assert told is None
    await writer.durable()
    writer.close()
    assert texts(read_all(channel.reader())) == [str(number) for number in range(10)]


async def test_heads_follow_appends_by_themselves(channel: Harness) -> None:
    writer, reader = channel.writer(), channel.reader()
    for number in range(20):
        writer.append(event(number))
    found: list[ChainHead] = []
    async with asyncio.timeout(5):
        while not any(head.length == 20 for head in found):
            await asyncio.sleep(0.002)
            found += heads(read_all(reader))
    assert [head.length for head in found] == [0, 20]
    assert not any(head.closed for head in found)
    writer.close()
