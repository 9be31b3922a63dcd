"""The gateway's listener as an ASGI application: bounds, routing, the request path, answers in AWS's shape (NET-07).

- A caller without credentials is refused before its body is read, and its refusals are aggregated.
- Bodies are bounded in size and time, headers in number and size, requests under way in number.
- Under way are those of all workers of the system together. A worker that retires refuses nothing: it asks clients to
  use another connection with their next request (RFC 9112 section 9.6), and answers what they send until they do.
- Whatever happens, the client gets an error in the AWS shape with a request id; a bug of ours becomes a 503, is logged
  with its id, and never a traceback or a 500.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Protocol

import orjson

from caisson.errors import CaissonError, CallerError, Refusal, UpstreamError, WireError
from caisson.ports.credentials import Principal
from caisson.zones.z1_ingress.asgi import Receive, Scope, Send
from caisson.zones.z1_ingress.body import read_body
from caisson.zones.z1_ingress.forwarded import Ingress
from caisson.zones.z1_ingress.http import HttpRequest
from caisson.zones.z1_ingress.reply import Reply
from caisson.zones.z1_ingress.routes import Route, match
from caisson.zones.z1_ingress.wire import frame, parser, rendered, stream_renderer
from caisson.zones.z2_runtime import pipeline
from caisson.zones.z2_runtime.dialects import openai_answer
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.runtime import Runtime

HEADERS_MAX = 100
HEADER_BYTES_MAX = 32_768
STS_BODY_BYTES_MAX = 65_536
OPERATIONAL = frozenset({"health", "ready", "metrics"})
"""Kinds of route that answer callers without an identity."""
LOOPBACK = frozenset({"127.0.0.1", "::1"})
FORWARDED = frozenset({b"forwarded", b"via", b"x-forwarded-for"})
"""Headers of which a proxy adds one (RFC 9110, 7.6.3; RFC 7239): who is behind it need not be on this machine."""

log = logging.getLogger("caisson.gateway")


class Authenticator(Protocol):
    """Step 2 as the ingress offers it."""

    async def authenticate(self, request: HttpRequest, *, service: str) -> Principal | Refusal:
        """Who sent the request, or why nobody knows."""


class TokenService(Protocol):
    """The three STS calls."""

    async def handle(self, request: HttpRequest, request_id: str) -> tuple[int, bytes]:
        """HTTP status and XML body."""


class Refusals(Protocol):
    """Aggregated refusals of callers without an identity."""

    def record(self, *, error: str, rule: str, source: str, request_id: str) -> None:
        """Count one."""


class Readiness(Protocol):
    """Whether every zone is ready and the orders are fresh."""

    def problems(self) -> list[str]:
        """Why not; empty when ready."""


class Gateway:
    """The ASGI application."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        identity: Authenticator,
        sts: TokenService,
        refusals: Refusals,
        readiness: Readiness,
        in_all: Callable[[int], int] = lambda here: here,
        ingress: Ingress | None = None,
    ) -> None:
        """`in_all` is told how many requests are under way here and returns how many are in all workers. `ingress` is
        what forwards all of them; None: clients call the gateway itself."""
        self._runtime = runtime
        self._identity = identity
        self._sts = sts
        self._refusals = refusals
        self._readiness = readiness
        self._in_all = in_all
        self._ingress = ingress
        self._under_way = 0
        self._unasked = 0
        """Of those, how many came before their client could be asked for another connection."""
        self._retiring = False
        self._draining = False
        self._asked = asyncio.Event()
        self._idle = asyncio.Event()

    async def retire(self, seconds: float) -> None:
        """Ask every client to close its connection after the next answer; nothing is refused.

        Returns when all that came before are answered, or after `seconds`. The answer to a stream has begun, so its
        client was not asked: it may use its connection once more, and is asked then.
        """
        self._retiring = True
        if self._unasked:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._asked.wait()

    async def drain(self, seconds: float) -> int:
        """Wait until what is under way is answered; returns how many were not in time.

        New requests are refused, unless this worker retires: then hardly any come, and others would answer them.
        """
        self._draining = True
        if self._under_way:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._idle.wait()
        return self._under_way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        if scope["type"] != "http":
            return
        request_id = _new_request_id()
        reply = Reply(send, request_id, self._runtime.deadlines, last=lambda: self._retiring)
        unasked = not self._retiring
        self._unasked += unasked
        self._under_way += 1
        try:
            await self._serve(scope, receive, reply, request_id, self._in_all(self._under_way))
        except CallerError as error:
            self._refused(error.refusal, scope, request_id)
            await reply.refuse(error.refusal)
        except _ClientLeft:
            pass
        except CaissonError as error:
            log.error("request %s: %s", request_id, error)
            await reply.refuse(_UNAVAILABLE)
        except Exception:
            log.exception("request %s: a bug of ours", request_id)
            await reply.refuse(_UNAVAILABLE)
        finally:
            self._under_way -= 1
            self._in_all(self._under_way)
            self._unasked -= unasked
            if self._retiring and not self._unasked:
                self._asked.set()
            if self._draining and not self._under_way:
                self._idle.set()

    async def _serve(self, scope: Scope, receive: Receive, reply: Reply, request_id: str, under_way: int) -> None:
        started = self._runtime.clock.monotonic()
        if self._ingress is not None:
            scope = {**scope, "raw_path": self._ingress.path(scope["raw_path"])}
        route = match(scope["method"], scope["raw_path"])
        if isinstance(route, Refusal):
            raise CallerError(route)
        reply.speaks_openai = route.speaks_openai
        if route.kind in OPERATIONAL:
            await self._operate(route, scope, reply)
            return
        if (self._draining and not self._retiring) or under_way > self._runtime.snapshot.system.limits.concurrency_max:
            raise CallerError(_BUSY)
        request = await self._read(route, scope, receive)
        if route.kind == "models":
            await self._models(request, reply)
            return
        if route.operation is None:
            status, body = await self._sts.handle(request, request_id)
            await reply.send(status, b"text/xml", body)
            return
        exchange = Exchange(
            runtime=self._runtime,
            snapshot=self._runtime.snapshot,
            operation=route.operation,
            request_id=request_id,
            started=started,
            target=route.target,
            parse=parser(route, request),
            authenticate=lambda: self._identity.authenticate(request, service="bedrock"),
        )
        refusal = await pipeline.admit(exchange)
        if refusal is not None:
            if exchange.principal is None:
                raise CallerError(refusal)
            await reply.refuse(refusal)
        elif exchange.operation.streams:
            await self._stream(exchange, receive, reply)
        else:
            await self._whole(exchange, reply)

    async def _models(self, request: HttpRequest, reply: Reply) -> None:
        """The models that the caller's session may use."""
        principal = await self._identity.authenticate(request, service="bedrock")
        if isinstance(principal, Refusal):
            raise CallerError(principal)
        system = self._runtime.snapshot.system
        agent = system.agents.get(principal.agent)
        found = [system.models[agent.model].id] if agent is not None else []
        await reply.send(200, b"application/json", openai_answer.models(found))

    async def _operate(self, route: Route, scope: Scope, reply: Reply) -> None:
        local = (scope.get("client") or [""])[0] in LOOPBACK and not any(
            name in FORWARDED for name, _ in scope["headers"]
        )
        if route.kind == "health":
            await reply.send(200, b"application/json", b'{"status":"alive"}')
        elif route.kind == "ready":
            problems = ["draining"] if self._draining or self._retiring else self._readiness.problems()
            status = "ready" if not problems else "not ready"
            shown = {"status": status} | (
                {"problems": problems} if local else {}
            )  # an order's reason is not for strangers
            await reply.send(200 if not problems else 503, b"application/json", orjson.dumps(shown))
        elif local:
            content_type, body = self._runtime.metrics.expose()
            await reply.send(200, content_type.encode(), body)
        else:
            raise CallerError(
                Refusal(
                    error=WireError.ACCESS_DENIED,
                    rule="route.metrics",
                    message="Metrics are served to this machine only.",
                )
            )

    async def _read(self, route: Route, scope: Scope, receive: Receive) -> HttpRequest:
        headers: tuple[tuple[bytes, bytes], ...] = tuple(scope["headers"])
        if self._ingress is not None:
            headers = self._ingress.headers(headers)
        if len(headers) > HEADERS_MAX or sum(len(name) + len(value) for name, value in headers) > HEADER_BYTES_MAX:
            raise CallerError(
                Refusal(
                    error=WireError.VALIDATION,
                    rule="http.headers",
                    message=f"Expected at most {HEADERS_MAX} headers of {HEADER_BYTES_MAX} bytes together.",
                )
            )
        signed = any(name == b"authorization" for name, _ in headers)
        if route.kind != "sts" and not signed:
            raise CallerError(
                Refusal(
                    error=WireError.MISSING_AUTHENTICATION,
                    rule="identity.missing",
                    message="Expected SigV4 session credentials or a bearer token, found no Authorization header.",
                )
            )
        limit = STS_BODY_BYTES_MAX if route.kind == "sts" else self._runtime.snapshot.system.limits.body_bytes_max
        body = await read_body(headers, receive, limit, self._runtime.deadlines)
        return HttpRequest(
            method=scope["method"],
            raw_path=scope["raw_path"],
            query=scope["query_string"],
            headers=headers,
            body=body,
            client=(scope.get("client") or [""])[0],
            secure=scope["scheme"] == "https",
        )

    def _refused(self, refusal: Refusal, scope: Scope, request_id: str) -> None:
        source = (scope.get("client") or [""])[0]
        self._refusals.record(error=refusal.error.code, rule=refusal.rule, source=source, request_id=request_id)
        self._runtime.metrics.refusal(error=refusal.error.code, rule=refusal.rule)

    async def _whole(self, exchange: Exchange, reply: Reply) -> None:
        if exchange.operation.calls_model:
            refusal = await pipeline.answer(exchange)
            if refusal is not None:
                await reply.refuse(refusal, exchange)
                return
        else:
            await pipeline.without_model(exchange)
        await reply.send(200, b"application/json", rendered(exchange), exchange)

    async def _stream(self, exchange: Exchange, receive: Receive, reply: Reply) -> None:
        """Send frames as they may leave. A client that goes away cancels what is under way, upstream included."""
        task = asyncio.current_task()
        watch = asyncio.ensure_future(_disconnected(receive))
        left = False

        def leave(_: object) -> None:
            nonlocal left
            left = True
            if task is not None:
                task.cancel()

        watch.add_done_callback(leave)
        renderer = stream_renderer(exchange)
        try:
            async with aclosing(pipeline.stream(exchange)) as events:
                try:
                    async for event in events:
                        data = frame(renderer, exchange, event)
                        if data:
                            await reply.frame(data, exchange, renderer.media_type)
                except (UpstreamError, CallerError) as error:
                    if not reply.begun:
                        await reply.refuse(error.refusal, exchange)
                        return
                    await reply.frame(renderer.exception(error.refusal), exchange, renderer.media_type)
                await reply.end()
        except asyncio.CancelledError:
            if not left:
                raise
            raise _ClientLeft from None
        finally:
            watch.remove_done_callback(leave)
            watch.cancel()


def _new_request_id() -> str:
    """A random UUID (RFC 9562 section 5.4), as AWS names its requests."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:]}"


_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


class _ClientLeft(Exception):  # noqa: N818 - not an error of anybody's
    """The client closed the connection."""


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


_UNAVAILABLE = Refusal(
    error=WireError.UNAVAILABLE,
    rule="internal",
    message="Caisson could not carry out this request; it was stopped. Retry later.",
)
_BUSY = Refusal(
    error=WireError.THROTTLING,
    rule="limits.concurrency",
    message="Too many requests are under way; retry with backoff.",
    retry_after_s=1.0,
)
