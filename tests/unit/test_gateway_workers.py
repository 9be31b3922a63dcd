"""The listener's application as one of several workers: what it counts, and how it retires and drains."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from caisson.errors import Refusal
from caisson.ports.credentials import Principal
from caisson.system.loader import load
from caisson.system.schema import System
from caisson.zones.z1_ingress.gateway import Gateway
from caisson.zones.z1_ingress.http import HttpRequest
from request_path import MODEL, PRINCIPAL, FakeModel, made_runtime, text_events
from running_system import CLAIMS

CONVERSE = f"/model/{MODEL}/converse"
BODY = b'{"messages":[{"role":"user","content":[{"text":"hi"}]}]}'


class Anybody:
    """Everybody is alice; nothing else is known."""

    async def authenticate(self, request: HttpRequest, *, service: str) -> Principal | Refusal:
        return PRINCIPAL

    async def handle(self, request: HttpRequest, request_id: str) -> tuple[int, bytes]:
        return 200, b""

    def record(self, **_: str) -> None:
        pass

    def problems(self) -> list[str]:
        return []


class Others:
    """Requests under way in other workers."""

    def __init__(self) -> None:
        self.elsewhere = 0
        self.told: list[int] = []

    def __call__(self, here: int) -> int:
        self.told.append(here)
        return here + self.elsewhere


@pytest.fixture
def system() -> System:
    return load(CLAIMS, carrier="up")


@pytest.fixture
def others() -> Others:
    return Others()


@pytest.fixture
async def gateway(tmp_path: Path, system: System, others: Others) -> Gateway:
    runtime = await made_runtime(tmp_path, system, FakeModel(events=text_events(["hello"])))
    anybody = Anybody()
    return Gateway(
        runtime=runtime, identity=anybody, sts=anybody, refusals=anybody, readiness=anybody, in_all=others
    )  # fmt: skip


async def ask(
    gateway: Gateway, path: str = CONVERSE, method: str = "POST", *, after_head: asyncio.Event | None = None
) -> tuple[int, dict[str, str]]:
    """Status and headers, some of which may repeat: those are joined. The client reads on once `after_head` is set."""
    sent: list[dict[str, Any]] = []
    bodies = [BODY]

    async def receive() -> dict[str, Any]:
        if not bodies:
            await asyncio.Event().wait()  # the client stays
        bodies.clear()
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] != "http.response.start" and after_head is not None:
            await after_head.wait()

    scope = {
        "type": "http", "method": method, "raw_path": path.encode(), "query_string": b"", "client": ("127.0.0.1", 1),
        "scheme": "https",
        "headers": [(b"authorization", b"x"), (b"content-length", b"%d" % len(BODY))],
    }  # fmt: skip
    await gateway(scope, receive, send)
    headers: dict[str, str] = {}
    for name, value in sent[0]["headers"]:
        headers[name.decode()] = ", ".join(filter(None, (headers.get(name.decode()), value.decode())))
    return sent[0]["status"], headers


async def test_requests_of_all_workers_count_together(gateway: Gateway, others: Others, system: System) -> None:
    most = system.limits.concurrency_max
    others.elsewhere = most - 1
    assert (await ask(gateway))[0] == 200
    others.elsewhere = most
    status, headers = await ask(gateway)
    assert (status, headers["x-amzn-errortype"]) == (429, "ThrottlingException")
    assert others.told == [1, 0, 1, 0]  # one that was refused has left as well


@pytest.mark.parametrize("path", [CONVERSE, f"{CONVERSE}-stream", "/nothing"])
async def test_who_retires_answers_and_asks_for_another_connection(gateway: Gateway, path: str) -> None:
    before, headers = await ask(gateway, path)
    assert before != 200 or "connection" not in headers
    await gateway.retire(5.0)
    status, headers = await ask(gateway, path)
    assert (status, headers["connection"]) == (before, "close")
    draining = asyncio.create_task(gateway.drain(5.0))
    await asyncio.sleep(0)
    assert (await ask(gateway, path))[0] == before  # not refused, though it waits for the last ones
    assert await draining == 0


async def test_who_retires_waits_for_answers_that_did_not_ask(gateway: Gateway) -> None:
    """A stream's client was not told to leave: its connection must not close before it could be."""
    reads = asyncio.Event()
    early = asyncio.create_task(ask(gateway, f"{CONVERSE}-stream", after_head=reads))
    while not gateway._unasked:
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    retiring = asyncio.create_task(gateway.retire(5.0))
    status, headers = await ask(gateway)
    assert (status, headers["connection"]) == (200, "close")
    assert not retiring.done()
    reads.set()
    await retiring
    status, headers = await early
    assert (status, headers.get("connection")) == (200, None)


async def test_who_retires_waits_no_longer_than_it_is_told(gateway: Gateway) -> None:
    reads = asyncio.Event()
    early = asyncio.create_task(ask(gateway, f"{CONVERSE}-stream", after_head=reads))
    while not gateway._unasked:
        await asyncio.sleep(0)
    await gateway.retire(0.01)
    assert not early.done()
    reads.set()
    await early


async def test_an_answer_that_begins_after_that_asks(gateway: Gateway) -> None:
    asking = asyncio.create_task(ask(gateway))
    while not gateway._unasked:
        await asyncio.sleep(0)
    await gateway.retire(5.0)
    status, headers = await asking
    assert (status, headers["connection"]) == (200, "close")


async def test_who_retires_is_not_ready(gateway: Gateway) -> None:
    assert (await ask(gateway, "/readyz", "GET"))[0] == 200
    await gateway.retire(5.0)
    status, headers = await ask(gateway, "/readyz", "GET")
    assert (status, headers["connection"]) == (503, "close")


async def test_who_drains_for_a_stop_refuses(gateway: Gateway) -> None:
    assert await gateway.drain(5.0) == 0
    status, headers = await ask(gateway)
    assert (status, headers["x-amzn-errortype"]) == (429, "ThrottlingException")
