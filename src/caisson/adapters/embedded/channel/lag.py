"""How far a channel's reader is behind, seen from outside: also when it is dead.

- Bytes and segments: what lies in the spool, less what the reader's stored position says was read.
- Seconds: since the reader last had all there was. Every message that waits was written after that moment.

>>> lag(Path("spool/events"), Path("zones/logging/state"), "events", now=time.time()).unread_bytes  # doctest: +SKIP
0
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from caisson.adapters.embedded.channel.position import PositionFile
from caisson.adapters.embedded.channel.segment import SegmentName
from caisson.adapters.embedded.channel.track import Track
from caisson.errors import ChannelError

NOTED_EVERY_S = 1.0
"""How often the file's time is renewed; the lag of a reader that keeps up is at most this."""


@dataclass(frozen=True, kw_only=True)
class Lag:
    """What waits."""

    unread_bytes: int
    unread_segments: int
    """Segments in which something waits."""
    behind_s: float | None
    """Seconds since the reader had all there was, 0 when nothing waits; None: it never had."""


class CaughtUp:
    """Remembers, as a file's time, when the reader last had all there was."""

    def __init__(self, state: Path, channel: str) -> None:
        self._path = _path(state, channel)
        self._noted = 0.0

    def note(self, moment: float) -> None:
        """All that was written before `moment`, in Unix time, is read. A full disk must not stop the reader."""
        if 0 <= moment - self._noted < NOTED_EVERY_S:
            return
        self._noted = moment
        try:
            self._path.touch(mode=0o600)
            os.utime(self._path, (moment, moment))
        except OSError:
            return


def lag(spool: Path, state: Path, channel: str, *, now: float) -> Lag:
    """What waits in the spool now.

    Args:
        state: the reader's private folder.

    Raises:
        ChannelError: the position cannot be used, or the spool cannot be listed.
    """
    tracks = PositionFile(state / f"{channel}.position").load(channel).tracks
    try:
        with os.scandir(spool) as entries:
            sizes = {entry.name: _size(entry) for entry in entries}
    except OSError as error:
        raise ChannelError(f"spool {spool}: cannot be listed ({error.strerror}); run this as its owner") from error
    unread = [
        waits
        for text, size in sizes.items()
        if (name := SegmentName.parse(text)) is not None
        and (waits := _unread(text, size, tracks.get(name.writer, Track()))) > 0
    ]
    return Lag(
        unread_bytes=sum(unread),
        unread_segments=len(unread),
        behind_s=_behind_s(_path(state, channel), now) if unread else 0.0,
    )


def _unread(name: str, size: int, track: Track) -> int:
    if name == track.segment:
        return 0 if track.deleted or track.stuck else size - track.offset
    return size if name > track.segment else 0


def _behind_s(path: Path, now: float) -> float | None:
    try:
        return max(0.0, now - path.stat().st_mtime)
    except OSError:
        return None


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:  # read and deleted this moment
        return 0


def _path(state: Path, channel: str) -> Path:
    return state / f"{channel}.caught-up"
