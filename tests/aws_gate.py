"""A gate before moto: it holds calls to what AWS holds them to and moto does not, and breaks what a test asks it to.

- Signatures are checked by botocore's signer, with the secrets that are known: the process's, and those that STS gave.
- Credentials with the session tag `SessionId` reach items whose partition key is that session or begins with `rate#`,
  and nothing else: what the ledger's role allows by `dynamodb:LeadingKeys` and `${aws:PrincipalTag/SessionId}`.
- A fault is played to the next calls of an operation: refused, or answered only after it was carried out or never.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import threading
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL

from aws_services import OWN, REGION

LOST = "answer lost"
"""Fault: the call is carried out and the connection breaks before the answer."""
LATE_FAILURE = "carried out, then 500"
"""Fault: the call is carried out and the answer is an internal error."""
DEAF = "deaf"
"""Fault: the connection breaks before the call is carried out."""
SILENT = "silent"
"""Fault: nothing happens at all until the caller gives up."""
LOOK_S = 0.05


@dataclass
class Gate:
    """What passed, and what is to break."""

    url: str = ""
    upstream: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Operation, and the session of who called; empty for the process itself."""
    denied: list[str] = field(default_factory=list)
    faults: dict[str, deque[Any]] = field(default_factory=lambda: defaultdict(deque))
    """By operation: LOST, DEAF, SILENT, or an error's code with its status and what else its body holds."""
    secrets: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Access key id to secret and session."""
    bodies: list[Any] = field(default_factory=list)
    assumed: list[dict[str, str]] = field(default_factory=list)
    """Parameters of each AssumeRole."""

    def fail(self, operation: str, *faults: Any) -> None:
        self.faults[operation].extend(faults)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        operation = request.headers.get("x-amz-target", "").partition(".")[2] or _action(body)
        session = self._session(request, body)
        if session is None:
            self.denied.append(f"{operation}: signature")
            return _error("UnrecognizedClientException", 400)
        self.calls.append((operation, session))
        asked = json.loads(body) if body.startswith(b"{") else {}
        self.bodies.append(asked)
        if session:
            others = [key for key in _partitions(operation, asked) if key != session and not key.startswith("rate#")]
            if others or operation in ("Query", "Scan"):
                self.denied.append(f"{operation}: {session} reaches {others}")
                return _error("AccessDeniedException", 400)
        fault = self.faults[operation].popleft() if self.faults[operation] else None
        if fault == DEAF:
            return _broken(request)
        if fault == SILENT:
            await asyncio.sleep(3600)
        if isinstance(fault, tuple) and operation == "AssumeRole":
            return _error_in_xml(*fault)
        if isinstance(fault, tuple):
            code, status, *more = fault
            return _error(code, status, **(more[0] if more else {}))
        wait_s = asked.pop("WaitTimeSeconds", 0)
        if wait_s:
            body = json.dumps(asked).encode()
        answer, kind, status = await self._passed(request, body)
        for _ in range(int(wait_s / LOOK_S)):  # a long poll, in which moto would serve nobody else
            if json.loads(answer).get("Messages"):
                break
            await asyncio.sleep(LOOK_S)
            answer, kind, status = await self._passed(request, body)
        if operation == "AssumeRole":
            self._learn(body, answer.decode())
        if fault == LOST:
            return _broken(request)
        if fault == LATE_FAILURE:
            return _error("InternalServerError", 500)
        return web.Response(body=answer, status=status, headers={"content-type": kind})

    async def answer_objects(self, request: web.Request) -> web.StreamResponse:
        """The same for S3, whose operations are methods and paths; `calls` has the name instead of a session."""
        body = await request.read()
        name = request.path.partition("/")[2].partition("/")[2]
        operation = f"{request.method.capitalize()}Object" if name else "ListObjectsV2"
        if self._session(request, body, S3SigV4Auth) is None:
            self.denied.append(f"{operation}: signature")
            return _error_of_objects("SignatureDoesNotMatch", 403)
        if request.method == "PUT":
            told = request.headers.get("x-amz-checksum-sha256", "")
            if told != base64.b64encode(hashlib.sha256(body).digest()).decode():
                return _error_of_objects("InvalidRequest", 400)
        self.calls.append((operation, name))
        self.bodies.append({"method": request.method, "if-none-match": request.headers.get("if-none-match", "")})
        fault = self.faults[operation].popleft() if self.faults[operation] else None
        if fault == DEAF:
            return _broken(request)
        if fault == SILENT:
            await asyncio.sleep(3600)
        if isinstance(fault, tuple):
            return _error_of_objects(*fault)
        kept = {key: value for key, value in request.headers.items() if key.lower() not in ("host", "content-length")}
        url = URL(self.upstream + request.raw_path, encoded=True)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as client,
            client.request(request.method, url, data=body or None, headers=kept) as response,
        ):
            answer, status = await response.read(), response.status
            told = {key: response.headers[key] for key in ("etag", "content-type") if key in response.headers}
        if fault == LOST:
            return _broken(request)
        if fault == LATE_FAILURE:
            return _error_of_objects("InternalError", 500)
        return web.Response(body=answer, status=status, headers=told)

    async def _passed(self, request: web.Request, body: bytes) -> tuple[bytes, str, int]:
        """Body, type and status of what the upstream answers."""
        kept = {
            name: value for name, value in request.headers.items() if name.lower() not in ("host", "content-length")
        }
        async with (
            aiohttp.ClientSession(auto_decompress=False) as client,
            client.post(self.upstream + "/", data=body, headers=kept) as response,
        ):
            return await response.read(), response.headers.get("content-type", ""), response.status

    def _session(self, request: web.Request, body: bytes, by: type[SigV4Auth] = SigV4Auth) -> str | None:
        """Who signed: a session's id, empty for the process, None for nobody."""
        given = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/\d{8}/([\w-]+)/(\w+)/aws4_request, SignedHeaders=([\w;-]+), "
            r"Signature=([0-9a-f]{64})",
            request.headers.get("authorization", ""),
        )
        known = {OWN.access_key_id: (OWN.secret_access_key, ""), **self.secrets}
        if given is None or given[1] not in known or given[2] != REGION:
            return None
        secret, session = known[given[1]]
        names = given[4].split(";")
        if "host" not in names or "x-amz-date" not in names:
            return None
        kept = {name: request.headers.get(name, "") for name in names if name != "host"}
        url = f"http://{request.headers['host']}{request.raw_path}"
        again = AWSRequest(request.method, url, data=body, headers=kept)
        again.context["timestamp"] = request.headers["x-amz-date"]
        signer = by(Credentials(given[1], secret), given[3], REGION)
        signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
        return session if signature == given[5] else None

    def _learn(self, asked: bytes, answer: str) -> None:
        tags = parse_qs(asked.decode())
        self.assumed.append({name: values[0] for name, values in tags.items()})
        found = {name: re.findall(f"<{name}>(.+?)</{name}>", answer) for name in ("AccessKeyId", "SecretAccessKey")}
        if found["AccessKeyId"] and tags.get("Tags.member.1.Key") == ["SessionId"]:
            self.secrets[found["AccessKeyId"][0]] = (found["SecretAccessKey"][0], tags["Tags.member.1.Value"][0])


