"""From the archive into the buckets: what was signed, once, in order.

- A part ends where a checkpoint does, so that the copy's end is always signed, unless that covers more than a part may.
- What the next part will be is on file before its first object is put, and each object is put only where its name is
  free: killed anywhere, a copy goes on with the same bytes under the same names.
- Without that file the newest part in the buckets says how far the copy is.

>>> await ArchiveCopy(archive, buckets, Path("copy.json"), clock).settle()  # doctest: +SKIP
1204
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path

import msgspec

from caisson.adapters.aws.api.objects import Objects
from caisson.adapters.aws.archive.layout import (
    OBJECT_BYTES_MAX,
    PART_BYTES_MAX,
    PART_ENTRIES_MAX,
    TREE,
    entries_name,
    packed,
    parse,
    part_of,
    read_part,
    tree_name,
)
from caisson.channels.retention import LONGEST
from caisson.errors import OperatorError
from caisson.policy.merkle import HASH_BYTES
from caisson.ports.archive import ArchiveReader, Entry
from caisson.ports.clock import Clock

COPY_EVERY_S = 15.0
"""How long what is signed waits for its copy at most, unless more comes."""
COPY_ENTRIES = 5_000
"""Entries after which it does not wait."""


class _Next(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part that is under way."""

    last: int
    at: float
    checkpoint: str


class _State(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    size: int
    """Entries that the buckets hold."""
    under_way: _Next | None = None
    version: int = 1


class ArchiveCopy:
    """One archive, its buckets. Used on one event loop; it reads the archive there, which takes its time.

    Args:
        archive: the reading end.
        buckets: class to bucket, of every class.
        memory: file for how far the copy is.
        signed_size: entries under a checkpoint.
        clock: for when a copy is due, and when it was made.
    """

    def __init__(
        self,
        archive: ArchiveReader,
        buckets: Mapping[str, Objects],
        memory: Path,
        clock: Clock,
        *,
        signed_size: Callable[[str], int],
    ) -> None:
        self._archive, self._buckets, self._memory, self._clock = archive, buckets, memory, clock
        self._signed_size = signed_size
        self._state: _State | None = None
        self._waits_since: float | None = None

    async def settle(self, *, force: bool = False) -> int:
        """Copy what is due, or with `force` all that is signed; how many entries the buckets hold then.

        Raises:
            OperatorError: a bucket refused, the buckets hold another log, or the archive cannot be read; the next call
                goes on.
        """
        state = self._state = self._state or await self._known()
        note = self._archive.last_checkpoint()
        signed = self._signed_size(note) if note else 0
        while state.under_way or self._due(signed - state.size, force=force):
            state = await self._copy(state, signed, note)
        return state.size

    async def close(self) -> None:
        """Release connections."""
        for bucket in self._buckets.values():
            await bucket.close()

    def _due(self, waiting: int, *, force: bool) -> bool:
        if waiting <= 0:
            self._waits_since = None
            return False
        now = self._clock.monotonic()
        self._waits_since = now if self._waits_since is None else self._waits_since
        return force or waiting >= COPY_ENTRIES or now - self._waits_since >= COPY_EVERY_S

    async def _copy(self, state: _State, signed: int, note: str) -> _State:
        """One part."""
        planned = state.under_way
        entries = self._entries(state.size, (planned.last + 1 if planned else signed) - state.size)
        if planned is None:
            last = entries[-1].index
            planned = _Next(last=last, at=self._clock.now(), checkpoint=note if last + 1 == signed else "")
            state = self._store(msgspec.structs.replace(state, under_way=planned))
        elif entries[-1].index != planned.last:
            raise OperatorError(
                f"the archive's entry {entries[-1].index + 1} cannot be read, and is not in the copy yet"
            )
        first, objects = state.size, packed(entries)
        for name, content in objects.items():
            await self._buckets[name].put_new(entries_name(first, planned.last), content)
        part = part_of(entries, objects, at=planned.at, checkpoint=planned.checkpoint)
        await self._buckets[LONGEST].put_new(tree_name(first, planned.last), part)
        self._waits_since = None
        return self._store(_State(size=planned.last + 1))

    def _entries(self, first: int, count: int) -> list[Entry]:
        """Up to so many, as many as a part may hold."""
        found: list[Entry] = []
        size = 0
        for entry in islice(self._archive.entries_from(first), min(count, PART_ENTRIES_MAX)):
            if entry.index != first + len(found) or (found and size + len(entry.leaf) > PART_BYTES_MAX):
                break
            found.append(entry)
            size += len(entry.leaf)
        if not found:
            raise OperatorError(f"the archive's entry {first} cannot be read, and is not in the copy yet")
        return found

    async def _known(self) -> _State:
        """How far the copy is."""
        try:
            with self._memory.open("rb") as file:
                return msgspec.json.decode(file.read(), type=_State)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise OperatorError(f"{self._memory}: cannot be read ({type(error).__name__}); move it away") from error
        newest = ""
        async for name in self._buckets[LONGEST].names(TREE):
            newest = name if parse(name) is not None else newest
        if not newest:
            return _State(size=0)
        held = await self._buckets[LONGEST].get(newest, bytes_max=OBJECT_BYTES_MAX)
        try:
            part = read_part(newest, held.content if held else b"")
        except ValueError as error:
            raise OperatorError(f"{newest} in the buckets of the archive: {error}") from None
        here = b"".join(islice(self._archive.leaves(part.first), len(part.leaves) // HASH_BYTES))
        if here != part.leaves:
            raise OperatorError(f"the buckets of the archive hold another log than this one: {newest} differs")
        return _State(size=part.last + 1)

    def _store(self, state: _State) -> _State:
        unfinished = self._memory.with_suffix(".new")
        try:
            with unfinished.open("wb") as file:
                file.write(msgspec.json.encode(state))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._memory)
        except OSError as error:
            raise OperatorError(f"{self._memory}: cannot be written ({error.strerror})") from error
        self._state = state
        return state
