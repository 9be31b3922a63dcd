"""The archive's writing end: one process, the logging zone's (LOG-07).

Order of an append: journal frame, sync, leaf hashes. Whatever is in the journal and not in the leaves after a kill is
hashed again when the archive opens; leaves without entries cannot come from a kill, so they stay and `verify` tells.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from caisson.adapters.embedded.archive import columnar, compaction, journal
from caisson.adapters.embedded.archive.disk import sync_folder
from caisson.adapters.embedded.archive.journal import JournalWriter
from caisson.adapters.embedded.archive.reader import EmbeddedArchiveReader
from caisson.adapters.embedded.archive.tree import TreeFiles
from caisson.adapters.embedded.archive.units import Unit, journal_folder, list_units
from caisson.errors import DeveloperError, OperatorError
from caisson.policy.merkle import Frontier
from caisson.ports.archive import Archive, Entry, Unreadable
from caisson.ports.clock import Clock

JOURNAL_BYTES_MAX = 8 * 2**20
"""Size at which a new journal begins."""
JOURNAL_AGE_MAX_S = 3_600.0
"""Age at which a new journal begins."""
POSITIONS_MAX = 1_024
"""Runs of writers whose newest sequence is remembered."""


class EmbeddedArchive(EmbeddedArchiveReader, Archive):
    """See the package. Opening it drops what a kill left half-written."""

    def __init__(self, folder: Path, tree_folder: Path, secret: bytes, *, region: str, clock: Clock) -> None:
        super().__init__(folder, tree_folder, secret)
        self._region, self._clock = region, clock
        journal_folder(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        tree_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._tree = TreeFiles(tree_folder)
        self._positions: OrderedDict[str, int] = OrderedDict()
        self._journal: JournalWriter | None = None
        self._refuses = ""
        self._recover()

    def size(self) -> int:
        return self._tree.size

    def last_sequence(self, writer: str, incarnation: str) -> int:
        return self._positions.get(f"{writer}/{incarnation}", -1)

    def append(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        if [entry.index for entry in entries] != list(range(self._tree.size, self._tree.size + len(entries))):
            raise DeveloperError(f"expected entries from index {self._tree.size} on, without gaps")
        with self._storing():
            self._current_journal().append([entry.leaf for entry in entries])
            self._tree.append_leaves([entry.leaf_hash for entry in entries])
        for entry in entries:
            self._remember(entry)

    def append_checkpoint(self, note: str) -> None:
        with self._storing():
            self._tree.append_note(note)

    def save_frontier(self, frontier: Frontier) -> None:
        with self._storing():
            self._tree.save_frontier(frontier)

    def load_frontier(self) -> Frontier:
        return self._tree.load_frontier()

    def compact(self) -> None:
        units, now = list_units(self._folder)[0], self._clock.now()
        open_journal = self._journal.path if self._journal else None
        for group in compaction.due(compaction.closed_journals(units, open_journal), now):
            compaction.compact(self._folder, self._secret, self._region, group, now)

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self._tree.close()
        self._refuses = "it is closed"

    @contextmanager
    def _storing(self) -> Iterator[None]:
        """Fails closed: after a failed write nobody knows what is on disk until the archive is opened anew."""
        if self._refuses:
            raise OperatorError(f"the archive takes nothing more: {self._refuses}")
        try:
            yield
        except OSError as error:
            self._refuses = f"an earlier write failed ({error.strerror})"
            raise OperatorError(
                f"the archive cannot be written ({error.strerror}): free or repair the disk, then restart the zone"
            ) from error

    def _current_journal(self) -> JournalWriter:
        now = self._clock.now()
        day = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d")
        current = self._journal
        if (
            current is not None
            and current.bytes_written < JOURNAL_BYTES_MAX
            and current.day == day
            and now - current.opened < JOURNAL_AGE_MAX_S
        ):
            return current
        if current is not None:
            current.close()
        folder, positions = journal_folder(self._folder), dict(self._positions)
        self._journal = JournalWriter(
            folder, self._secret, first=self._tree.size, day=day, now=now, positions=positions
        )
        return self._journal

    def _remember(self, entry: Entry) -> None:
        if entry.sequence < 0:
            return
        key = f"{entry.writer}/{entry.incarnation}"
        self._positions[key] = max(entry.sequence, self._positions.get(key, -1))
        self._positions.move_to_end(key)
        if len(self._positions) > POSITIONS_MAX:
            self._positions.popitem(last=False)

    def _recover(self) -> None:
        units, leftovers = list_units(self._folder)
        for path in [*leftovers, *self._folder.glob("ext/caisson/**/*.new")]:
            path.unlink()
        for unit in reversed(units):
            if not unit.is_journal or self._settle(unit):
                self._load_positions(unit)
                break
        for unit in units:
            if unit.last < 0 or unit.last >= self._tree.size:
                for entry in self._readable(unit):
                    if entry.index == self._tree.size:
                        self._tree.append_leaves([entry.leaf_hash])

    def _settle(self, unit: Unit) -> bool:
        """Cut the newest journal's torn end unless that would cut what was acknowledged; False when it is empty."""
        end, count = 0, 0
        for frame in journal.read_frames(unit.path, self._secret):
            if not isinstance(frame, Unreadable):
                end, leaves = frame
                count += len(leaves)
        acknowledged = max(0, self._tree.size - unit.first)
        if count == 0 and acknowledged == 0:
            unit.path.unlink()
            sync_folder(unit.path.parent)
            return False
        if 0 < count >= acknowledged and end < unit.path.stat().st_size:
            with unit.path.open("r+b") as file:  # truncate(2) by name is refused to a confined process on old kernels
                file.truncate(end)
        return True

    def _load_positions(self, unit: Unit) -> None:
        try:
            header = journal.head_of(unit.path) if unit.is_journal else columnar.head_of(unit.path)
        except ValueError:
            return
        self._positions.update(header.positions)
        if unit.is_journal:
            for entry in self._readable(unit):
                self._remember(entry)

    def _readable(self, unit: Unit) -> Iterator[Entry]:
        return (item for item in self._items(unit) if isinstance(item, Entry))
