"""Writers that are killed, readers that die between poll and commit, rotation, full spools: nothing acknowledged is
lost, nothing comes in another order, and no honest run looks like an attack. Any change of what they wrote does."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from caisson.adapters.embedded.channel import SealedReader, SealedWriter
from caisson.adapters.embedded.channel.writer import RETRY_AFTER_S
from caisson.errors import ChannelError
from caisson.ports.channel import Item, Received
from channel_world import World, event, faults, heads, texts

WRITERS = ("runtime-0", "runtime-1")


class ChannelMachine(RuleBasedStateMachine):
    """Two writers and one reader, each of which may die at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="channel-"))
        self.world = World(self.root)
        self.writers: dict[str, SealedWriter] = {}
        self.disks: dict[str, object] = {}
        self.appended: dict[str, list[str]] = {name: [] for name in WRITERS}
        """What append acknowledged."""
        self.uncertain: set[str] = set()
        """Refused, yet it may have been written: the caller was told to stop."""
        self.committed: dict[str, list[str]] = {name: [] for name in WRITERS}
        self.pending: list[Item] = []
        self.reader: SealedReader = self.world.reader()
        self.count = 0

    @initialize(segment_bytes=st.sampled_from([1, 4_000, 1_000_000]))
    def sizes(self, segment_bytes: int) -> None:
        self.segment_bytes = segment_bytes

    def _writer(self, name: str) -> SealedWriter:
        if name not in self.writers:
            disk = type(self.world.disk)()
            self.disks[name] = disk
            self.writers[name] = self.world.writer(name, segment_bytes_max=self.segment_bytes, disk=disk)
        return self.writers[name]

    @rule(name=st.sampled_from(WRITERS), count=st.integers(1, 5))
    def append(self, name: str, count: int) -> None:
        for _ in range(count):
            self.count += 1
            text = f"{name} {self.count}"
            self._writer(name).append(event(text))
            self.appended[name].append(text)

    @rule(name=st.sampled_from(WRITERS), taken=st.integers(0, 300), data=st.data())
    def append_on_a_failing_disk(self, name: str, taken: int, data: st.DataObject) -> None:
        """The disk takes a part and then refuses, in a header, a record or a head."""
        writer, disk = self._writer(name), self.disks[name]
        room = [taken]

        def take(size: int) -> int:
            part, room[0] = min(size, room[0]), room[0] - min(size, room[0])
            if not part:
                raise OSError(28, "No space left on device")
            return part

        disk.take = take  # type: ignore[attr-defined]
        self.count += 1
        text = f"{name} {self.count}"
        try:
            writer.append(event(text))
            self.appended[name].append(text)
        except ChannelError:
            self.uncertain.add(text)
        disk.take = None  # type: ignore[attr-defined]
        self.world.clock.step(RETRY_AFTER_S)

    @rule(name=st.sampled_from(WRITERS), torn=st.binary(max_size=60))
    def kill_writer(self, name: str, torn: bytes) -> None:
        """Possibly in the middle of a write: a frame that begins and does not end."""
        if name not in self.writers:
            return
        writer = self.writers.pop(name)
        growing = writer._segment
        writer._commit.close()
        writer._closed = True
        self.disks.pop(name).kill()  # type: ignore[attr-defined]
        if growing is not None and torn:
            with open(self.world.spool / str(growing.name), "ab") as file:
                file.write(b"\x00\x00\x01\x00\x01" + torn)

    @rule(name=st.sampled_from(WRITERS))
    def close_writer(self, name: str) -> None:
        if name in self.writers:
            self.writers.pop(name).close()

    @rule(seconds=st.floats(-5_000, 5_000))
    def clock_steps(self, seconds: float) -> None:
        self.world.clock.time += seconds
        self.world.clock.passed += max(seconds, 0)

    @rule(limit=st.integers(1, 40))
    def poll(self, limit: int) -> None:
        self.pending = list(self.reader.poll(limit))
        assert len(self.pending) <= limit

    @precondition(lambda self: self.pending)
    @rule()
    def commit(self) -> None:
        self.reader.commit()
        self._take(self.pending)
        self.pending = []

    @rule()
    def kill_reader(self) -> None:
        self.reader, self.pending = self.world.reader(), []

    def _take(self, items: list[Item]) -> None:
        assert faults(items) == []
        for item in items:
            if isinstance(item, Received):
                self.committed[item.writer] += texts([item])

    @invariant()
    def what_was_committed_is_what_was_appended_in_order(self) -> None:
        for name in WRITERS:
            taken = [text for text in self.committed[name] if text not in self.uncertain]
            assert taken == self.appended[name][: len(taken)]

    def teardown(self) -> None:
        try:
            for name in WRITERS:
                if name in self.writers:
                    self.writers.pop(name).close()
                self._writer(name).close()
            self.pending = []
            items = self.world.read(self.reader)
            self._take(items)
            for name in WRITERS:
                assert [text for text in self.committed[name] if text not in self.uncertain] == self.appended[name]
            assert all(head.closed for head in {head.writer: head for head in heads(items)}.values())
            assert list(self.world.spool.iterdir()) == []
        finally:
            shutil.rmtree(self.root)


TestChannelMachine = ChannelMachine.TestCase
TestChannelMachine.settings = settings(
    deadline=None, max_examples=100, stateful_step_count=30, suppress_health_check=list(HealthCheck)
)


def _change(data: st.DataObject, content: bytes) -> bytes | None:
    """The content after somebody's hand was in it; None for a deleted file."""
    at, length = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 3_000))
    other = data.draw(st.integers(0, len(content) - 1))
    piece = content[at : at + length]
    return {
        "delete": None,
        "flip": content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :],
        "cut the end": content[:at],
        "cut out": content[:at] + content[at + length :],
        "repeat": content[:other] + piece + content[other:],
        "insert": content[:at] + data.draw(st.binary(min_size=1, max_size=50)) + content[at:],
        "exchange": content[:at] + content[at + length :] + piece,
    }[data.draw(st.sampled_from(["delete", "flip", "cut the end", "cut out", "repeat", "insert", "exchange"]))]


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(
    lives=st.lists(st.integers(0, 4), min_size=1, max_size=3), segment_bytes=st.sampled_from([1, 10**6]), data=st.data()
)
def test_any_change_of_a_segment_is_a_fault_and_never_another_message(
    lives: list[int], segment_bytes: int, data: st.DataObject
) -> None:
    root = Path(tempfile.mkdtemp(prefix="channel-"))
    try:
        world = World(root)
        for records in lives:
            writer = world.writer(segment_bytes_max=segment_bytes)
            for number in range(records):
                writer.append(event(f"{number} {'x' * 100}"))
            world.kill(writer)
        changed = world.segments()
        world.writer().close()
        honest = {item.chain: item for item in world.read(commit=False) if isinstance(item, Received)}
        assert len(honest) == sum(lives)
        path = data.draw(st.sampled_from(changed))
        before = path.read_bytes()
        after = _change(data, before)
        assume(after is None or not after.startswith(before))  # what follows the end reads as a torn write
        path.unlink() if after is None else path.write_bytes(after)
        items = world.read()
        assert faults(items)
        received = [item for item in items if isinstance(item, Received)]
        assert all(honest.get(item.chain) == item for item in received)
        assert len({item.chain for item in received}) == len(received)
    finally:
        shutil.rmtree(root)
