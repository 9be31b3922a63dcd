"""How the gateway's events travel: into the spool on this machine, or through the queue in SQS that the settings name.

What control zone and supervisor write stays on this machine in any case, and the logging zone reads both.

- Writers over the queue have names of their own, as each name is one chain and each reader knows its own writers.
- Threads that call the queue begin after their process has confined itself; sockets on which credentials come are
  opened before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from caisson.adapters.aws.api.calls import Bounds, Calls
from caisson.adapters.aws.bedrock.lease import Access
from caisson.adapters.aws.channel import Queue, QueueReader, QueueWriter
from caisson.adapters.aws.channel.address import queue_address
from caisson.adapters.aws.channel.reader import LONG_POLL_S
from caisson.adapters.embedded.channel import SealedReader, SealedWriter
from caisson.adapters.embedded.channel.segment import SegmentName
from caisson.adapters.embedded.keys import FileKeys
from caisson.adapters.embedded.layout import Layout
from caisson.channels.table import Zone
from caisson.errors import ChannelError, StartError
from caisson.ports.channel import ChannelReader, ChannelWriter, Item
from caisson.ports.clock import Clock
from caisson.wiring.leases import LeaseFeed
from caisson.wiring.settings import ARRIVALS_SOCKET, EVENTS_SOCKET, EventQueue, Settings

CHANNEL = "events"
OUTGOING = "outgoing"
"""Folder in the runtime zone's state with what the queue does not have yet."""
ARRIVED = "arrived"
"""Folder in the logging zone's state with what came from the queue and is not archived yet."""
SENDING = Bounds(connect_s=2.0, total_s=5.0)
RECEIVING = Bounds(connect_s=2.0, total_s=LONG_POLL_S + 10.0)
QUIET_S = 1.0
"""How long a queue that refused is left alone."""
FIRST_ANSWER_S = 15.0

log = logging.getLogger("caisson.events")


def ports(queue: EventQueue | None, region: str) -> set[int]:
    """The TCP ports that the queue is reached on."""
    if queue is None:
        return set()
    parts = urlsplit(queue_address(queue.url, region).endpoint.url)
    return {parts.port or (80 if parts.scheme == "http" else 443)}


def _queue(queue: EventQueue, settings: Settings, access: Access, clock: Clock, bounds: Bounds) -> Queue:
    address = queue_address(queue.url, settings.region)
    calls = Calls(address.endpoint, service="sqs", region=settings.region, clock=clock, bounds=bounds)
    return Queue(calls, url=address.url, keys=access.keys, clock=clock)


class Departures:
    """The writing ends of a gateway worker, and what keeps their credentials in force."""

    def __init__(
        self, settings: Settings, where: Layout, clock: Clock, keys: FileKeys, make: Callable[[], Queue] | None = None
    ) -> None:
        self.feed: LeaseFeed | None = None
        self._settings, self._where, self._clock, self._keys, self._make = settings, where, clock, keys, make
        self._state = where.zone(Zone.RUNTIME, "state")
        self._started: list[QueueWriter] = []

    @classmethod
    async def open(cls, settings: Settings, where: Layout, clock: Clock, keys: FileKeys) -> Departures:
        """Ends of the way that the settings name.

        Raises:
            StartError: there are no credentials for the queue, or there is no queue and events wait for one.
        """
        queue = settings.events
        if queue is None:
            made = cls(settings, where, clock, keys)
            if made._waiting():
                raise StartError(
                    f"{made._outgoing}: events of an earlier start wait for their queue; start with --events as then"
                )
            return made
        access = Access(clock, whose="events")
        made = cls(settings, where, clock, keys, lambda: _queue(queue, settings, access, clock, SENDING))
        made.feed = await LeaseFeed.connect(where.sockets / EVENTS_SOCKET, access, whose="events")
        made._outgoing.mkdir(mode=0o700, exist_ok=True)
        return made

    def writer(self, label: str, bytes_max: int) -> ChannelWriter:
        """The end that a label names: the worker's number, or `strangers` and it.

        Raises:
            ChannelError: another process writes under this name, or the folder cannot be written.
        """
        if self._make is None:
            return SealedWriter(
                writer=f"{Zone.RUNTIME.label}-{label}",
                spool=self._where.spool(CHANNEL),
                bytes_max=bytes_max,
                **self._sealed(),
            )
        return self._over_queue(self._make, _name(label), bytes_max=bytes_max)

    def _over_queue(self, make: Callable[[], Queue], name: str, **more: Any) -> QueueWriter:
        made = QueueWriter(queue=make(), writer=name, outgoing=self._outgoing, **self._sealed(), **more)
        self._started.append(made)
        return made

    async def start(self) -> None:
        """Begin to carry, and see that the queue takes it. Once the process has confined itself.

        Raises:
            StartError: the queue takes nothing.
        """
        for each in self._started:
            each.start()
        try:
            async with asyncio.timeout(FIRST_ANSWER_S):
                for each in self._started:
                    await each.durable()
        except (ChannelError, TimeoutError) as error:
            raise StartError(f"--events sqs: {error or 'the queue does not answer'}") from error
        if self._settings.worker == 0 and self._make is not None:
            await asyncio.to_thread(self._carry_leftovers, self._make)

    def _carry_leftovers(self, make: Callable[[], Queue]) -> None:
        """What workers left that no longer exist: a start with fewer of them."""
        living = {_name(label) for worker in range(self._settings.workers) for label in labels(worker)}
        for name in sorted({segment.writer for segment in self._waiting()} - living):
            left = self._over_queue(make, name)
            left.start()
            left.close()

    def close(self) -> None:
        """Take no credentials any more; the ends were closed before."""
        if self.feed is not None:
            self.feed.close()

    def _sealed(self) -> dict[str, Any]:
        return {
            "channel": CHANNEL,
            "state": self._state,
            "signing": self._keys.signing(CHANNEL),
            "reader_public": self._settings.public(Zone.LOGGING.label, CHANNEL),
            "clock": self._clock,
        }

    @property
    def _outgoing(self) -> Path:
        return self._state / OUTGOING

    def _waiting(self) -> list[SegmentName]:
        """Segments that the queue does not have yet."""
        if not self._outgoing.is_dir():
            return []
        return [name for path in self._outgoing.iterdir() if (name := SegmentName.parse(path.name)) is not None]


