"""A channel over a queue of moto's, with the gate in front of it, and its two ends in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from aws_gate import Gate
from aws_services import OWN, REGION, Moto
from caisson.adapters.aws.api.calls import Bounds, Calls
from caisson.adapters.aws.api.endpoint import service_endpoint
from caisson.adapters.aws.channel import Queue, QueueReader, QueueWriter
from caisson.adapters.embedded.clock import SystemClock
from caisson.ports.channel import ChannelReader, ChannelWriter, Item
from channel_world import World

SETTLE_SECONDS_MAX = 30.0


class Queues:
    """Queues of moto behind a gate."""

    def __init__(self, moto: Moto, gate: Gate) -> None:
        self.moto, self.gate = moto, gate
        self.client = moto.client("sqs")

    def url(self, root: Path, *, visibility_s: int = 30) -> str:
        """The queue that stands for a folder."""
        name = f"events-{sha256(str(root).encode()).hexdigest()[:32]}"
        attributes = {"VisibilityTimeout": str(visibility_s)}
        return str(self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def queue(self, url: str, *, busy_s: float = 0.5) -> Queue:
        clock = SystemClock()
        endpoint = service_endpoint("sqs", REGION, self.gate.url)
        calls = Calls(endpoint, service="sqs", region=REGION, clock=clock, bounds=Bounds(total_s=20.0))
        return Queue(calls, url=url, keys=lambda: OWN, clock=clock, busy_s=busy_s)


class QueueWorld:
    """One channel `events` over one queue."""

    def __init__(self, root: Path, queues: Queues, *, visibility_s: int = 30) -> None:
        self.world = World(root)
        self.queues = queues
        self.url = queues.url(root, visibility_s=visibility_s)
        self.outgoing = root / "outgoing"
        self.outgoing.mkdir()
        self.writers: list[QueueWriter] = []
        self.readers: list[QueueReader] = []

    def writer(self, name: str = "runtime-0", **changes: Any) -> QueueWriter:
        made = QueueWriter(queue=self.queues.queue(self.url), **(self.writing(name) | changes))
        self.writers.append(made)
        made.start()
        return made

    def writing(self, name: str) -> dict[str, Any]:
        """What a writer takes beside its queue."""
        return {
            "channel": "events",
            "writer": name,
            "outgoing": self.outgoing,
            "state": self.world.writer_state,
            "signing": self.world.runtime.signing("channel"),
            "reader_public": self.world.logging.sealing("events").public_bytes,
            "clock": self.world.clock,
            "disk": self.world.disk,
        }

    def raw_reader(self, **changes: Any) -> QueueReader:
        made = QueueReader(queue=self.queues.queue(self.url), **(self.reading() | changes))
        self.readers.append(made)
        made.start()
        return made

    def reading(self) -> dict[str, Any]:
        """What a reader takes beside its queue."""
        return {
            "channel": "events",
            "spool": self.world.spool,
            "state": self.world.reader_state,
            "keys": [self.world.logging.sealing("events")],
            "clock": self.world.clock,
            "writers": {"runtime": (self.world.runtime.signing("channel").public_bytes,)},
        }

    def reader(self) -> ChannelReader:
        return _Settled(self, self.raw_reader())

    def kill(self, writer: ChannelWriter) -> None:
        """As SIGKILL: nothing more is written or carried."""
        assert isinstance(writer, QueueWriter)
        writer._carrier._courier.stop()
        writer._closed = True
        self.world.kill(writer._sealed)

    def settled(self) -> None:
        """Return when all that living writers have is in the queue."""
        self.queues.gate.faults.clear()
        for writer in self.writers:
            if not writer._closed:
                writer._carrier.soon().result(SETTLE_SECONDS_MAX)

    def close(self) -> None:
        self.queues.gate.faults.clear()
        for end in (*self.writers, *self.readers):
            end.close()


class _Settled(ChannelReader):
    def __init__(self, world: QueueWorld, reader: QueueReader) -> None:
        self._world, self._reader = world, reader

    def poll(self, limit: int) -> Iterator[Item]:
        self._world.settled()
        yield from self._reader.poll(limit)

    def commit(self) -> None:
        self._reader.commit()
