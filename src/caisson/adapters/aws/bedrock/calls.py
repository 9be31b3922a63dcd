"""Signed calls of Bedrock Runtime over HTTPS.

- One address: no redirects, no proxy, no cookie, no credential and no certificate authority from the environment. TLS
  1.2 at least, with certifi's roots.
- Time, size, attempts and calls under way are bounded. A call is made again only when it was not accepted, for reasons
  that pass, and never after the first byte of an answer.
- Leaving a call closes its connection, which is how the service learns that nobody listens.

>>> async with calls.call(path, body) as response: ...  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import msgspec
from yarl import URL

from caisson.adapters.aws.api.connections import session, trusted
from caisson.adapters.aws.api.endpoint import Endpoint
from caisson.adapters.aws.bedrock.endpoint import SERVICE
from caisson.adapters.aws.bedrock.failures import REPEATED, REPEATED_STATUSES, code_of, failed
from caisson.adapters.aws.bedrock.lease import Access
from caisson.adapters.embedded.model import failures
from caisson.errors import UpstreamError
from caisson.ports.clock import Clock
from caisson.protocol.sigv4 import signed_headers

Sleep = Callable[[float], Awaitable[None]]

RESPONSE_BYTES_MAX = 16 * 1024 * 1024
"""Bound on a whole body and on all bytes of a stream."""
ERROR_BYTES_MAX = 4_096
"""Of an error's body only its sentence is wanted."""
ERROR_SECONDS_MAX = 2.0
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How long and how often."""

    connect_s: float = 5.0
    idle_s: float = 60.0
    """Between two pieces of a stream. A whole answer comes in one, so only `total_s` bounds it."""
    total_s: float = 600.0
    attempts_max: int = 3
    backoff_s: float = 0.2
    """Before the second attempt; doubles after each, and chance adds up to as much again."""
    calls_max: int = 256
    """Calls under way; further ones are refused, not queued."""


class _ErrorBody(msgspec.Struct):
    """The services disagree on the letter's case."""

    message: str = ""
    Message: str = ""


class BedrockCalls:
    """One endpoint, one identity, one pool of connections."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        region: str,
        access: Access,
        clock: Clock,
        bounds: Bounds | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Args:
        region: for which calls are signed.
        access: the credentials in force.
        clock: for the signature's date.
        bounds: time, attempts, concurrency.
        sleep: waits between attempts.
        """
        self._endpoint = endpoint
        self._region = region
        self._access = access
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._sleep = sleep
        self._tls = trusted()
        self._session: aiohttp.ClientSession | None = None
        self._under_way = 0

    async def whole(self, path: str, body: bytes) -> bytes:
        """The body of an accepted call.

        Raises:
            UpstreamError: as `call`; or the body is larger than a body may be.
        """
        async with self.call(path, body, accept=JSON, streams=False) as response:
            return b"".join([piece async for piece in pieces(response)])

    @asynccontextmanager
    async def call(
        self, path: str, body: bytes, *, accept: str, streams: bool
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The open response of a call that was accepted; closed on leaving, read or not.

        Args:
            path: percent-encoded once, as it goes over the wire.
            body: JSON.
            accept: media type of the answer.
            streams: whether the answer comes in pieces.

        Raises:
            UpstreamError: refused, failed, slow, or broken while it was read.
        """
        if self._under_way >= self._bounds.calls_max:
            raise failures.throttled(f"{self._bounds.calls_max} calls are under way", retry_after_s=1)
        self._under_way += 1
        try:
            response = await self._accepted(path, body, accept, streams=streams)
            try:
                yield response
            except TimeoutError as error:
                raise failures.timed_out("Bedrock paused or took too long") from error
            except aiohttp.ClientError as error:
                raise failures.unavailable(f"the connection to Bedrock broke: {type(error).__name__}") from error
            finally:
                # A response that was read to its end has given its connection back already.
                response.close()
        finally:
            self._under_way -= 1

    async def close(self) -> None:
        """Release connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _accepted(self, path: str, body: bytes, accept: str, *, streams: bool) -> aiohttp.ClientResponse:
        failure: UpstreamError = failures.unavailable("no attempt was made")
        for attempt in range(self._bounds.attempts_max):
            if attempt:
                pause_s = self._bounds.backoff_s * 2 ** (attempt - 1)
                await self._sleep(pause_s + random.random() * pause_s)  # noqa: S311 - spreads load, hides nothing
            try:
                response = await self._sent(path, body, accept, streams=streams)
            except TimeoutError as error:
                raise failures.timed_out("Bedrock could not be reached or did not answer in time") from error
            except aiohttp.ClientError as error:
                failure = failures.unavailable(f"Bedrock could not be reached: {type(error).__name__}")
                failure.__cause__ = error
                continue
            if response.status == 200:
                return response
            code = code_of(response.headers.get("x-amzn-errortype", ""))
            failure = failed(code, response.status, await _sentence(response), response.headers.get("retry-after", ""))
            response.close()
            if code not in REPEATED and (code or response.status not in REPEATED_STATUSES):
                break
        raise failure

    async def _sent(self, path: str, body: bytes, accept: str, *, streams: bool) -> aiohttp.ClientResponse:
        headers = signed_headers(
            "POST",
            path.encode(),
            {b"host": self._endpoint.host, b"content-type": JSON.encode(), b"accept": accept.encode()},
            body,
            self._access.keys(),
            region=self._region,
            service=SERVICE,
            now=self._clock.now(),
        )
        bounds = self._bounds
        return await self._open().post(
            URL(self._endpoint.url + path, encoded=True),  # encoded again, it would not be what was signed
            data=body,
            headers={name.decode(): value.decode() for name, value in headers.items()},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=bounds.total_s,
                sock_connect=bounds.connect_s,
                sock_read=bounds.idle_s if streams else bounds.total_s,
            ),
        )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = session(
                self._tls,
                connections_max=self._bounds.calls_max,
                timeout=aiohttp.ClientTimeout(total=self._bounds.total_s),
            )
        return self._session


async def pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The body as it comes.

    Raises:
        UpstreamError: it is larger than a body may be.
    """
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > RESPONSE_BYTES_MAX:
            raise failures.nonsense(f"Bedrock answered more than {RESPONSE_BYTES_MAX} bytes")
        yield piece


async def _sentence(response: aiohttp.ClientResponse) -> str:
    """The message of an error's body; empty when there is none in time."""
    try:
        async with asyncio.timeout(ERROR_SECONDS_MAX):
            body = await response.content.read(ERROR_BYTES_MAX)
        told = msgspec.json.decode(body, type=_ErrorBody)
    except (TimeoutError, aiohttp.ClientError, msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return told.message or told.Message
