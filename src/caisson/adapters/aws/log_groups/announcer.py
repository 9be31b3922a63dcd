"""From the archive into log groups: what was archived since, in order.

It begins with what comes; how far it is stands in a file. Killed in between, the next run says some of it again, and a
metric counts that twice. Lines that CloudWatch takes no more, older than fourteen days, are passed over and told.

>>> await Announcer(archive, calls, keys, prefix="/caisson/claims", …).settle()  # doctest: +SKIP
1204
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from caisson.adapters.aws.api.calls import CallFailed, Calls
from caisson.adapters.aws.log_groups.batches import Line, batches, lines
from caisson.errors import OperatorError
from caisson.ports.archive import ArchiveReader
from caisson.ports.clock import Clock
from caisson.protocol.sigv4 import Keys

ENTRIES_MAX = 2_000
"""Read at once."""
BUSY_SECONDS_MAX = 8.0
PAUSE_S, PAUSE_MAX_S = 0.05, 1.0
TARGET = "Logs_20140328"
_PASSING = frozenset({"ServiceUnavailableException", "OperationAbortedException"})

log = logging.getLogger("caisson.announcer")


class _State(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    size: int
    """Entries that were announced."""
    version: int = 1


class Announcer:
    """One archive, one log group a class. Used on one event loop; it reads the archive there.

    Args:
        archive: the reading end.
        calls: to CloudWatch Logs.
        keys: what signs.
        prefix: of the log groups, before `/CLASS`; they are there already.
        stream: of this logging zone, made where it is not there.
        memory: file for how far it is.
        clock: for how long a call is tried again.
    """

    def __init__(
        self, archive: ArchiveReader, calls: Calls, keys: Callable[[], Keys], *, prefix: str, stream: str,
        memory: Path, clock: Clock, busy_s: float = BUSY_SECONDS_MAX,
    ) -> None:  # fmt: skip
        self._archive, self._calls, self._keys, self._clock = archive, calls, keys, clock
        self._prefix, self._stream, self._memory, self._busy_s = prefix, stream, memory, busy_s
        self._size: int | None = None

    async def settle(self) -> int:
        """Announce what is archived; how many entries that are in all.

        Raises:
            OperatorError: CloudWatch does not take it, or the memory cannot be used; the next call goes on.
        """
        done = self._size = self._known() if self._size is None else self._size
        while self._archive.size() > done:
            entries = list(islice(self._archive.entries_from(done), ENTRIES_MAX))
            if not entries:
                break  # cannot be read, which `logs verify` tells
            for class_, found in sorted(lines(entries).items()):
                for batch in batches(found):
                    await self._put(f"{self._prefix}/{class_}", batch)
            done = self._store(entries[-1].index + 1)
        return done

    async def close(self) -> None:
        """Release connections."""
        await self._calls.close()

    async def _put(self, group: str, batch: list[Line]) -> None:
        where = {"logGroupName": group, "logStreamName": self._stream}
        said = {**where, "logEvents": [{"timestamp": line.at_ms, "message": line.text} for line in batch]}
        try:
            answer = await self._again("PutLogEvents", said)
        except CallFailed as error:
            if error.code != "ResourceNotFoundException" or not await self._made(where):
                raise self._refused(group, error) from error
            try:
                answer = await self._again("PutLogEvents", said)
            except CallFailed as again:
                raise self._refused(group, again) from again
        if rejected := answer.get("rejectedLogEventsInfo"):
            log.warning("log group %s took no lines that are too old or too new: %s", group, rejected)

    async def _made(self, where: dict[str, str]) -> bool:
        """Whether the stream could be made."""
        try:
            await self._again("CreateLogStream", dict(where))
        except CallFailed as error:
            return error.code == "ResourceAlreadyExistsException"
        return True

    async def _again(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        began, attempt = self._clock.monotonic(), 0
        while True:
            try:
                return await self._calls.json(f"{TARGET}.{operation}", asked, self._keys(), version="1.1", empty=True)
            except CallFailed as error:
                passing = error.passing or error.code in _PASSING
                if not passing or self._clock.monotonic() - began > self._busy_s:
                    raise
            attempt += 1
            pause_s = min(PAUSE_S * 2.0**attempt, PAUSE_MAX_S)
            await asyncio.sleep(pause_s / 2 + random.random() * pause_s / 2)  # noqa: S311 - spreads load, hides nothing

    def _refused(self, group: str, error: CallFailed) -> OperatorError:
        return OperatorError(f"log group {group}: {error}")

    def _known(self) -> int:
        try:
            with self._memory.open("rb") as file:
                return msgspec.json.decode(file.read(), type=_State).size
        except FileNotFoundError:
            return self._store(self._archive.size())  # what was before is old, and counted by nobody
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise OperatorError(f"{self._memory}: cannot be read ({type(error).__name__}); move it away") from error

    def _store(self, size: int) -> int:
        unfinished = self._memory.with_suffix(".new")
        try:
            unfinished.write_bytes(msgspec.json.encode(_State(size=size)))
            unfinished.replace(self._memory)
        except OSError as error:
            raise OperatorError(f"{self._memory}: cannot be written ({error.strerror})") from error
        self._size = size
        return size
