"""The reading end over the buckets: entries, leaves and checkpoints as they were copied.

- Nothing is taken for granted: what is missing, altered or another's is told by `scan` with its name.
- Where a part is missing or cannot be read, the tree ends before it; what signed more then says so.
- What S3 expired with its class is not there any more and is passed over; its leaf hash is.

>>> verify(CopiedArchiveReader(buckets, clock), log_keys=keys, now=clock.now()).whole  # doctest: +SKIP
True
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from hashlib import sha256
from typing import Any, TypeVar

from caisson.adapters.aws.api.courier import Courier
from caisson.adapters.aws.api.objects import BucketRefused, Objects
from caisson.adapters.aws.archive.layout import (
    OBJECT_BYTES_MAX,
    TREE,
    Part,
    entries_name,
    parse,
    read_part,
    tree_name,
    unpacked,
)
from caisson.adapters.embedded.archive.reader import matches
from caisson.channels.retention import DAYS, LONGEST
from caisson.policy.merkle import HASH_BYTES
from caisson.ports.archive import ArchiveReader, Entry, Query, Unreadable
from caisson.ports.clock import Clock

T = TypeVar("T")
DAY_S = 86_400


class CopiedArchiveReader(ArchiveReader):
    """See the module. It sees the parts that are there when it is made; `close` ends its thread.

    Raises:
        BucketRefused: the buckets cannot be listed.
    """

    def __init__(self, buckets: Callable[[], Mapping[str, Objects]], clock: Clock) -> None:
        """`buckets`: class to bucket, made anew for this reader."""
        self._clock = clock
        self._courier = Courier("archive-reader")
        self._courier.start()
        self._buckets = buckets()
        try:
            self._names = self._run(self._listed())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the calls."""
        for bucket in self._buckets.values():
            self._run(bucket.close())
        self._courier.stop()

    def size(self) -> int:
        return sum(1 for _ in self.leaves())

    def leaves(self, start: int = 0) -> Iterator[bytes]:
        for part in self._parts():
            if isinstance(part, Unreadable):
                return
            for index in range(max(start, part.first), part.last + 1):
                at = (index - part.first) * HASH_BYTES
                yield part.leaves[at : at + HASH_BYTES]

    def checkpoints(self) -> Iterator[str]:
        for part in self._parts():
            if isinstance(part, Part) and part.checkpoint:
                yield part.checkpoint

    def last_checkpoint(self) -> str:
        for first, last in reversed(self._names):
            part = self._part(first, last)
            if isinstance(part, Part) and part.checkpoint:
                return part.checkpoint
        return ""

    def scan(self) -> Iterator[Entry | Unreadable]:
        for part in self._parts():
            if isinstance(part, Unreadable):
                yield part
            else:
                yield from self._items(part)

    def entries_from(self, start: int) -> Iterator[Entry]:
        for part in self._parts(start):
            if isinstance(part, Part):
                yield from (item for item in self._items(part) if isinstance(item, Entry) and item.index >= start)

    def query(self, query: Query) -> Iterator[Entry]:
        found: list[list[Entry]] = []
        wanted = query.limit
        for first, last in reversed(self._names):
            if wanted <= 0 or last < query.start:
                break
            part = self._part(first, last)
            items = self._items(part) if isinstance(part, Part) else iter(())
            kept = (item for item in items if isinstance(item, Entry) and matches(query, item))
            newest = list(deque(kept, maxlen=wanted))
            found.append(newest)
            wanted -= len(newest)
        for entries in reversed(found):
            yield from entries

    async def _listed(self) -> list[tuple[int, int]]:
        """Parts that follow on each other, in order; of several with one beginning the longest."""
        found = [part async for name in self._buckets[LONGEST].names(TREE) if (part := parse(name)) is not None]
        following: list[tuple[int, int]] = []
        expected = 0
        for first, last in sorted(found, key=lambda part: (part[0], -part[1])):
            if first < expected:
                continue  # copied again after its memory was lost
            following.append((first, last))
            expected = last + 1
        return following

    def _parts(self, start: int = 0) -> Iterator[Part | Unreadable]:
        expected = 0
        for first, last in self._names:
            if first != expected:
                yield Unreadable(where=f"{TREE}{expected:016d}", detail=f"no part begins there; the next is of {first}")
                return
            expected = last + 1
            if last >= start:
                yield (part := self._part(first, last))
                if isinstance(part, Unreadable):
                    return

    def _part(self, first: int, last: int) -> Part | Unreadable:
        name = tree_name(first, last)
        try:
            held = self._run(self._buckets[LONGEST].get(name, bytes_max=OBJECT_BYTES_MAX))
            return read_part(name, held.content if held is not None else b"")
        except (BucketRefused, ValueError) as error:
            return Unreadable(where=name, detail=str(error))

    def _items(self, part: Part) -> Iterator[Entry | Unreadable]:
        """Entries of a part in their order, then what of it cannot be read."""
        entries: list[Entry] = []
        wrong: list[Unreadable] = []
        name = entries_name(part.first, part.last)
        for class_, digest in sorted(part.classes.items()):
            try:
                entries += self._of_class(class_, name, digest, part.at)
            except (BucketRefused, ValueError) as error:
                wrong.append(Unreadable(where=f"{class_} {name}", detail=str(error)))
        yield from sorted(entries, key=lambda entry: entry.index)
        yield from wrong

    def _of_class(self, class_: str, name: str, digest: str, at: float) -> list[Entry]:
        """Raises ValueError: it is not what was copied."""
        if class_ not in self._buckets:
            raise ValueError("it is of a class that this version does not know")
        held = self._run(self._buckets[class_].get(name, bytes_max=OBJECT_BYTES_MAX))
        if held is None:
            if self._clock.now() - at > DAYS[class_] * DAY_S:
                return []
            raise ValueError("it is missing before its time")
        if sha256(held.content).hexdigest() != digest:
            raise ValueError("it is not what was copied")
        return [Entry.from_leaf(leaf) for leaf in unpacked(held.content)]

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._courier.run(work).result()
