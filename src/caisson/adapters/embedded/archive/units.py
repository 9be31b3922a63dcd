"""Which files hold the archive, in index order.

A Parquet file replaces the journals whose entries it holds. It appears whole before they go, so a journal inside a
Parquet file's range is a leftover.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_JOURNAL = re.compile(r"(\d{16})\.journal")
_PARQUET = re.compile(r"(\d{16})-(\d{16})\.parquet\.enc")


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One file."""

    path: Path
    first: int
    """Index of its first entry."""
    last: int
    """Index of its last entry; of a journal, of the last it can hold given the next file. -1 for the newest journal."""

    @property
    def is_journal(self) -> bool:
        """A journal, or else a Parquet file."""
        return self.path.suffix == ".journal"


def journal_folder(folder: Path) -> Path:
    """Where journals are."""
    return folder / "journal"


def parquet_path(folder: Path, *, region: str, day: str, first: int, last: int) -> Path:
    """Where Security Lake wants a custom source's files (its user guide, "Collecting data from custom sources")."""
    partition = f"ext/caisson/region={region}/accountId=000000000000/eventDay={day}"
    return folder / partition / f"{first:016d}-{last:016d}.parquet.enc"


def list_units(folder: Path) -> tuple[list[Unit], list[Path]]:
    """The files that hold the archive, in index order, and leftover journals."""
    journals = sorted(
        (int(match[1]), path)
        for path in journal_folder(folder).glob("*.journal")
        if (match := _JOURNAL.fullmatch(path.name))
    )
    units = [
        Unit(path=path, first=int(match[1]), last=int(match[2]))
        for path in folder.glob("ext/caisson/region=*/accountId=*/eventDay=*/*.parquet.enc")
        if (match := _PARQUET.fullmatch(path.name))
    ]
    units.sort(key=lambda unit: unit.first)
    starts = sorted([unit.first for unit in units] + [first for first, _ in journals])
    leftovers: list[Path] = []
    kept: list[Unit] = []
    covered_to, at = -1, 0
    for first, path in journals:
        while at < len(units) and units[at].first <= first:
            covered_to = max(covered_to, units[at].last)
            at += 1
        if first <= covered_to:
            leftovers.append(path)
            continue
        following = next((start for start in starts if start > first), 0)
        kept.append(Unit(path=path, first=first, last=following - 1))
    return sorted([*units, *kept], key=lambda unit: unit.first), leftovers
