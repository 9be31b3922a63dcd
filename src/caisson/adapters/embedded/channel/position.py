"""Where a reader stands, on file: replaced whole, so that a killed reader goes on from its last commit.

A segment is named under `deleting` before it is deleted. Found again after a crash in between it is a leftover; found
again later it is a replay.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from caisson.adapters.embedded.channel.track import Track
from caisson.errors import ChannelError

POSITION_BYTES_MAX = 16 * 1024 * 1024


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a reader remembers of a channel."""

    channel: str
    tracks: dict[str, Track]
    """By writer."""
    deleting: tuple[str, ...] = ()
    """Segments that are read and may still be there."""
    version: int = 1


class PositionFile:
    """The file in the reader's private state folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, channel: str) -> Position:
        """The last stored position, or the beginning.

        Raises:
            ChannelError: the file is damaged, or of another channel or version.
        """
        try:
            with self._path.open("rb") as file:
                position = msgspec.json.decode(file.read(POSITION_BYTES_MAX), type=Position)
        except FileNotFoundError:
            return Position(channel=channel, tracks={})
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._refused(f"cannot be read ({type(error).__name__})") from error
        if (position.channel, position.version) != (channel, 1):
            raise self._refused(
                f"is of channel {position.channel!r}, version {position.version}, expected {channel!r}, 1"
            )
        return position

    def store(self, position: Position, *, durable: bool) -> None:
        """Replace the file. `durable` before anything is deleted that the file says was read.

        Raises:
            ChannelError: the disk refused; the old position stays.
        """
        unfinished = self._path.with_suffix(".new")
        try:
            with unfinished.open("wb") as file:
                file.write(msgspec.json.encode(position))
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            unfinished.replace(self._path)
            if durable:
                self._sync_folder()
        except OSError as error:
            raise ChannelError(
                f"{self._path}: cannot be written ({error.strerror}); free or repair the disk"
            ) from error

    def _sync_folder(self) -> None:
        descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _refused(self, found: str) -> ChannelError:
        return ChannelError(
            f"{self._path}: {found}; move it away, and what its reader had deleted will be reported as missing"
        )