def _action(body: bytes) -> str:
    return parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]


def _partitions(operation: str, asked: Any) -> list[str]:
    """Partition keys that a call reaches."""
    if operation == "TransactWriteItems":
        return [put["Put"]["Item"]["pk"]["S"] for put in asked["TransactItems"]]
    if operation == "BatchGetItem":
        return [key["pk"]["S"] for table in asked["RequestItems"].values() for key in table["Keys"]]
    return [asked[part]["pk"]["S"] for part in ("Key", "Item") if part in asked]


def _broken(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _error(code: str, status: int = 400, **more: Any) -> web.Response:
    told = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "of the gate"} if code else {}
    body = {**told, **more}
    return web.json_response(body, status=status, content_type="application/x-amz-json-1.0")


def _error_of_objects(code: str, status: int) -> web.Response:
    """As S3 says it."""
    return web.Response(
        text=f"<Error><Code>{code}</Code><Message>of the gate</Message></Error>", status=status,
        content_type="application/xml",
    )  # fmt: skip


def _error_in_xml(code: str, status: int) -> web.Response:
    """As STS says it."""
    told = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>of the gate</Message></Error>"
    body = f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{told}<RequestId>r</RequestId></ErrorResponse>'
    return web.Response(text=body, status=status, content_type="text/xml")


@asynccontextmanager
async def gate(upstream: str) -> AsyncIterator[Gate]:
    """A gate on a free port."""
    made = Gate(upstream=upstream)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/", made.answer)
    for method in ("GET", "PUT", "DELETE"):
        app.router.add_route(method, "/{bucket}/{name:.*}", made.answer_objects)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


@contextmanager
def gate_in_thread(upstream: str) -> Iterator[Gate]:
    """The same for tests without an event loop."""
    loop, made, ready, stop = asyncio.new_event_loop(), list[Gate](), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with gate(upstream) as one:
            made.append(one)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        if not ready.wait(10):
            raise RuntimeError("the gate does not open")
        yield made[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
