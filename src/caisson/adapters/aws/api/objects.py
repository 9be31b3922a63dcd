"""The objects of one bucket of S3: put, get, list, delete, each tried again while that may help (S3 API reference).

- A name is of characters that no encoding changes, so that what is signed is what is sent.
- Every put carries its SHA-256, which a bucket with Object Lock asks for and S3 verifies.
- `put_new` never replaces. What was written by an attempt whose answer was lost is known again by its content.

>>> await objects.put_new("metadata/1.root.json", b"{}")  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import random
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote
from xml.etree.ElementTree import Element

from caisson.adapters.aws.api.calls import RESPONSE_BYTES_MAX, CallFailed, Calls, Reply
from caisson.adapters.aws.api.endpoint import Endpoint, service_endpoint
from caisson.adapters.aws.api.markup import parsed
from caisson.errors import OperatorError, StartError
from caisson.ports.clock import Clock
from caisson.protocol.sigv4 import Keys

BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
"""S3 user guide, bucketnamingrules; without dots, which no certificate of S3 covers."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/=-]{0,511}")
BUSY_SECONDS_MAX = 8.0
PAUSE_S, PAUSE_MAX_S = 0.05, 1.0
LISTED_MAX = 500
"""Names in one answer, which then is shorter than what `parsed` reads."""
_PASSING = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted",
                      "ConditionalRequestConflict"})  # fmt: skip
"""Besides those of every service (S3 API reference, error responses)."""
MISSING = 404
_NO_OBJECT = frozenset({"NoSuchKey", "Status404"})
"""Of the codes with that status: a bucket that is missing is another thing."""


class BucketRefused(OperatorError):  # noqa: N818  (what became of a call)
    """The bucket does not do it, or nobody knows whether it did."""


class Taken(BucketRefused):
    """The name holds something else."""


@dataclass(frozen=True, kw_only=True)
class Object:
    """An object's content, and what tells this version from another."""

    content: bytes
    etag: str


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Where a bucket answers."""

    endpoint: Endpoint
    prefix: bytes
    """Of every path."""


def bucket_at(name: str, region: str, override: str = "") -> Bucket:
    """A bucket of S3, or one on a server on this machine for tests.

    Raises:
        StartError: the name is none of a bucket, or the override is no address of this machine.
    """
    if not BUCKET.fullmatch(name):
        raise StartError(f"expected the name of a bucket without dots, found {name!r}")
    if override:
        return Bucket(endpoint=service_endpoint("s3", region, override), prefix=f"/{name}".encode())
    return Bucket(endpoint=service_endpoint(f"{name}.s3", region), prefix=b"")


class Objects:
    """One bucket. Used on one event loop."""

    def __init__(
        self,
        calls: Calls,
        *,
        bucket: Bucket,
        keys: Callable[[], Keys],
        clock: Clock,
        busy_s: float = BUSY_SECONDS_MAX,
    ) -> None:
        """`keys` signs each call, which is tried again for `busy_s`."""
        self._calls, self._keys, self._clock = calls, keys, clock
        self._prefix, self._busy_s = bucket.prefix, busy_s

    async def put(self, name: str, content: bytes) -> None:
        """Keep `content` under `name`, whatever was there.

        Raises:
            BucketRefused: it is not kept, or nobody knows.
        """
        await self._put(name, content, {})

    async def put_new(self, name: str, content: bytes) -> None:
        """Keep `content` under a name that is free, or holds just this.

        Raises:
            Taken: it holds something else.
            BucketRefused: it is not kept, or nobody knows.
        """
        reply = await self._put(name, content, {b"if-none-match": b"*"})
        if reply.status == 412:
            found = await self.get(name, bytes_max=RESPONSE_BYTES_MAX)
            if found is None or found.content != content:
                raise Taken(f"{name}: it is there already, and is something else")

    async def get(self, name: str, *, bytes_max: int, unless: str = "") -> Object | None:
        """An object; None where there is none, or it is still the one with the ETag `unless`.

        Raises:
            BucketRefused: there is no answer, or the object is longer than `bytes_max`.
        """
        headers = {b"if-none-match": unless.encode()} if unless else {}
        reply = await self._again("GET", _path(name), headers, expected=(200, 304, MISSING))
        if reply.status != 200:
            return None
        if len(reply.body) > bytes_max:
            raise BucketRefused(f"{name}: expected at most {bytes_max} bytes, found {len(reply.body)}")
        return Object(content=reply.body, etag=reply.headers.get("etag", ""))

    async def delete(self, name: str) -> None:
        """Have a name hold nothing.

        Raises:
            BucketRefused: it goes on to hold something.
        """
        await self._again("DELETE", _path(name), {}, expected=(200, 204, MISSING))

    async def names(self, prefix: str, *, after: str = "") -> AsyncIterator[str]:
        """Names that begin with `prefix` and come after `after`, in their order.

        Raises:
            BucketRefused: the bucket cannot be listed.
        """
        token = ""
        while True:
            asked = {"list-type": "2", "max-keys": str(LISTED_MAX), "prefix": prefix}
            asked |= {"continuation-token": token} if token else {"start-after": after} if after else {}
            query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(asked.items()))
            reply = await self._again("GET", "", {}, expected=(200,), query=query)
            root = parsed(reply.body)
            if root is None:
                raise BucketRefused("expected a list of objects, found something else")
            for name in _texts(root, "Key"):
                yield name
            (token,) = _texts(root, "NextContinuationToken") or ("",)
            if not token:
                return

    async def close(self) -> None:
        """Release connections."""
        await self._calls.close()

    async def _put(self, name: str, content: bytes, headers: dict[bytes, bytes]) -> Reply:
        checksum = b64encode(sha256(content).digest())
        return await self._again(
            "PUT", _path(name), {**headers, b"x-amz-checksum-sha256": checksum}, content, expected=(200, 412)
        )

    async def _again(
        self,
        method: str,
        name: str,
        headers: dict[bytes, bytes],
        body: bytes = b"",
        *,
        expected: tuple[int, ...],
        query: str = "",
    ) -> Reply:
        """A reply with one of these statuses; the call is tried again where that may help."""
        path = self._prefix + b"/" + name.encode()
        sent = {**headers, b"x-amz-content-sha256": sha256(body).hexdigest().encode()}
        began, attempt = self._clock.monotonic(), 0
        while True:
            try:
                reply = await self._calls.exchange(method, path, body, sent, self._keys(), query=query.encode())
                failure = reply.failure() if reply.status not in expected or reply.status == MISSING else None
                if failure is None or (failure.code in _NO_OBJECT and MISSING in expected):
                    return reply
            except CallFailed as error:
                failure = error
            except OperatorError as error:
                raise BucketRefused(f"{name or 'the bucket'}: {error}") from error
            passing = failure.passing or failure.code in _PASSING
            if not passing or self._clock.monotonic() - began > self._busy_s:
                raise BucketRefused(f"{name or 'the bucket'}: {failure}") from failure
            attempt += 1
            pause_s = min(PAUSE_S * 2.0**attempt, PAUSE_MAX_S)
            await asyncio.sleep(pause_s / 2 + random.random() * pause_s / 2)  # noqa: S311 - spreads load, hides nothing


def _path(name: str) -> str:
    if not NAME.fullmatch(name):
        raise BucketRefused(f"expected the name of an object of ours, found {name!r}")
    return name


def _texts(root: Element, tag: str) -> list[str]:
    return [each.text or "" for each in root.iter() if each.tag.rpartition("}")[2] == tag]
