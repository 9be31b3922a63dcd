"""A channel over SQS when the queue gives pieces twice, late or out of order, refuses, or is written to by others."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aws_gate import DEAF, LATE_FAILURE, LOST, SILENT
from caisson.adapters.aws.channel import QueueReader, QueueWriter, arrivals
from caisson.adapters.aws.channel.address import queue_address
from caisson.adapters.aws.channel.arrivals import Arrivals
from caisson.adapters.aws.channel.pieces import MESSAGE_BYTES_MAX, PIECE_BYTES_MAX, Piece, decode, encode
from caisson.adapters.aws.channel.queue import BATCH_MAX
from caisson.adapters.aws.channel.reader import LONG_POLL_S
from caisson.adapters.aws.channel.writer import LOOK_S
from caisson.adapters.embedded.channel.segment import SegmentName, by_key_id
from caisson.errors import ChannelError, StartError
from caisson.ports.channel import ChannelReader, Item
from caisson.wiring.events import QUIET_S, Both
from channel_world import HeldClock, World, event, faults, kinds, texts, zone_keys
from queue_world import Queues, QueueWorld

THROTTLED = ("ThrottlingException", 400)


@pytest.fixture
def ends(tmp_path: Path, queues: Queues) -> Iterator[QueueWorld]:
    queues.gate.calls.clear()
    made = QueueWorld(tmp_path, queues)
    yield made
    made.close()


def read_all(reader: ChannelReader) -> list[Item]:
    items: list[Item] = []
    while batch := list(reader.poll(100)):
        items += batch
        reader.commit()
    return items


# -- pieces


def piece_of(data: bytes = b"some bytes", offset: int = 7) -> Piece:
    return Piece(segment=SegmentName(writer="runtime-0", incarnation="0" * 16, number=3), offset=offset, data=data)


def publics_of(root: Path) -> dict[str, dict[str, bytes]]:
    return {"runtime": by_key_id((zone_keys(root, "runtime").signing("channel").public_bytes,))}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(min_size=1, max_size=500), offset=st.integers(0, 2**40))
def test_a_piece_comes_as_it_was_sent(data: bytes, offset: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.getbasetemp()
    piece = piece_of(data, offset)
    body = encode(piece, channel="events", signing=zone_keys(root, "runtime").signing("channel"))
    assert decode(body, channel="events", publics=publics_of(root)) == piece


def test_the_largest_piece_is_a_message(tmp_path: Path) -> None:
    signing = zone_keys(tmp_path, "runtime").signing("channel")
    assert (
        len(encode(piece_of(b"x" * PIECE_BYTES_MAX, 2**40), channel="evaluations", signing=signing)) < MESSAGE_BYTES_MAX
    )


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "its channel": lambda one: one.update(channel="requests"),
    "its segment": lambda one: one.update(segment="runtime-0.0000000000000000.00000004.segment"),
    "another zone's segment": lambda one: one.update(segment="logging-0.0000000000000000.00000003.segment"),
    "a path": lambda one: one.update(segment="../runtime-0.0000000000000000.00000003.segment"),
    "its place": lambda one: one.update(offset=8),
    "a place before the beginning": lambda one: one.update(offset=-1),
    "its bytes": lambda one: one.update(data=base64.b64encode(b"other bytes").decode()),
    "no bytes": lambda one: one.update(data=""),
    "too many": lambda one: one.update(data=base64.b64encode(b"x" * (PIECE_BYTES_MAX + 1)).decode()),
    "its key": lambda one: one.update(key_id="0" * 16),
    "its signature": lambda one: one.update(signature=base64.b64encode(b"x" * 64).decode()),
    "its version": lambda one: one.update(version=2),
    "a field more": lambda one: one.update(more=1),
    "a field less": lambda one: one.pop("offset"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_piece_that_was_changed_is_none(tmp_path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    signing = zone_keys(tmp_path, "runtime").signing("channel")
    made = json.loads(encode(piece_of(), channel="events", signing=signing))
    change(made)
    assert isinstance(decode(json.dumps(made), channel="events", publics=publics_of(tmp_path)), str)


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "{}", "\x00", "é"])
def test_what_is_no_piece_at_all(tmp_path: Path, body: str) -> None:
    assert isinstance(decode(body, channel="events", publics=publics_of(tmp_path)), str)


# -- put together


class Sent:
    """Segments of a writer cut into pieces, and where they go."""

    def __init__(self, root: Path, *, lives: int = 2, records: int = 8) -> None:
        self.world = World(root)
        self.out = root / "out"
        self.out.mkdir()
        self.clock = HeldClock()
        number = 0
        for life in range(lives):
            writer = self.world.writer(spool=self.out, segment_bytes_max=4_000)
            for _ in range(records):
                writer.append(event(number))
                number += 1
            if life + 1 < lives:
                self.world.kill(writer)
            else:
                writer.close()
        self.texts = [str(each) for each in range(number)]

    def pieces(self, size: int) -> list[Piece]:
        found = []
        for path in sorted(self.out.iterdir()):
            name, data = SegmentName.parse(path.name), path.read_bytes()
            assert name is not None
            found += [Piece(segment=name, offset=at, data=data[at : at + size]) for at in range(0, len(data), size)]
        return found

    def arrivals(self) -> Arrivals:
        return Arrivals(
            channel="events", spool=self.world.spool, state=self.world.reader_state,
            publics=publics_of(self.world.root), clock=self.clock,
        )  # fmt: skip


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(120, 1_500), again=st.floats(0, 0.6), restarts=st.booleans())
def test_any_order_with_any_repeats_is_read_once_and_in_order(
    seed: int, size: int, again: float, restarts: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """And whether the process that puts them together is killed after each of them."""
    sent = Sent(tmp_path_factory.mktemp("order"))
    chance = random.Random(seed)
    pieces = sent.pieces(size)
    pieces += [one for one in pieces if chance.random() < again]
    chance.shuffle(pieces)
    arriving, reader, items = sent.arrivals(), sent.world.reader(), []
    for number, piece in enumerate(pieces):
        assert arriving.take(piece) == ""
        if restarts:
            arriving = sent.arrivals()
        if number % 3 == 0:
            arriving.settle()
            items += sent.world.read(reader)
    arriving.settle()
    items += sent.world.read(reader)
    assert texts(items) == sent.texts
    assert faults(items) == []
    assert sent.world.segments() == [] and not list(sent.world.spool.glob(".*"))


def test_what_was_read_and_deleted_does_not_come_back(tmp_path: Path) -> None:
    sent = Sent(tmp_path)
    for _ in range(2):
        arriving = sent.arrivals()
        for piece in sent.pieces(700):
            assert arriving.take(piece) == ""
        arriving.settle()
        items = sent.world.read()
        assert faults(items) == []
    assert items == [] and sent.world.segments() == []


def test_a_segment_waits_for_the_one_before_and_not_for_ever(tmp_path: Path) -> None:
    sent = Sent(tmp_path)
    pieces = sent.pieces(700)
    first = pieces[0].segment
    lost = next(one for one in pieces if one.segment == first and one.offset > 2_100)  # behind the header
    arriving = sent.arrivals()
    for piece in pieces:
        if piece is not lost:
            assert arriving.take(piece) == ""
    arriving.settle()
    assert [path.name for path in sent.world.segments()] == [str(first)]
    sent.clock.step(arrivals.LATE_SECONDS_MAX + 1)
    arriving.settle()
    items = sent.world.read()
    assert {"missing"} <= set(kinds(items)) <= {"missing", "damaged"}
    assert texts(items)[-1] == sent.texts[-1]


@pytest.mark.parametrize("settled", [True, False])
def test_two_pieces_for_one_place(tmp_path: Path, settled: bool) -> None:
    """The first stays; that a zone said two things is told."""
    sent = Sent(tmp_path)
    pieces = sent.pieces(700)
    arriving = sent.arrivals()
    for piece in pieces[: 4 if settled else 1]:  # with its header whole a segment begins
        assert arriving.take(piece) == ""
    arriving.settle()
    assert bool(sent.world.segments()) is settled
    other = Piece(segment=pieces[0].segment, offset=0, data=b"x" * 700)
    assert "something else" in arriving.take(other)
    for piece in pieces[1:]:
        assert arriving.take(piece) == ""
    arriving.settle()
    items = sent.world.read()
    assert texts(items) == sent.texts and faults(items) == []


def test_a_folder_holds_so_many_that_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "WAITING_MAX", 3)
    sent = Sent(tmp_path)
    arriving = sent.arrivals()
    late = [one for one in sent.pieces(100) if one.offset > 0]
    for piece in late[:3]:
        assert arriving.take(piece) == ""
    with pytest.raises(ChannelError, match="wait for what is before them"):
        arriving.take(late[3])


# -- the queue


@pytest.mark.parametrize(
    "fault", [THROTTLED, ("ServiceUnavailable", 503), ("KmsThrottled", 400), LOST, DEAF, LATE_FAILURE], ids=str
)
async def test_what_passes_is_tried_again_and_read_once(ends: QueueWorld, fault: Any) -> None:
    writer = ends.writer()
    await writer.durable()
    ends.queues.gate.fail("SendMessageBatch", fault, fault)
    for number in range(5):
        writer.append(event(number))
    await writer.durable()
    items = read_all(ends.reader())
    assert texts(items) == [str(number) for number in range(5)]
    assert faults(items) == []


@pytest.mark.parametrize("fault", [("AccessDenied", 403), ("QueueDoesNotExist", 400), ("ExpiredToken", 403)], ids=str)
async def test_what_does_not_pass_is_said_and_nothing_is_lost(ends: QueueWorld, fault: Any) -> None:
    writer = ends.writer()
    await writer.durable()
    ends.queues.gate.fail("SendMessageBatch", *[fault] * 1_000)
    writer.append(event("kept"))
    with pytest.raises(ChannelError, match=fault[0]):
        await writer.durable()
    ends.queues.gate.faults.clear()
    await writer.durable()
    assert texts(read_all(ends.reader())) == ["kept"]


async def test_a_queue_that_stays_away_is_said_in_time(ends: QueueWorld) -> None:
    writer = ends.writer()
    await writer.durable()
    ends.queues.gate.fail("SendMessageBatch", *[DEAF] * 10_000)
    writer.append(event("kept"))
    with pytest.raises(ChannelError, match="queue http"):
        await writer.durable()
    ends.kill(writer)  # what it did not carry, the next one does
    ends.queues.gate.faults.clear()
    ends.writer().close()
    items = read_all(ends.reader())
    assert texts(items) == ["kept"] and faults(items) == []


async def test_a_part_of_a_batch_is_sent_again_alone(ends: QueueWorld) -> None:
    queue = ends.queues.queue(ends.url, busy_s=5)
    answer = {
        "Successful": [{"Id": str(number)} for number in (0, 2)],
        "Failed": [{"Id": "1", "SenderFault": False, "Code": "InternalError", "Message": "once more"}],
    }
    ends.queues.gate.fail("SendMessageBatch", ("", 200, answer))
    ends.queues.gate.bodies.clear()
    await queue.send(["zero", "one", "two"])
    sent = [[entry["MessageBody"] for entry in body["Entries"]] for body in ends.queues.gate.bodies]
    assert sent == [["zero", "one", "two"], ["one"]]
    await queue.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"Successful": [], "Failed": [{"Id": "0", "SenderFault": True, "Code": "InvalidMessageContents"}]},
        {"Successful": [], "Failed": []},
        {},
        {"Successful": [{"Id": "7"}]},
    ],
)
async def test_what_is_not_said_to_be_kept_is_not(ends: QueueWorld, answer: Any) -> None:
    queue = ends.queues.queue(ends.url)
    ends.queues.gate.fail("SendMessageBatch", *[("", 200, answer)] * 100)
    with pytest.raises(ChannelError):
        await queue.send(["zero"])
    await queue.close()


async def test_batches_are_as_large_as_a_queue_takes(ends: QueueWorld) -> None:
    queue = ends.queues.queue(ends.url)
    ends.queues.gate.bodies.clear()
    await queue.send([*["small"] * 25, "x" * 200_000, "y" * 200_000])
    sizes = [[len(entry["MessageBody"]) for entry in body["Entries"]] for body in ends.queues.gate.bodies]
    assert [len(one) for one in sizes] == [BATCH_MAX, BATCH_MAX, 6, 1]
    assert all(sum(one) <= MESSAGE_BYTES_MAX for one in sizes)
    await queue.close()


async def test_a_large_message_comes_in_pieces(ends: QueueWorld) -> None:
    writer = ends.writer()
    writer.append(event("x" * 3_000_000))
    await writer.durable()
    assert len(ends.queues.gate.calls) > 10
    (text,) = texts(read_all(ends.reader()))
    assert len(text) == 3_000_000


async def test_what_was_carried_away_is_deleted(ends: QueueWorld) -> None:
    writer = ends.writer(segment_bytes_max=4_000)
    for number in range(60):
        writer.append(event(f"{number} {'x' * 200}"))
    await writer.durable()
    assert len(list(ends.outgoing.iterdir())) == 1
    writer.close()
    assert list(ends.outgoing.iterdir()) == []
    assert len(texts(read_all(ends.reader()))) == 60


def test_what_others_put_into_the_queue_is_told_and_stays_until_that_is_committed(ends: QueueWorld) -> None:
    ends.queues.client.set_queue_attributes(QueueUrl=ends.url, Attributes={"VisibilityTimeout": "0"})
    ends.queues.client.send_message(QueueUrl=ends.url, MessageBody="made up")
    reader = ends.raw_reader()
    told = list(reader.poll(10))
    assert set(kinds(told)) == {"forged"} and "no piece" in faults(told)[0].detail
    assert kinds(list(ends.raw_reader().poll(10)))[0] == "forged"
    again = list(reader.poll(10))
    assert kinds(again)[0] == "forged"
    reader.commit()
    assert list(reader.poll(10)) == []


def test_a_zone_whose_pieces_lead_nowhere_keeps_no_other_back(
    ends: QueueWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its own bound; what is above it stays in the queue, and the reader goes on."""
    monkeypatch.setattr(arrivals, "WAITING_MAX", 3)
    control = zone_keys(tmp_path, "control").signing("channel")
    for number in range(8):
        name = SegmentName(writer="control-0", incarnation="0" * 16, number=number)
        body = encode(Piece(segment=name, offset=500, data=b"nowhere"), channel="events", signing=control)
        ends.queues.client.send_message(QueueUrl=ends.url, MessageBody=body)
    writer = ends.writer()
    writer.append(event("of another"))
    writer.close()
    publics = {"runtime": ends.world.runtime.signing("channel"), "control": control}
    reader = ends.raw_reader(writers={label: (key.public_bytes,) for label, key in publics.items()})
    assert texts(read_all(reader)) == ["of another"]
    left = ends.queues.client.get_queue_attributes(QueueUrl=ends.url, AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessagesNotVisible"] == "5"


async def test_a_folder_that_cannot_be_read_is_a_channels_error_and_passes(ends: QueueWorld) -> None:
    """Also for what looks by itself for heads that were signed after their records."""
    writer = ends.writer()
    await writer.durable()

    def refuse(*_: Any) -> bytes:
        raise OSError(5, "Input/output error")

    monkey = pytest.MonkeyPatch()
    monkey.setattr(writer._carrier, "_read", refuse)
    writer.append(event("kept"))
    with pytest.raises(ChannelError, match="cannot be carried away"):
        await writer.durable()
    monkey.setattr(writer._carrier, "_segments", lambda: refuse())
    await asyncio.sleep(3 * LOOK_S)
    monkey.undo()
    assert writer._carrier._watch is not None and not writer._carrier._watch.done()
    await writer.durable()
    assert texts(read_all(ends.reader())) == ["kept"]


def test_a_queue_that_does_not_answer_its_reader(ends: QueueWorld) -> None:
    writer = ends.writer()
    writer.append(event("kept"))
    writer.close()
    ends.queues.gate.fail("ReceiveMessage", *[("AccessDenied", 403)] * 3)
    reader = ends.raw_reader()
    with pytest.raises(ChannelError, match="AccessDenied"):
        list(reader.poll(10))
    ends.queues.gate.faults.clear()
    assert texts(read_all(reader)) == ["kept"]


async def test_what_was_acknowledged_does_not_need_the_folder_any_more(ends: QueueWorld) -> None:
    """A container's disk goes with it; the next one has another name and knows nothing."""
    writer = ends.writer("runtime-q0")
    writer.append(event("acknowledged"))
    await writer.acknowledged(fsync=False)
    ends.kill(writer)
    for path in [*ends.outgoing.iterdir(), *ends.world.writer_state.iterdir()]:
        path.unlink()
    following = ends.writer("runtime-q1")
    following.append(event("of the next"))
    following.close()
    items = read_all(ends.reader())
    assert sorted(texts(items)) == ["acknowledged", "of the next"] and faults(items) == []


def test_nothing_is_carried_or_received_before_the_start(ends: QueueWorld) -> None:
    """Threads begin when the process has confined itself."""
    before = threading.active_count()
    writer = QueueWriter(queue=ends.queues.queue(ends.url), **ends.writing("runtime-q0"))
    reader = QueueReader(queue=ends.queues.queue(ends.url), **ends.reading(), patience_s=0)
    writer.append(event("early"))
    assert list(reader.poll(10)) == [] and threading.active_count() == before
    assert "SendMessageBatch" not in {name for name, _ in ends.queues.gate.calls}
    writer.start()
    writer.close()
    reader.start()
    assert wait_for(reader) == ["early"]
    reader.close()


def test_a_reader_without_patience_is_never_kept(ends: QueueWorld) -> None:
    """The queue says nothing for an hour: polls go on, and give what has come before."""
    reader = QueueReader(queue=ends.queues.queue(ends.url), **ends.reading(), patience_s=0)
    ends.queues.gate.fail("ReceiveMessage", SILENT)
    reader.start()
    asked, until = 0, time.monotonic() + 20
    while asked < 50 and time.monotonic() < until:
        assert list(reader.poll(10)) == []
        reader.commit()
        asked += "ReceiveMessage" in {name for name, _ in ends.queues.gate.calls}  # and nobody answers
    reader.close()
    assert [name for name, _ in ends.queues.gate.calls].count("ReceiveMessage") == 1


def test_what_a_trip_met_is_said_by_the_next_poll_and_passes(ends: QueueWorld) -> None:
    reader = QueueReader(queue=ends.queues.queue(ends.url), **ends.reading(), patience_s=0)
    ends.queues.gate.fail("ReceiveMessage", ("AccessDenied", 403))
    reader.start()
    with pytest.raises(ChannelError, match="AccessDenied"):
        wait_for(reader)
    writer = ends.writer()
    writer.append(event("kept"))
    writer.close()
    assert wait_for(reader) == ["kept"]
    reader.close()


def test_what_a_trip_brought_before_it_failed_is_kept(ends: QueueWorld) -> None:
    """It would come again, and a queue sets aside what was given out too often."""
    writer = ends.writer()
    writer.append(event("kept"))
    writer.close()
    ends.queues.gate.fail("ReceiveMessage", None, ("AccessDenied", 403))
    reader = QueueReader(queue=ends.queues.queue(ends.url), **ends.reading(), patience_s=0)
    reader.start()
    assert wait_for(reader) == ["kept"]
    reader.close()


def test_a_long_poll_answers_when_something_comes(ends: QueueWorld) -> None:
    reader = QueueReader(queue=ends.queues.queue(ends.url), **ends.reading(), patience_s=0)
    reader.start()
    assert list(reader.poll(10)) == []
    writer = ends.writer()
    writer.append(event("meanwhile"))
    writer.close()
    assert wait_for(reader) == ["meanwhile"]
    assert {body.get("WaitTimeSeconds") for body in ends.queues.gate.bodies} >= {LONG_POLL_S}
    reader.close()


def wait_for(reader: QueueReader) -> list[str]:
    """Texts of what comes first."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        items = list(reader.poll(10))
        reader.commit()
        if found := texts(items):
            return found
        time.sleep(0.02)
    raise AssertionError("nothing came")


class Refusing(ChannelReader):
    """A reader whose queue does not answer."""

    polls = 0

    def poll(self, limit: int) -> Iterator[Item]:
        self.polls += 1
        raise ChannelError("the queue does not answer")

    def commit(self) -> None: ...


def test_a_queue_that_does_not_answer_holds_up_nothing_that_is_here(tmp_path: Path) -> None:
    world, clock, afar = World(tmp_path), HeldClock(), Refusing()
    both = Both(world.reader(), afar, clock)
    writer = world.writer()
    for number in range(5):
        writer.append(event(number))
        assert texts(list(both.poll(100))) == [str(number)]
        both.commit()
    assert afar.polls == 1  # and is left alone for a moment
    clock.step(QUIET_S)
    assert list(both.poll(100)) == [] and afar.polls == 2
    writer.close()


def test_both_ends_are_read_within_the_limit_and_committed(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir(), (tmp_path / "afar").mkdir()
    here, afar = World(tmp_path / "here"), World(tmp_path / "afar")
    for world, said in ((here, "here"), (afar, "afar")):
        writer = world.writer()
        for _ in range(3):
            writer.append(event(said))
        writer.close()
    both = Both(here.reader(), afar.reader(), HeldClock())
    found = []
    for _ in range(20):
        items = list(both.poll(4))
        assert len(items) <= 4
        found += texts(items)
        both.commit()
    assert sorted(found) == ["afar"] * 3 + ["here"] * 3
    assert here.segments() == afar.segments() == []


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "sqs.eu-west-1.amazonaws.com/000000000000/name", "https://sqs.eu-west-1.amazonaws.com/000000000000/",
        "http://sqs.eu-west-1.amazonaws.com/000000000000/name", "https://sqs.eu-west-1.amazonaws.com/0/name",
        "https://sqs.eu-west-1.amazonaws.com/000000000000/name.fifo", "https://sqs.eu-west-1.amazonaws.com/000000000000/n?x",
        "https://sqs.us-east-1.amazonaws.com/000000000000/name", "https://sqs.example.com/000000000000/name",
        "https://sqs.eu-west-1.amazonaws.com@127.0.0.1/000000000000/name", "http://10.0.0.1/000000000000/name",
        "https://sqs.eu-west-1.amazonaws.com:443/000000000000/name", "http://localhost:4/000000000000/name",
        f"https://sqs.eu-west-1.amazonaws.com/000000000000/{'x' * 81}", "http://[::1/000000000000/name",
    ],
)  # fmt: skip
def test_what_is_no_queue_of_the_region(url: str) -> None:
    with pytest.raises(StartError):
        queue_address(url, "eu-west-1")


def test_a_deletion_that_was_lost_does_no_harm(ends: QueueWorld) -> None:
    ends.queues.client.set_queue_attributes(QueueUrl=ends.url, Attributes={"VisibilityTimeout": "0"})
    writer = ends.writer()
    for number in range(4):
        writer.append(event(number))
    writer.close()
    ends.queues.gate.fail("DeleteMessageBatch", *[("AccessDenied", 403)] * 3)
    reader = ends.raw_reader()
    with pytest.raises(ChannelError, match="AccessDenied"):
        list(reader.poll(10))
    ends.queues.gate.faults.clear()
    items = read_all(reader)
    assert texts(items) == [str(number) for number in range(4)]
    assert faults(items) == []
