"""How a process tells its supervisor that it is ready, or why it never will be: one JSON line on an inherited pipe.

- The number of the descriptor is in the environment. Saying it closes the pipe, so it is said once.
- A process may be started before its turn, so that it loads its program while others get ready. It waits on a second
  pipe for one byte; when that closes without one, nobody supervises it any more.
- Without a supervisor nothing happens, so that a zone can be run by hand.

>>> announce_ready({"landlock_abi": 7})
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from caisson.errors import DeveloperError, StartError

DESCRIPTOR_VARIABLE = "CAISSON_READY_FD"
TURN_VARIABLE = "CAISSON_TURN_FD"
TURN = b"!"
LINE_BYTES_MAX = 4_096
"""PIPE_BUF on Linux (pipe(7)): what one write delivers whole."""
MESSAGE_CHARACTERS_MAX = 1_000


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What a process said, or what became of it before it could."""

    failure: str = ""
    """Empty: it is ready."""
    info: Mapping[str, Any] = field(default_factory=dict)
    """What it says of itself: what isolation holds."""


def announce_ready(info: Mapping[str, Any] | None = None) -> None:
    """Say that this process takes work now.

    Raises:
        DeveloperError: `info` is longer than a line may be.
    """
    _say({"ready": dict(info or {})})


def announce_failure(message: str) -> None:
    """Say why this process will not start. It leaves by itself afterwards."""
    _say({"failed": message[:MESSAGE_CHARACTERS_MAX]})


def wait_for_turn() -> None:
    """Return when the supervisor says that what this process needs is there.

    Raises:
        StartError: the supervisor has gone.
    """
    descriptor = os.environ.pop(TURN_VARIABLE, "")
    if not descriptor.isdecimal():
        return
    try:
        if os.read(int(descriptor), 1) != TURN:
            raise StartError("expected a turn, found that the supervisor has gone; start the system again")
    finally:
        os.close(int(descriptor))


def _say(document: dict[str, Any]) -> None:
    descriptor = os.environ.pop(DESCRIPTOR_VARIABLE, "")
    if not descriptor.isdecimal():
        return
    line = json.dumps(document).encode() + b"\n"
    if len(line) > LINE_BYTES_MAX:
        raise DeveloperError(f"expected an announcement of at most {LINE_BYTES_MAX} bytes, found {len(line)}")
    try:
        os.write(int(descriptor), line)
    except BrokenPipeError:  # the supervisor gave up; its SIGTERM is on the way
        return
    finally:
        os.close(int(descriptor))


def parse(line: bytes) -> Announcement:
    """What one line says. Anything unexpected is a failure: a process that cannot speak is not ready."""
    try:
        document = json.loads(line)
    except ValueError:
        document = None
    match document:
        case {"ready": dict(info)}:
            return Announcement(info=info)
        case {"failed": str(message)} if message:
            return Announcement(failure=message[:MESSAGE_CHARACTERS_MAX])
    return Announcement(failure="it announced something that is neither ready nor failed")
