"""One attempt of a signed call to an AWS service: JSON (DynamoDB, SQS), a form (STS), or plain HTTP (S3).

- One address: no redirects, no proxy, no cookie, no credential and no certificate authority from the environment. TLS
  1.2 at least, with certifi's roots.
- Time and size are bounded. Nothing is tried again here: whoever calls knows what a second attempt would mean.
- A failure says whether the service may have carried the call out all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from caisson.adapters.aws.api.connections import session, trusted
from caisson.adapters.aws.api.endpoint import Endpoint
from caisson.adapters.aws.api.markup import error_in, parsed
from caisson.errors import OperatorError
from caisson.ports.clock import Clock
from caisson.protocol.sigv4 import Keys, signed_headers

Json = dict[str, Any]

RESPONSE_BYTES_MAX = 20 * 1024 * 1024
"""DynamoDB answers at most 16 MB (API reference, BatchGetItem)."""
CONNECTIONS_MAX = 128
SENTENCE_CHARACTERS_MAX = 300


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How long, and how much."""

    connect_s: float = 1.0
    total_s: float = 2.0
    response_bytes: int = RESPONSE_BYTES_MAX


PASSING = frozenset({
    "InternalFailure", "InternalServerError", "LimitExceededException", "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ServiceUnavailable", "Throttling",
    "ThrottlingError", "ThrottlingException", "TransactionInProgressException", "Timeout", "Unreachable", "Broken",
    "Nonsense",
})  # fmt: skip
"""Codes after which the same call may succeed in a moment (common errors of AWS's APIs, and those of DynamoDB)."""


class Passing(Exception):  # noqa: N818  (a state, which passes)
    """No answer of use this time; the same may succeed in a moment."""

    def __init__(self, reason: str, *, perhaps_done: bool) -> None:
        super().__init__(reason)
        self.perhaps_done = perhaps_done


class CallFailed(OperatorError):  # noqa: N818  (what became of a call)
    """The service did not accept a call."""

    def __init__(self, code: str, sentence: str, *, perhaps_done: bool, body: Json | None = None) -> None:
        super().__init__(f"{code}: {sentence[:SENTENCE_CHARACTERS_MAX]}" if sentence else code)
        self.code = code
        """The exception's name; `Timeout`, `Unreachable`, `Broken`, `Nonsense` or `Status<n>` where there is none."""
        self.perhaps_done = perhaps_done
        """The call may have been carried out."""
        self.body = body or {}

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed in a moment."""
        return self.code in PASSING or self.code.startswith("Status5")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def failure(self) -> CallFailed:
        """What it means when it is none of those that were expected."""
        return _failed(self.status, self.body)


class Calls:
    """One service, one pool of connections. Used on one event loop."""

    def __init__(
        self, endpoint: Endpoint, *, service: str, region: str, clock: Clock, bounds: Bounds | None = None
    ) -> None:
        """`service` is the signing name; `clock` is for the signature's date."""
        self._endpoint = endpoint
        self._service = service
        self._region = region
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._tls = trusted()
        self._session: aiohttp.ClientSession | None = None

    async def json(self, target: str, value: Json, keys: Keys, *, version: str = "1.0", empty: bool = False) -> Json:
        """The answer to a call of an AWS JSON service; `target` is what X-Amz-Target says.

        Args:
            target: service and operation.
            value: what is asked.
            keys: what signs.
            version: of the protocol.
            empty: whether an answer without a body is one.

        Raises:
            CallFailed: it was not accepted, or no answer came.
        """
        kind = f"application/x-amz-json-{version}".encode()
        raw = await self._posted(
            msgspec.json.encode(value), {b"content-type": kind, b"x-amz-target": target.encode()}, keys
        )
        answer = {} if empty and not raw else _object(raw)
        if answer is None:
            raise CallFailed("Nonsense", "the answer is no JSON object", perhaps_done=True)
        return answer

    async def form(self, body: bytes, keys: Keys) -> bytes:
        """The XML that answers a call of an AWS query service.

        Raises:
            CallFailed: it was not accepted, or no answer came.
        """
        return await self._posted(body, {b"content-type": b"application/x-www-form-urlencoded; charset=utf-8"}, keys)

    async def _posted(self, body: bytes, headers: dict[bytes, bytes], keys: Keys) -> bytes:
        reply = await self.exchange("POST", b"/", body, headers, keys)
        if reply.status != 200:
            raise reply.failure()
        return reply.body

    async def exchange(
        self, method: str, path: bytes, body: bytes, headers: dict[bytes, bytes], keys: Keys, *, query: bytes = b""
    ) -> Reply:
        """Whatever answers a request.

        Args:
            path: of characters that no encoding changes.
            query: encoded.

        Raises:
            CallFailed: no answer came.
        """
        signed = signed_headers(
            method,
            path,
            {b"host": self._endpoint.host, **headers},
            body,
            keys,
            region=self._region,
            service=self._service,
            now=self._clock.now(),
            query=query,
        )
        address = self._endpoint.url + path.decode() + ("?" + query.decode() if query else "")
        try:
            async with self._open().request(
                method,
                URL(address, encoded=True),
                data=body or None,
                headers={name.decode(): value.decode() for name, value in signed.items()},
                allow_redirects=False,
            ) as response:
                raw = await self._read(response)
                return Reply(status=response.status, headers=response.headers, body=raw)
        except aiohttp.ClientConnectorError as error:
            raise CallFailed("Unreachable", type(error).__name__, perhaps_done=False) from error
        except TimeoutError as error:
            raise CallFailed("Timeout", "no answer in time", perhaps_done=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise CallFailed("Broken", type(error).__name__, perhaps_done=True) from error

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        pieces, size = [], 0
        async for piece in response.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > self._bounds.response_bytes:
                raise CallFailed("Nonsense", f"more than {self._bounds.response_bytes} bytes", perhaps_done=True)
        return b"".join(pieces)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = session(
                self._tls,
                connections_max=CONNECTIONS_MAX,
                timeout=aiohttp.ClientTimeout(total=self._bounds.total_s, sock_connect=self._bounds.connect_s),
            )
        return self._session

    async def close(self) -> None:
        """Release connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _object(raw: bytes) -> Json | None:
    try:
        answer = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return answer if isinstance(answer, dict) else None


def _failed(status: int, raw: bytes) -> CallFailed:
    """What an error response means. A service that failed by itself may have done what it was asked."""
    body = _object(raw) or {}
    code = str(body.get("__type", "")).rpartition("#")[2]
    sentence = str(body.get("message") or body.get("Message") or "")
    if not body:
        code, sentence = error_in(parsed(raw))
    return CallFailed(code or f"Status{status}", sentence, perhaps_done=status >= 500, body=body)
