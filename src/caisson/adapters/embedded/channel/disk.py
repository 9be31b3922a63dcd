"""What a writer asks of the operating system, as a capability, so that tests hold a failing disk."""

from __future__ import annotations

import fcntl
import mmap
import os
import stat
from pathlib import Path

from caisson.errors import ChannelError


class Disk:
    """The machine's disk. Python retries interrupted calls by itself (PEP 475)."""

    def create(self, path: Path, mode: int) -> int:
        """A descriptor of a new file that can only be appended to.

        Appending keeps records whole behind a file that somebody else cut: the gap is seen, nothing is overwritten.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        os.fchmod(descriptor, mode)  # past the process's umask
        return descriptor

    def open_locked(self, path: Path) -> int:
        """A descriptor of a private file, made when missing, that no other process has open in this way.

        The lock ends with the process, whatever ends it.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise ChannelError(
                f"{path}: another process writes as {path.stem!r}; give each writer its own name"
            ) from error
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Append; returns how many bytes the system took."""
        return os.write(descriptor, data)

    def map(self, descriptor: int, size: int) -> mmap.mmap:
        """The file's first `size` bytes as memory that outlives the process; what they lack is written as zeros first.

        A mapped page without a block behind it would end the process on a full disk, so the blocks come first.
        """
        os.pwrite(descriptor, os.pread(descriptor, size, 0).ljust(size, b"\0"), 0)
        return mmap.mmap(descriptor, size)

    def sync(self, descriptor: int, *, created: bool) -> None:
        """Return when the file's data is on stable storage; with `created`, its name too.

        A name reaches storage with the new file's own fsync (ext4, XFS and btrfs commit both together), since a
        folder that denies listing cannot be opened for an fsync of its own.
        """
        if created:
            os.fsync(descriptor)
        else:
            os.fdatasync(descriptor)

    def close(self, descriptor: int) -> None:
        """Release a descriptor."""
        os.close(descriptor)


def segment_mode(spool: Path) -> int:
    """Mode of the files that a writer leaves in the spool: as narrow as lets the folder's owner, the reader, read them.

    A writer of the same user needs no one else; a set-group-id folder hands its files to the reader's group. Else
    everybody may read what is sealed anyway and whose name nobody may list.
    """
    status = spool.stat()
    if status.st_uid == os.geteuid():
        return 0o600
    return 0o640 if status.st_mode & stat.S_ISGID else 0o644
