"""The control zone's repository into the bucket, in the order in which a reader may believe it.

- Every file but `timestamp.json` has a name of its own for its content, and is put once; the timestamp is put last, and
  alone makes the others count (TUF specification 1.0, section 6).
- What the publisher has swept from its folder is taken from the bucket afterwards.
- A run that was cut short is finished by the next: it begins with what the bucket holds.

>>> await Upload(Path("configuration"), objects).settle()  # doctest: +SKIP
"""

from __future__ import annotations

from pathlib import Path

from caisson.adapters.aws.api.objects import BucketRefused, Objects
from caisson.adapters.embedded.configuration.client import METADATA, TARGETS
from caisson.adapters.embedded.configuration.documents import CONTENT_BYTES_MAX
from caisson.adapters.embedded.configuration.folder import UNFINISHED, read_plain
from caisson.errors import ConfigurationError

TIMESTAMP = f"{METADATA}/timestamp.json"


class Upload:
    """One repository, one bucket. Used on one event loop."""

    def __init__(self, repository: Path, objects: Objects) -> None:
        self._repository = repository
        self._objects = objects
        self._there: set[str] | None = None
        """Names that the bucket holds; None until it was asked."""
        self._timestamp = b""

    async def settle(self) -> None:
        """Return when the bucket holds what the folder does.

        Raises:
            ConfigurationError: it does not; the next call goes on.
        """
        try:
            await self._settle()
        except (BucketRefused, OSError) as error:
            self._there = None
            raise ConfigurationError(
                f"the change is in force here and not in the bucket yet, from which other zones read: {error}"
            ) from error

    async def _settle(self) -> None:
        if self._there is None:
            self._there = {name for folder in (METADATA, TARGETS) async for name in self._objects.names(f"{folder}/")}
        wanted = self._wanted()
        for name in sorted(wanted - self._there, key=_rank):
            await self._objects.put(name, self._read(name))
            self._there.add(name)
        if (timestamp := self._read(TIMESTAMP)) != self._timestamp:
            await self._objects.put(TIMESTAMP, timestamp)
            self._timestamp = timestamp
        for name in sorted(self._there - wanted - {TIMESTAMP}):
            await self._objects.delete(name)
            self._there.discard(name)

    async def close(self) -> None:
        """Release connections."""
        await self._objects.close()

    def _wanted(self) -> set[str]:
        return {
            f"{folder}/{path.name}"
            for folder in (METADATA, TARGETS)
            for path in (self._repository / folder).iterdir()
            if not path.name.endswith(UNFINISHED)
        } - {TIMESTAMP}

    def _read(self, name: str) -> bytes:
        return read_plain(self._repository / name, bytes_max=CONTENT_BYTES_MAX)


def _rank(name: str) -> tuple[int, str]:
    """What is named comes before what names it, and a root before the timestamp that makes readers look for it."""
    folder, _, file = name.partition("/")
    role = file.rsplit(".", 2)[-2]
    return (0 if folder == TARGETS else {"orders": 1, "targets": 1, "snapshot": 2, "root": 3}.get(role, 4)), name