def labels(worker: int) -> tuple[str, str]:
    """What a gateway worker writes under: its requests, and refusals of callers without an identity.

    >>> labels(0), labels(1)
    (('0', 'strangers'), ('1', 'strangers1'))
    """
    return str(worker), f"strangers{worker or ''}"


def _name(label: str) -> str:
    return f"{Zone.RUNTIME.label}-q{label}"


class Arrivals:
    """The reading end of the logging zone, and what keeps its credentials in force."""

    def __init__(self, access: Access | None = None, feed: LeaseFeed | None = None) -> None:
        self.feed = feed
        self._access = access
        self._over_queue: QueueReader | None = None

    @classmethod
    async def open(cls, settings: Settings, where: Layout, clock: Clock) -> Arrivals:
        """With the first lease in force.

        Raises:
            StartError: there are no credentials for the queue.
        """
        if settings.events is None:
            return cls()
        access = Access(clock, whose="events")
        return cls(access, await LeaseFeed.connect(where.sockets / ARRIVALS_SOCKET, access, whose="events"))

    async def reader(
        self, settings: Settings, where: Layout, clock: Clock, keys: FileKeys, writers: Mapping[str, tuple[bytes, ...]]
    ) -> ChannelReader:
        """What the zone reads. Once the process has confined itself.

        Raises:
            StartError: the queue gives nothing.
            ChannelError: what is remembered cannot be used.
        """
        state, sealing = where.zone(Zone.LOGGING, "state"), keys.sealing_keys(CHANNEL)
        here = SealedReader(channel=CHANNEL, spool=where.spool(CHANNEL), state=state, keys=sealing, writers=writers)
        if settings.events is None or self._access is None:
            return here
        arrived = state / ARRIVED
        (arrived / "spool").mkdir(mode=0o700, parents=True, exist_ok=True)
        self._over_queue = reader = QueueReader(
            queue=_queue(settings.events, settings, self._access, clock, RECEIVING),
            channel=CHANNEL,
            spool=arrived / "spool",
            state=arrived,
            keys=sealing,
            writers={Zone.RUNTIME.label: writers[Zone.RUNTIME.label]},
            clock=clock,
            patience_s=0,
        )
        reader.start()
        try:
            await asyncio.to_thread(reader.check)
        except (ChannelError, TimeoutError) as error:
            raise StartError(f"--events sqs: {error or 'the queue does not answer'}") from error
        return Both(here, reader, clock)

    def close(self) -> None:
        """End the calls."""
        if self._over_queue is not None:
            self._over_queue.close()
        if self.feed is not None:
            self.feed.close()


class Both(ChannelReader):
    """Reads here, and from afar. What is far away and does not answer holds up nothing that is here."""

    def __init__(self, here: ChannelReader, afar: ChannelReader, clock: Clock) -> None:
        self._ends: Sequence[ChannelReader] = (here, afar)
        self._clock = clock
        self._quiet_until = 0.0
        self._problem = ""

    def poll(self, limit: int) -> Iterator[Item]:
        here, afar = self._ends
        for item in here.poll(limit):
            limit -= 1
            yield item
        if limit <= 0 or self._clock.monotonic() < self._quiet_until:
            return
        problem = ""
        try:
            yield from afar.poll(limit)
        except ChannelError as error:
            problem, self._quiet_until = str(error), self._clock.monotonic() + QUIET_S
        if problem != self._problem:
            self._problem = problem
            log.warning("%s", problem or "the queue answers again")

    def commit(self) -> None:
        for end in self._ends:
            end.commit()
