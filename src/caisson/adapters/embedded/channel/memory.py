"""What a writer remembers of its own chain, so that its next incarnation can say how far this one went.

The file is private to the writer, mapped into memory and updated after each record: killing the process loses at most
the last update, whose record the reader accepts as one more than remembered. Two slots take turns and carry a checksum,
so a torn update leaves the one before it. Its blocks are written when it is opened: a full disk stops no update.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from caisson.adapters.embedded.channel.disk import Disk
from caisson.channels.chain import GENESIS

_SLOT = struct.Struct(">QQ16sQ32sQQ16sQ32s")
_CHECKSUM = struct.Struct(">I")
_SLOT_BYTES = 256
_UPDATE_BYTES = _SLOT.size + _CHECKSUM.size
_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """A writer's chain at one moment."""

    incarnation: str = ""
    """16 hex digits; empty when nothing is remembered."""
    length: int = 0
    chain: bytes = GENESIS
    number: int = 0
    """Segment that was written to last."""
    end: int = 0
    """Bytes in it that were written whole."""
    previous_incarnation: str = ""
    """The incarnation before this one that holds records."""
    previous_length: int = 0
    previous_chain: bytes = GENESIS

    @property
    def last_with_records(self) -> tuple[str, int, bytes]:
        """Incarnation, length and chain value that the next incarnation calls its previous one."""
        if self.length:
            return self.incarnation, self.length, self.chain
        return self.previous_incarnation, self.previous_length, self.previous_chain


class Memory:
    """The file. One process at a time."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._disk = disk
        self._descriptor = disk.open_locked(path)
        try:
            self._map = disk.map(self._descriptor, 2 * _SLOT_BYTES)
        except OSError:
            disk.close(self._descriptor)
            raise
        found = [slot for slot in (_unpack(self._read(number)) for number in (0, 1)) if slot is not None]
        self._turn, self.remembered = max(found, key=lambda slot: slot[0], default=(0, Remembered()))

    def store(self, *, length: int, chain: bytes, number: int, end: int, of: Remembered) -> None:
        """Remember progress in the incarnation that `of` began. Runs once a record."""
        self._turn += 1
        content = _SLOT.pack(
            _VERSION, self._turn, of.incarnation.encode(), length, chain, number, end,
            of.previous_incarnation.encode(), of.previous_length, of.previous_chain,
        )  # fmt: skip
        at = self._turn % 2 * _SLOT_BYTES
        self._map[at : at + _UPDATE_BYTES] = content + _CHECKSUM.pack(crc32(content))

    def sync(self) -> None:
        """Put it on stable storage."""
        self._disk.sync(self._descriptor, created=True)

    def close(self) -> None:
        """Release the file and its lock."""
        self._map.close()
        self._disk.close(self._descriptor)

    def _read(self, number: int) -> bytes:
        return self._map[number * _SLOT_BYTES : number * _SLOT_BYTES + _UPDATE_BYTES]


def _unpack(data: bytes) -> tuple[int, Remembered] | None:
    if len(data) != _SLOT.size + _CHECKSUM.size or _CHECKSUM.unpack_from(data, _SLOT.size)[0] != crc32(
        data[: _SLOT.size]
    ):
        return None
    version, turn, incarnation, length, chain, number, end, previous, previous_length, previous_chain = (
        _SLOT.unpack_from(data)
    )
    if version != _VERSION:
        return None
    return turn, Remembered(
        incarnation=_text(incarnation),
        length=length,
        chain=chain,
        number=number,
        end=end,
        previous_incarnation=_text(previous),
        previous_length=previous_length,
        previous_chain=previous_chain,
    )


def _text(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode("ascii")
