"""A Bedrock Runtime on loopback that speaks the real wire format and plays what a test tells it.

- Requests are checked as AWS would: the path against the service model's, the body against its input shape (an unknown
  field fails), the signature by botocore's own signer.
- Event streams are encoded here, independently of the package under test.
"""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from zlib import crc32

import botocore.session
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")
KEY_ID, SECRET, TOKEN = "ASIAEXAMPLE000000000", "server/secret", "server-token"
REGION = "eu-west-1"
MEDIA_TYPE = "application/vnd.amazon.eventstream"
USAGE = {"inputTokens": 11, "outputTokens": 3, "totalTokens": 14}


def frame(payload: bytes, **headers: str) -> bytes:
    """One message with string headers; `message_type` becomes `:message-type`."""
    encoded = b""
    for key, value in headers.items():
        name, raw = f":{key.replace('_', '-')}".encode(), value.encode()
        encoded += bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(raw)) + raw
    prelude = struct.pack(">II", 16 + len(encoded) + len(payload), len(encoded))
    body = prelude + struct.pack(">I", crc32(prelude)) + encoded + payload
    return body + struct.pack(">I", crc32(body))


def event(kind: str, **value: Any) -> bytes:
    """An event of ConverseStream, valid to its shape."""
    shape = SERVICE.operation_model("ConverseStream").get_event_stream_output().members[kind]
    report = ParamValidator().validate(value, shape)
    assert not report.has_errors(), report.generate_report()
    payload = json.dumps({**value, "p": "abcdefghij"}).encode()  # AWS pads events against guessing by length
    return frame(payload, event_type=kind, content_type="application/json", message_type="event")


def exception(kind: str, message: str = "'SECRET' was here") -> bytes:
    """An exception that ends a stream."""
    payload = json.dumps({"message": message}).encode()
    return frame(payload, exception_type=kind, content_type="application/json", message_type="exception")


def text(piece: str, index: int = 0) -> bytes:
    return event("contentBlockDelta", contentBlockIndex=index, delta={"text": piece})


def said(*pieces: str, stop: str = "end_turn", **metadata: Any) -> list[bytes]:
    """The events of a text."""
    return [
        event("messageStart", role="assistant"),
        *(text(piece) for piece in pieces),
        event("contentBlockStop", contentBlockIndex=0),
        event("messageStop", stopReason=stop),
        event("metadata", **{"usage": USAGE, "metrics": {"latencyMs": 7}, **metadata}),
    ]


def whole(*content: dict[str, Any], stop: str = "end_turn", **more: Any) -> dict[str, Any]:
    """The body of Converse, valid to its shape."""
    body = {
        "output": {"message": {"role": "assistant", "content": list(content) or [{"text": "Good day."}]}},
        "stopReason": stop,
        "usage": USAGE,
        "metrics": {"latencyMs": 7},
        **more,
    }
    report = ParamValidator().validate(body, SERVICE.operation_model("Converse").output_shape)
    assert not report.has_errors(), report.generate_report()
    return body


def applied(*outputs: str, action: str = "NONE", total: int = 10, guarded: int | None = None, **policies: Any) -> Any:
    """The body of ApplyGuardrail, valid to its shape."""
    units = dict.fromkeys(SERVICE.shape_for("GuardrailUsage").required_members, 1)
    covered = total if guarded is None else guarded
    details = {
        "guardrailId": "gr1",
        "guardrailVersion": "3",
        "guardrailArn": "arn:aws:bedrock:eu-west-1:1:guardrail/gr1",
    }
    body = {
        "usage": units,
        "action": action,
        "outputs": [{"text": output} for output in outputs],
        "assessments": [{**policies, "appliedGuardrailDetails": {**details, "guardrailOrigin": ["REQUEST"]}}],
        "guardrailCoverage": {"textCharacters": {"guarded": covered, "total": total}},
    }
    report = ParamValidator().validate(body, SERVICE.operation_model("ApplyGuardrail").output_shape)
    assert not report.has_errors(), report.generate_report()
    return body


