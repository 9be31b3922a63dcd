"""The reader's folder of segments, in which every writer may have put anything.

A file counts as a segment when its name is one, its header is signed by the zone that the name claims, and the header
names this channel, this file and this reader's key. Until then nothing in it is believed; what fails is reported, set
aside and takes no part in any order.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from caisson.adapters.embedded.channel.segment import (
    FRAME_BYTES_MAX,
    FRAME_HEADER_BYTES,
    HEADER_BYTES_MAX,
    Header,
    RecordSeal,
    SegmentName,
    decode_header,
    frame_header,
    unseal_key,
)
from caisson.adapters.embedded.channel.track import Finding
from caisson.errors import ChannelError
from caisson.ports.channel import Fault
from caisson.ports.keys import SealingKey

CHUNK_BYTES = 256 * 1024
FILES_PER_SCAN_MAX = 65_536
NEW_FILES_PER_SCAN_MAX = 256
"""Headers verified in one scan; further files wait for the next one."""
KEPT_MAX = 64
"""Faulty files that are set aside as evidence; the first ones stay."""
KEPT_SUFFIX = ".kept"
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Unreadable(Exception):  # noqa: N818  (a fact about the file, which the reader turns into a fault)
    """Nothing more can be read in a segment."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.detail)
        self.finding = finding


