"""The HTTP client against servers that send what they like, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.adapters.http import Client, HttpError, Limits
from caisson.adapters.http.connection import BUFFERED_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX, INFORMATIONAL_MAX

SOON = 5.0
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
MEGABYTE = 1 << 20

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Plays `play` on every request of every connection."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.connections = 0
        self.requests: list[bytes] = []
        self.left = asyncio.Event()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                await self.play(reader, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()


@asynccontextmanager
async def serving(play: Play, limits: Limits | None = None) -> AsyncIterator[tuple[Server, Client]]:
    server = Server(play)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0)
    client = Client(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1/x", limits or Limits())
    try:
        async with asyncio.timeout(SOON * 4):
            yield server, client
    finally:
        await client.close()
        listening.close()


def saying(*pieces: bytes, close: bool = False) -> Play:
    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if close:
            writer.close()

    return play


async def body(client: Client, sent: bytes = b"{}") -> bytes:
    response = await client.post(sent, {"a": "b"})
    try:
        return await response.body(MEGABYTE)
    finally:
        response.close()


async def test_a_request_on_the_wire() -> None:
    async with serving(saying(OK)) as (server, client):
        assert await body(client, b'{"x": 1}') == b"ok"
        head, _, sent = server.requests[0].partition(b"\r\n\r\n")
        assert head.split(b"\r\n")[0] == b"POST /v1/x HTTP/1.1"
        assert set(head.split(b"\r\n")[1:]) == {b"host: " + client._authority, b"content-length: 8", b"a: b"}
        assert sent == b'{"x": 1}'


async def test_a_large_request_arrives_whole() -> None:
    large = bytes(range(256)) * 8_192
    async with serving(saying(OK)) as (server, client):
        assert await body(client, large) == b"ok"
        assert server.requests[0].endswith(b"\r\n\r\n" + large)


async def test_connections_are_kept() -> None:
    async with serving(saying(OK)) as (server, client):
        assert [await body(client) for _ in range(5)] == [b"ok"] * 5
        assert server.connections == 1
        await asyncio.gather(*[body(client) for _ in range(4)])
        assert server.connections <= 4


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        OK + b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        OK + b"x",
    ],
    ids=["told to close", "1.0", "a second answer", "something more"],
)
async def test_connections_are_not_kept(answer: bytes) -> None:
    async with serving(saying(answer)) as (server, client):
        assert [await body(client), await body(client)] == [b"ok", b"ok"]
        assert server.connections == 2


async def test_an_answer_nobody_asked_for_is_nobodys() -> None:
    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")

    async with serving(play) as (server, client):
        assert await body(client) == b"ok"
        await asyncio.sleep(0.15)
        assert await body(client) == b"ok"
        assert server.connections == 2


async def test_an_answer_left_before_its_end_closes_the_connection() -> None:
    async with serving(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")) as (server, client):
        response = await client.post(b"", {})
        assert await anext(response.pieces(MEGABYTE)) == b"ok"
        response.close()
        await asyncio.wait_for(server.left.wait(), SOON)


async def test_cancelling_closes_the_connection() -> None:
    async with serving(saying()) as (server, client):
        task = asyncio.create_task(client.post(b"", {}))
        while not server.requests:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.left.wait(), SOON)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    st.lists(st.integers(0, 400), max_size=12),
    st.sampled_from(("length", "chunked", "close")),
    st.integers(0, 2),
)
def test_a_body_arrives_however_it_is_cut(pieces: list[bytes], cuts: list[int], form: str, informational: int) -> None:
    whole = b"".join(pieces)
    data = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * informational + b"HTTP/1.1 200 OK\r\n"
    if form == "length":
        data += b"content-length: %d\r\n\r\n%b" % (len(whole), whole)
    elif form == "chunked":
        data += b"transfer-encoding: chunked\r\n\r\n"
        data += b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    else:
        data += b"\r\n" + whole
    at = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parts = [data[start:end] for start, end in pairwise(at)]

    async def run() -> None:
        async with serving(saying(*parts, close=form == "close")) as (_, client):
            assert await body(client) == whole

    asyncio.run(run())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * (HEADERS_MAX + 1) + b"content-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n"
        + b"".join(b"h%d: b\r\n" % number for number in range(HEADERS_MAX + 1))
        + b"content-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\na: " + b"x" * (HEADER_BYTES_MAX + 1) + b"\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\n" * (INFORMATIONAL_MAX + 1) + OK,
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ],
    ids=[
        "short", "chunks cut", "header cut", "silence", "another protocol", "two lengths", "two framings", "bad chunk",
        "one header too often", "many headers", "long headers", "endless hints", "an upgrade",
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_an_error(answer: bytes) -> None:
    async with serving(saying(answer, close=True)) as (_, client):
        with pytest.raises(HttpError):
            await body(client)
        assert client._kept == []


async def test_what_is_not_read_waits_in_the_server() -> None:
    sent = 0

    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (64 * MEGABYTE))
        for _ in range(1_024):
            writer.write(bytes(65_536))
            await writer.drain()
            sent += 65_536

    async with serving(play) as (_, client):
        response = await client.post(b"", {})
        await asyncio.sleep(0.3)
        assert response._waiting_bytes <= BUFFERED_BYTES_MAX + MEGABYTE
        assert sent < 48 * MEGABYTE
        assert sum([len(piece) async for piece in response.pieces(65 * MEGABYTE)]) == 64 * MEGABYTE
        response.close()


async def test_a_body_over_the_bound_is_not_read_on() -> None:
    large = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (9 * MEGABYTE) + bytes(9 * MEGABYTE)
    async with serving(saying(large)) as (server, client):
        with pytest.raises(ValueError, match=f"more than {MEGABYTE} bytes"):
            await body(client)
        await asyncio.wait_for(server.left.wait(), SOON)


@pytest.mark.parametrize("limits", [Limits(idle_s=0.05), Limits(total_s=0.05)], ids=["idle", "total"])
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"], ids=["nothing", "a part"])
async def test_a_server_that_pauses_is_given_up(limits: Limits, said: bytes) -> None:
    async with serving(saying(said), limits) as (server, client):
        with pytest.raises(TimeoutError):
            await body(client)
        await asyncio.wait_for(server.left.wait(), SOON)


async def test_a_reader_that_pauses_is_not_the_servers_fault() -> None:
    large = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (2 * MEGABYTE) + bytes(2 * MEGABYTE)
    async with serving(saying(large), Limits(idle_s=0.1)) as (_, client):
        response = await client.post(b"", {})
        await asyncio.sleep(0.4)
        assert len(await response.body(4 * MEGABYTE)) == 2 * MEGABYTE
        response.close()


async def test_a_server_that_is_not_there() -> None:
    async with serving(saying(OK)) as (_, client):
        client._port = 9
        with pytest.raises(HttpError, match="no connection"):
            await client.post(b"", {})


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used() -> None:
    async with serving(saying(OK, close=True)) as (server, client):
        assert await body(client) == b"ok"
        await asyncio.sleep(0.05)
        assert await body(client) == b"ok"
        assert server.connections == 2
