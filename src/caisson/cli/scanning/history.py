"""Lines that the commits of a repository added, by git itself, with its pager, hooks and external programs off."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from caisson.cli.scanning.sources import FILE_BYTES_MAX, Skipped, Source
from caisson.errors import OperatorError

_COMMAND = (
    "git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "log", "--all", "--no-color", "--no-ext-diff",
    "--no-textconv", "--no-renames", "--unified=0", "--patch", "--format=%x00%H", "--diff-filter=AM",
)  # fmt: skip
_HUNK = re.compile(r"@@ -\S+ \+(\d+)")
LINE_CHARACTERS_MAX = 1 << 20
"""A longer line is cut there."""


def added(path: Path, skipped: list[Skipped]) -> Iterator[Source]:
    """What each commit added, a text for each stretch of lines.

    Raises:
        OperatorError: the path is in no repository, or git cannot be run.
    """
    folder = path if path.is_dir() else path.parent
    try:
        running = subprocess.Popen(  # fixed arguments; the path is git's working folder
            [*_COMMAND, "--", "."], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            encoding="utf-8", errors="replace", env={"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"},
        )  # fmt: skip
    except OSError as error:
        raise OperatorError(f"{path}: expected git on this machine: {error}") from error
    with running:
        if running.stdout is not None:
            yield from _read(running.stdout, skipped)
        error = running.stderr.read(500).strip() if running.stderr is not None else ""
    if running.returncode:
        raise OperatorError(f"{path}: expected a git repository: {error}")


def _read(lines: Iterator[str], skipped: list[Skipped]) -> Iterator[Source]:
    commit = name = ""
    first, held, size = 1, [], 0
    for line in lines:
        if line.startswith("+") and not line.startswith("+++ "):
            size += len(line)
            if size <= FILE_BYTES_MAX:
                held.append(line[1 : LINE_CHARACTERS_MAX + 1])
            continue
        if held:
            yield Source(name, "".join(held), first, commit)
        if size > FILE_BYTES_MAX:
            skipped.append(Skipped(f"{commit[:12]}:{name}", f"larger than {FILE_BYTES_MAX >> 20} MiB"))
        held, size = [], 0
        if line.startswith("\0"):
            commit = line[1:].strip()
        elif line.startswith("+++ "):
            name = line[4:].strip().strip('"').removeprefix("b/")
        elif (hunk := _HUNK.match(line)) is not None:
            first = int(hunk[1])
    if held:
        yield Source(name, "".join(held), first, commit)
