"""Patterns compiled when Caisson was installed: the built-in rules take seconds, and every process needs them.

Hyperscan trusts the databases that it loads, so what is read here must be as hard to alter as this program: a file
counts only if it and its folder belong to this module's owner and nobody else may write them. A database of another
processor or version of Hyperscan, or of rules that have changed since, is not used.

>>> BUILT.load("0" * 64) is None
True
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).with_name("built")
"""Filled by `python -m caisson.cli.prepare`; it need not exist."""
_SUFFIX = ".patterns"


class Built:
    """Compiled databases in a folder of the installation.

    Args:
        folder: where they are.
        owner: user id that must own the folder and the files.
    """

    def __init__(self, folder: Path, owner: int) -> None:
        self._folder = folder
        self._owner = owner

    def load(self, name: str) -> bytes | None:
        """The database of that name; None when there is none that is as trustworthy as the program."""
        try:
            if not self._trusted(self._folder.lstat()):
                return None
            path = self._folder / f"{name}{_SUFFIX}"
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                return file.read() if self._trusted(os.fstat(descriptor)) else None
        except OSError:
            return None

    def store(self, name: str, data: bytes) -> None:
        """Add a database. Raises OSError."""
        self._folder.mkdir(mode=0o755, exist_ok=True)
        unfinished = self._folder / f"{name}.new"
        unfinished.write_bytes(data)
        unfinished.chmod(0o644)
        unfinished.replace(self._folder / f"{name}{_SUFFIX}")

    def clear(self) -> None:
        """Forget all. Raises OSError."""
        for path in self._folder.glob("*"):
            path.unlink()

    def _trusted(self, found: os.stat_result) -> bool:
        return found.st_uid == self._owner and not found.st_mode & 0o022


BUILT = Built(FOLDER, Path(__file__).stat().st_uid)
