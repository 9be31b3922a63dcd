"""The archive's reading end: works beside the writer, after it, or without it, and changes nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

import msgspec

from caisson.adapters.embedded.archive import columnar, journal, tree
from caisson.adapters.embedded.archive.cipher import derive
from caisson.adapters.embedded.archive.header import FileHeader, term
from caisson.adapters.embedded.archive.units import Unit, list_units
from caisson.ports.archive import ArchiveReader, Entry, Query, Unreadable


class EmbeddedArchiveReader(ArchiveReader):
    """See the package."""

    def __init__(self, folder: Path, tree_folder: Path, secret: bytes) -> None:
        self._folder, self._tree_folder, self._secret = folder, tree_folder, secret

    def size(self) -> int:
        return tree.leaf_count(self._tree_folder / "leaves")

    def leaves(self, start: int = 0) -> Iterator[bytes]:
        return tree.read_leaves(self._tree_folder / "leaves", start)

    def checkpoints(self) -> Iterator[str]:
        return tree.read_notes(self._tree_folder / "checkpoints")

    def last_checkpoint(self) -> str:
        return tree.last_note(self._tree_folder / "checkpoints")

    def scan(self) -> Iterator[Entry | Unreadable]:
        for unit in list_units(self._folder)[0]:
            yield from self._items(unit)

    def entries_from(self, start: int) -> Iterator[Entry]:
        for unit in list_units(self._folder)[0]:
            if not 0 <= unit.last < start:
                yield from (item for item in self._items(unit) if isinstance(item, Entry) and item.index >= start)

    def query(self, query: Query) -> Iterator[Entry]:
        if query.limit <= 0:
            return
        found: list[list[Entry]] = []
        wanted = query.limit
        for unit in reversed(list_units(self._folder)[0]):
            if wanted == 0 or (0 <= unit.last < query.start):
                break
            newest = deque((entry for entry in self._candidates(unit, query) if matches(query, entry)), maxlen=wanted)
            found.append(list(newest))
            wanted -= len(newest)
        for entries in reversed(found):
            yield from entries

    def _items(self, unit: Unit, query: Query | None = None) -> Iterator[Entry | Unreadable]:
        if not unit.is_journal:
            yield from columnar.read_file(unit.path, self._secret, query)
            return
        try:
            yield from self._journal_items(unit.path, query)
        except FileNotFoundError:  # compacted since it was listed
            for newer in list_units(self._folder)[0]:
                if newer.first <= unit.first <= newer.last and not newer.is_journal:
                    yield from (item for item in self._items(newer, query) if _belongs(item, unit))

    def _journal_items(self, path: Path, query: Query | None) -> Iterator[Entry | Unreadable]:
        needles = [] if query is None else _needles(query)
        for frame in journal.read_frames(path, self._secret):
            if isinstance(frame, Unreadable):
                yield frame
                continue
            for leaf in frame[1]:
                if all(needle in leaf for needle in needles):
                    try:
                        yield Entry.from_leaf(leaf)
                    except ValueError as error:
                        yield Unreadable(where=path.name, detail=str(error))

    def _candidates(self, unit: Unit, query: Query) -> Iterator[Entry]:
        if not unit.is_journal:
            try:
                header = columnar.head_of(unit.path)
            except ValueError:
                return
            if not self._may_match(header, query):
                return
        for item in self._items(unit, query):
            if isinstance(item, Entry):
                yield item

    def _may_match(self, header: FileHeader, query: Query) -> bool:
        if header.time_max < query.since or header.time_min > query.until:
            return False
        key = derive(self._secret, bytes.fromhex(header.salt), "terms")
        restricted = {
            "request_id": query.request_id,
            "session_id": query.session_id,
            "user_identity": query.user,
            "kind": query.kind,
        }
        return all(header.may_hold(term(key, field, value)) for field, value in restricted.items() if value)


def matches(query: Query, entry: Entry) -> bool:
    """Whether the entry is what the query asks for."""
    event = entry.event
    return (
        entry.index >= query.start
        and query.since <= event.get("timestamp", 0.0) <= query.until
        and event.get("kind") not in query.without_kinds
        and (not query.kind or event.get("kind") == query.kind)
        and (not query.session_id or event.get("session_id") == query.session_id)
        and (not query.user or event.get("user_identity") == query.user)
        and (
            not query.request_id
            or event.get("request_id") == query.request_id
            or query.request_id in event.get("sample_request_ids", ())
        )
    )


def _needles(query: Query) -> list[bytes]:
    """Bytes that every matching leaf holds: a search in them is far cheaper than reading the JSON."""
    values = (query.request_id, query.session_id, query.user, query.kind)
    return [msgspec.json.encode(value) for value in values if value and value.isascii() and value.isprintable()]


def _belongs(item: Entry | Unreadable, unit: Unit) -> bool:
    return isinstance(item, Entry) and unit.first <= item.index and (unit.last < 0 or item.index <= unit.last)
