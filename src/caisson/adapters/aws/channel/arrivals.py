"""Pieces put together again: segments grow in the reader's folder in their order, whatever order pieces come in.

- A piece that comes before the bytes in front of it waits beside them, in a file whose name begins with a dot.
- A segment begins when the one before it is whole: its header says, signed, where that ended. Else the reader would
  call missing what is only late. After `LATE_SECONDS_MAX` it begins all the same, and the reader says what is missing.
- A piece that is there already is dropped; one that says something else than what is there is not.
- How far each segment has come is remembered, as the reader deletes what it has read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from caisson.adapters.aws.channel.pieces import Piece
from caisson.adapters.embedded.channel.segment import HEADER_BYTES_MAX, SegmentName, decode_header
from caisson.errors import ChannelError
from caisson.ports.clock import Clock

LATE_SECONDS_MAX = 900.0
"""Some receives of a message that was given out and not taken."""
REMEMBERED_S = 20 * 86_400
"""Longer than a queue keeps a message."""
WAITING_MAX = 20_000
"""Pieces of one zone that wait beside their segments; more are left in the queue, and other zones are not kept back."""
STATE_BYTES_MAX = 64 * 1024 * 1024
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class Full(ChannelError):  # noqa: N818  (a state, which passes)
    """As many pieces of this zone wait as may. Not taken: it may stay in the queue."""


class _State(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    channel: str
    ends: dict[str, int]
    """Segment to how many of its bytes have come."""
    version: int = 1


class Arrivals:
    """Of one channel, in one process.

    Args:
        channel: name.
        spool: the folder that the reader reads.
        state: the zone's private folder.
        publics: public signing keys by zone label and key id.
        clock: for what is late.

    Raises:
        ChannelError: what is remembered cannot be used.
    """

    def __init__(
        self, *, channel: str, spool: Path, state: Path, publics: Mapping[str, Mapping[str, bytes]], clock: Clock
    ) -> None:
        self._channel, self._spool, self._publics, self._clock = channel, spool, publics, clock
        self._file = state / f"{channel}.arrivals"
        self._ends = self._load()
        self._waiting: dict[SegmentName, dict[int, int]] = {}
        """Segment to offset of each piece beside it and its length."""
        self._first_seen: dict[SegmentName, float] = {}
        self._touched: set[SegmentName] = set()
        self._added = False
        """Whether a file was added since the folder was synced."""
        for path in spool.iterdir():
            if (found := _beside(path.name)) is not None:
                self._waits(*found, path.stat().st_size)

    def take(self, piece: Piece) -> str:
        """Put a piece where it belongs; why it does not belong there, or nothing.

        Raises:
            Full: so many of its zone wait already.
            ChannelError: the folder cannot be written: it is not taken.
        """
        name, end = piece.segment, self._end(piece.segment)
        if piece.offset < end and self._differs(piece, end):
            return f"another piece of {name} said something else of bytes {piece.offset} to {min(end, piece.end)}"
        if piece.end <= end:
            return ""
        waiting = self._waiting.get(name, {})
        if piece.offset in waiting and waiting[piece.offset] >= len(piece.data):
            return "" if self._read_beside(name, piece.offset).startswith(piece.data) else (
                f"another piece of {name} said something else of bytes from {piece.offset}"
            )  # fmt: skip
        if sum(len(beside) for each, beside in self._waiting.items() if each.zone == name.zone) >= WAITING_MAX:
            raise Full(f"spool {self._spool}: {WAITING_MAX} pieces of {name.zone} wait for what is before them")
        self._put_beside(piece)
        return ""

    def settle(self) -> None:
        """Let segments grow by what has come, and have all of it on stable storage.

        Raises:
            ChannelError: the folder cannot be written.
        """
        try:
            grown = True
            while grown:
                grown = False
                for name in sorted(self._waiting):
                    grown = self._grow(name) or grown
            for name in self._touched:
                self._sync(self._spool / str(name))
            if self._touched:
                self._store()
            if self._touched or self._added:
                self._sync(self._spool, os.O_RDONLY | os.O_DIRECTORY)
            self._touched.clear()
            self._added = False
        except OSError as error:
            raise ChannelError(f"spool {self._spool}: cannot be written ({error.strerror})") from error

    # -- growing ------------------------------------------------------------------------------------------------------

    def _grow(self, name: SegmentName) -> bool:
        """Append the pieces that follow on each other; whether any did."""
        end, waiting = self._end(name), self._waiting[name]
        following = sorted(offset for offset, length in waiting.items() if offset <= end)
        if not following or (end == 0 and not self._may_begin(name)):
            return False
        for offset in following:
            data = self._read_beside(name, offset)
            if (rest := data[max(end - offset, 0) :]) and offset <= end:
                self._append(name, rest)
                end = self._ends[str(name)] = end + len(rest)
            (self._spool / _name_beside(name, offset)).unlink(missing_ok=True)
            del waiting[offset]
        if not waiting:
            del self._waiting[name]
        self._first_seen.pop(name, None)
        self._touched.add(name)
        return True

    def _may_begin(self, name: SegmentName) -> bool:
        """Whether everything of the segment before has come, or is given up."""
        seen = self._first_seen.setdefault(name, self._clock.monotonic())
        if self._clock.monotonic() - seen > LATE_SECONDS_MAX:
            return True
        found = decode_header(self._beginning(name), self._publics.get(name.zone, {}))
        if found is None or isinstance(found, str):
            return found is not None  # what is no header is for the reader to say
        header, _ = found
        before = SegmentName.parse(header.last_segment)
        if before is None or before.writer != name.writer or before >= name:
            return True
        return self._end(before) >= header.last_end

    def _beginning(self, name: SegmentName) -> bytes:
        """As much of the header as waits in one run."""
        found = b""
        for offset in sorted(self._waiting[name]):
            if offset > len(found) or len(found) >= HEADER_BYTES_MAX:
                break
            found += self._read_beside(name, offset)[len(found) - offset :]
        return found[:HEADER_BYTES_MAX]

    def _append(self, name: SegmentName, data: bytes) -> None:
        descriptor = os.open(self._spool / str(name), _FLAGS, 0o600)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)

    # -- what is there ------------------------------------------------------------------------------------------------

    def _end(self, name: SegmentName) -> int:
        """How far a segment has come. Its file knows better than memory, which is written after it."""
        known = self._ends.get(str(name), 0)
        try:
            return max(known, (self._spool / str(name)).stat(follow_symlinks=False).st_size)
        except FileNotFoundError:
            return known

    def _differs(self, piece: Piece, end: int) -> bool:
        """Whether the file has other bytes there; what was read and deleted is not compared."""
        try:
            with (self._spool / str(piece.segment)).open("rb") as file:
                there = os.pread(file.fileno(), min(end, piece.end) - piece.offset, piece.offset)
        except FileNotFoundError:
            return False
        return not piece.data.startswith(there)

    def _waits(self, name: SegmentName, offset: int, length: int) -> None:
        self._waiting.setdefault(name, {})[offset] = length
        self._first_seen.setdefault(name, self._clock.monotonic())

    def _put_beside(self, piece: Piece) -> None:
        path = self._spool / _name_beside(piece.segment, piece.offset)
        unfinished = path.with_suffix(".new")
        try:
            unfinished.write_bytes(piece.data)
            self._sync(unfinished)
            unfinished.replace(path)
            self._added = True
        except OSError as error:
            raise ChannelError(f"spool {self._spool}: cannot be written ({error.strerror})") from error
        self._waits(piece.segment, piece.offset, len(piece.data))

    def _read_beside(self, name: SegmentName, offset: int) -> bytes:
        return (self._spool / _name_beside(name, offset)).read_bytes()

    # -- memory -------------------------------------------------------------------------------------------------------

    def _load(self) -> dict[str, int]:
        try:
            with self._file.open("rb") as file:
                state = msgspec.json.decode(file.read(STATE_BYTES_MAX), type=_State)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ChannelError(f"{self._file}: cannot be read ({type(error).__name__}); move it away") from error
        if (state.channel, state.version) != (self._channel, 1):
            raise ChannelError(f"{self._file}: expected channel {self._channel!r}, found {state.channel!r}")
        return state.ends

    def _store(self) -> None:
        oldest = f"{max(int((self._clock.now() - REMEMBERED_S) * 1_000_000), 0):016x}"
        self._ends = {
            text: end
            for text, end in self._ends.items()
            if (name := SegmentName.parse(text)) is not None and name.incarnation >= oldest
        }
        unfinished = self._file.with_suffix(".new")
        unfinished.write_bytes(msgspec.json.encode(_State(channel=self._channel, ends=self._ends)))
        self._sync(unfinished)
        unfinished.replace(self._file)

    @staticmethod
    def _sync(path: Path, flags: int = os.O_RDONLY) -> None:
        descriptor = os.open(path, flags | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _name_beside(name: SegmentName, offset: int) -> str:
    return f".{name}.{offset:012d}.piece"


def _beside(text: str) -> tuple[SegmentName, int] | None:
    """Segment and offset of a piece that waits."""
    if not (text.startswith(".") and text.endswith(".piece")):
        return None
    segment, _, offset = text[1 : -len(".piece")].rpartition(".")
    name = SegmentName.parse(segment)
    return (name, int(offset)) if name is not None and offset.isdigit() else None
