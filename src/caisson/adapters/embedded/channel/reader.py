"""The reading end of a channel on one machine.

- `poll` starts at the last commit, takes one item of each writer in turn, and yields what is authentic, in each
  writer's order, and a `Fault` for everything else. It never raises for what a writer put into the folder.
- `commit` stores the position and then deletes the segments before it; those with faults are set aside as evidence.
  Killed at any point, the next reader yields again what was not committed and nothing that was.
- A segment ends when a later one of its writer is verified: only then is a torn frame at its end judged.

>>> for item in reader.poll(limit=512): ...  # doctest: +SKIP
>>> reader.commit()  # doctest: +SKIP
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from caisson.adapters.embedded.channel import track as tracks
from caisson.adapters.embedded.channel.position import PositionFile
from caisson.adapters.embedded.channel.segment import HEAD, RECORD, by_key_id, open_head
from caisson.adapters.embedded.channel.spool import Frame, Opened, Segment, Spool, Unreadable
from caisson.adapters.embedded.channel.track import Finding, Track
from caisson.channels.chain import extend
from caisson.channels.messages import decode
from caisson.channels.table import CHANNELS
from caisson.errors import StartError
from caisson.ports.channel import ChannelReader, Fault, Item, Received
from caisson.ports.keys import SealingKey

_Items = Generator[Item, None, None]
WRITERS_MAX = 256
"""Writer names on one channel; a zone has as many as it has workers."""


class SealedReader(ChannelReader):
    """See the module. One process at a time may read a channel.

    Args:
        spool: the channel's folder, owned by this process's user.
        state: the zone's private folder.
        keys: this reader's sealing keys, the current one and those before it.
        writers: public signing keys of the zones that may write, by zone label.

    Raises:
        StartError: `writers` names a zone that the channel table does not let write here.
        ChannelError: the stored position cannot be used.
    """

    def __init__(
        self,
        *,
        channel: str,
        spool: Path,
        state: Path,
        keys: Sequence[SealingKey],
        writers: Mapping[str, tuple[bytes, ...]],
    ) -> None:
        allowed = CHANNELS[channel].writer_labels if channel in CHANNELS else ()
        if strangers := sorted(set(writers) - set(allowed)):
            raise StartError(f"channel {channel!r}: expected writers out of {sorted(allowed)}, found {strangers}")
        self._publics = {label: by_key_id(publics) for label, publics in writers.items()}
        by_id = {key.key_id: key for key in keys}
        self._spool = Spool(spool, channel=channel, keys=by_id, publics=self._publics)
        self._file = PositionFile(state / f"{channel}.position")
        self._committed = self._file.load(channel)
        self._working: dict[str, Track] = dict(self._committed.tracks)
        self._listed: dict[str, list[Segment]] = {}
        self._faulty: set[str] = set()
        self._told: list[str] = []

    def poll(self, limit: int) -> Iterator[Item]:
        self._working = dict(self._committed.tracks)
        self._told = []
        self._listed, refused = self._spool.scan()
        self._remove_leftovers()
        self._faulty &= {str(segment.name) for segments in self._listed.values() for segment in segments}
        sources = deque([self._refusals(refused)])
        sources += [self._writer(writer) for writer in sorted(self._listed.keys() | self._working.keys())]
        try:
            while sources and limit > 0:
                item = next(sources[0], None)
                if item is None:
                    sources.popleft()
                    continue
                sources.rotate(-1)
                limit -= 1
                yield item
        finally:
            for source in sources:
                source.close()

    def commit(self) -> None:
        read = [
            str(segment.name)
            for writer, segments in self._listed.items()
            for segment in segments
            if self._is_read(segment, self._working.get(writer))
        ]
        done = set(read)
        position = replace(
            self._committed,
            tracks={
                writer: replace(track, deleted=True) if track.segment in done else track
                for writer, track in self._working.items()
            },
            deleting=tuple(read),
        )
        if position != self._committed:
            self._file.store(position, durable=bool(read))
            self._committed = position
        for name in read:
            if name in self._faulty:
                self._spool.set_aside(name)
            else:
                self._spool.delete(name)
        self._spool.settle(self._told)
        self._listed = {}

    def _is_read(self, segment: Segment, track: Track | None) -> bool:
        """Whether nothing in the segment is needed any more."""
        name = str(segment.name)
        if track is None or self._spool.is_refused(name):
            return False
        if name == track.segment:
            return track.closed and track.offset == segment.size()
        return name < track.segment

    def _remove_leftovers(self) -> None:
        """Delete what the last commit named and a crash kept from being deleted."""
        for segments in self._listed.values():
            for segment in [each for each in segments if str(each.name) in self._committed.deleting]:
                self._spool.delete(str(segment.name))
                segments.remove(segment)

    def _refusals(self, refused: Mapping[str, Fault]) -> _Items:
        for name, fault in refused.items():
            self._told.append(name)
            yield fault

    # One writer

    def _writer(self, writer: str) -> _Items:
        """Everything new of one writer."""
        track = self._working.get(writer, Track())
        segments = self._listed.get(writer, [])
        for segment in list(segments):
            if unwanted := self._unwanted(segment, track):
                segments.remove(segment)
                self._spool.refuse(segment, unwanted)
                self._told.append(str(segment.name))
                yield unwanted
        current = next((each for each in segments if str(each.name) == track.segment), None)
        ahead = deque(each for each in segments if str(each.name) > track.segment)
        if current is not None and current.opened is not None:
            yield from self._frames(writer, current, current.opened)
        elif track.segment and not (ahead or track.deleted or track.stuck):
            vanished = Finding("missing", "the segment vanished before its writer began another")
            yield from self._advance(writer, replace(track, stuck=True), self._faults(track, [vanished]))
        while ahead:
            following = ahead.popleft()
            if following.opened is None:
                continue  # its header is torn: nothing was ever in it, or the next header says what was
            track = self._working.get(writer, Track())
            if self._spool.overlooked(track.segment or f"{writer}.", str(following.name)):
                return
            yield from self._cross(writer, track, current, following.opened)
            yield from self._frames(writer, following, following.opened)
            current = following

    def _unwanted(self, segment: Segment, track: Track) -> Fault | None:
        name, writer = str(segment.name), segment.name.writer
        if not track.segment and len(self._working) >= WRITERS_MAX:
            detail = f"expected at most {WRITERS_MAX} writer names on a channel"
            return Fault(kind="forged", writer=writer, where=f"{name}@0", detail=detail)
        if name < track.segment or (name == track.segment and track.deleted):
            return Fault(kind="replayed", writer=writer, where=f"{name}@0", detail="the segment was read before")
        return None

    def _cross(self, writer: str, track: Track, current: Segment | None, successor: Opened) -> _Items:
        """Leave the segment that was read for the next verified one."""
        faults: list[Fault] = []
        header = successor.header
        if track.segment:
            left, findings = tracks.leave(track, header, current.size() if current else None)
            faults += self._faults(left, findings)
            track = left
        if header.last_segment > track.segment and not self._spool.is_refused(header.last_segment):
            faults += [
                Fault(
                    kind="missing", writer=writer, where=f"{header.last_segment}@0", detail="the segment was never read"
                )
            ]
        entered, findings = tracks.enter(track, header, successor.end)
        faults += self._faults(entered, findings)
        yield from self._advance(writer, entered, faults)

    def _frames(self, writer: str, segment: Segment, opened: Opened) -> _Items:
        track = self._working[writer]
        if track.stuck:
            return
        try:
            for frame in segment.frames(track.offset):
                after, items = self._frame(self._working[writer], opened, frame)
                after = replace(after, offset=frame.end)
                if len(items) == 1:  # nearly always: the position moves, then the item goes out
                    self._working[writer] = after
                    yield items[0]
                else:
                    yield from self._advance(writer, after, items)
        except Unreadable as error:
            track = self._working[writer]
            yield from self._advance(writer, replace(track, stuck=True), self._faults(track, [error.finding]))

    def _frame(self, track: Track, opened: Opened, frame: Frame) -> tuple[Track, Sequence[Item]]:
        if frame.kind == RECORD:
            return self._record(track, opened, frame)
        if frame.kind == HEAD:
            return self._head(track, opened, frame)
        finding = Finding("damaged", f"a frame of unknown type {frame.kind}")
        return tracks.unreadable(track), self._faults(track, [finding])

    def _record(self, track: Track, opened: Opened, frame: Frame) -> tuple[Track, list[Item]]:
        record = opened.record_seal.open(frame.payload)
        if record is None:
            finding = Finding("forged", "a record that the segment's key did not seal")
            return tracks.unreadable(track), [*self._faults(track, [finding])]
        after, new, findings = tracks.record(track, record)
        items: list[Item] = [*self._faults(track, findings)]
        if new:
            try:
                message = decode(record.plaintext)
            except msgspec.MsgspecError:
                return after, [
                    *items,
                    *self._faults(track, [Finding("damaged", "a message of no known kind and version")]),
                ]
            received = Received(
                message=message,
                writer=opened.header.writer,
                incarnation=opened.header.incarnation,
                sequence=record.sequence,
                digest=record.digest.hex(),
                chain=extend(record.chain, record.digest).hex(),
            )
            items.append(received)
        return after, items

    def _head(self, track: Track, opened: Opened, frame: Frame) -> tuple[Track, list[Item]]:
        header = opened.header
        head = open_head(frame.payload, self._publics[header.name.zone])
        if head is None:
            finding = Finding("forged", "a chain head that its key did not sign")
            return tracks.unreadable(track), [*self._faults(track, [finding])]
        if (head.writer, head.incarnation) != (header.writer, header.incarnation):
            finding = Finding("replayed", f"a chain head of {head.writer} {head.incarnation}")
            return tracks.unreadable(track), [*self._faults(track, [finding])]
        after, new, findings = tracks.head(track, head)
        return after, [*self._faults(track, findings), *([head] if new else [])]

    def _faults(self, place: Track, findings: Iterable[Finding]) -> list[Fault]:
        """Findings at a track's position; its segment is kept as evidence."""
        faults = [
            Fault(
                kind=finding.kind,
                writer=place.segment.partition(".")[0],
                where=f"{place.segment}@{place.offset}",
                detail=finding.detail,
            )
            for finding in findings
        ]
        if faults:
            self._faulty.add(place.segment)
        return faults

    def _advance(self, writer: str, track: Track, items: Sequence[Item]) -> _Items:
        """Yield what one step gave. The position moves with the last of it: a stop in between repeats, never skips."""
        yield from items[:-1]
        self._working[writer] = track
        yield from items[-1:]
