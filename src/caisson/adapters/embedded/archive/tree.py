"""The tree's files: leaf hashes, 32 bytes each, and signed checkpoints as text. Neither is secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from caisson.adapters.embedded.archive.disk import write_all
from caisson.policy.merkle import HASH_BYTES, Frontier

LEAVES_READ = 4096
NOTE_LINES = 6
NOTE_LINES_MAX = 16
NOTES_TAIL_BYTES = 4_096
"""Holds several notes; one is about 250 bytes."""
_SIGNATURE_LINE = "\u2014 ".encode()


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


def read_notes(path: Path, start: int = 0) -> Iterator[str]:
    """Checkpoints as stored. A note ends with its signature; an unfinished one at the end of the file is dropped."""
    if not path.exists():
        return
    lines: list[bytes] = []
    with open(path, "rb") as file:
        file.seek(start)
        for line in file:
            lines.append(line)
            if (line.startswith(_SIGNATURE_LINE) and line.endswith(b"\n")) or len(lines) > NOTE_LINES_MAX:
                yield b"".join(lines).decode("utf-8", "replace")
                lines.clear()


def last_note(path: Path) -> str:
    """The newest whole checkpoint; empty when there is none."""
    end = end_of_notes(path)
    notes = list(read_notes(path, max(0, end - NOTES_TAIL_BYTES)))
    last = notes[-1] if notes else ""
    return "".join(last.splitlines(keepends=True)[-NOTE_LINES:])


def end_of_notes(path: Path) -> int:
    """Bytes up to the end of the last whole note."""
    if not path.exists():
        return 0
    with open(path, "rb") as file:
        start = file.seek(max(0, file.seek(0, os.SEEK_END) - NOTES_TAIL_BYTES))
        tail = file.read()
    end = tail.rfind(b"\n") + 1
    while end and not tail[tail.rfind(b"\n", 0, end - 1) + 1 : end].startswith(_SIGNATURE_LINE):
        end = tail.rfind(b"\n", 0, end - 1) + 1
    return start + end


class TreeFiles:
    """The writing end."""

    def __init__(self, folder: Path) -> None:
        self.leaves_path, self._checkpoints_path = folder / "leaves", folder / "checkpoints"
        self._frontier_path = folder / "frontier"
        self.size = leaf_count(self.leaves_path)
        self._leaves = _open_at(self.leaves_path, self.size * HASH_BYTES)
        self._checkpoints = _open_at(self._checkpoints_path, end_of_notes(self._checkpoints_path))

    def append_leaves(self, hashes: list[bytes]) -> None:
        """Add leaf hashes. They are durable with the next checkpoint; until then the entries give them again."""
        write_all(self._leaves, b"".join(hashes))
        self.size += len(hashes)

    def append_note(self, note: str) -> None:
        """Add a checkpoint; on stable storage with all leaves when this returns."""
        os.fdatasync(self._leaves)
        write_all(self._checkpoints, note.encode())
        os.fdatasync(self._checkpoints)

    def save_frontier(self, frontier: Frontier) -> None:
        """Replace the frontier's file; it is a cache, so it is not synced."""
        temporary = self._frontier_path.with_name("frontier.new")
        temporary.write_bytes(frontier.size.to_bytes(8, "big") + b"".join(frontier.peaks))
        temporary.replace(self._frontier_path)

    def load_frontier(self) -> Frontier:
        """What was saved; an empty frontier when there is none or it cannot be read."""
        try:
            data = self._frontier_path.read_bytes()
            return Frontier(
                int.from_bytes(data[:8], "big"), [data[at : at + HASH_BYTES] for at in range(8, len(data), HASH_BYTES)]
            )
        except (FileNotFoundError, ValueError):
            return Frontier()

    def close(self) -> None:
        """Sync and release."""
        os.fdatasync(self._leaves)
        os.close(self._leaves)
        os.close(self._checkpoints)


def _open_at(path: Path, size: int) -> int:
    """Open for appending, with whatever a kill left half-written behind `size` cut off."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.ftruncate(handle, size)
    return handle
