"""Streams under stress: clients that leave, do not read or never ask, upstreams that never end, many at once, a stop.

Nothing here asserts how fast the machine is: what is compared is order, completeness, bounds, the upstream's own pace.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web
from botocore.eventstream import EventStreamBuffer

import openai_server
from caisson.supervision.supervisor import DRAIN_SECONDS
from openai_server import DONE, USAGE, chunk
from running_system import ENOUGH, MODEL, Running, memory_bytes, start, system_file
from wire import Connection, path, signed

STREAMS = 256
PIECES = 8
PACE_S = 0.25
STALL_PACES_MAX = 8.0
"""A gap between two frames that is more than this many of the upstream's own largest gap is a stall."""
SLOW = 8
TAKEN_BYTES_MAX = 12 << 20
"""What may be taken from the upstream for a client that does not read: the kernel's buffers on the way, some 6 MB."""
OUTPUT_TOKENS_MAX = 400_000
TIMEOUT_S = 5.0
"""limits.request_timeout here."""
SECONDS_MAX = 20.0
FOR_EVER_S = 120.0
FILLER = "The claim was settled within the limits of the policy. " * 4
LIMITS = {
    **ENOUGH["limits"],
    "concurrency_max": {"value": 1_024, "because": "tests ask more at once than people"},
    "request_timeout": f"{TIMEOUT_S:g}s",
}
PATIENT = {**LIMITS, "request_timeout": "60s"}
STILL_S = 1.0
"""How long nothing may be taken from the upstream before it counts as held back."""


class Upstream:
    """The model's server in a thread of its own. What it plays is named in the prompt."""

    def __init__(self) -> None:
        self.left = threading.Semaphore(0)
        """Released for each stream whose client left."""
        self.largest_gap_s = PACE_S
        self.written = 0
        """Bytes that were taken from it."""
        self._last_written = 0.0
        self.open = 0
        self.url = ""
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Upstream:
        self._thread.start()
        assert self._ready.wait(SECONDS_MAX)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _serve(self) -> None:
        async with openai_server.running() as server:
            server.handler = self._play
            self.url = server.url
            self._ready.set()
            while not self._stop.is_set():
                await asyncio.sleep(0.05)

    async def _play(self, request: web.Request) -> web.StreamResponse:
        said = (await request.json())["messages"][-1]["content"]
        text = said if isinstance(said, str) else "".join(part.get("text", "") for part in said)
        kind, _, name = text.partition(" ")
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        self.open += 1
        try:
            await PLAYS[kind](self, response, name)
        except (ConnectionError, asyncio.CancelledError):
            self.left.release()
            raise
        finally:
            self.open -= 1
        return response

    async def say(self, response: web.StreamResponse, data: bytes) -> None:
        await response.write(data)
        self.written += len(data)
        self._last_written = time.monotonic()

    def still_for(self, seconds: float) -> bool:
        """Whether nothing was taken from it for so long."""
        return time.monotonic() - self._last_written > seconds

    async def paced(self, response: web.StreamResponse, name: str) -> None:
        last = time.monotonic()
        for number in range(PIECES):
            await self.say(response, chunk(content=f"<{name} {number}> {FILLER}"))
            await asyncio.sleep(PACE_S)
            now = time.monotonic()
            self.largest_gap_s, last = max(self.largest_gap_s, now - last), now
        await self.say(response, chunk("stop") + USAGE + DONE)

    async def silent(self, response: web.StreamResponse, _: str) -> None:
        await self.say(response, chunk(content=FILLER))
        await self._until_left(response)

    async def dripping(self, response: web.StreamResponse, _: str) -> None:
        while True:
            await self.say(response, chunk(content="and "))
            await self._until_left(response, seconds=0.1)

    async def gushing(self, response: web.StreamResponse, _: str) -> None:
        while True:
            await self.say(response, chunk(content=FILLER * 8))

    async def _until_left(self, response: web.StreamResponse, seconds: float = FOR_EVER_S) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            transport = response._req.transport if response._req is not None else None
            if transport is None or transport.is_closing():
                raise ConnectionResetError
            await asyncio.sleep(0.02)