class Frame(NamedTuple):
    """One whole frame of a segment."""

    kind: int
    payload: bytes
    end: int
    """Offset of the byte after it."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a verified header gives."""

    header: Header
    end: int
    """Offset of the first frame."""
    record_seal: RecordSeal


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A file in the spool with a name that a writer of ours would choose."""

    name: SegmentName
    path: Path
    inode: int
    opened: Opened | None
    """None while the file is too short for a header: it is being made, or its writer was killed then."""

    def size(self) -> int | None:
        """Bytes in the file now; None when it is gone."""
        try:
            return self.path.lstat().st_size
        except OSError:
            return None

    def frames(self, offset: int) -> Iterator[Frame]:
        """Whole frames from `offset` up to what is there when this begins. A torn frame ends it.

        Raises:
            Unreadable: after the last frame that can be told from others.
        """
        try:
            descriptor = os.open(self.path, _OPEN)
        except OSError:
            return  # it vanished this moment; the next scan says so
        try:
            status = os.fstat(descriptor)
            if status.st_ino == self.inode:
                yield from _frames(descriptor, offset, status.st_size)
        finally:
            os.close(descriptor)


def _frames(descriptor: int, offset: int, size: int) -> Iterator[Frame]:
    if size < offset:
        raise Unreadable(Finding("missing", f"the segment was cut at byte {size}, of which {offset} had been read"))
    start, buffer = offset, b""
    while True:
        at, needed = offset - start, FRAME_HEADER_BYTES
        if len(buffer) - at >= needed:
            length, kind = frame_header(buffer, at)
            if length > FRAME_BYTES_MAX:
                raise Unreadable(
                    Finding("damaged", f"a frame claims {length} bytes, at most {FRAME_BYTES_MAX} are possible")
                )
            needed += length
            if len(buffer) - at >= needed:
                offset += needed
                yield Frame(kind=kind, payload=buffer[at + FRAME_HEADER_BYTES : at + needed], end=offset)
                continue
        if offset + needed > size:
            return
        try:
            start, buffer = offset, os.pread(descriptor, max(CHUNK_BYTES, needed), offset)
        except OSError as error:
            raise Unreadable(Finding("damaged", f"the disk cannot read it ({error.strerror})")) from error
        if len(buffer) < needed:
            return  # somebody cut the file this moment; the next poll says so


class Spool:
    """The folder of one channel."""

    def __init__(
        self, folder: Path, *, channel: str, keys: Mapping[str, SealingKey], publics: Mapping[str, Mapping[str, bytes]]
    ) -> None:
        self._folder = folder
        self._channel = channel
        self._keys = keys
        self._publics = publics
        self._segments: dict[str, Segment] = {}
        self._refused: dict[str, tuple[int, Fault]] = {}
        self._reported: dict[str, int] = {}

    def scan(self) -> tuple[dict[str, list[Segment]], dict[str, Fault]]:
        """Segments by writer, each writer's in their order, and by name what is none and was not reported yet.

        Raises:
            ChannelError: the folder cannot be listed.
        """
        inodes = self._list()
        self._segments = {name: each for name, each in self._segments.items() if inodes.get(name) == each.inode}
        self._refused = {name: each for name, each in self._refused.items() if inodes.get(name) == each[0]}
        self._reported = {name: inode for name, inode in self._reported.items() if inodes.get(name) == inode}
        new = sorted(name for name in inodes if not self._settled(name))
        for name in new[:NEW_FILES_PER_SCAN_MAX]:
            segment = self._admit(name, inodes[name])
            if isinstance(segment, Segment):
                self._segments[name] = segment
            elif segment is not None:
                self._refused[name] = inodes[name], segment
        by_writer: dict[str, list[Segment]] = {}
        for each in sorted(self._segments.values(), key=lambda each: each.name):
            by_writer.setdefault(each.name.writer, []).append(each)
        return by_writer, {name: fault for name, (_, fault) in self._refused.items()}

    def overlooked(self, after: str, before: str) -> bool:
        """Whether there is a file between two of the same writer that the last scan did not judge."""
        inodes = self._list()
        judged = self._segments.keys() | self._refused.keys() | self._reported.keys()
        return len(inodes) >= FILES_PER_SCAN_MAX or any(after < name < before for name in inodes.keys() - judged)

    def delete(self, name: str) -> None:
        """Remove a segment that was read."""
        self._segments.pop(name, None)
        with suppress(OSError):
            (self._folder / name).unlink()

    def refuse(self, segment: Segment, fault: Fault) -> None:
        """Treat a segment as none from now on."""
        self._segments.pop(str(segment.name), None)
        self._refused[str(segment.name)] = segment.inode, fault

    def is_refused(self, name: str) -> bool:
        """Whether the file was judged to be no segment."""
        return name in self._refused or name in self._reported

    def settle(self, names: Iterable[str]) -> None:
        """These refused files have been reported: keep them where no scan looks."""
        for name in names:
            refused = self._refused.pop(name, None)
            if refused is not None:
                self._reported[name] = refused[0]  # also when it cannot be moved, somebody else's folder for one
                self.set_aside(name)

    def set_aside(self, name: str) -> None:
        """Keep a faulty file as evidence, or delete it when there is enough of that."""
        self._segments.pop(name, None)
        path = self._folder / name
        with suppress(OSError):
            if sum(1 for entry in os.scandir(self._folder) if entry.name.endswith(KEPT_SUFFIX)) < KEPT_MAX:
                known = name if SegmentName.parse(name) else str(path.lstat().st_ino)
                path.rename(self._folder / f"{known}{KEPT_SUFFIX}")
            else:
                path.unlink()

    def _settled(self, name: str) -> bool:
        segment = self._segments.get(name)
        return name in self._refused or name in self._reported or (segment is not None and segment.opened is not None)

    def _list(self) -> dict[str, int]:
        try:
            with os.scandir(self._folder) as entries:
                listed = islice(entries, FILES_PER_SCAN_MAX)
                return {entry.name: entry.inode() for entry in listed if not _ignored(entry.name)}
        except OSError as error:
            raise ChannelError(
                f"spool {self._folder}: cannot be listed ({error.strerror}); only its owner reads it"
            ) from error

    def _admit(self, text: str, inode: int) -> Segment | Fault | None:
        """The file as a segment, what is wrong with it, or None when it is gone."""
        name = SegmentName.parse(text)
        if name is None:
            return Fault(kind="forged", writer="", where=ascii(text), detail="no writer names its file so")
        publics = self._publics.get(name.zone)
        if publics is None:
            return _fault(name, "forged", f"zone {name.zone!r} does not write on channel {self._channel!r}")
        path = self._folder / text
        try:
            data = _first_bytes(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            return _fault(name, "forged", f"it cannot be opened as a writer's file ({error.strerror})")
        if data is None:
            return _fault(name, "forged", "it is no regular file")
        decoded = decode_header(data, publics)
        if decoded is None:
            return Segment(name=name, path=path, inode=inode, opened=None)
        if isinstance(decoded, str):
            return _fault(name, "forged", decoded)
        return self._open(name, path, inode, *decoded)

    def _open(self, name: SegmentName, path: Path, inode: int, header: Header, end: int) -> Segment | Fault:
        if header.name != name or header.channel != self._channel:
            return _fault(name, "replayed", f"it is a copy of {header.name} of channel {header.channel!r}")
        reader = self._keys.get(header.reader_key_id)
        if reader is None:
            return _fault(
                name, "forged", f"it is sealed to key {header.reader_key_id[:16]!r}, which this reader does not hold"
            )
        try:
            record_seal = RecordSeal(unseal_key(header, reader), channel=header.channel, name=name)
        except ChannelError as error:
            return _fault(name, "forged", str(error))
        return Segment(
            name=name, path=path, inode=inode, opened=Opened(header=header, end=end, record_seal=record_seal)
        )


def _ignored(name: str) -> bool:
    """Evidence, and names that begin with a dot: the owner's own."""
    return name.endswith(KEPT_SUFFIX) or name.startswith(".")


def _fault(name: SegmentName, kind: str, detail: str) -> Fault:
    return Fault(kind=kind, writer=name.writer, where=f"{name}@0", detail=detail)


def _first_bytes(path: Path) -> bytes | None:
    """The start of a regular file; None when it is of another kind."""
    descriptor = os.open(path, _OPEN)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return os.pread(descriptor, HEADER_BYTES_MAX, 0)
    finally:
        os.close(descriptor)
