"""Requests that are wrong in every way we could think of, from a seed; and what an answer to one must look like.

- Whatever reaches the application gets a 2xx, a 4xx or, when the model's server is broken, a 503, in the shape of the
  API, with a request id; a stream is whole frames.
- Only what is no HTTP may be answered by the server below the application, or by the end of the connection.
- Who is not who he says is not let in.

>>> next(requests(random.Random(1), access)).data  # doctest: +SKIP
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

from fuzzing_documents import ACTIONS, ANTHROPIC, CHAT, CONVERSE, dumped, mutated, valid
from fuzzing_identity import Access, forged_signature, forged_token, respelled_token
from running_system import MODEL
from wire import Answer, Connection, path, plain

REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REFUSED = (400, 401, 403, 404, 405, 413, 415)
"""Statuses that a forged identity may get: none of them says that it was believed."""
WAIT_S = 0.3
"""How long an answer to what is no HTTP is waited for."""
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
    forged: bool = False
    """It must not be let in."""


Maker = Callable[[random.Random, Access], Request]


def requests(chance: random.Random, access: Access) -> Iterator[Request]:
    """For ever."""
    makers: dict[Maker, int] = {
        _valid_body: 20, _mutated_body: 12, _bytes_body: 8, _deep: 1, _path: 3, _encoded_path: 4, _method: 2,
        _headers: 3, _metadata: 3, _authorization: 3, _token: 8, _signature: 6, _models: 2, _sts: 4, _chunked: 2,
        _framing: 2,
    }  # fmt: skip
    made, weights = tuple(makers), tuple(makers.values())
    while True:
        yield chance.choices(made, weights)[0](chance, access)


def _valid_body(chance: random.Random, access: Access) -> Request:
    """As it should be: what the model's server makes of it is the question."""
    target, body = valid(chance)
    return Request(kind="valid", data=access.signed("POST", target, dumped(body)))


def _mutated_body(chance: random.Random, access: Access) -> Request:
    """A valid document with a few values replaced, dropped, repeated or renamed."""
    target, body = valid(chance)
    for _ in range(chance.randint(1, 3)):
        body = mutated(chance, body)
    return Request(kind="body", data=access.signed("POST", target, dumped(body)))


def _bytes_body(chance: random.Random, access: Access) -> Request:
    """A valid document with bytes flipped, cut out, or repeated."""
    target, body = valid(chance)
    data = bytearray(dumped(body))
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
    return Request(kind="bytes", data=access.signed("POST", target, bytes(data)))


