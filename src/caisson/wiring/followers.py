"""What follows the archive: its copy in S3, and the log groups that metrics are counted in (LOG-03, LOG-07, LOG-08)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from caisson.adapters.aws.api.calls import Bounds, Calls
from caisson.adapters.aws.api.courier import Courier
from caisson.adapters.aws.api.endpoint import service_endpoint
from caisson.adapters.aws.api.objects import Bucket, Objects, bucket_at
from caisson.adapters.aws.archive import ArchiveCopy
from caisson.adapters.aws.archive.layout import OBJECT_BYTES_MAX
from caisson.adapters.aws.bedrock.lease import Access
from caisson.adapters.aws.log_groups import Announcer
from caisson.adapters.embedded.archive import EmbeddedArchiveReader
from caisson.adapters.embedded.layout import Layout
from caisson.channels.retention import classes
from caisson.channels.table import Zone
from caisson.errors import OperatorError, StartError
from caisson.ports.clock import Clock
from caisson.protocol.sigv4 import Keys
from caisson.wiring.leases import LeaseFeed
from caisson.wiring.settings import ARCHIVE_SOCKET, LOG_GROUPS_SOCKET, ArchiveBuckets, Settings
from caisson.zones.z6_logging.checkpoints import parse_note

CLASS = "CLASS"
"""In the name of the buckets, for the class."""
STREAM = "logging-0"
"""Log stream of this zone in each group."""
BOUNDS = Bounds(connect_s=2.0, total_s=60.0, response_bytes=OBJECT_BYTES_MAX)
LOOK_S = 1.0
QUIET_S = 10.0
"""How long a service that refused is left alone."""
FIRST_SECONDS_MAX = 10.0
LAST_SECONDS_MAX = 15.0

log = logging.getLogger("caisson.followers")


def buckets_of(name: str, region: str, endpoint: str = "") -> dict[str, Bucket]:
    """Class to bucket. `CLASS` in the name stands for the class; without it one bucket takes all of them.

    Raises:
        StartError: the name is none of a bucket.
    """
    return {each: bucket_at(name.replace(CLASS, each), region, endpoint) for each in classes()}


def ports(settings: Settings) -> set[int]:
    """The TCP ports that buckets and log groups are reached on."""
    archive, groups, found = settings.archive, settings.log_groups, []
    if archive is not None:
        found = [one.endpoint for one in buckets_of(archive.name, settings.region, archive.endpoint).values()]
    if groups is not None:
        found.append(service_endpoint("logs", settings.region, groups.endpoint))
    urls = [urlsplit(endpoint.url) for endpoint in found]
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


class Follower:
    """Something that follows the archive on a thread of its own, and holds up nothing."""

    def __init__(
        self,
        what: str,
        option: str,
        settle: Callable[[bool], Awaitable[int]],
        close: Callable[[], Awaitable[None]],
        feed: LeaseFeed,
    ) -> None:
        """`settle` goes on, with True as far as it can; `what` it is and which `option` asked for it, in messages."""
        self.feed = feed
        self._what, self._option, self._settle, self._close = what, option, settle, close
        self._courier = Courier(option)
        self._turn = asyncio.Lock()
        self._stopped = False

    async def start(self) -> None:
        """Go on for as long as a start may take, and then beside it. Once the process has confined itself.

        Raises:
            StartError: it cannot.
        """
        self._courier.start()
        try:
            async with asyncio.timeout(FIRST_SECONDS_MAX):
                await asyncio.wrap_future(self._courier.run(self._go_on()))
        except OperatorError as error:
            raise StartError(f"--{self._option}: {error}") from error
        except TimeoutError:
            log.info("%s is behind, and catches up", self._what)
        self._courier.run(self._follow())

    async def finish(self) -> None:
        """Go on once more, and end the calls."""
        if self._courier.runs:
            try:
                async with asyncio.timeout(LAST_SECONDS_MAX):
                    await asyncio.wrap_future(self._courier.run(self._finish()))
            except (OperatorError, TimeoutError) as error:
                log.warning("%s: the next start goes on: %s", self._what, error or "no answer in time")
        self._courier.stop()
        self.feed.close()

    async def _go_on(self, *, whole: bool = True) -> None:
        async with self._turn:  # its end comes while it goes on
            await self._settle(whole)

    async def _finish(self) -> None:
        self._stopped = True
        try:
            await self._go_on()
        finally:
            await self._close()

    async def _follow(self) -> None:
        problem = ""
        while not self._stopped:
            said = ""
            try:
                await self._go_on(whole=False)
            except OperatorError as error:
                said = str(error)
            if said != problem:
                problem = said
                log.warning("%s %s", self._what, f"waits: {said}" if said else "goes on")
            await asyncio.sleep(QUIET_S if problem else LOOK_S)


async def followers(settings: Settings, where: Layout, clock: Clock, secret: bytes) -> tuple[Follower, ...]:
    """What the settings want to follow the archive, with the first leases in force. Before the process confines itself.

    Raises:
        StartError: there are no credentials for one.
    """
    found = []
    state = where.zone(Zone.LOGGING, "state")
    archive = EmbeddedArchiveReader(where.zone(Zone.LOGGING, "archive"), where.zone(Zone.LOGGING, "tree"), secret)
    if settings.archive is not None:
        access = Access(clock, whose="archive")
        feed = await LeaseFeed.connect(where.sockets / ARCHIVE_SOCKET, access, whose="archive")
        buckets = objects_of(settings.archive, settings.region, access.keys, clock)
        copy = ArchiveCopy(archive, buckets, state / "copy.json", clock, signed_size=_size)
        found.append(Follower("the copy of the archive", "archive s3", _forced(copy), copy.close, feed))
    if settings.log_groups is not None:
        groups = settings.log_groups
        access = Access(clock, whose="log groups")
        feed = await LeaseFeed.connect(where.sockets / LOG_GROUPS_SOCKET, access, whose="log groups")
        endpoint = service_endpoint("logs", settings.region, groups.endpoint)
        calls = Calls(endpoint, service="logs", region=settings.region, clock=clock, bounds=BOUNDS)
        announcer = Announcer(
            archive,
            calls,
            access.keys,
            prefix=groups.prefix,
            stream=STREAM,
            memory=state / "announced.json",
            clock=clock,
        )
        said = "what goes to the log groups"
        found.append(Follower(said, "log-groups cloudwatch", _whole(announcer), announcer.close, feed))
    return tuple(found)


def _forced(copy: ArchiveCopy) -> Callable[[bool], Awaitable[int]]:
    return lambda force: copy.settle(force=force)


def _whole(announcer: Announcer) -> Callable[[bool], Awaitable[int]]:
    return lambda _force: announcer.settle()


def _size(note: str) -> int:
    """Entries under a checkpoint of our own archive; 0 when it cannot be read."""
    try:
        return parse_note(note)[0].size
    except ValueError:
        return 0
