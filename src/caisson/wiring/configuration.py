"""Where configuration is published and read: the folder on this machine, or a bucket of S3 that the settings name.

- The control zone goes on writing its folder; with a bucket it also puts there what it published, before it says so.
- A gateway worker then reads a copy of the bucket in a folder of its own, and verifies it as it verifies the other. Its
  first root comes from the folder, as whoever starts `up` knows whose that is.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

from caisson.adapters.aws.api.calls import Bounds, Calls
from caisson.adapters.aws.api.courier import Courier
from caisson.adapters.aws.api.objects import Bucket, Objects, bucket_at
from caisson.adapters.aws.bedrock.lease import Access
from caisson.adapters.aws.configuration import Download, Upload
from caisson.adapters.embedded.layout import Layout
from caisson.channels.table import Zone
from caisson.errors import ConfigurationError, StartError
from caisson.ports.clock import Clock
from caisson.wiring.leases import LeaseFeed
from caisson.wiring.settings import CONFIGURATION_SOCKET, PUBLICATION_SOCKET, ConfigurationBucket, Settings

LOOK_S = 0.3
"""How often a worker looks into the bucket: a revocation takes effect within a second (IAM-06)."""
QUIET_S = 1.0
"""How long a bucket that refused is left alone."""
FIRST_LOOK_S = 20.0
BOUNDS = Bounds(connect_s=2.0, total_s=5.0)
WHOSE = "configuration"

log = logging.getLogger("caisson.configuration")


def ports(bucket: ConfigurationBucket | None, region: str) -> set[int]:
    """The TCP ports that the bucket is reached on."""
    if bucket is None:
        return set()
    parts = urlsplit(_at(bucket, region).endpoint.url)
    return {parts.port or (80 if parts.scheme == "http" else 443)}


def _at(bucket: ConfigurationBucket, region: str) -> Bucket:
    return bucket_at(bucket.name, region, bucket.endpoint)


def _objects(bucket: ConfigurationBucket, region: str, access: Access, clock: Clock) -> Objects:
    at = _at(bucket, region)
    calls = Calls(at.endpoint, service="s3", region=region, clock=clock, bounds=BOUNDS)
    return Objects(calls, bucket=at, keys=access.keys, clock=clock)


class Publication:
    """What carries the control zone's repository to the others."""

    def __init__(self, upload: Upload | None = None, feed: LeaseFeed | None = None) -> None:
        self.feed = feed
        self._upload = upload

    @classmethod
    async def open(cls, settings: Settings, where: Layout, clock: Clock) -> Publication:
        """With the first lease in force. Before the process confines itself.

        Raises:
            StartError: there are no credentials for the bucket.
        """
        if settings.configuration is None:
            return cls()
        access = Access(clock, whose=WHOSE)
        feed = await LeaseFeed.connect(where.sockets / PUBLICATION_SOCKET, access, whose=WHOSE)
        return cls(Upload(where.configuration, _objects(settings.configuration, settings.region, access, clock)), feed)

    async def distribute(self) -> None:
        """Return when the bucket holds what was published.

        Raises:
            ConfigurationError: it does not yet.
        """
        if self._upload is not None:
            await self._upload.settle()

    async def close(self) -> None:
        """End the calls."""
        if self._upload is not None:
            await self._upload.close()
        if self.feed is not None:
            self.feed.close()


class Repository:
    """The folder that a gateway worker reads, and what fills it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.feed: LeaseFeed | None = None
        self._download: Download | None = None
        self._courier = Courier("configuration")

    @classmethod
    async def open(cls, settings: Settings, where: Layout, clock: Clock) -> Repository:
        """With all that is in the bucket now. Before the process confines itself, on a thread that has ended then.

        Raises:
            StartError: there are no credentials for the bucket, or it does not answer.
        """
        bucket = settings.configuration
        if bucket is None:
            return cls(where.configuration)
        made = cls(where.zone(Zone.RUNTIME, "state") / f"configuration-{settings.worker}")
        access = Access(clock, whose=WHOSE)
        made.feed = await LeaseFeed.connect(where.sockets / CONFIGURATION_SOCKET, access, whose=WHOSE)

        def download() -> Download:
            return Download(made.folder, _objects(bucket, settings.region, access, clock))

        first, courier = download(), Courier("first-configuration")
        courier.start()
        try:
            async with asyncio.timeout(FIRST_LOOK_S):
                await asyncio.wrap_future(courier.run(_once(first)))
        except (ConfigurationError, TimeoutError) as error:
            raise StartError(f"--configuration s3: {error or 'the bucket does not answer'}") from error
        finally:
            courier.stop()
        made._download = download()
        return made

    def start(self) -> None:
        """Follow the bucket. Once the process has confined itself."""
        if self._download is not None:
            self._courier.start()
            self._courier.run(_follow(self._download))

    def close(self) -> None:
        """End the calls."""
        self._courier.stop()
        if self.feed is not None:
            self.feed.close()


async def _once(download: Download) -> None:
    try:
        await download.look()
    finally:
        await download.close()


async def _follow(download: Download) -> None:
    """Look for ever. What the bucket does not give runs out by itself: orders expire, and then requests stop."""
    problem = ""
    try:
        while True:
            said = ""
            try:
                await download.look()
            except ConfigurationError as error:
                said = str(error)
            if said != problem:
                problem = said
                log.warning("%s", problem or "the bucket of the configuration answers again")
            await asyncio.sleep(QUIET_S if problem else LOOK_S)
    finally:
        await download.close()
