"""What a process writes to its standard streams, line by line into a bounded file.

- Each line begins with the time and the process id. Control characters are replaced, so that a line cannot pretend to
  be another or drive a terminal.
- A file that is full becomes `<name>.log.1`; three are kept.

>>> ProcessLog(Path("run/gateway.log"), clock).write(4711, b"listening\\n")  # doctest: +SKIP
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from caisson.ports.clock import Clock

FILE_BYTES_MAX = 1_000_000
FILES_KEPT = 3
LINE_BYTES_MAX = 8_192
"""A longer line is cut into several."""


class ProcessLog:
    """The file of one process over all its runs."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._rest: dict[int, bytes] = {}
        """Unfinished lines by process id: while one process takes another's place, both write."""
        self._last = ""
        self._descriptor = -1
        self._size = 0
        self._open()

    @property
    def path(self) -> Path:
        """The newest file."""
        return self._path

    @property
    def last_line(self) -> str:
        """What was said last, for a message that must say why a process ended."""
        return self._last

    def write(self, pid: int, data: bytes) -> None:
        """Whole lines are written; the rest waits for its end, up to LINE_BYTES_MAX."""
        *lines, rest = (self._rest.get(pid, b"") + data).split(b"\n")
        while len(rest) > LINE_BYTES_MAX:
            lines.append(rest[:LINE_BYTES_MAX])
            rest = rest[LINE_BYTES_MAX:]
        self._rest[pid] = rest
        self._append(pid, lines)

    def end(self, pid: int) -> None:
        """The run is over: its unfinished last line is a line."""
        rest = self._rest.pop(pid, b"")
        self._append(pid, [rest] if rest else [])

    def close(self) -> None:
        """Release the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, pid: int, lines: list[bytes]) -> None:
        for line in lines:
            text = _printable(line)
            self._last = text or self._last
            moment = datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="milliseconds")
            entry = f"{moment} [{pid}] {text}\n".encode()
            if self._size + len(entry) > FILE_BYTES_MAX:
                self._rotate()
            try:
                self._size += os.write(self._descriptor, entry)
            except OSError:  # a full disk must not end the supervisor; the zones stop by their own rules
                return

    def _rotate(self) -> None:
        os.close(self._descriptor)
        for number in range(FILES_KEPT - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _open(self) -> None:
        self._descriptor = os.open(
            self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        self._size = os.fstat(self._descriptor).st_size


def _printable(line: bytes) -> str:
    text = line.rstrip(b"\r").decode("utf-8", "replace")
    return "".join(
        character if character.isprintable() or character == "\t" else "\N{REPLACEMENT CHARACTER}" for character in text
    )
