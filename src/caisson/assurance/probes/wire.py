"""HTTP by hand over TLS: requests that no client library would send, and every byte that comes back.

Bounded in bytes and seconds. One connection a request, so that an answer is never taken for another's.

>>> Wire("https://localhost:8443", ca_file="bundle.pem").ask("GET", "/healthz").status  # doctest: +SKIP
200
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from caisson.protocol.eventstream import EventStreamDecoder

ANSWER_BYTES_MAX = 16 << 20
SECONDS_MAX = 30.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    """0: the server closed the connection without an answer."""
    headers: dict[str, str]
    """Lower-case names."""
    body: bytes

    @property
    def code(self) -> str:
        """The AWS error code, where there is one."""
        return self.headers.get("x-amzn-errortype", "").partition(":")[0]

    @property
    def request_id(self) -> str:
        """As the log knows it."""
        return self.headers.get("x-caisson-request-id", "")

    @property
    def said(self) -> str:
        """Status and error code, for a transcript."""
        if not self.status:
            return "the connection was closed"
        return f"{self.status} {self.code}".strip()

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)

    def documents(self) -> Iterator[Any]:
        """JSON values of the body: one, or one an event of a stream of either kind."""
        kind = self.headers.get("content-type", "")
        if "vnd.amazon.eventstream" in kind:
            decoder = EventStreamDecoder()
            for message in decoder.feed(self.body):
                value = json.loads(message.payload)
                inner = value.get("bytes") if isinstance(value, dict) else None
                yield json.loads(base64.b64decode(inner)) if isinstance(inner, str) else value
        elif "event-stream" in kind:
            for line in self.body.split(b"\n\n"):
                text = line.removeprefix(b"data: ").strip()
                if text and text != b"[DONE]":
                    yield json.loads(text)
        elif self.body:
            yield json.loads(self.body)

    def heard(self) -> str:
        """All strings that a client can read, the pieces of a stream joined by place, keys too."""
        joined: dict[str, str] = {}
        try:
            for value in self.documents():
                for place, text in strings(value):
                    joined[place] = joined.get(place, "") + text
        except (ValueError, KeyError):
            return self.body.decode("utf-8", "replace")
        return "\n".join(joined.values())


def strings(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a JSON value with its place; keys stand beside what they name."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield f"{place} keys", f"{key} "
            yield from strings(item, f"{place}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, place)


class Wire:
    """One endpoint."""

    def __init__(self, url: str, *, ca_file: str | None) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self.host = parts.hostname or ""
        self.port = parts.port or 443
        self.netloc = parts.netloc
        self.ca_file = ca_file
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """TLS as an honest client speaks it."""
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self.ca_file)
        return self._context

    def ask(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None,
        *, seconds: float = SECONDS_MAX,
    ) -> Answer:  # fmt: skip
        """One request with just these headers and, unless given, Host and Content-Length.

        Raises:
            OSError: no connection, or nothing came in time.
        """
        sent = {"host": self.netloc, "content-length": str(len(body)), **(headers or {})}
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=seconds, context=self.context())
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):  # refused before it was read
                connection.endheaders(body)
            return _read(connection)
        finally:
            connection.close()

    def raw(self, data: bytes, *, seconds: float = SECONDS_MAX) -> Answer:
        """Send bytes as they are on a TLS connection; the answer, or status 0 when the server hung up.

        Raises:
            OSError: no connection, or nothing came in time.
        """
        with (
            socket.create_connection((self.host, self.port), seconds) as plain,
            self.context().wrap_socket(plain, server_hostname=self.host) as connection,
        ):
            connection.sendall(data)
            response = http.client.HTTPResponse(connection)
            try:
                response.begin()
                return _answer(response)
            except (http.client.HTTPException, ConnectionResetError, ssl.SSLEOFError):
                return Answer(status=0, headers={}, body=b"")


def _read(connection: http.client.HTTPSConnection) -> Answer:
    try:
        return _answer(connection.getresponse())
    except (http.client.HTTPException, ConnectionResetError, ssl.SSLEOFError):
        return Answer(status=0, headers={}, body=b"")


def _answer(response: http.client.HTTPResponse) -> Answer:
    body = response.read(ANSWER_BYTES_MAX)
    return Answer(
        status=response.status, headers={name.lower(): value for name, value in response.getheaders()}, body=body
    )
