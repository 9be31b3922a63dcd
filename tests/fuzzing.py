"""Requests that are wrong in every way we could think of, from a seed; and what an answer to one must look like.

- Whatever reaches the application gets a 2xx or a 4xx in the shape of the API, with a request id.
- Only what is no HTTP may be answered by the server below the application, or by the end of the connection.

>>> next(requests(random.Random(1), credentials)).data  # doctest: +SKIP
b'POST /model/...'
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from running_system import MODEL
from wire import Answer, Connection, path, plain, signed

REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ACTIONS = ("converse", "converse-stream", "invoke", "invoke-with-response-stream", "count-tokens")
TEXTS = (
    "",
    "hello",
    "\x00",
    "\ud800",
    "\U0001f600" * 9,
    "a" * 5000,
    "[EMAIL_7f3a9c]",
    "CLM-12345678",
    "{{system}}",
    "‮x",
)
NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 1e308, -0.0, 0.1, 10**40)
JUNK: tuple[Any, ...] = (*TEXTS, *NUMBERS, None, True, False, [], {}, [[]], {"": {}}, float("nan"), float("inf"))
CONVERSE: dict[str, Any] = {
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "Hello"},
                {"document": {"format": "txt", "name": "a", "source": {"bytes": "aGVsbG8="}}},
            ],
        },
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "look", "input": {"a": [1, "x"]}}}]},
        {
            "role": "user",
            "content": [{"toolResult": {"toolUseId": "t1", "content": [{"json": {"b": 1}}], "status": "success"}}],
        },
    ],
    "system": [{"text": "Be kind."}],
    "inferenceConfig": {"maxTokens": 20, "temperature": 0.5, "topP": 0.9, "stopSequences": ["x"]},
    "toolConfig": {
        "tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}}}],
        "toolChoice": {"auto": {}},
    },
    "requestMetadata": {"k": "v"},
}
ANTHROPIC: dict[str, Any] = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 20,
    "system": "Be kind.",
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    "tools": [{"name": "look", "description": "d", "input_schema": {"type": "object"}}],
    "temperature": 0.5,
}
GUARDRAIL: dict[str, Any] = {"source": "INPUT", "content": [{"text": {"text": "Hello", "qualifiers": ["query"]}}]}
STS: dict[str, str] = {
    "Action": "AssumeRole",
    "Version": "2011-06-15",
    "RoleArn": "arn:aws:iam::000000000000:role/claims-assistant/claims/answer",
    "RoleSessionName": "n",
    "DurationSeconds": "900",
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One case."""

    kind: str
    data: bytes
    http: bool = True
    """It is well-formed HTTP, so the application answers."""


def requests(chance: random.Random, credentials: dict[str, Any]) -> Iterator[Request]:
    """For ever."""
    makers: tuple[Callable[[random.Random, dict[str, Any]], Request], ...] = (
        _mutated_body,
        _mutated_body,
        _mutated_body,
        _bytes_body,
        _path,
        _method,
        _headers,
        _authorization,
        _sts,
        _framing,
        _deep,
    )
    while True:
        yield chance.choice(makers)(chance, credentials)


def _mutated_body(chance: random.Random, credentials: dict[str, Any]) -> Request:
    """A valid document with a few values replaced, dropped, repeated or renamed."""
    target, body = _valid(chance)
    for _ in range(chance.randint(1, 3)):
        body = _mutated(chance, body)
    return Request(kind="body", data=signed(credentials, "POST", target, _dumped(body)))


def _bytes_body(chance: random.Random, credentials: dict[str, Any]) -> Request:
    """A valid document with bytes flipped, cut out, or repeated."""
    target, body = _valid(chance)
    data = bytearray(_dumped(body))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) or 1)
        match chance.randrange(4):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randint(1, 40)]
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 40)]
            case _:
                data[at:at] = chance.randbytes(chance.randint(1, 20))
    return Request(kind="bytes", data=signed(credentials, "POST", target, bytes(data)))