PLAYS: dict[str, Callable[[Upstream, web.StreamResponse, str], Awaitable[None]]] = {
    "paced": Upstream.paced,
    "silent": Upstream.silent,
    "dripping": Upstream.dripping,
    "gushing": Upstream.gushing,
}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as made:
        yield made


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Running]:
    yield from served(tmp_path_factory.mktemp("streams"), upstream, LIMITS)


@pytest.fixture
def patient(tmp_path: Path, upstream: Upstream) -> Iterator[Running]:
    """One whose requests are not over before a busy machine has done what the test asks."""
    yield from served(tmp_path, upstream, PATIENT)


def served(folder: Path, upstream: Upstream, limits: dict[str, object]) -> Iterator[Running]:
    output = {"value": OUTPUT_TOKENS_MAX, "because": "tests let a model say more than people read"}
    models = {"assistant": {"id": MODEL, "output_tokens_max": output}}
    file = system_file(folder, models=models, **{**ENOUGH, "limits": limits})
    running = start(folder, "--upstream", f"openai={upstream.url}", "--workers", "2", system=file)
    yield running
    assert running.stop(DRAIN_SECONDS + SECONDS_MAX) == 0, running.log.read_text()  # the log takes all that was said


def request(running: Running, prompt: str, tokens: int = 4_000) -> bytes:
    messages = [{"role": "user", "content": [{"text": prompt}]}]
    body = json.dumps({"messages": messages, "inferenceConfig": {"maxTokens": tokens}}).encode()
    return signed(running.session(), "POST", path("converse-stream"), body)


def workers(running: Running) -> list[int]:
    return [pid for name, pid in running.pids().items() if name.startswith("gateway")]


def text_of(body: bytes) -> tuple[str, str]:
    """What a stream said, and how it ended: its stop reason, or the exception in it."""
    buffer, text, end = EventStreamBuffer(), "", ""
    buffer.add_data(body)
    for event in buffer:
        content = json.loads(event.payload)
        text += content.get("delta", {}).get("text", "")
        end = event.headers.get(":exception-type") or content.get("stopReason") or end
    return text, end


def until(condition: Callable[[], bool], seconds: float = SECONDS_MAX) -> bool:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


def test_a_client_that_leaves_cancels_the_upstream(pair: Running, upstream: Upstream) -> None:
    for read in (0, 1):  # before the first byte of the answer, and in the middle
        connection = Connection.to(pair)
        connection.send(request(pair, "dripping"))
        assert until(lambda: upstream.open > 0)
        if read:
            connection.socket.recv(1)
        connection.close()
        # well before the request's own time is over, which would end it as well
        assert upstream.left.acquire(timeout=TIMEOUT_S * 0.7)
    assert until(lambda: upstream.open == 0)


@pytest.mark.parametrize("kind", ["silent", "dripping", "gushing"])
def test_a_stream_that_does_not_end_is_ended(pair: Running, upstream: Upstream, kind: str) -> None:
    connection = Connection.to(pair, seconds=TIMEOUT_S * 3)
    answer = connection.ask(request(pair, kind, tokens=100))
    connection.close()
    said, ended = text_of(answer.body)
    assert ended.endswith("Exception"), answer.body[-300:]
    assert len(said) < 1_000_000
    assert until(lambda: upstream.open == 0)


def test_clients_that_do_not_read_hold_no_memory(patient: Running, upstream: Upstream) -> None:
    """What a client does not take stays with the upstream, which could say 25 MB in each stream.

    A worker holds no more than what it has taken, which it must: the answer's event has all of it.
    """
    client = Connection.to(patient)
    assert client.ask(request(patient, "paced warm")).status == 200
    client.close()
    before, written = {pid: memory_bytes(pid) for pid in workers(patient)}, upstream.written
    slow = []
    for _ in range(SLOW):
        connection = Connection.to(patient)
        connection.send(request(patient, "gushing", tokens=OUTPUT_TOKENS_MAX))
        slow.append(connection)
    assert until(lambda: upstream.open == SLOW)
    assert until(lambda: upstream.still_for(STILL_S))
    assert upstream.open == SLOW  # they wait for their clients
    grown = {pid: memory_bytes(pid) - size for pid, size in before.items()}
    taken = upstream.written - written
    for connection in slow:
        connection.close()
    assert sum(grown.values()) < taken < SLOW * TAKEN_BYTES_MAX
    assert until(lambda: upstream.open == 0)


