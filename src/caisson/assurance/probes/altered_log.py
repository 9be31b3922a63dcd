"""A log as it was read, and what somebody who holds the archive's key could make of it (LOG-07)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from caisson.policy.merkle import HASH_BYTES, leaf_hash
from caisson.ports.archive import ArchiveReader, Entry, Query, Unreadable
from caisson.ports.keys import SigningKey
from caisson.zones.z6_logging.checkpoints import parse_note, sign


class FrozenLog(ArchiveReader):
    """A log as it was when it was read, to be changed."""

    def __init__(self, archive: ArchiveReader) -> None:
        self.notes = list(archive.checkpoints())
        raw = b"".join(archive.leaves())
        size = parse_note(self.notes[-1])[0].size if self.notes else 0
        found = list(archive.scan())
        self.entries = [item for item in found if isinstance(item, Entry) and item.index < size]
        self.hashes = [raw[at : at + HASH_BYTES] for at in range(0, size * HASH_BYTES, HASH_BYTES)]

    def with_(
        self, *, entries: list[Entry] | None = None, hashes: list[bytes] | None = None, notes: list[str] | None = None
    ) -> FrozenLog:
        """A changed copy."""
        made = object.__new__(FrozenLog)
        made.entries = self.entries if entries is None else entries
        made.hashes = self.hashes if hashes is None else hashes
        made.notes = self.notes if notes is None else notes
        return made

    def size(self) -> int:
        return len(self.entries)

    def query(self, query: Query) -> Iterator[Entry]:
        return iter(())

    def scan(self) -> Iterator[Entry | Unreadable]:
        return iter(self.entries)

    def leaves(self, start: int = 0) -> Iterator[bytes]:
        return iter(self.hashes[start:])

    def checkpoints(self) -> Iterator[str]:
        return iter(self.notes)

    def last_checkpoint(self) -> str:
        return self.notes[-1] if self.notes else ""


def changes(log: FrozenLog, at: int, forger: SigningKey) -> Iterator[tuple[str, FrozenLog]]:
    """What an attacker with the store's key would leave behind: entries, leaves and checkpoints that agree."""
    entries, leaves = log.entries, log.hashes
    one = entries[at]
    edited = replace(one, event={**one.event, "user_identity": "mallory", "output_text": "changed"})
    yield "an entry edited, its leaf left", log.with_(entries=[*entries[:at], edited, *entries[at + 1 :]])
    hashes = [*leaves[:at], leaf_hash(edited.leaf), *leaves[at + 1 :]]
    yield (
        "an entry edited, and its leaf with it",
        log.with_(entries=[*entries[:at], edited, *entries[at + 1 :]], hashes=hashes),
    )
    yield "an entry deleted", log.with_(entries=[*entries[:at], *entries[at + 1 :]])
    moved = [replace(entry, index=number) for number, entry in enumerate([*entries[:at], *entries[at + 1 :]])]
    yield (
        "an entry deleted and the rest moved up, leaves too",
        log.with_(entries=moved, hashes=[leaf_hash(entry.leaf) for entry in moved]),
    )
    swapped = (
        [*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]] if at + 1 < len(entries) else entries[::-1]
    )
    yield "two entries in another order", log.with_(entries=swapped)
    cut = max(1, len(entries) - 3)
    yield "the end cut off", log.with_(entries=entries[:cut])
    yield "the end cut off, leaves too", log.with_(entries=entries[:cut], hashes=leaves[:cut])
    older = log.notes[: max(1, len(log.notes) // 2)]
    size = parse_note(older[-1])[0].size
    if size < len(entries):  # with one checkpoint there is no older one
        yield (
            "everything since an older checkpoint cut off, checkpoints too",
            log.with_(entries=entries[:size], hashes=leaves[:size], notes=older),
        )
    yield "an entry repeated", log.with_(entries=[*entries[: at + 1], one, *entries[at + 1 :]])
    again = replace(one, index=len(entries))
    yield (
        "an entry repeated at the end, with a leaf",
        log.with_(entries=[*entries, again], hashes=[*leaves, leaf_hash(again.leaf)]),
    )
    made = replace(again, sequence=-1, digest="", event={**one.event, "request_id": "made-up"})
    yield "an entry that no writer wrote", log.with_(entries=[*entries, made], hashes=[*leaves, leaf_hash(made.leaf)])
    newest = parse_note(log.notes[-1])[0]
    note, _ = sign(replace(newest, root=bytes(32)), forger)
    yield "a checkpoint signed by the gateway's key", log.with_(notes=[*log.notes[:-1], note])
    yield "a checkpoint repeated", log.with_(notes=[*log.notes, log.notes[-1]])