def _deep(chance: random.Random, access: Access) -> Request:
    depth = chance.choice((10, 100, 1_000, 100_000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"messages":[', b"]}")))
    data = opening * depth + b"1" + closing * chance.choice((0, depth))
    return Request(kind="deep", data=access.signed("POST", path(chance.choice(ACTIONS)), data))


def _path(chance: random.Random, access: Access) -> Request:
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


def _method(chance: random.Random, access: Access) -> Request:
    method = chance.choice(
        ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "FOO", "post", "M-SEARCH", "X" * 100)
    )
    target = chance.choice((path(), "/", "/healthz", "/metrics", "/guardrail/main/version/DRAFT/apply"))
    return Request(kind="method", data=access.signed(method, target, b"{}"))


def _headers(chance: random.Random, access: Access) -> Request:
    """Signed, with headers added that a proxy, a client or an attacker might send."""
    request = access.signed("POST", path(chance.choice(ACTIONS)), dumped(CONVERSE))
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


def _authorization(chance: random.Random, access: Access) -> Request:
    token = access.signer.token
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
    request = access.signed("POST", path(), dumped(CONVERSE))
    if chance.random() < 0.4:  # one byte of a good one
        data = bytearray(request)
        at = data.index(b"authorization:") + chance.randrange(14, 300)
        data[at] = chance.choice(b"aZ0/=,; ")
        return Request(kind="authorization", data=bytes(data), http=False)
    return Request(kind="authorization", data=plain("POST", path(), b"{}", lines))


def _sts(chance: random.Random, access: Access) -> Request:
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
    return Request(kind="sts", data=access.signed("POST", "/", body, kind, service="sts"))


def _framing(chance: random.Random, access: Access) -> Request:
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


def _encoded_path(chance: random.Random, access: Access) -> Request:
    """Signed, the model's id percent-encoded in ways that are right, wrong, or right twice."""
    how: tuple[Callable[[str], str], ...] = (
        lambda text: "".join(f"%{ord(c):02X}" for c in text),
        lambda text: "".join(f"%{ord(c):02x}" for c in text),
        lambda text: "".join(chance.choice((c, f"%{ord(c):02X}")) for c in text),
        lambda text: quote(quote(text, safe=""), safe=""),
        lambda text: text,
        lambda text: (
            text.replace(":", "%3A") + chance.choice(("%00", "%2F..", "%c0%af", "%ff", "%u0041", "%", "%4", "%0d%0a"))
        ),
        lambda text: chance.choice(("%2e%2e", "%2F", ".%2e", "%5c", "%E2%80%8B")) + text,
    )
    target = f"/model/{chance.choice(how)(MODEL)}/{chance.choice(ACTIONS)}"
    return Request(kind="encoded path", data=access.signed("POST", target, dumped(CONVERSE)))


def _metadata(chance: random.Random, access: Access) -> Request:
    """Headers that the invoke operations read."""
    value = chance.choice(
        (
            '{"k": "v"}', "{}", "", "x", "[]", '{"k": 1}', '{"": ""}', '{"k": "' + "v" * 300 + '"}', "{" * 500, "null",
            json.dumps({f"k{at}": "v" for at in range(20)}), '{"k": "\\ud800"}', '{"k": "\xe9"}', "\xff", '{"k": "v"',
        )
    )  # fmt: skip
    extra = {"x-amzn-bedrock-request-metadata": value}
    if chance.random() < 0.5:
        extra[chance.choice(("accept", "x-amzn-bedrock-accept"))] = chance.choice(
            ("*/*", "text/html", "", "x", "a/b;q=x")
        )
    if chance.random() < 0.5:
        extra["x-amzn-bedrock-trace"] = chance.choice(("ENABLED", "ENABLED_FULL", "DISABLED", "x", ""))
    if chance.random() < 0.3:
        extra["content-type"] = chance.choice(
            ("application/json", "text/plain", "", "application/json; charset=utf-16")
        )
    target = path(chance.choice(("invoke", "invoke-with-response-stream")))
    return Request(kind="metadata", data=access.signed("POST", target, dumped(ANTHROPIC), extra))


def _token(chance: random.Random, access: Access) -> Request:
    """A bearer token changed in one field, or spelled in another way."""
    forged = chance.random() < 0.75
    make = forged_token if forged else respelled_token
    token = make(chance, access.bearer)
    if chance.random() < 0.1:  # a session token is no bearer token
        forged, token = True, access.signer.token
    method, target, body = chance.choice(
        (
            ("GET", "/v1/models", b""), ("POST", "/v1/chat/completions", dumped(CHAT)),
            ("POST", path(), dumped(CONVERSE)), ("POST", path("count-tokens"), b"{}"),
        )
    )  # fmt: skip
    lines = access.bearing(body, token)
    if not token.isascii() or "\n" in token:
        lines["authorization"] = lines["authorization"].encode("utf-8").decode("latin-1").replace("\n", "")
    return Request(kind="token", data=plain(method, target, body, lines), forged=forged)


def _signature(chance: random.Random, access: Access) -> Request:
    """A signature over something else than what is sent."""
    target = path(chance.choice(ACTIONS))
    return Request(
        kind="signature", data=forged_signature(chance, access, target, dumped(CONVERSE)), forged=True,
    )  # fmt: skip


def _models(chance: random.Random, access: Access) -> Request:
    """The list of models, and what is near it."""
    target = chance.choice(("/v1/models", "/openai/v1/models")) + chance.choice(
        ("", "?a=b", "/", "/x", "?limit=%", "/" + quote(MODEL, safe=""))
    )
    method, body = chance.choice(("GET", "GET", "GET", "POST", "DELETE")), chance.choice((b"", b"{}", b"x" * 1_000))
    return Request(kind="models", data=plain(method, target, body, access.bearing(body)))


def _chunked(chance: random.Random, access: Access) -> Request:
    """A body in chunks: sound ones in odd sizes, with extensions and trailers, and ones that are not."""
    target, value = valid(chance)
    body = dumped(value)
    sound = chance.random() < 0.6
    pieces, at = [], 0
    while at < len(body):
        size = chance.choice((1, 7, 64, 1_000, 10_000))
        piece = body[at : at + size]
        length = chance.choice((f"{len(piece):x}", f"{len(piece):X}", f"{len(piece):08x}")).encode()
        pieces.append(
            length + (b"" if sound else chance.choice((b"", b";a=b", b' ;a="b"'))) + b"\r\n" + piece + b"\r\n"
        )
        at += size
    end = b"0\r\n\r\n"
    if not sound:
        end = chance.choice((end, b"0\r\nx: y\r\n\r\n", b"00000\r\n\r\n", b"", b"0\n\n", b"-1\r\n\r\n", b"0x0\r\n\r\n"))
        if chance.random() < 0.5:
            pieces.insert(
                chance.randrange(len(pieces) + 1), chance.choice((b"\r\n", b"5\r\nab\r\n", b"g\r\n", b"\x00"))
            )
    head, _, _ = access.signed("POST", target, body).partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    lines.append(
        b"transfer-encoding: "
        + (b"chunked" if sound else chance.choice((b"chunked", b"Chunked", b"chunked, chunked", b"x, chunked")))
    )
    data = b"\r\n".join(lines) + b"\r\n\r\n" + b"".join(pieces) + end
    return Request(kind="chunked", data=data, http=sound)


def complaint(request: Request, answer: Answer) -> str:
    """What is wrong with an answer; empty when nothing is."""
    upstream = answer.status == 503 and "x-caisson-upstream" in answer.headers
    if not request.http:
        return "" if answer.status < 500 or upstream else f"status {answer.status}"
    if not (200 <= answer.status < 300 or 400 <= answer.status < 500 or upstream):
        return f"status {answer.status}: {answer.body[:200]!r}"
    if REQUEST_ID.fullmatch(answer.headers.get("x-amzn-requestid", "")) is None:
        return f"status {answer.status} without a request id"
    if request.forged and answer.status not in REFUSED:
        return f"status {answer.status} for a forged identity"
    if request.data.startswith(b"HEAD "):
        return ""
    return _broken_frames(answer) if answer.status < 400 else _broken_error(answer)


def _broken_frames(answer: Answer) -> str:
    """What is wrong with a stream; each frame has to be whole."""
    kind = answer.headers.get("content-type", "")
    try:
        if "eventstream" in kind:
            for _, payload in answer.events():
                json.loads(payload)
        elif "event-stream" in kind:
            for line in answer.body.split(b"\n\n"):
                if line and line != b"data: [DONE]":
                    json.loads(line.removeprefix(b"data: "))
        elif kind == "application/json":
            answer.json()
    except Exception as error:
        return f"frames that are none: {error!r}"
    return ""


def _broken_error(answer: Answer) -> str:
    if answer.headers.get("content-type") == "text/xml":
        return "" if ElementTree.fromstring(answer.body).find(".//{*}Message") is not None else "XML without a message"
    said = answer.json()
    message = said.get("message") or said.get("error", {}).get("message")
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
            connection.socket.settimeout(WAIT_S)
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
