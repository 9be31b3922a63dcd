"""The bucket's repository into a folder of the zone that reads it.

- Nothing is verified here beyond what it takes to know the next name; whoever reads the folder verifies all of it.
- `timestamp.json` is looked at often, by its ETag; what it names is fetched when it changes, and put in place before.
- What is in the folder already is fetched again unless it is what its name or the metadata above says.
- What the last two timestamps name stays, so that a reader in the middle of a refresh finds what it looks for.

>>> await Download(Path("arrived"), objects).look()  # doctest: +SKIP
True
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from caisson.adapters.aws.api.objects import BucketRefused, Objects
from caisson.adapters.embedded.configuration.client import (
    METADATA,
    ROLE_BYTES_MAX,
    ROOT_BYTES_MAX,
    ROOT_ROTATIONS_MAX,
    TARGETS,
    TIMESTAMP_BYTES_MAX,
)
from caisson.adapters.embedded.configuration.documents import CONFIGURATION, CONTENT_BYTES_MAX, ORDERS
from caisson.adapters.embedded.configuration.folder import read_plain, write_whole
from caisson.adapters.embedded.configuration.signing import ORDERS_ROLE
from caisson.errors import ConfigurationError

TIMESTAMP = f"{METADATA}/timestamp.json"
VERSION_MAX = 2**53
_HASH = re.compile(r"[0-9a-f]{64}")
_ROOT = re.compile(r"([1-9][0-9]{0,15})\.root\.json")


class Download:
    """One bucket, one folder. Used on one event loop.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, folder: Path, objects: Objects) -> None:
        self._folder = folder
        self._objects = objects
        self._etag = ""
        self._named: set[str] = set()
        """What the timestamp in the folder names."""
        for name in (METADATA, TARGETS):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    async def look(self) -> bool:
        """Fetch what is new; whether anything was.

        Raises:
            ConfigurationError: the bucket does not answer, what it holds names nothing that can be fetched, or the
                folder cannot be written. What was in the folder stays.
        """
        try:
            found = await self._objects.get(TIMESTAMP, bytes_max=TIMESTAMP_BYTES_MAX, unless=self._etag)
            if found is None:
                return False
            await self._roots()
            named = await self._fetched(found.content)
            write_whole(self._folder / TIMESTAMP, found.content)
            self._sweep(named | self._named)
        except BucketRefused as error:
            raise ConfigurationError(f"the bucket of the configuration: {error}") from error
        except OSError as error:
            raise ConfigurationError(f"the folder {self._folder} cannot be written ({error.strerror})") from error
        self._etag, self._named = found.etag, named
        return True

    async def close(self) -> None:
        """Release connections."""
        await self._objects.close()

    async def _roots(self) -> None:
        """Every root after the newest that is here."""
        here = [int(match[1]) for path in (self._folder / METADATA).iterdir() if (match := _ROOT.fullmatch(path.name))]
        first = max(here, default=0) + 1
        for version in range(first, first + ROOT_ROTATIONS_MAX):
            name = f"{METADATA}/{version}.root.json"
            found = await self._objects.get(name, bytes_max=ROOT_BYTES_MAX)
            if found is None:
                return
            write_whole(self._folder / name, found.content)

    async def _fetched(self, timestamp: bytes) -> set[str]:
        """Names of all that the timestamp names; they are in the folder."""
        snapshot_name = f"{METADATA}/{_version(_meta(timestamp, 'snapshot.json'))}.snapshot.json"
        snapshot = await self._fetch(snapshot_name, ROLE_BYTES_MAX, _hash(_meta(timestamp, "snapshot.json")))
        named = {snapshot_name}
        for role, path in (("targets", CONFIGURATION), (ORDERS_ROLE, ORDERS)):
            told = _meta(snapshot, f"{role}.json")
            name = f"{METADATA}/{_version(told)}.{role}.json"
            metadata = await self._fetch(name, ROLE_BYTES_MAX, _hash(told))
            content_hash = _hash(_target(metadata, path))
            content_name = f"{TARGETS}/{content_hash}.{path}"
            await self._fetch(content_name, CONTENT_BYTES_MAX, content_hash)
            named |= {name, content_name}
        return named

    async def _fetch(self, name: str, bytes_max: int, digest: str) -> bytes:
        path = self._folder / name
        try:
            here = read_plain(path, bytes_max=bytes_max)
        except (OSError, ConfigurationError):
            here = b""
        if here and digest and sha256(here).hexdigest() == digest:
            return here
        found = await self._objects.get(name, bytes_max=bytes_max)
        if found is None:
            return b""  # the reader says that it is missing
        write_whole(path, found.content)
        return found.content

    def _sweep(self, kept: set[str]) -> None:
        for folder in (METADATA, TARGETS):
            for path in (self._folder / folder).iterdir():
                name = f"{folder}/{path.name}"
                if name not in kept and name != TIMESTAMP and not _ROOT.fullmatch(path.name):
                    path.unlink(missing_ok=True)


def _meta(metadata: bytes, file: str) -> Any:
    """What a timestamp or snapshot says of a file; nothing when it says nothing that can be read."""
    return _at(metadata, "signed", "meta", file)


def _target(metadata: bytes, path: str) -> Any:
    return _at(metadata, "signed", "targets", path)


def _at(metadata: bytes, *path: str) -> Any:
    try:
        found = msgspec.json.decode(metadata)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _version(told: Any) -> int:
    """0, which nothing is called, where there is none."""
    found = told.get("version")
    return found if type(found) is int and 0 < found < VERSION_MAX else 0


def _hash(told: Any) -> str:
    found = told.get("hashes")
    digest = found.get("sha256") if isinstance(found, dict) else None
    return digest if isinstance(digest, str) and _HASH.fullmatch(digest) else ""
