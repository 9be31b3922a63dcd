"""Files that appear whole or not at all, and are read only when they are plain files.

- A file is written beside its place, synced, then renamed: a reader sees the old one or the new one.
- A file is opened without following links and without waiting for a writer (a FIFO planted in its place).

>>> write_whole(Path("configuration/metadata/timestamp.json"), b"{}")  # doctest: +SKIP
>>> read_plain(Path("configuration/metadata/timestamp.json"), bytes_max=16_384)  # doctest: +SKIP
b'{}'
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from caisson.errors import ConfigurationError

UNFINISHED = ".unfinished"
"""Suffix of what a crash may leave behind; the publisher sweeps it away."""


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` at `path`. On stable storage once `sync` of the folder returned.

    Raises:
        OSError: the disk refused; what was at `path` is still there.
    """
    unfinished = path.with_name(f".{secrets.token_hex(8)}{UNFINISHED}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)  # readers run as other users, whatever this process' umask is
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def sync(folder: Path) -> None:
    """Return when the folder's names are on stable storage."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_plain(path: Path) -> int:
    """A descriptor to read from.

    Raises:
        OSError: it is not there, or not this user's to read.
        ConfigurationError: it is not a plain file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ConfigurationError(f"damaged: expected a plain file at {path}, found something else")
    return descriptor


def read_plain(path: Path, *, bytes_max: int) -> bytes:
    """The whole file.

    Raises:
        OSError: as `open_plain`.
        ConfigurationError: as `open_plain`, or longer than `bytes_max`.
    """
    with os.fdopen(open_plain(path), "rb") as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise ConfigurationError(f"damaged: expected at most {bytes_max} bytes at {path}, found more")
    return content
