"""The writing end of a channel on one machine.

- `append` hands one whole record to the operating system before it returns: killing the process loses nothing.
- `durable` waits for one fdatasync in a worker thread that serves all callers who came before it began.
- A head is signed within `HEAD_DELAY_S` of an append, at rotation and on close: a signature costs ten times a record.
- Closed by default: after a failed write the segment is given up and every append is refused until a fresh segment
  works; after a failed sync `durable` is refused until the reader has taken the records in doubt.

>>> writer = SealedWriter(channel="events", writer="runtime-0", …)  # doctest: +SKIP
>>> writer.append(ProcessEvent(zone="runtime", change="started", timestamp=0.0))  # doctest: +SKIP
'runtime-0-0006500a1c2d3e4f-0'
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec.structs import replace as with_fields

from caisson.adapters.embedded.channel.backlog import Backlog
from caisson.adapters.embedded.channel.disk import Disk, segment_mode
from caisson.adapters.embedded.channel.group_commit import GroupCommit, InDoubt, SegmentFile
from caisson.adapters.embedded.channel.memory import Memory, Remembered
from caisson.adapters.embedded.channel.segment import (
    FRAME_BYTES_MAX,
    SEGMENT_KEY_BYTES,
    Header,
    RecordSeal,
    SegmentName,
    encode_header,
    head_frame,
    seal_key,
)
from caisson.adapters.embedded.keys import key_id
from caisson.channels.chain import GENESIS, extend
from caisson.channels.messages import Message, encode
from caisson.channels.table import CHANNELS
from caisson.errors import ChannelError, StartError
from caisson.ports.channel import ChainHead, ChannelWriter
from caisson.ports.clock import Clock
from caisson.ports.keys import SigningKey

HEAD_DELAY_S = 0.010
RETRY_AFTER_S = 1.0
"""How long a disk that refused is left alone."""
SEGMENT_BYTES_MAX = 16 * 1024 * 1024
SEGMENT_AGE_MAX_S = 3_600.0
"""A quiet writer begins a new segment as well, so that its reader may delete and its segment key is forgotten."""
SPOOL_BYTES_MAX = 1024 * 1024 * 1024
CREATE_TRIES_MAX = 16
"""File names tried for one segment; others may write into the folder and could have taken some."""
MICROSECONDS = 1_000_000


@dataclass(kw_only=True)
class _Segment(SegmentFile):
    """A file of ours that grows."""

    record_seal: RecordSeal
    opened: float
    """Monotonic seconds."""
    header: memoryview
    """What of the header is not written yet. A disk may fill up in the middle of it."""
    end: int = 0
    """Bytes written whole."""


class SealedWriter(ChannelWriter):
    """See the module. One process at a time may write under one name; used from one thread.

    Args:
        spool: the channel's folder; may deny reading and listing.
        state: the zone's private folder.
        writer: zone label and worker, `runtime-0`.
        reader_public: the reader's public sealing key.
        bytes_max: bytes of this writer that may wait for the reader.

    Raises:
        StartError: the channel table does not let this zone write here.
        ChannelError: another process writes under this name, or the spool cannot be written.
    """

    def __init__(
        self,
        *,
        channel: str,
        writer: str,
        spool: Path,
        state: Path,
        signing: SigningKey,
        reader_public: bytes,
        clock: Clock,
        bytes_max: int = SPOOL_BYTES_MAX,
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
        disk: Disk | None = None,
    ) -> None:
        name = SegmentName.parse(f"{writer}.{0:016x}.{0:08d}.segment")
        if name is None or channel not in CHANNELS or name.zone not in CHANNELS[channel].writer_labels:
            raise StartError(f"channel {channel!r}: expected a writer that the channel table allows, found {writer!r}")
        self._channel, self._writer, self._spool = channel, writer, spool
        self._signing, self._reader_public, self._clock = signing, reader_public, clock
        self._bytes_max = bytes_max
        self._segment_bytes_max = min(segment_bytes_max, bytes_max // 4)  # what is full can be deleted and makes room
        self._disk = disk or Disk()
        self._segment: _Segment | None = None
        self._unfinished: _Segment | None = None
        self._closed = False
        self._refusal, self._refused_until = "", 0.0
        self._head_timer: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None
        self._behind = 0  # bytes in earlier segments that wait for the reader
        try:
            self._mode = segment_mode(spool)
            self._memory = Memory(state / f"{channel}-{writer}.chain", self._disk)
        except OSError as error:
            raise ChannelError(f"channel {channel!r}: cannot be opened ({error}); check the folders' owners") from error
        try:
            self._backlog = Backlog(spool, state / f"{channel}-{writer}.unread")
            self._commit = GroupCommit(self._disk, label=writer, progress=self._progress, unread=self._backlog.exists)
            self._begin(self._memory.remembered)
            self._current()
        except BaseException:
            self._memory.close()
            raise

    def _begin(self, last: Remembered) -> None:
        """Begin an incarnation: it sorts after the last one, also when the clock has stepped back."""
        started = max(int(self._clock.now() * MICROSECONDS), int(last.incarnation or "0", 16) + 1)
        previous, previous_length, previous_chain = last.last_with_records
        self._last_segment = _name_of(self._writer, last)
        self._last_end = last.end
        self._begun = Remembered(
            incarnation=f"{started:016x}",
            previous_incarnation=previous,
            previous_length=previous_length,
            previous_chain=previous_chain,
        )
        self._length, self._chain, self._signed_length = 0, GENESIS, -1
        self._next_number = 0
        self._id_prefix = f"{self._writer}-{self._begun.incarnation}-"

    # Appending

    def append(self, message: Message) -> str:
        segment = self._current()
        message_id = message.message_id or f"{self._id_prefix}{self._length}"
        plaintext = encode(with_fields(message, message_id=message_id))
        if len(plaintext) > FRAME_BYTES_MAX - 1024:
            raise ChannelError(
                f"channel {self._channel!r}: expected a message of at most {FRAME_BYTES_MAX - 1024} bytes, "
                f"found {len(plaintext)}; lower limits.body_bytes_max"
            )
        frame, digest = segment.record_seal.frame(self._length, self._chain, plaintext)
        self._make_room(segment, len(frame))
        self._write(segment, frame)
        self._length += 1
        self._chain = extend(self._chain, digest)
        self._remember(segment)
        self._sign_soon()
        return message_id

    def _make_room(self, segment: _Segment, size: int) -> None:
        if self._behind + segment.end + size <= self._bytes_max:
            return
        self._backlog.refresh()
        self._behind = self._backlog.unread_bytes(besides=str(segment.name))
        if self._behind + segment.end + size > self._bytes_max:
            raise ChannelError(
                f"channel {self._channel!r}: {self._bytes_max} bytes of {self._writer} wait unread, the spool's bound;"
                " start the channel's reader"
            )

    def _write(self, segment: _Segment, frame: bytes) -> None:
        """Write a whole frame, or give the segment up: its key may not seal another record with this sequence."""
        try:
            written = self._disk.write(segment.descriptor, frame)
            while written < len(frame):
                written += self._disk.write(segment.descriptor, memoryview(frame)[written:])
        except OSError as error:
            raise self._give_up(segment, error) from error
        segment.end += len(frame)

    def _remember(self, segment: _Segment) -> None:
        self._memory.store(
            length=self._length, chain=self._chain, number=segment.name.number, end=segment.end, of=self._begun
        )

    def _give_up(self, segment: _Segment, error: OSError) -> ChannelError:
        self._segment = None
        self._last_segment, self._last_end = str(segment.name), segment.end
        self._commit.retire(segment)
        return self._refuse(error)

    def _refuse(self, error: OSError) -> ChannelError:
        self._refusal = error.strerror or "unknown error"
        self._refused_until = self._clock.monotonic() + RETRY_AFTER_S
        return self._refused()

    def _refused(self) -> ChannelError:
        return ChannelError(
            f"channel {self._channel!r}: the disk under {self._spool} refused ({self._refusal}); free or repair it"
        )

    # Segments

    def _current(self) -> _Segment:
        """The segment to write to, a new one when there is none or it is full or old."""
        if self._closed:
            raise self._is_closed()
        segment = self._segment
        if segment is not None:
            young = self._clock.monotonic() - segment.opened < SEGMENT_AGE_MAX_S
            if young and segment.end < self._segment_bytes_max:
                return segment
            self._sign(segment, closed=False)
            self._segment = None
            self._last_segment, self._last_end = str(segment.name), segment.end
            self._commit.retire(segment)
        elif self._refusal and self._clock.monotonic() < self._refused_until:
            raise self._refused()
        return self._open()

    def _open(self) -> _Segment:
        try:
            segment = self._unfinished or self._create()
            self._unfinished = segment
            while segment.header:
                written = self._disk.write(segment.descriptor, segment.header)
                segment.header = segment.header[written:]
                segment.end += written
            if self._refusal or self._length == 0:
                self._disk.sync(segment.descriptor, created=True)
                segment.named = True
        except OSError as error:
            raise self._refuse(error) from error
        self._unfinished, self._segment, self._refusal = None, segment, ""
        self._behind = self._backlog.unread_bytes(besides=str(segment.name))
        self._remember(segment)
        if self._length == 0:
            self._memory.sync()
        self._sign(segment, closed=False)
        return segment

    def _create(self) -> _Segment:
        for _ in range(CREATE_TRIES_MAX):
            name = SegmentName(writer=self._writer, incarnation=self._begun.incarnation, number=self._next_number)
            self._next_number += 1
            self._backlog.add(str(name))
            try:
                descriptor = self._disk.create(self._spool / str(name), self._mode)
            except FileExistsError:
                continue
            segment_key = os.urandom(SEGMENT_KEY_BYTES)
            return _Segment(
                name=name,
                descriptor=descriptor,
                record_seal=RecordSeal(segment_key, channel=self._channel, name=name),
                opened=self._clock.monotonic(),
                header=memoryview(encode_header(self._header(name, segment_key), self._signing)),
            )
        raise ChannelError(
            f"spool {self._spool}: the next {CREATE_TRIES_MAX} names of {self._writer} are taken; look into it"
        )

    def _header(self, name: SegmentName, segment_key: bytes) -> Header:
        return Header(
            channel=self._channel,
            writer=self._writer,
            incarnation=name.incarnation,
            number=name.number,
            previous_incarnation=self._begun.previous_incarnation,
            previous_length=self._begun.previous_length,
            previous_chain=self._begun.previous_chain,
            last_segment=self._last_segment,
            last_end=self._last_end,
            start_length=self._length,
            start_chain=self._chain,
            reader_key_id=key_id(self._reader_public),
            writer_key_id=self._signing.key_id,
            sealed_key=seal_key(segment_key, self._reader_public, channel=self._channel, name=name),
        )

    # Heads

    def _sign_soon(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._sign_now()
            return
        if self._head_timer is None or self._head_timer[0] is not loop:
            self._head_timer = (loop, loop.call_later(HEAD_DELAY_S, self._sign_now))

    def _sign_now(self) -> None:
        self._head_timer = None
        if self._segment is None or self._closed:
            return
        try:
            self._sign(self._segment, closed=False)
        except ChannelError:
            return  # the record that this head speaks of was written; the next append meets the refusal

    def _sign(self, segment: _Segment, *, closed: bool) -> None:
        """Write a head, unless one says the same already."""
        if self._signed_length == self._length and not closed:
            return
        head = ChainHead(
            writer=self._writer,
            incarnation=self._begun.incarnation,
            previous_incarnation=self._begun.previous_incarnation,
            previous_length=self._begun.previous_length,
            previous_chain=self._begun.previous_chain.hex(),
            length=self._length,
            chain=self._chain.hex(),
            closed=closed,
            key_id=self._signing.key_id,
            signature="",
        )
        self._write(segment, head_frame(replace(head, signature=self._signing.sign(head.signed_text).hex())))
        self._signed_length = self._length
        self._remember(segment)

    # Stable storage

    async def durable(self) -> None:
        if self._closed:
            raise self._is_closed()
        try:
            await self._commit.wait()
        except InDoubt as error:
            segment = self._segment
            if segment is not None and self._commit.is_doubtful(segment):
                self._give_up(segment, OSError(0, "a sync failed"))
            raise ChannelError(
                f"channel {self._channel!r}: the disk did not confirm {error}; repair it, then let the reader take"
                " what it can still read"
            ) from error

    def _progress(self) -> tuple[int, SegmentFile | None]:
        return self._length, self._segment

    def _is_closed(self) -> ChannelError:
        return ChannelError(f"channel {self._channel!r}: writer {self._writer} is closed")

    def close(self) -> None:
        if self._closed:
            return
        segment = self._segment
        try:
            if segment is not None:
                self._sign(segment, closed=True)
        finally:
            self._closed = True
            if self._head_timer is not None:
                self._head_timer[1].cancel()
            for each in (self._segment, self._unfinished):
                if each is not None:
                    self._commit.retire(each)
            self._segment = self._unfinished = None
            self._commit.close()
            self._memory.close()


def _name_of(writer: str, last: Remembered) -> str:
    if not last.incarnation:
        return ""
    return str(SegmentName(writer=writer, incarnation=last.incarnation, number=last.number))
