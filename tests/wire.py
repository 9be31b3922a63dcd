"""HTTP by hand over TLS: the bytes that really cross the wire, and requests that no client library would send.

>>> connection = Connection.to(running)  # doctest: +SKIP
>>> connection.ask(signed(credentials, "POST", path("converse"), b"{}")).status  # doctest: +SKIP
400
"""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer

from running_system import MODEL, Running

ANSWER_BYTES_MAX = 64 << 20
SECONDS_MAX = 10.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    raw: bytes
    """Every byte, as it crossed the wire."""
    status: int
    headers: dict[str, str]
    body: bytes
    """Without the transfer coding."""
    closed: bool
    """The server ended the connection."""

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[tuple[dict[str, str], bytes]]:
        """Headers and payloads of an event stream."""
        buffer = EventStreamBuffer()
        buffer.add_data(self.body)
        return [(event.headers, event.payload) for event in buffer]


def path(action: str = "converse", model: str = MODEL) -> str:
    return f"/model/{quote(model, safe='')}/{action}"


def signed(
    credentials: dict[str, Any],
    method: str,
    target: str,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    service: str = "bedrock",
) -> bytes:
    """A whole request as botocore signs it."""
    host = urlsplit(credentials["Endpoints"]["bedrock_runtime"]).netloc
    request = AWSRequest(
        method, f"https://{host}{target}", data=body, headers={"content-type": "application/json", **(headers or {})}
    )
    keys = (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    SigV4Auth(Credentials(*keys), service, credentials["Region"]).add_auth(request)
    lines = {"host": host, "content-length": str(len(body)), **{k.lower(): v for k, v in request.headers.items()}}
    return plain(method, target, body, lines)


def plain(method: str, target: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A whole request with just these headers."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


class Connection:
    """One TLS connection."""

    def __init__(self, port: int, bundle: str, seconds: float = SECONDS_MAX) -> None:
        context = _contexts.get(bundle) or ssl.create_default_context(cafile=bundle)
        _contexts[bundle] = context
        raw = socket.create_connection(("127.0.0.1", port), seconds)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(raw, server_hostname="localhost")
        self._seen = b""

    @classmethod
    def to(cls, running: Running, seconds: float = SECONDS_MAX) -> Connection:
        return cls(running.port, str(running.data / "authority/bundle.pem"), seconds)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def wait(self) -> None:
        """Return when an answer has begun."""
        while not self._seen:
            self._more()

    def close(self) -> None:
        self.socket.close()

    def ask(self, request: bytes) -> Answer:
        """Send a whole request and read the whole answer. What the server refuses to read is not sent."""
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            self.socket.sendall(request)
        return self.read(head=request.startswith(b"HEAD "))

    def read(self, *, head: bool = False) -> Answer:
        """The next answer.

        Raises:
            EOFError: the server closed without one.
            TimeoutError: nothing came.
        """
        start = self._until(b"\r\n\r\n")
        status, *lines = start[:-4].split(b"\r\n")
        headers = {
            name.strip().lower().decode("latin-1"): value.strip().decode("latin-1")
            for name, _, value in (line.partition(b":") for line in lines)
        }
        raw = body = b""
        if not head and headers.get("transfer-encoding") == "chunked":
            raw, body = self._chunks()
        elif not head:
            raw = body = self._exactly(int(headers.get("content-length", "0")))
        return Answer(
            raw=start + raw,
            status=int(status.split(b" ")[1]),
            headers=headers,
            body=body,
            closed=headers.get("connection", "").lower() == "close",
        )

    def _chunks(self) -> tuple[bytes, bytes]:
        raw, body = b"", b""
        while True:
            line = self._until(b"\r\n")
            size = int(line, 16)
            chunk = self._exactly(size + 2)
            raw, body = raw + line + chunk, body + chunk[:-2]
            if size == 0:
                return raw, body

    def _until(self, end: bytes) -> bytes:
        while end not in self._seen:
            self._more()
        found, _, self._seen = self._seen.partition(end)
        return found + end

    def _exactly(self, size: int) -> bytes:
        while len(self._seen) < size:
            self._more()
        found, self._seen = self._seen[:size], self._seen[size:]
        return found

    def _more(self) -> None:
        try:
            data = self.socket.recv(65_536)
        except (ConnectionResetError, ssl.SSLError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise EOFError(str(error)) from error
        if not data:
            raise EOFError("the server closed the connection")
        self._seen += data
        if len(self._seen) > ANSWER_BYTES_MAX:
            raise EOFError("the answer does not end")


_contexts: dict[str, ssl.SSLContext] = {}


def ask(running: Running, request: bytes) -> Answer:
    """One request on a connection of its own."""
    connection = Connection.to(running)
    try:
        return connection.ask(request)
    finally:
        connection.close()
