"""Closed journals become Parquet: which, and how. The Parquet file appears whole before the journals go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from caisson.adapters.embedded.archive import columnar, journal
from caisson.adapters.embedded.archive.disk import sync_folder
from caisson.adapters.embedded.archive.header import FileHeader
from caisson.adapters.embedded.archive.units import Unit, journal_folder, parquet_path
from caisson.ports.archive import Entry, Unreadable

COMPACT_BYTES = 8 * 2**20
"""Closed journals of a day are compacted together from this size on, and up to it."""
COMPACT_AGE_S = 3_600.0
"""Age from which closed journals are compacted however small they are."""


@dataclass(frozen=True, kw_only=True)
class ClosedJournal:
    """A journal to which nothing is added any more."""

    path: Path
    header: FileHeader
    size_bytes: int


def closed_journals(units: Iterable[Unit], open_journal: Path | None) -> Iterator[ClosedJournal | None]:
    """In index order; None where something stands between two of them that cannot be compacted with them."""
    for unit in units:
        closed = None
        if unit.is_journal and unit.path != open_journal:
            try:
                header, size_bytes = journal.head_of(unit.path), unit.path.stat().st_size
                closed = ClosedJournal(path=unit.path, header=header, size_bytes=size_bytes)
            except ValueError:
                closed = None  # not what the archive wrote: evidence stays as it is
        yield closed


def due(journals: Iterable[ClosedJournal | None], now: float) -> Iterator[list[ClosedJournal]]:
    """Runs of neighbours of one day that are large or old enough. Pure."""
    group: list[ClosedJournal] = []
    for closed in [*journals, None]:
        full = sum(item.size_bytes for item in group) >= COMPACT_BYTES
        if group and (full or closed is None or closed.header.day != group[0].header.day):
            if full or now - group[0].header.opened >= COMPACT_AGE_S:
                yield group
            group = []
        if closed is not None:
            group.append(closed)


def compact(folder: Path, secret: bytes, region: str, group: list[ClosedJournal], now: float) -> bool:
    """Replace the journals by one Parquet file; False when they are not what the archive wrote, so they stay."""
    entries: list[Entry] = []
    for closed in group:
        for frame in journal.read_frames(closed.path, secret):
            if isinstance(frame, Unreadable):
                return False
            entries.extend(Entry.from_leaf(leaf) for leaf in frame[1])
    first = group[0].header.first
    if not entries or [entry.index for entry in entries] != list(range(first, first + len(entries))):
        return False
    positions = dict(group[0].header.positions)
    positions.update(
        {f"{entry.writer}/{entry.incarnation}": entry.sequence for entry in entries if entry.sequence >= 0}
    )
    day = group[0].header.day
    path = parquet_path(folder, region=region, day=day, first=first, last=entries[-1].index)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    columnar.write_file(path, secret, entries, day=day, now=now, positions=positions)
    for closed in group:
        closed.path.unlink()
    sync_folder(journal_folder(folder))
    return True
