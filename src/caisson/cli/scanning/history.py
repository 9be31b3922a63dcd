"""Lines that the commits of a repository added, by git itself, which runs nothing that the repository names: no pager,
hook, external difference, signature check or fetch of what a partial clone lacks.

All branches, tags and merges count. A secret that was taken out again is still in the history, and so is it here.
"""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from caisson.cli.scanning.sources import BINARY_BYTES, FILE_BYTES_MAX, Skipped, Source
from caisson.errors import OperatorError

_COMMAND = (
    "git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "log", "--all",
    "--no-color", "--no-show-signature", "--relative", "--no-ext-diff", "--no-textconv", "--no-renames", "--text",
    "--unified=0", "--patch",
    "--diff-merges=separate", "--format=%x00%H", "--diff-filter=AM",
)  # fmt: skip
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent",
                "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}  # fmt: skip
_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")
LINE_CHARACTERS_MAX = 1 << 20
"""A longer line is read in pieces."""
ERROR_CHARACTERS_MAX = 500
"""What is shown of git's own words when it fails."""


def added(path: Path, skipped: list[Skipped]) -> Iterator[Source]:
    """What each commit added, a text for each stretch of lines.

    Raises:
        OperatorError: the path is in no repository, or git cannot be run.
    """
    folder = path if path.is_dir() else path.parent
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        try:
            running = subprocess.Popen(  # fixed arguments; the path is git's working folder
                [*_COMMAND, "--", "." if path.is_dir() else f"./{path.name}"],
                cwd=folder, stdout=subprocess.PIPE, stderr=errors, env=_ENVIRONMENT,
            )  # fmt: skip
        except OSError as error:
            raise OperatorError(f"{path}: expected git on this machine: {error}") from error
        with running:
            if running.stdout is not None:  # a carriage return ends no line of git's
                lines = io.TextIOWrapper(running.stdout, encoding="utf-8", errors="replace", newline="\n")
                yield from _Reading(folder, skipped).read(lines)
        if running.returncode:
            errors.seek(0)
            said = errors.read(ERROR_CHARACTERS_MAX).strip()
            raise OperatorError(f"{path}: expected a git repository: {said}")


class _Reading:
    """Follows the output of `git log --patch --unified=0`."""

    def __init__(self, folder: Path, skipped: list[Skipped]) -> None:
        self._folder = folder
        self._skipped = skipped
        self._commit = self._name = ""
        self._first = 1
        self._held: list[str] = []
        self._size = 0
        self._left = 0
        """Added lines of the hunk that are to come; so that none is taken for a heading."""

    def read(self, stream: TextIO) -> Iterator[Source]:
        """The stretches of added lines."""
        inside = False
        """The piece before was the beginning of an added line that goes on."""
        while piece := stream.readline(LINE_CHARACTERS_MAX):
            if inside or (self._left and piece.startswith("+")):
                self._hold(piece if inside else piece[1:])
                inside = not piece.endswith("\n")
                self._left -= not inside
            elif piece.startswith("\0"):
                yield from self._done()
                self._commit = piece[1:].strip()
            elif piece.startswith("+++ ") and not self._left:
                yield from self._done()
                self._name = (self._folder / piece[4:].strip().strip('"').removeprefix("b/")).as_posix()
            elif not self._left and (hunk := _HUNK.match(piece)) is not None:
                yield from self._done()
                self._first, self._left = int(hunk[1]), int(hunk[2] or 1)
        yield from self._done()

    def _hold(self, piece: str) -> None:
        self._size += len(piece)
        if self._size <= FILE_BYTES_MAX:
            self._held.append(piece)

    def _done(self) -> Iterator[Source]:
        """The stretch that was held."""
        if self._size > FILE_BYTES_MAX:
            reason, text = f"larger than {FILE_BYTES_MAX >> 20} MiB", "".join(self._held[:1])
            binary = self._first == 1 and "\0" in text[:BINARY_BYTES]
            self._skipped.append(Skipped(f"{self._commit[:12]}:{self._name}", reason, undetermined=not binary))
        text = "".join(self._held)
        if self._first == 1 and "\0" in text[:BINARY_BYTES]:  # what .gitattributes says is its author's word: we look
            self._skipped.append(Skipped(f"{self._commit[:12]}:{self._name}", "binary", undetermined=False))
        elif text:
            yield Source(self._name, text, self._first, self._commit)
        self._held, self._size, self._left = [], 0, 0
