"""The copy of the archive in S3: what carries it there, and what reads it (LOG-07, LOG-08)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from caisson.adapters.aws.api.calls import Bounds, Calls
from caisson.adapters.aws.api.courier import Courier
from caisson.adapters.aws.api.objects import Bucket, Objects, bucket_at
from caisson.adapters.aws.archive import ArchiveCopy
from caisson.adapters.aws.archive.layout import OBJECT_BYTES_MAX
from caisson.adapters.aws.bedrock.lease import Access
from caisson.adapters.embedded.archive import EmbeddedArchiveReader
from caisson.adapters.embedded.layout import Layout
from caisson.channels.retention import classes
from caisson.channels.table import Zone
from caisson.errors import OperatorError, StartError
from caisson.ports.clock import Clock
from caisson.protocol.sigv4 import Keys
from caisson.wiring.leases import LeaseFeed
from caisson.wiring.settings import ARCHIVE_SOCKET, ArchiveBuckets, Settings
from caisson.zones.z6_logging.checkpoints import parse_note

CLASS = "CLASS"
"""In the name of the buckets, for the class."""
MEMORY = "copy.json"
BOUNDS = Bounds(connect_s=2.0, total_s=60.0, response_bytes=OBJECT_BYTES_MAX)
LOOK_S = 1.0
QUIET_S = 10.0
"""How long buckets that refused are left alone."""
FIRST_COPY_S = 10.0
LAST_COPY_S = 15.0

log = logging.getLogger("caisson.copies")


def buckets_of(name: str, region: str, endpoint: str = "") -> dict[str, Bucket]:
    """Class to bucket. `CLASS` in the name stands for the class; without it one bucket takes all of them.

    Raises:
        StartError: the name is none of a bucket.
    """
    return {each: bucket_at(name.replace(CLASS, each), region, endpoint) for each in classes()}


def ports(archive: ArchiveBuckets | None, region: str) -> set[int]:
    """The TCP ports that the buckets are reached on."""
    if archive is None:
        return set()
    urls = [urlsplit(one.endpoint.url) for one in buckets_of(archive.name, region, archive.endpoint).values()]
    return {parts.port or (80 if parts.scheme == "http" else 443) for parts in urls}


def objects_of(archive: ArchiveBuckets, region: str, keys: Callable[[], Keys], clock: Clock) -> Mapping[str, Objects]:
    """Class to what reads and writes its bucket."""
    return {
        each: Objects(
            Calls(bucket.endpoint, service="s3", region=region, clock=clock, bounds=BOUNDS),
            bucket=bucket,
            keys=keys,
            clock=clock,
        )
        for each, bucket in buckets_of(archive.name, region, archive.endpoint).items()
    }


class Copies:
    """What the logging zone keeps going beside its archive."""

    def __init__(self, copy: ArchiveCopy | None = None, feed: LeaseFeed | None = None) -> None:
        self.feed = feed
        self._copy = copy
        self._courier = Courier("archive-copy")
        self._stop = asyncio.Event()

    @classmethod
    async def open(cls, settings: Settings, where: Layout, clock: Clock, secret: bytes) -> Copies:
        """With the first lease in force. Before the process confines itself.

        Raises:
            StartError: there are no credentials for the buckets.
        """
        if settings.archive is None:
            return cls()
        access = Access(clock, whose="archive")
        feed = await LeaseFeed.connect(where.sockets / ARCHIVE_SOCKET, access, whose="archive")
        archive = EmbeddedArchiveReader(where.zone(Zone.LOGGING, "archive"), where.zone(Zone.LOGGING, "tree"), secret)
        buckets = objects_of(settings.archive, settings.region, access.keys, clock)
        memory = where.zone(Zone.LOGGING, "state") / MEMORY
        return cls(ArchiveCopy(archive, buckets, memory, clock, signed_size=_size), feed)

    async def start(self) -> None:
        """Copy what waits, for as long as a start may take, and go on. Once the process has confined itself.

        Raises:
            StartError: the buckets do not take it.
        """
        if self._copy is None:
            return
        self._courier.start()
        try:
            async with asyncio.timeout(FIRST_COPY_S):
                await asyncio.wrap_future(self._courier.run(self._copy.settle(force=True)))
        except OperatorError as error:
            raise StartError(f"--archive s3: {error}") from error
        except TimeoutError:
            log.info("the copy of the archive is behind, and catches up")
        self._courier.run(self._follow(self._copy))

    async def finish(self) -> None:
        """Copy what was signed last, and end the calls."""
        if self._copy is not None and self._courier.runs:
            try:
                async with asyncio.timeout(LAST_COPY_S):
                    await asyncio.wrap_future(self._courier.run(self._finish(self._copy)))
            except (OperatorError, TimeoutError) as error:
                log.warning("the next start copies what is left: %s", error or "the buckets do not answer")
        self._courier.stop()
        if self.feed is not None:
            self.feed.close()

    async def _finish(self, copy: ArchiveCopy) -> None:
        self._stop.set()
        try:
            await copy.settle(force=True)
        finally:
            await copy.close()

    async def _follow(self, copy: ArchiveCopy) -> None:
        problem = ""
        while not self._stop.is_set():
            said = ""
            try:
                await copy.settle()
            except OperatorError as error:
                said = str(error)
            if said != problem:
                problem = said
                log.warning("%s", f"the copy of the archive waits: {said}" if said else "the archive is copied again")
            await asyncio.sleep(QUIET_S if problem else LOOK_S)


def _size(note: str) -> int:
    """Entries under a checkpoint of our own archive; 0 when it cannot be read."""
    try:
        return parse_note(note)[0].size
    except ValueError:
        return 0