def _deep(chance: random.Random, credentials: dict[str, Any]) -> Request:
    depth = chance.choice((10, 100, 1_000, 100_000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"messages":[', b"]}")))
    data = opening * depth + b"1" + closing * chance.choice((0, depth))
    return Request(kind="deep", data=signed(credentials, "POST", path(chance.choice(ACTIONS)), data))


def _path(chance: random.Random, credentials: dict[str, Any]) -> Request:
    pieces = [
        "model",
        "guardrail",
        "..",
        ".",
        "",
        "%2e%2e",
        "%00",
        "%ff",
        "a" * 3000,
        "converse",
        "main",
        "version",
        "DRAFT",
        "apply",
        "%25",
        "%",
        "%zz",
        MODEL,
        "healthz",
        "metrics",
        ";x",
        "*",
        "\xe9",
        "//",
        "arn%3Aaws%3Abedrock%3A%3A%3A",
    ]
    target = (
        "/"
        + "/".join(chance.choice(pieces) for _ in range(chance.randint(1, 6)))
        + chance.choice(("", "?a=b", "?", "?%", "?a&a"))
    )
    method = chance.choice(("POST", "POST", "GET"))
    lines = {"host": "localhost", "content-length": "2", "authorization": "Bearer x"}
    printable = target.isascii()
    return Request(kind="path", data=plain(method, target, b"{}", lines), http=printable)


def _method(chance: random.Random, credentials: dict[str, Any]) -> Request:
    method = chance.choice(
        ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "FOO", "post", "M-SEARCH", "X" * 100)
    )
    target = chance.choice((path(), "/", "/healthz", "/metrics", "/guardrail/main/version/DRAFT/apply"))
    return Request(kind="method", data=signed(credentials, method, target, b"{}"))


def _headers(chance: random.Random, credentials: dict[str, Any]) -> Request:
    """Signed, with headers added that a proxy, a client or an attacker might send."""
    request = signed(credentials, "POST", path(chance.choice(ACTIONS)), _dumped(CONVERSE))
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    http = True
    for _ in range(chance.randint(1, 4)):
        match chance.randrange(8):
            case 0:
                lines.append(chance.choice(lines[1:]))
                http = False  # two content-lengths are for the server below to refuse
            case 1:
                lines.append(b"x-junk: " + b"j" * chance.choice((10, 4_000, 20_000)))
            case 2:
                lines.extend(b"x-many-%d: 1" % number for number in range(chance.choice((10, 90, 150))))
                http = False  # the server has a bound of its own
            case 3:
                lines.append(b"x-odd: " + bytes(chance.choice((9, 0x80, 0xFF, 0xE9)) for _ in range(9)))
            case 4:
                lines.append(b"x-amzn-bedrock-trace: " + chance.choice((b"ENABLED", b"x", b"")))
            case 5:
                lines.append(b"x-amzn-bedrock-guardrailidentifier: main")
            case 6:
                lines.append(b"x-caisson-role: " + chance.choice((b"arn:", b"\xff", b"")))
            case _:
                lines.append(
                    b"content-type: " + chance.choice((b"text/plain", b"", b"application/json; charset=utf-16"))
                )
    return Request(kind="headers", data=b"\r\n".join(lines) + b"\r\n\r\n" + body, http=http)


def _authorization(chance: random.Random, credentials: dict[str, Any]) -> Request:
    token = credentials["SessionToken"]
    value = chance.choice(
        (
            "Bearer",
            "Bearer ",
            "bearer " + token,
            "Bearer " + "a.b.c",
            "Bearer " + "eyJhbGciOiJub25lIn0.e30.",
            "Bearer " + "x" * 9_000,
            "Basic dTpw",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=x",
            "AWS4-HMAC-SHA256 Credential=//////, SignedHeaders=;;;, Signature=" + "0" * 64,
            "AWS4-ECDSA-P256-SHA256 Credential=x",
            "AWS4-HMAC-SHA256 " + "Credential=a," * 500,
            "\xff\xfe",
            "Bearer \xe9",
            "Negotiate " + "A" * 100,
        )
    )
    lines = {
        "host": "localhost",
        "content-length": "2",
        "authorization": value,
        "x-amz-date": chance.choice(("20260101T000000Z", "x", "", "99999999T999999Z")),
        "x-amz-security-token": chance.choice((token, "", token[:-3], "\xff")),
    }
    request = signed(credentials, "POST", path(), _dumped(CONVERSE))
    if chance.random() < 0.4:  # one byte of a good one
        data = bytearray(request)
        at = data.index(b"authorization:") + chance.randrange(14, 300)
        data[at] = chance.choice(b"aZ0/=,; ")
        return Request(kind="authorization", data=bytes(data), http=False)
    return Request(kind="authorization", data=plain("POST", path(), b"{}", lines))


def _sts(chance: random.Random, credentials: dict[str, Any]) -> Request:
    form: dict[str, Any] = dict(
        STS, Action=chance.choice(("AssumeRole", "GetCallerIdentity", "AssumeRoleWithWebIdentity", "X"))
    )
    for _ in range(chance.randint(0, 3)):
        key = chance.choice([*STS, "WebIdentityToken", "Policy", "Tags.member.1.Key", "PolicyArns.member.1.arn"])
        form[key] = chance.choice(
            ("", "x", "-1", "9" * 30, "\x00", "é" * 50, "a" * 3000, "<x>&", "arn:aws:iam::1:role/a", "e.e.e")
        )
    body = urlencode(form, errors="replace").encode()
    if chance.random() < 0.3:
        body = chance.choice(
            (b"", b"&&&", b"=", b"Action", b"%zz=%", b"\xff\xfe", body * 2, b"a=b&" * 5_000, quote("é").encode())
        )
    kind = {"content-type": chance.choice(("application/x-www-form-urlencoded", "application/json", "")) or "x/y"}
    if chance.random() < 0.5:
        return Request(
            kind="sts", data=plain("POST", "/", body, {"host": "localhost", "content-length": str(len(body)), **kind})
        )
    return Request(kind="sts", data=signed(credentials, "POST", "/", body, kind, service="sts"))


def _framing(chance: random.Random, credentials: dict[str, Any]) -> Request:
    """Bytes that are hardly HTTP, and lengths that lie: the answer may be the end of the connection."""
    head = f"POST {path()} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer x\r\n".encode()
    data = chance.choice(
        (
            chance.randbytes(200),
            b"\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            head + b"content-length: -1\r\n\r\n",
            head + b"content-length: x\r\n\r\n",
            head + b"content-length: 99999999999999999999999\r\n\r\n",
            head + b"content-length: 1\r\n\r\n{}{}{}",
            head + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            head + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
            head + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            head + b"transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
            head + b"transfer-encoding: gzip\r\n\r\n{}",
            head + b"x" * 100_000,
            head + b": empty\r\n\r\n",
            head + b"a b: c\r\n\r\n",
            head + b"folded: a\r\n b\r\n\r\n",
        )
    )
    return Request(kind="framing", data=data, http=False)


def _valid(chance: random.Random) -> tuple[str, Any]:
    match chance.randrange(6):
        case 0 | 1:
            return path(chance.choice(("converse", "converse-stream"))), CONVERSE
        case 2 | 3:
            return path(chance.choice(("invoke", "invoke-with-response-stream"))), ANTHROPIC
        case 4:
            return path("count-tokens"), {"input": {"converse": CONVERSE}}
        case _:
            return "/guardrail/main/version/DRAFT/apply", GUARDRAIL


def _mutated(chance: random.Random, value: Any) -> Any:
    """The document with one value changed, somewhere."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                return {name: item for name, item in value.items() if name != key}
            case 1:
                return {(name + "x" if name == key else name): item for name, item in value.items()}
            case 2:
                return {
                    **value,
                    chance.choice(("extra", "", "guardrailConfig", "__proto__", "\u0130")): chance.choice(JUNK),
                }
            case _:
                return {**value, key: _mutated(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.85:
        at = chance.randrange(len(value))
        match chance.randrange(6):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value * chance.choice((2, 50))
            case _:
                return [*value[:at], _mutated(chance, value[at]), *value[at + 1 :]]
    return chance.choice(JUNK)


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def complaint(request: Request, answer: Answer) -> str:
    """What is wrong with an answer; empty when nothing is."""
    if not request.http:
        return "" if answer.status < 500 else f"status {answer.status}"
    if not (200 <= answer.status < 300 or 400 <= answer.status < 500):
        return f"status {answer.status}: {answer.body[:200]!r}"
    if REQUEST_ID.fullmatch(answer.headers.get("x-amzn-requestid", "")) is None:
        return f"status {answer.status} without a request id"
    if answer.status < 400 or request.data.startswith(b"HEAD "):
        return ""
    if answer.headers.get("content-type") == "text/xml":
        return "" if ElementTree.fromstring(answer.body).find(".//{*}Message") is not None else "XML without a message"
    message = answer.json().get("message")
    return (
        "" if isinstance(message, str) and message and answer.headers.get("x-amzn-errortype") else "no message or type"
    )


class Sender:
    """Sends requests, on one connection for as long as the server keeps it."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None

    def send(self, request: Request) -> tuple[int, str]:
        """Status, 0 for none, and what is wrong with the answer."""
        connection = self._connection or self._connect()
        self._connection = None
        if not request.http:  # it may wait for more, or leave half a request behind: nothing follows it
            connection.socket.settimeout(0.3)
        try:
            answer = connection.ask(request.data)
        except (EOFError, TimeoutError) as error:
            connection.close()
            return 0, f"no answer: {error!r}" if request.http else ""
        if answer.closed or not request.http:
            connection.close()
        else:
            self._connection = connection
        return answer.status, complaint(request, answer)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
