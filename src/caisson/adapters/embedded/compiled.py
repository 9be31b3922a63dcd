"""Compiled patterns on file, so that a zone that restarts need not compile them again.

- Hyperscan trusts the databases that it loads, so each file carries an HMAC-SHA256 under a key of the zone's own, over
  its name and content. What does not verify, a torn write too, is compiled anew and replaced.
- It is a cache: losing it, or a full disk, costs seconds at the next start and nothing else.

>>> CompiledPatterns(Path("zones/runtime/state/compiled"), secret).load("0" * 64)  # doctest: +SKIP
"""

from __future__ import annotations

import hmac
import os
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILES_MAX = 64
"""Databases kept; a configuration has about ten. The oldest go first."""
DATABASE_BYTES_MAX = 64 * 2**20
_MAC_BYTES = 32
_SUFFIX = ".patterns"


class CompiledPatterns:
    """See the module.

    Args:
        folder: in the zone's private state folder; made when missing.
        secret: 32 bytes that only this zone holds.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        self._folder = folder
        info = b"caisson compiled patterns v1"
        self._key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)

    def load(self, name: str) -> bytes | None:
        """What this zone stored under the name."""
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                content = file.read(_MAC_BYTES + DATABASE_BYTES_MAX + 1)
        except OSError:
            return None
        mac, data = content[:_MAC_BYTES], content[_MAC_BYTES:]
        return data if hmac.compare_digest(mac, self._mac(name, data)) else None

    def store(self, name: str, data: bytes) -> None:
        """Keep it; what cannot be written is not kept."""
        if len(data) > DATABASE_BYTES_MAX:
            return
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            unfinished = self._folder / f"{name}.new"
            unfinished.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(self._mac(name, data) + data)
            unfinished.replace(self._path(name))
            self._prune()

    def _prune(self) -> None:
        files = sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime_ns)
        for path in files[:-FILES_MAX]:
            path.unlink()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _mac(self, name: str, data: bytes) -> bytes:
        return hmac.digest(self._key, name.encode() + b"\0" + data, "sha256")
