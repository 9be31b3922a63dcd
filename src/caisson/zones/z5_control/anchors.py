"""Checkpoints of the log tree, kept where the logging zone cannot rewrite them (LOG-07).

- The tree only grows: an anchor that is smaller than an earlier one, or of one size with another root, is not taken,
  and is reported. A checkpoint that is delivered again is not news.
- The file is appended to and synced before the channel forgets; what a crash cut off is dropped at a start.

>>> judge({5: "aa"}, size=5, root="bb")
'forged'
>>> judge({5: "aa"}, size=4, root="bb")
'missing'
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec

from caisson.channels.messages import CheckpointFinding
from caisson.errors import ConfigurationError
from caisson.zones.z5_control.state_file import write_whole

ANCHORS_KEPT_MAX = 10_000
"""The newest: the root of the larger tree covers what the dropped ones covered."""
FILE_BYTES_MAX = 16 << 20

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_ADVICE = "keep it as evidence, compare it with a backup, and move it away to go on"

Verdict = Literal["new", "known", "forged", "missing"]


class Anchor(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One line of the file."""

    size: int
    root: str
    signature: str
    timestamp: float


def judge(kept: dict[int, str], *, size: int, root: str) -> Verdict:
    """What a checkpoint is, beside the roots by size that are kept, oldest first."""
    if size in kept:
        return "known" if kept[size] == root else "forged"
    return "new" if size > next(reversed(kept), -1) else "missing"


class Anchors:
    """The file and what it holds.

    Raises:
        ConfigurationError: the file is damaged or cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._roots: dict[int, str] = {}
        try:
            self._lines = self._read()
        except OSError as error:
            raise self._unusable(error) from error

    @property
    def newest_size(self) -> int:
        """Leaves in the largest tree seen; 0 before the first."""
        return next(reversed(self._roots), 0)

    def take(self, finding: CheckpointFinding) -> Verdict:
        """Keep it when it is new.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        verdict = judge(self._roots, size=finding.size, root=finding.root)
        if verdict == "new":
            line = msgspec.json.encode(
                Anchor(size=finding.size, root=finding.root, signature=finding.signature, timestamp=finding.timestamp)
            )
            self._append(line)
            self._roots[finding.size] = finding.root
        return verdict

    def _append(self, line: bytes) -> None:
        try:
            if len(self._lines) >= 2 * ANCHORS_KEPT_MAX:
                self._lines = self._lines[-ANCHORS_KEPT_MAX:]
                self._roots = dict(list(self._roots.items())[-ANCHORS_KEPT_MAX:])
                write_whole(self._path, b"".join(kept + b"\n" for kept in self._lines))
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from error
        self._lines.append(line)

    def _read(self) -> list[bytes]:
        try:
            with self._path.open("rb") as file:
                content = file.read(FILE_BYTES_MAX + 1)
        except FileNotFoundError:
            return []
        if len(content) > FILE_BYTES_MAX:
            raise ConfigurationError(f"damaged: {self._path} is longer than {FILE_BYTES_MAX} bytes; {_ADVICE}")
        whole, end, cut_off = content.rpartition(b"\n")
        lines = whole.split(b"\n") if end else []
        if cut_off:
            write_whole(self._path, b"".join(line + b"\n" for line in lines))
        for number, line in enumerate(lines, start=1):
            try:
                anchor = msgspec.json.decode(line, type=Anchor)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise ConfigurationError(f"damaged: {self._path}, line {number}; {_ADVICE}") from error
            if judge(self._roots, size=anchor.size, root=anchor.root) != "new":
                raise ConfigurationError(f"damaged: {self._path}, line {number} is not larger than before; {_ADVICE}")
            self._roots[anchor.size] = anchor.root
        return lines

    def _unusable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(f"{self._path} cannot be used ({error.strerror}); make it the control zone's")
