"""Run a program as a container would: the same root read-only, no capability, first process of its own PID namespace.

Bubblewrap stands in for a container runtime; `make dev` installs it. Nothing but the volume can be written.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

USER = 10001
"""As in packaging/container/Dockerfile."""


def command(arguments: Sequence[str], *, volume: Path, info: int | None = None) -> list[str]:
    """The command that runs `arguments` in there."""
    said = [] if info is None else ["--info-fd", str(info)]
    return [
        "bwrap", *said, "--die-with-parent", "--new-session",
        "--unshare-user", "--uid", str(USER), "--gid", str(USER), "--cap-drop", "ALL",
        "--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts",
        "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", str(volume), str(volume),
        "--chdir", "/", *arguments,
    ]  # fmt: skip


@dataclass
class Contained:
    """A program in there."""

    outer: subprocess.Popen[bytes]
    pid: int
    """Of its first process, out here."""

    def signal(self, number: int) -> None:
        """What `docker stop` does."""
        os.kill(self.pid, number)

    def execute(self, arguments: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """What `docker exec` does: among the processes that are there."""
        entering = ["nsenter", "--target", str(self.pid), "--user", "--mount", "--pid", "--preserve-credentials"]
        return subprocess.run(
            [*entering, *arguments], capture_output=True, text=True, env=environment, timeout=60, check=False
        )


def start(arguments: Sequence[str], *, volume: Path, log: Path, environment: dict[str, str]) -> Contained:
    """Start it; its output goes to `log`."""
    reads, writes = os.pipe()
    with log.open("ab") as out, os.fdopen(reads, "rb") as said:
        outer = subprocess.Popen(
            command(arguments, volume=volume, info=writes),
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, pass_fds=[writes],
        )  # fmt: skip
        os.close(writes)
        told = said.read()
    assert told, log.read_text()
    return Contained(outer, json.loads(told)["child-pid"])


def run(arguments: Sequence[str], *, volume: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`subprocess.run` in there."""
    return subprocess.run(
        command(arguments, volume=volume), capture_output=True, text=True, env=environment, timeout=60
    )