@dataclass
class Server:
    """What was asked, and what is answered."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    handler: Handler | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """A client left in the middle of `hang`."""
    secret: str = SECRET
    problems: list[str] = field(default_factory=list)
    """What no request may have."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.paths.append(request.raw_path)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        operation = operation_of(request.raw_path)
        if operation is None:
            return error("UnknownOperationException", 404)
        self.operations.append(operation)
        if not self._signed(request, body):
            return error("InvalidSignatureException", 403)
        self.bodies.append(json.loads(body))
        problem = invalid(operation, request.raw_path, self.bodies[-1])
        if problem:
            self.problems.append(problem)
            return error("ValidationException", 400, problem)
        if self.handler is not None:
            return await self.handler(request)
        if operation == "ConverseStream":
            return await stream(*said("Good ", "day."))(request)
        return web.json_response(whole() if operation == "Converse" else applied())

    def _signed(self, request: web.Request, body: bytes) -> bool:
        """Whether botocore signs it the same."""
        given = request.headers.get("authorization", "")
        if "SignedHeaders=" not in given:
            return False
        names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        kept = {name: request.headers.get(name, "") for name in names if name != "host"}
        again = AWSRequest("POST", f"http://{request.headers['host']}{request.raw_path}", data=body, headers=kept)
        again.context["timestamp"] = request.headers["x-amz-date"]
        signer = SigV4Auth(Credentials(KEY_ID, self.secret, TOKEN), "bedrock", REGION)
        signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
        wanted = f"AWS4-HMAC-SHA256 Credential={signer.scope(again)}, SignedHeaders={';'.join(names)}, Signature="
        return given == wanted + signature and request.headers.get("x-amz-security-token") == TOKEN

    async def hang(self, request: web.Request) -> web.StreamResponse:
        """Say a word and wait for the client to leave."""
        response = await begun(request)
        await response.write(event("messageStart", role="assistant") + text("Good "))
        try:
            while request.transport is not None and not request.transport.is_closing():
                await asyncio.sleep(0.005)
        finally:
            self.left.set()
        return response

    async def endless(self, request: web.Request) -> web.StreamResponse:
        """Say words for ever."""
        response = await begun(request)
        await response.write(event("messageStart", role="assistant"))
        try:
            while True:
                await response.write(text("x" * 100_000))
        finally:
            self.left.set()


def operation_of(raw_path: str) -> str | None:
    """The operation whose path this is."""
    parts = raw_path.split("/")
    if len(parts) == 4 and parts[1] == "model":
        return {"converse": "Converse", "converse-stream": "ConverseStream", "invoke": "InvokeModel"}.get(parts[3])
    if len(parts) == 6 and (parts[1], parts[3], parts[5]) == ("guardrail", "version", "apply"):
        return "ApplyGuardrail"
    return None


def invalid(operation: str, raw_path: str, body: dict[str, Any]) -> str:
    """What the service model does not allow; empty when it allows it."""
    parts = [unquote(part) for part in raw_path.split("/")]
    labels = (
        {"guardrailIdentifier": parts[2], "guardrailVersion": parts[4]}
        if operation == "ApplyGuardrail"
        else {"modelId": parts[2]}
    )
    if operation == "InvokeModel":  # its body is the family's own
        body = {"body": base64.b64encode(json.dumps(body).encode()).decode()}
    shape = SERVICE.operation_model(operation).input_shape
    # Blobs are base64 in JSON and bytes to the validator, which by itself lets unknown fields pass.
    value = _decoded({**body, **labels}, shape)
    report = ParamValidator().validate(value, shape)
    unknown = _unknown(value, shape, "")
    return (report.generate_report() if report.has_errors() else "") + ", ".join(unknown)


def _decoded(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict) and shape.members:
        return {k: _decoded(v, shape.members[k]) if k in shape.members else v for k, v in value.items()}
    if shape.type_name == "list":
        return [_decoded(item, shape.member) for item in value]
    return base64.b64decode(value, validate=True) if shape.type_name == "blob" else value


def _unknown(value: Any, shape: Any, path: str) -> list[str]:
    if shape.type_name == "structure" and isinstance(value, dict) and not shape.is_document_type:
        found = [f"unknown field {path}.{key}" for key in value if key not in shape.members]
        return found + [
            row for key, item in value.items() if key in shape.members
            for row in _unknown(item, shape.members[key], f"{path}.{key}")
        ]  # fmt: skip
    if shape.type_name == "list":
        return [row for item in value for row in _unknown(item, shape.member, path + "[]")]
    if shape.type_name == "string" and shape.enum and value not in shape.enum:
        return [f"unknown value at {path}"]
    return []


async def begun(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": MEDIA_TYPE})
    await response.prepare(request)
    return response


def stream(*pieces: bytes, size: int | None = None) -> Handler:
    """A handler that sends these bytes, one write a piece, or cut into pieces of `size`."""

    async def send(request: web.Request) -> web.StreamResponse:
        response, data = await begun(request), b"".join(pieces)
        for piece in [data[at : at + size] for at in range(0, len(data), size)] if size else pieces:
            await response.write(piece)
        return response

    return send


def body(value: Any) -> Handler:
    """A handler that answers with this JSON."""

    async def send(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=value if isinstance(value, bytes) else json.dumps(value).encode())

    return send


def error(code: str, status: int, message: str = "SECRET", **headers: str) -> web.Response:
    """An error as AWS answers it."""
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    if code:
        sent["x-amzn-errortype"] = f"{code}:http://internal.amazon.com/coral/"
    return web.json_response({"message": f"'{message}' was here"}, status=status, headers=sent)


def failing(code: str, status: int, **headers: str) -> Handler:
    """A handler that answers with an error."""

    async def send(_request: web.Request) -> web.StreamResponse:
        return error(code, status, **headers)

    return send


def in_turn(*handlers: Handler) -> Handler:
    """A handler that plays one after the other, then the last for ever."""
    left = list(handlers)

    async def send(request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(request)

    return send


@asynccontextmanager
async def running() -> AsyncIterator[Server]:
    """A server on a free port."""
    server = Server()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
