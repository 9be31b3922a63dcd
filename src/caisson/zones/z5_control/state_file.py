"""Private state of this zone in small files that appear whole or not at all.

>>> write_whole(Path("state/control.json"), b"{}")  # doctest: +SKIP
"""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path`, on stable storage, readable by this zone only.

    Raises:
        OSError: the disk refused; what was at `path` is still there.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")  # one name: this zone has one process, a crash leaves one
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Return when the folder's names are on stable storage."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
