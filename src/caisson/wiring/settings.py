"""What `up` tells each process: one private JSON file a process, in its own state folder.

The system itself is not in here. Zones take it from the signed configuration.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Literal

import msgspec

from caisson.adapters.embedded.isolation.users import UserPlan
from caisson.adapters.embedded.keys import BEFORE
from caisson.adapters.embedded.layout import Layout, layout
from caisson.channels.table import Zone
from caisson.policy.exposure import LOOPBACK

FILE = "settings.json"
UPSTREAM_SOCKET = "upstream.sock"
"""Where the gateway gets the leases of the upstream's credentials."""
LEDGER_SOCKET = "ledger.sock"
"""Where it gets those of the ledger's credentials."""
EVENTS_SOCKET = "events.sock"
"""Where it gets those with which it sends events."""
ARRIVALS_SOCKET = "arrivals.sock"
"""Where the logging zone gets those with which it receives them."""
PUBLICATION_SOCKET = "publication.sock"
"""Where the control zone gets those with which it puts the configuration into a bucket."""
CONFIGURATION_SOCKET = "configuration.sock"
"""Where the gateway gets those with which it reads it there."""
ARCHIVE_SOCKET = "archive.sock"
"""Where the logging zone gets those with which it copies the archive."""
LOG_GROUPS_SOCKET = "log-groups.sock"
"""Where it gets those with which it says in log groups what it archived."""
GATEWAY = "gateway"
"""Process name of the first gateway worker, and the group of all of them."""
METRICS = "metrics"
"""Folder in the runtime zone's state where gateway workers leave their counts."""


def worker_name(worker: int) -> str:
    """Process name of a gateway worker.

    >>> worker_name(0), worker_name(1)
    ('gateway', 'gateway-1')
    """
    return f"{GATEWAY}-{worker}" if worker else GATEWAY


class Upstream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model answers."""

    kind: Literal["offline", "script", "openai", "bedrock"]
    location: str = ""
    """The script's path or the server's URL; of `bedrock`, an endpoint on this machine, for tests."""
    api_key: str = ""
    """Of the named profile; only the gateway's settings hold it (SEC-07)."""
    profile: str = ""
    """Of `bedrock`: the AWS profile that the upstream process resolves. Its credentials are in no file of ours."""


class LedgerTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table in DynamoDB that holds the budgets."""

    name: str
    profile: str
    """The AWS profile that the process `ledger-keys` resolves. Its credentials are in no file of ours."""
    role: str = ""
    """ARN of the role that is assumed once a session; empty: the profile's own credentials for all of them."""
    endpoint: str = ""
    """A server on this machine instead of DynamoDB and STS, for tests."""


class EventQueue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The queue in SQS that carries the gateway's events."""

    url: str
    """Of the queue; its host may be a server on this machine instead of SQS, for tests."""
    profile: str
    """The AWS profile that the process `events-keys` resolves. Its credentials are in no file of ours."""


class ConfigurationBucket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bucket in S3 that carries configuration and orders to the gateway."""

    name: str
    profile: str
    """The AWS profile that the process `configuration-keys` resolves. Its credentials are in no file of ours."""
    endpoint: str = ""
    """A server on this machine instead of S3, for tests."""


class ArchiveBuckets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The buckets in S3 that hold a copy of the archive."""

    name: str
    """`CLASS` in it stands for the class; without it one bucket takes all of them."""
    profile: str
    """The AWS profile that the process `archive-keys` resolves. Its credentials are in no file of ours."""
    endpoint: str = ""
    """A server on this machine instead of S3, for tests."""


class LogGroups(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The log groups of CloudWatch that hold what metrics are counted in."""

    prefix: str
    """Of their names, before `/CLASS`."""
    profile: str
    """The AWS profile that the process `log-groups-keys` resolves. Its credentials are in no file of ours."""
    endpoint: str = ""
    """A server on this machine instead of CloudWatch Logs, for tests."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For every process."""

    data: str
    system: str
    region: str
    owner_uid: int
    """Who started `up`; `owner` in the system file."""
    first_uid: int | None
    """First number of the zones' own users; None without own users."""
    publics: dict[str, dict[str, str]]
    """Zone label to key name to public key, base64."""
    host: str = LOOPBACK
    port: int = 0
    upstream: Upstream | None = None
    ledger: LedgerTable | None = None
    """None: the budgets are in a file of the runtime zone."""
    events: EventQueue | None = None
    """None: the gateway's events go into the spool that the logging zone owns."""
    configuration: ConfigurationBucket | None = None
    """None: the gateway reads the folder that the control zone publishes."""
    archive: ArchiveBuckets | None = None
    """None: the archive is not copied."""
    log_groups: LogGroups | None = None
    """None: nothing goes to log groups."""
    ingress: str = ""
    """Public name of what forwards requests to the gateway; empty: clients call it themselves."""
    worker: int = 0
    """Number of this gateway worker, from 0."""
    workers: int = 1
    """How many gateway workers there are."""
    otlp: str = ""
    """URL of an OpenTelemetry collector; empty: nothing is exported."""

    def public(self, zone: str, name: str) -> bytes:
        """A public key of another zone."""
        return base64.b64decode(self.publics[zone][name])

    def publics_of(self, zone: str, name: str) -> tuple[bytes, ...]:
        """The same, and the one before it when there is one: what it signed may wait unread."""
        held = self.publics[zone]
        return tuple(base64.b64decode(held[each]) for each in (name, f"{name}{BEFORE}") if each in held)

    def layout(self) -> Layout:
        """Where things are."""
        return layout(Path(self.data), UserPlan(first=self.first_uid, reason=""))


class Door(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A socket on which one zone is lent credentials."""

    socket: str
    zone: Zone


class Lending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For a process that resolves an AWS profile. It holds no secret."""

    data: str
    region: str
    first_uid: int | None
    """As in `Settings`."""
    profile: str
    option: str
    """What of the command line asked for it, for messages."""
    doors: tuple[Door, ...]
    workers: int
    """How many gateway workers there are."""

    def layout(self) -> Layout:
        """Where things are."""
        return layout(Path(self.data), UserPlan(first=self.first_uid, reason=""))


def store(path: Path, settings: Settings | Lending) -> None:
    """Write a process's settings, readable by their owner only."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(msgspec.json.encode(settings))
    new.replace(path)


def read(path: Path) -> Settings:
    """Those of a zone's process."""
    return msgspec.json.decode(path.read_bytes(), type=Settings)


def read_lending(path: Path) -> Lending:
    """Those of a process that lends."""
    return msgspec.json.decode(path.read_bytes(), type=Lending)
