"""How many bytes a writer has in the spool that its reader has not deleted yet.

The writer never lists the folder. It keeps the names of its own segments, in its private state, and asks for each
whether it still exists: searching a folder is allowed where listing it is not. So the bound needs nothing to travel
from the reader back to the writer, and it covers what earlier incarnations left behind.
"""

from __future__ import annotations

from pathlib import Path

from caisson.errors import ChannelError

SEGMENTS_UNREAD_MAX = 4_096
"""Segments of one writer in the spool; more mean that the reader is dead while the writer keeps restarting."""
_NAME_BYTES_MAX = 128


class Backlog:
    """The segments of one writer label."""

    def __init__(self, spool: Path, path: Path) -> None:
        self._spool = spool
        self._path = path
        self._sizes = dict.fromkeys(_load(path), 0)
        self.refresh()

    def unread_bytes(self, *, besides: str) -> int:
        """Bytes in the segments that existed at the last `refresh`, one of them not counted."""
        return sum(size for name, size in self._sizes.items() if name != besides)

    def refresh(self) -> None:
        """Ask the system which segments still exist and how long they are."""
        for name in list(self._sizes):
            if (size := self._size(name)) is None:
                del self._sizes[name]
            else:
                self._sizes[name] = size

    def exists(self, name: str) -> bool:
        """Whether the reader still has to read the segment."""
        return self._size(name) is not None

    def add(self, name: str) -> None:
        """Count a segment from now on. Called before it is made, so that no kill can hide it.

        Raises:
            ChannelError: there are too many, or the state folder cannot be written.
        """
        self.refresh()
        if len(self._sizes) >= SEGMENTS_UNREAD_MAX:
            raise ChannelError(
                f"spool {self._spool}: {SEGMENTS_UNREAD_MAX} segments wait unread, the bound; start its reader"
            )
        self._sizes[name] = 0
        unfinished = self._path.with_suffix(".new")
        try:
            unfinished.write_text("".join(f"{each}\n" for each in self._sizes), encoding="ascii")
            unfinished.replace(self._path)
        except OSError as error:
            raise ChannelError(f"{self._path}: cannot be written ({error.strerror}); free the disk") from error

    def _size(self, name: str) -> int | None:
        try:
            return (self._spool / name).lstat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ChannelError(f"spool {self._spool}: cannot be searched ({error.strerror}); check its mode") from error


def _load(path: Path) -> list[str]:
    """Names on file. What a crash of the machine damaged counts as none: the bound then begins anew."""
    try:
        with path.open("rb") as file:
            lines = file.read(SEGMENTS_UNREAD_MAX * _NAME_BYTES_MAX).decode("ascii").split("\n")
    except (FileNotFoundError, UnicodeDecodeError):
        return []
    return [line for line in lines if line.endswith(".segment") and "/" not in line]
