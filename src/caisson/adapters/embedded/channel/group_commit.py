"""One sync for all who wait: group commit (DeWitt et al., SIGMOD 1984).

- A round covers what was written before it began. Callers who come during a round share the next one.
- One worker thread takes turns: what was retired earlier is synced and closed before a later round answers.
- After a failed sync the system may have dropped what it held, and the next sync of that file would not say so
  (fsync(2), since Linux 4.13). Such a file stays in doubt, and nothing counts as stable, until its reader has taken it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from caisson.adapters.embedded.channel.disk import Disk
from caisson.adapters.embedded.channel.segment import SegmentName


@dataclass(kw_only=True)
class SegmentFile:
    """A segment's open file."""

    name: SegmentName
    descriptor: int
    named: bool = False
    """The file's name is on stable storage."""


class InDoubt(Exception):  # noqa: N818  (a state, which the writer turns into its error)
    """A file that the disk did not confirm."""


class GroupCommit:
    """Syncs of one writer.

    Args:
        progress: how many records there are and the file that the last of them went to, at this moment.
        unread: whether the reader still has to take the named file.
    """

    def __init__(
        self,
        disk: Disk,
        *,
        label: str,
        progress: Callable[[], tuple[int, SegmentFile | None]],
        unread: Callable[[str], bool],
    ) -> None:
        self._disk = disk
        self._progress = progress
        self._unread = unread
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"sync-{label}")
        self._round: asyncio.Task[None] | None = None
        self._doubtful: list[str] = []
        """Appended to by the worker, removed from by the loop."""
        self._stable_length = 0

    async def wait(self) -> None:
        """Return when all that is written now is on stable storage.

        Raises:
            InDoubt: names a file that the disk did not confirm.
        """
        target, _ = self._progress()
        while self._stable_length < target:
            if self._round is None:
                self._round = asyncio.get_running_loop().create_task(self._sync())
                self._round.add_done_callback(_retrieve)
            await asyncio.shield(self._round)  # one caller's cancellation is not everybody's
        self._raise_doubt()

    def retire(self, file: SegmentFile) -> None:
        """Sync and close a file that gets no more frames, behind whatever the worker does."""
        self._worker.submit(self._sync_and_close, file)

    def is_doubtful(self, file: SegmentFile) -> bool:
        """Whether the disk did not confirm this file."""
        return str(file.name) in self._doubtful

    def close(self) -> None:
        """Return when everything retired is synced and closed."""
        self._worker.shutdown(wait=True)

    async def _sync(self) -> None:
        try:
            covered, file = self._progress()
            if file is None:  # all that there is was retired
                await asyncio.get_running_loop().run_in_executor(self._worker, int)
            else:
                await asyncio.get_running_loop().run_in_executor(self._worker, self._sync_file, file)
            self._raise_doubt()
            self._stable_length = covered
        finally:
            self._round = None

    def _sync_file(self, file: SegmentFile) -> None:
        if self.is_doubtful(file):
            return
        try:
            self._disk.sync(file.descriptor, created=not file.named)
            file.named = True
        except OSError:
            self._doubtful.append(str(file.name))

    def _sync_and_close(self, file: SegmentFile) -> None:
        self._sync_file(file)
        self._disk.close(file.descriptor)

    def _raise_doubt(self) -> None:
        for name in list(self._doubtful):
            if not self._unread(name):
                self._doubtful.remove(name)
        if self._doubtful:
            raise InDoubt(self._doubtful[0])


def _retrieve(task: asyncio.Task[None]) -> None:
    """Look at a round's error when all its callers were cancelled, so that asyncio does not report it as lost."""
    if not task.cancelled():
        task.exception()
