"""What of a system is kept on AWS or carried through it, from the options of `up`: a place and a profile each.

    --ledger dynamodb=TABLE[@ENDPOINT] --ledger-profile NAME

ENDPOINT is a server on this machine, for tests. What is wrong ends the command with one message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from caisson.adapters.aws.api.endpoint import service_endpoint
from caisson.adapters.aws.api.objects import bucket_at
from caisson.adapters.aws.channel.address import queue_address
from caisson.cli.running import fail
from caisson.errors import StartError
from caisson.system.schema import System
from caisson.wiring.followers import buckets_of
from caisson.wiring.settings import ArchiveBuckets, ConfigurationBucket, EventQueue, LedgerTable, LogGroups
from caisson.wiring.system import DEFAULT_REGION, region_of

WRONG = 2
_TABLE = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
"""DynamoDB API reference, TableName."""
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}", re.ASCII)
"""IAM API reference, Role: path and name."""
_GROUPS = re.compile(r"/?[A-Za-z0-9_.#-]+(?:/[A-Za-z0-9_.#-]+)*")
"""CloudWatch Logs API reference, logGroupName."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    name: str
    endpoint: str
    profile: str


def ledger(text: str | None, profile: str | None, role: str | None) -> LedgerTable | None:
    """The table that `--ledger` names."""
    if text is None and role is not None:
        fail("--ledger-role wants --ledger dynamodb=TABLE.", WRONG)
    found = _placed("ledger", "dynamodb=TABLE", text, profile, _TABLE)
    if found is None:
        return None
    if role is not None and not _ROLE.fullmatch(role):
        fail(f"--ledger-role: expected the ARN of a role, found {role!r}.", WRONG)
    with _wrong("--ledger dynamodb"):
        service_endpoint("dynamodb", DEFAULT_REGION, found.endpoint)
    return LedgerTable(name=found.name, profile=found.profile, role=role or "", endpoint=found.endpoint)


def events(text: str | None, profile: str | None, system: System) -> EventQueue | None:
    """The queue that `--events` names, whose URL has its endpoint."""
    found = _placed("events", "sqs=QUEUE_URL", text, profile, endpoints=False)
    if found is None:
        return None
    with _wrong("--events sqs"):
        queue_address(found.name, region_of(system))
    return EventQueue(url=found.name, profile=found.profile)


def configuration(text: str | None, profile: str | None) -> ConfigurationBucket | None:
    """The bucket that `--configuration` names."""
    found = _placed("configuration", "s3=BUCKET", text, profile)
    if found is None:
        return None
    with _wrong("--configuration s3"):
        bucket_at(found.name, DEFAULT_REGION, found.endpoint)
    return ConfigurationBucket(name=found.name, profile=found.profile, endpoint=found.endpoint)


def archive(text: str | None, profile: str | None) -> ArchiveBuckets | None:
    """The buckets that `--archive` names."""
    found = _placed("archive", "s3=BUCKET", text, profile)
    if found is None:
        return None
    with _wrong("--archive s3"):
        buckets_of(found.name, DEFAULT_REGION, found.endpoint)
    return ArchiveBuckets(name=found.name, profile=found.profile, endpoint=found.endpoint)


def log_groups(text: str | None, profile: str | None) -> LogGroups | None:
    """The log groups that `--log-groups` names."""
    found = _placed("log-groups", "cloudwatch=PREFIX", text, profile, _GROUPS)
    if found is None:
        return None
    with _wrong("--log-groups cloudwatch"):
        service_endpoint("logs", DEFAULT_REGION, found.endpoint)
    return LogGroups(prefix=found.name, profile=found.profile, endpoint=found.endpoint)


def _placed(
    option: str,
    form: str,
    text: str | None,
    profile: str | None,
    pattern: re.Pattern[str] | None = None,
    *,
    endpoints: bool = True,
) -> _Place | None:
    """What an option of this form names; None without it."""
    kind = form.partition("=")[0]
    if text is None:
        if profile is not None:
            fail(f"--{option}-profile wants --{option} {form}.", WRONG)
        return None
    given, _, location = text.partition("=")
    name, _, endpoint = location.partition("@") if endpoints else (location, "", "")
    if given != kind or (pattern is not None and not pattern.fullmatch(name)):
        fail(f"--{option}: expected {form}, found {text!r}.", WRONG)
    if profile is None:
        wanted = f"expected --{option}-profile, found none; no credential is taken from elsewhere"
        fail(f"--{option} {kind}: {wanted}.", WRONG)
    return _Place(name=name, endpoint=endpoint, profile=profile)


@contextmanager
def _wrong(option: str) -> Iterator[None]:
    try:
        yield
    except StartError as error:
        fail(f"{option}: {error}", WRONG)