def test_connections_that_ask_nothing_do_not_stop_others(pair: Running) -> None:
    before = {pid: len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in workers(pair)}
    bare = [socket.create_connection(("127.0.0.1", pair.port)) for _ in range(100)]
    begun = [Connection.to(pair) for _ in range(50)]
    halves = [Connection.to(pair) for _ in range(50)]
    for half in halves:
        half.send(b"POST /model/x/converse HTTP/1.1\r\nhost: local")
    connection = Connection.to(pair)
    answer = connection.ask(request(pair, "paced one"))
    assert text_of(answer.body) == (expected("one"), "end_turn")
    connection.close()
    for open_socket in (*bare, *begun, *halves):
        open_socket.close()
    assert until(
        lambda: all(len(list(Path(f"/proc/{pid}/fd").iterdir())) <= count + 4 for pid, count in before.items())
    )


class Seen:
    """One stream as its client saw it."""

    def __init__(self) -> None:
        self.body = b""
        self.arrived: list[float] = []


@asynccontextmanager
async def asked(running: Running, data: bytes, context: ssl.SSLContext) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port, ssl=context, server_hostname="localhost")
    try:
        writer.write(data)
        yield reader
    finally:
        writer.close()


async def read_stream(running: Running, data: bytes, context: ssl.SSLContext, seen: Seen) -> None:
    async with asked(running, data, context) as reader:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n", 1)[0], head
        while size := int(await reader.readuntil(b"\r\n"), 16):
            seen.body += (await reader.readexactly(size + 2))[:-2]
            seen.arrived.append(time.monotonic())


def expected(name: str) -> str:
    return "".join(f"<{name} {number}> {FILLER}" for number in range(PIECES))


async def many(running: Running, names: list[str], seen: dict[str, Seen]) -> None:
    context = ssl.create_default_context(cafile=str(running.data / "authority/bundle.pem"))
    data = {name: request(running, f"paced {name}") for name in names}
    async with asyncio.timeout(SECONDS_MAX * 3), asyncio.TaskGroup() as group:
        for name in names:
            seen[name] = Seen()
            group.create_task(read_stream(running, data[name], context, seen[name]))


def test_many_paced_streams_at_once_are_whole_and_none_stalls(pair: Running, upstream: Upstream) -> None:
    seen: dict[str, Seen] = {}
    upstream.largest_gap_s = PACE_S
    asyncio.run(many(pair, [f"s{number}" for number in range(STREAMS)], seen))
    for name, stream in seen.items():
        assert text_of(stream.body) == (expected(name), "end_turn")  # all of it, in order, and nobody else's
    gaps = [later - earlier for stream in seen.values() for earlier, later in pairwise(stream.arrived)]
    assert len(gaps) > STREAMS * PIECES / 2  # they arrived as streams
    assert max(gaps) < STALL_PACES_MAX * upstream.largest_gap_s


def test_a_stop_lets_many_streams_finish(tmp_path: Path, upstream: Upstream) -> None:
    file = system_file(tmp_path, **{**ENOUGH, "limits": PATIENT})
    running = start(tmp_path, "--upstream", f"openai={upstream.url}", "--workers", "2", system=file)
    names, seen = [f"d{number}" for number in range(32)], {}

    def stop() -> None:
        until(lambda: len(seen) == len(names) and all(stream.arrived for stream in seen.values()))
        running.process.send_signal(signal.SIGTERM)

    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        asyncio.run(many(running, names, seen))
        for name, stream in seen.items():
            assert text_of(stream.body) == (expected(name), "end_turn")
    finally:
        stopping.join()
        assert running.process.wait(DRAIN_SECONDS) == 0, running.log.read_text()
    assert running.cli("logs", "verify").returncode == 0
