"""The tree's files: leaf hashes, 32 bytes each, and signed checkpoints as text. Neither is secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from caisson.adapters.embedded.archive.disk import write_all
from caisson.policy.merkle import HASH_BYTES

LEAVES_READ = 4096
NOTE_LINES_MAX = 16
NOTE_BYTES_MAX = 4096
"""Two notes fit; a note is about 250 bytes."""
_SIGNATURE_LINE = "\u2014 "


def leaf_count(path: Path) -> int:
    """Whole leaf hashes in the file; 0 when there is none."""
    try:
        return path.stat().st_size // HASH_BYTES
    except FileNotFoundError:
        return 0


def read_leaves(path: Path, start: int) -> Iterator[bytes]:
    """Leaf hashes from index `start`."""
    if not path.exists():
        return
    with open(path, "rb") as file:
        file.seek(start * HASH_BYTES)
        while chunk := file.read(LEAVES_READ * HASH_BYTES):
            for at in range(0, len(chunk) - HASH_BYTES + 1, HASH_BYTES):
                yield chunk[at : at + HASH_BYTES]


def read_notes(path: Path) -> Iterator[str]:
    """Checkpoints as stored. A note ends with its signature; an unfinished one at the end of the file is dropped."""
    if not path.exists():
        return
    lines: list[str] = []
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        for line in file:
            lines.append(line)
            if (line.startswith(_SIGNATURE_LINE) and line.endswith("\n")) or len(lines) > NOTE_LINES_MAX:
                yield "".join(lines)
                lines.clear()


class TreeFiles:
    """The writing end."""

    def __init__(self, folder: Path) -> None:
        self.leaves_path, self._checkpoints_path = folder / "leaves", folder / "checkpoints"
        self.size = leaf_count(self.leaves_path)
        self._leaves = _open_at(self.leaves_path, self.size * HASH_BYTES)
        self._checkpoints = _open_at(self._checkpoints_path, _end_of_notes(self._checkpoints_path))

    def append_leaves(self, hashes: list[bytes]) -> None:
        """Add leaf hashes. They are durable with the next checkpoint; until then the entries give them again."""
        write_all(self._leaves, b"".join(hashes))
        self.size += len(hashes)

    def append_note(self, note: str) -> None:
        """Add a checkpoint; on stable storage with all leaves when this returns."""
        os.fdatasync(self._leaves)
        write_all(self._checkpoints, note.encode())
        os.fdatasync(self._checkpoints)

    def close(self) -> None:
        """Sync and release."""
        os.fdatasync(self._leaves)
        os.close(self._leaves)
        os.close(self._checkpoints)


def _end_of_notes(path: Path) -> int:
    """Bytes up to the end of the last whole note."""
    if not path.exists():
        return 0
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, size - NOTE_BYTES_MAX))
        tail = file.read()
    signature = tail.rfind(b"\n" + _SIGNATURE_LINE.encode())
    end = tail.find(b"\n", signature + 1)
    if end < 0:  # the last signature line is itself unfinished: the note before it is the last whole one
        signature = tail.rfind(b"\n" + _SIGNATURE_LINE.encode(), 0, signature)
        end = tail.find(b"\n", signature + 1)
    return start + end + 1 if signature >= 0 else start


def _open_at(path: Path, size: int) -> int:
    """Open for appending, with whatever a kill left half-written behind `size` cut off."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.ftruncate(handle, size)
    return handle
