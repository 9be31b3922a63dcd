"""Folders made and handed over by descriptors, so that no link on the way leads `up` elsewhere while it is root.

- Every component is opened without following links; a link is an error.
- A file with a second name is not handed over: the other name could be anywhere.

>>> create_folder(Path("/srv/data"), "spool/events", Ownership(uid=61190, gid=61190), 0o3733)  # doctest: +SKIP
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from caisson.errors import StartError

ENTRIES_MAX = 1_000_000
"""Entries beneath one folder that are handed over; a spool or an archive holds thousands."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """Numeric user and group."""

    uid: int
    gid: int


def create_folder(root: Path, path: str, ownership: Ownership, mode: int) -> None:
    """Make the folder beneath `root` when it is missing, and give it its owner and mode in any case.

    Raises:
        StartError: something on the way is not a folder, or belongs to somebody else and we are not root.
    """
    *parents, name = path.split("/")
    with _opened(root, parents) as parent:
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
        except FileExistsError:
            pass
        except OSError as error:
            raise StartError(f"expected to make the folder {str(root / path)!r}, found {error.strerror!r}") from error
    with _opened(root, [*parents, name]) as folder:
        try:
            status = os.fstat(folder)
            given = (status.st_uid, status.st_gid) != (ownership.uid, ownership.gid)
            if given:
                os.fchown(folder, ownership.uid, ownership.gid)
            if given or stat.S_IMODE(status.st_mode) != mode:
                os.fchmod(folder, mode)
        except OSError as error:
            raise StartError(
                f"expected the folder {str(root / path)!r} to be ours, found user {status.st_uid} ({error.strerror}); "
                "run as the user who made the data folder"
            ) from error


def hand_over(root: Path, path: str, ownership: Ownership, *, keep: frozenset[int]) -> None:
    """Give all beneath the folder to its owner, except what belongs to one of `keep`. Needs root.

    Raises:
        StartError: a file has a second name, or there are more than ENTRIES_MAX entries.
    """
    entries = 0
    with _opened(root, path.split("/")) as folder:
        for _, names, files, descriptor in os.fwalk(".", dir_fd=folder, follow_symlinks=False):
            for name in (*names, *files):
                entries += 1
                if entries > ENTRIES_MAX:
                    raise StartError(f"expected at most {ENTRIES_MAX} entries beneath {str(root / path)!r}, found more")
                _give(descriptor, name, ownership, keep, root / path)


def _give(descriptor: int, name: str, ownership: Ownership, keep: frozenset[int], where: Path) -> None:
    status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    if status.st_uid in keep or (status.st_uid, status.st_gid) == (ownership.uid, ownership.gid):
        return
    if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
        raise StartError(f"expected files with one name beneath {str(where)!r}, found {name!r} with more; remove it")
    os.chown(name, ownership.uid, ownership.gid, dir_fd=descriptor, follow_symlinks=False)


@contextmanager
def _opened(root: Path, names: list[str]) -> Iterator[int]:
    descriptor = os.open(root, _FOLDER)
    try:
        for name in names:
            try:
                below = os.open(name, _FOLDER, dir_fd=descriptor)
            except OSError as error:
                found = error.strerror
                raise StartError(
                    f"expected a folder at {'/'.join(names)!r} in {str(root)!r}, found {found!r}"
                ) from error
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)
