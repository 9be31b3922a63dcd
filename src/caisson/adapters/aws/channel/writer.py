"""The writing end of a channel over a queue.

- `append` leaves a sealed record in a segment in a private folder, as on one machine: killing the process loses
  nothing, the next one under this name carries it away.
- `durable` returns when the queue has said that it keeps every byte that was appended before. On a machine whose disk
  goes with it, this alone is an acknowledgement: whoever answers a request waits for it, whatever the tier.
- One round carries everything that is there; whoever comes meanwhile shares the next. A segment that is carried away
  and gets no more is deleted. While the queue refuses, segments pile up to the folder's bound, and then `append` is
  refused.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from caisson.adapters.aws.api.courier import Courier
from caisson.adapters.aws.channel.pieces import PIECE_BYTES_MAX, Piece, encode
from caisson.adapters.aws.channel.queue import BATCH_MAX, Queue
from caisson.adapters.embedded.channel import SealedWriter
from caisson.adapters.embedded.channel.segment import SegmentName
from caisson.channels.messages import Message
from caisson.errors import ChannelError
from caisson.ports.channel import ChannelWriter
from caisson.ports.keys import SigningKey

LOOK_S = 0.05
"""How often a head that was signed after its records is looked for."""
CLOSE_SECONDS_MAX = 4.0


class QueueWriter(ChannelWriter):
    """See the module. One process at a time may write under one name. Nothing is carried before `start`.

    Args:
        queue: of the channel; its calls are made on a thread of this writer.
        outgoing: a private folder of this zone for segments that wait.
        channel, writer, signing, sealed: as of `SealedWriter`.

    Raises:
        StartError: the channel table does not let this zone write here.
        ChannelError: another process writes under this name, or the folder cannot be written.
    """

    outlives = False

    def __init__(
        self, *, queue: Queue, channel: str, writer: str, outgoing: Path, signing: SigningKey, **sealed: Any
    ) -> None:
        self._sealed = SealedWriter(channel=channel, writer=writer, spool=outgoing, signing=signing, **sealed)
        self._carrier = _Carrier(queue, channel=channel, writer=writer, outgoing=outgoing, signing=signing)
        self._closed = False

    def start(self) -> None:
        """Begin to carry, on a thread that is made here."""
        self._carrier.start()

    def append(self, message: Message) -> str:
        message_id = self._sealed.append(message)
        self._carrier.soon()
        return message_id

    async def durable(self) -> None:
        if self._closed:
            await self._sealed.durable()  # says that it is closed
        carried = asyncio.wrap_future(self._carrier.soon())
        carried.add_done_callback(_retrieve)
        await asyncio.shield(carried)  # one caller's cancellation is not everybody's

    def close(self) -> None:
        """Carries away what it can in `CLOSE_SECONDS_MAX`; the rest waits for the next writer under this name."""
        if self._closed:
            return
        self._closed = True
        try:
            self._sealed.close()
            self._carrier.whole = True
            if self._carrier.runs:
                with suppress(ChannelError, TimeoutError):
                    self._carrier.soon().result(CLOSE_SECONDS_MAX)
        finally:
            self._carrier.stop()


class _Carrier:
    """Puts the segments of one writer into the queue."""

    def __init__(self, queue: Queue, *, channel: str, writer: str, outgoing: Path, signing: SigningKey) -> None:
        self._queue = queue
        self._channel = channel
        self._writer = writer
        self._outgoing = outgoing
        self._signing = signing
        self._sent: dict[SegmentName, int] = {}
        self._lock = Lock()
        self._next: Future[None] | None = None
        self._turn: asyncio.Lock = asyncio.Lock()
        self._courier = Courier(writer)
        self._watch: Future[None] | None = None
        self.whole = False
        """Whether the last segment gets no more either."""

    def start(self) -> None:
        """Carry what is there, and look for more."""
        self._courier.start()
        self._watch = self._courier.run(self._watching())

    def soon(self) -> Future[None]:
        """A round that begins after this call, or has not begun yet."""
        with self._lock:
            if self._next is None:
                self._next = self._courier.run(self._round())
                self._next.add_done_callback(_retrieve)
            return self._next

    @property
    def runs(self) -> bool:
        """Whether anything is carried."""
        return self._courier.runs

    def stop(self) -> None:
        """End. What was not carried stays in the folder."""
        if self._courier.runs:
            with suppress(ChannelError, TimeoutError):
                self._courier.run(self._queue.close()).result(CLOSE_SECONDS_MAX)
        self._courier.stop()

    async def _watching(self) -> None:
        while True:
            with suppress(ChannelError, OSError):  # whoever waits for a round is told; this goes on
                if any(self._size(name) > self._sent.get(name, 0) for name in self._segments()):
                    await asyncio.wrap_future(self.soon())
            await asyncio.sleep(LOOK_S)

    async def _round(self) -> None:
        async with self._turn:
            with self._lock:
                self._next = None  # what is appended from now on is the next round's
            names = self._segments()
            try:
                for name in names:
                    await self._carry(name)
                    if name != names[-1] or self.whole:
                        self._done(name)
            except OSError as error:
                raise ChannelError(f"{self._outgoing}: cannot be carried away ({error.strerror})") from error

    async def _carry(self, name: SegmentName) -> None:
        """Every byte that the segment has now."""
        size, sent = self._size(name), self._sent.get(name, 0)
        while sent < size:
            pieces = []
            for start in range(sent, min(size, sent + BATCH_MAX * PIECE_BYTES_MAX), PIECE_BYTES_MAX):
                data = self._read(name, start, min(PIECE_BYTES_MAX, size - start))
                pieces.append(Piece(segment=name, offset=start, data=data))
            await self._queue.send([encode(one, channel=self._channel, signing=self._signing) for one in pieces])
            sent = pieces[-1].end
            self._sent[name] = sent

    def _done(self, name: SegmentName) -> None:
        if self._size(name) == self._sent.get(name, 0):
            (self._outgoing / str(name)).unlink(missing_ok=True)
            self._sent.pop(name, None)

    def _segments(self) -> list[SegmentName]:
        """Of this writer, in its order."""
        try:
            found = [SegmentName.parse(path.name) for path in self._outgoing.iterdir()]
        except OSError as error:
            raise ChannelError(f"{self._outgoing}: cannot be listed ({error.strerror})") from error
        return sorted(name for name in found if name is not None and name.writer == self._writer)

    def _size(self, name: SegmentName) -> int:
        try:
            return (self._outgoing / str(name)).stat().st_size
        except FileNotFoundError:
            return 0

    def _read(self, name: SegmentName, start: int, length: int) -> bytes:
        with (self._outgoing / str(name)).open("rb") as file:
            data = os.pread(file.fileno(), length, start)
        if len(data) != length:
            raise ChannelError(f"{self._outgoing / str(name)}: expected {length} bytes at {start}, found {len(data)}")
        return data


def _retrieve(done: Future[None] | asyncio.Future[None]) -> None:
    """Look at a round's error when nobody waits for it, so that it is not reported as lost."""
    if not done.cancelled():
        done.exception()
