"""Calls of an OpenAI-compatible server, whatever the operation.

- Only the configured address is called: no redirects, no proxy or credential from the environment, no plain HTTP but to
  loopback. Response bodies of errors are not read.
- Time, size, retries and calls under way are bounded. A call is repeated only when the server was not reached or said
  that it is not available, and never after a first byte of an answer.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from caisson.adapters.embedded.model import failures
from caisson.adapters.http import Client, HttpError, Limits, Response
from caisson.errors import StartError, UpstreamError

Sleep = Callable[[float], Awaitable[None]]

CHAT, EMBEDDINGS = "chat/completions", "embeddings"
"""Operations, as they end an address."""

RESPONSE_BYTES_MAX = 16 * 1024 * 1024
"""Bound on a whole body and on all bytes of a stream."""
RETRY_AFTER_S_MAX = 3_600
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_UNAVAILABLE = frozenset({500, 502, 503})
"""Statuses after which the call is repeated."""
_INVALID = frozenset({400, 413, 422})
_OPERATORS = frozenset({401, 402, 403, 404, 405})
"""The key, the account or the address is wrong: nothing that a client can mend."""


@dataclass(frozen=True, kw_only=True)
class Bounds(Limits):
    """How long and how often."""

    attempts_max: int = 3
    backoff_s: float = 0.2
    """Before the second attempt; doubles after each, and chance adds up to as much again."""
    calls_max: int = 256
    """Calls under way; further ones are refused, not queued."""


class OpenAICalls:
    """One operation of one server."""

    def __init__(
        self,
        base_url: str,
        operation: str,
        *,
        api_key: str | None = None,
        model: str | None = None,
        bounds: Bounds | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Args:
            base_url: with or without path; without one, `/v1` as OpenAI's.
            operation: CHAT or EMBEDDINGS.
            api_key: sent as bearer token; read from a file by whoever wires this, never from the environment.
            model: the name that the server knows, when it is not the system file's id.
            bounds: time, attempts, concurrency.
            sleep: waits between attempts.

        Raises:
            StartError: the address or the key cannot be used.
        """
        url = endpoint(base_url, operation)
        if api_key is not None and not (api_key.isascii() and api_key.isprintable() and api_key.strip()):
            raise StartError("expected the upstream's API key as one line of printable ASCII, found something else")
        # Uncompressed, so that bounds on bytes are bounds on memory.
        self._headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if api_key is not None:
            self._headers["authorization"] = f"Bearer {api_key.strip()}"
        self.model = model
        self._bounds = bounds or Bounds()
        self._sleep = sleep
        self._client = Client(url, self._bounds)
        self._calls = 0

    def call(self, body: bytes) -> _Call:
        """A call, to be entered once; its value is the response of a server that accepted it.

        Raises:
            UpstreamError: on entering and while the response is read.
        """
        return _Call(self, body)

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    def begin(self) -> None:
        """Count a call.

        Raises:
            UpstreamError: too many are under way.
        """
        if self._calls >= self._bounds.calls_max:
            raise failures.throttled(f"{self._bounds.calls_max} calls are under way", retry_after_s=1)
        self._calls += 1

    def end(self) -> None:
        """A call is over."""
        self._calls -= 1

    async def accepted(self, body: bytes) -> Response:
        """The answer of a server that took the call.

        Raises:
            UpstreamError: it refused, or could not be reached in any of the attempts.
        """
        failure: UpstreamError | None = None
        for attempt in range(self._bounds.attempts_max):
            if attempt:
                pause_s = self._bounds.backoff_s * 2 ** (attempt - 1)
                await self._sleep(pause_s + random.random() * pause_s)  # noqa: S311 - spreads load, hides nothing
            try:
                response = await self._client.post(body, self._headers)
            except TimeoutError as error:
                raise failures.timed_out("the server could not be reached or did not answer in time") from error
            except HttpError as error:
                failure = failures.unavailable(f"the server could not be reached: {error}")
                failure.__cause__ = error
                if error.reached:
                    break
                continue
            if response.status == 200:
                return response
            failure = _refused(response)
            response.close()
            if response.status not in _UNAVAILABLE:
                break
        raise failure or failures.unavailable("no attempt was made")


class _Call:
    """The open response of a call that the server accepted; closed on leaving, read or not."""

    def __init__(self, calls: OpenAICalls, body: bytes) -> None:
        self._calls, self._body = calls, body
        self._response: Response | None = None

    async def __aenter__(self) -> Response:
        self._calls.begin()
        try:
            self._response = await self._calls.accepted(self._body)
        except BaseException:
            self._calls.end()
            raise
        return self._response

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._response is not None:
            self._response.close()
        self._calls.end()
        if isinstance(error, TimeoutError):
            raise failures.timed_out("the server paused or took too long") from error
        if isinstance(error, HttpError):
            raise failures.unavailable(f"the connection broke: {error}") from error


def endpoint(base_url: str, operation: str) -> str:
    """The address of an operation under `base_url`.

    >>> endpoint("http://127.0.0.1:11434", CHAT)
    'http://127.0.0.1:11434/v1/chat/completions'

    Raises:
        StartError: it is not an address that may be called.
    """
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise StartError("expected --upstream openai=URL, found something that is not a URL") from error
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise StartError(f"expected --upstream openai=https://HOST[:PORT][/PATH], found scheme {parts.scheme!r}")
    if parts.username is not None or parts.password is not None:
        raise StartError("expected an upstream URL without user and password; put the key into a file")
    if parts.scheme == "http" and not _is_loopback(host):
        raise StartError(f"expected https for the upstream at {host!r}; plain http is for this machine only")
    path = parts.path.rstrip("/") or "/v1"
    if not (_HOST.fullmatch(parts.netloc) and _PATH.fullmatch(path)):
        raise StartError("expected an upstream URL in ASCII, anything else percent-encoded (RFC 3986)")
    return f"{parts.scheme}://{parts.netloc}{path}/{operation}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _retry_after_s(header: str) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, section 10.2.3); a date is not read."""
    plain = header.isascii() and header.isdigit() and len(header) <= len(str(RETRY_AFTER_S_MAX))
    return float(min(int(header), RETRY_AFTER_S_MAX)) if plain else None


def _refused(response: Response) -> UpstreamError:
    """What a status says; the body is not read."""
    status = response.status
    found = f"the server answered {status}"
    if status == 429:
        return failures.throttled(found, retry_after_s=_retry_after_s(response.headers.get("retry-after", "")))
    if status in (408, 504):
        return failures.timed_out(found)
    if status in _INVALID:
        return failures.invalid(found)
    if status in _OPERATORS or status >= 500 or 300 <= status < 400:
        return failures.unavailable(found + "; check the upstream's address, key and model")
    return failures.nonsense(found)
