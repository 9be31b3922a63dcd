"""How leases get from the process that resolves the profile to the gateway, and to nobody else (SEC-07)."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from aws_world import LEASE, PSEUDONYM_SECRET
from caisson.adapters.aws.bedrock.lease import LINE_BYTES_MAX, Lease
from caisson.adapters.aws.guardrail import BesideInline
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.errors import ConfigurationError, StartError, UpstreamError
from caisson.ports.guardrail import Part
from caisson.wiring.bedrock import Bedrock
from caisson.wiring.gateway import _ports
from caisson.wiring.lending import Leases
from caisson.wiring.settings import Settings, Upstream
from guardrail_systems import CONTEXT, system_with

NEXT = Lease(access_key_id="ASIANEXT", secret_access_key="next", session_token="t")
Serve = Callable[..., object]


@pytest.fixture
async def socket(tmp_path: Path) -> Path:
    return tmp_path / "upstream.sock"


@pytest.fixture
async def leases(socket: Path) -> AsyncIterator[Leases]:
    made = Leases(LEASE, uid=os.geteuid(), connections_max=2)
    server = await asyncio.start_unix_server(made.connected, socket)
    yield made
    server.close()


async def connected(socket: Path) -> Bedrock:
    return await Bedrock.connect(
        socket, region="eu-west-1", override="", clock=SystemClock(), pseudonym_secret=PSEUDONYM_SECRET
    )


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)


def key_of(bedrock: Bedrock) -> str:
    try:
        return bedrock._access.keys().access_key_id
    except UpstreamError as error:
        return str(error)


async def test_the_first_lease_comes_at_once_and_the_next_when_it_differs(socket: Path, leases: Leases) -> None:
    bedrock = await connected(socket)
    following = asyncio.create_task(bedrock.follow())
    assert key_of(bedrock) == LEASE.access_key_id
    leases.put(LEASE)
    leases.put(NEXT)
    await until(lambda: key_of(bedrock) == "ASIANEXT")
    leases.put(Lease(problem="withdrawn"))
    await until(lambda: "withdrawn" in key_of(bedrock))
    following.cancel()
    await bedrock.close()
    await bedrock.model.close()
    await until(lambda: not leases._told)


async def test_another_user_is_told_nothing(socket: Path) -> None:
    stranger = Leases(LEASE, uid=os.geteuid() + 1, connections_max=2)
    server = await asyncio.start_unix_server(stranger.connected, socket)
    reader, writer = await asyncio.open_unix_connection(socket)
    assert await reader.read() == b""
    writer.close()
    with pytest.raises(StartError):
        await connected(socket)
    server.close()


async def test_workers_are_told_each_and_connections_are_bounded(socket: Path, leases: Leases) -> None:
    workers = [await connected(socket), await connected(socket)]
    following = [asyncio.create_task(each.follow()) for each in workers]
    leases.put(NEXT)
    await until(lambda: [key_of(each) for each in workers] == ["ASIANEXT"] * 2)
    with pytest.raises(StartError):
        await connected(socket)
    for task, each in zip(following, workers, strict=True):
        task.cancel()
        await each.close()


async def test_without_the_process_the_gateway_does_not_start(socket: Path) -> None:
    with pytest.raises(StartError, match=r"upstream\.sock"):
        await connected(socket)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"", StartError),
        (b'{"access_key_id": "half', StartError),
        (b"nonsense\n", ConfigurationError),
        (b"x" * (LINE_BYTES_MAX * 3) + b"\n", StartError),
    ],
)
async def test_what_is_no_lease_ends_the_gateway(socket: Path, said: bytes, expected: type[Exception]) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"access_key_id":"A","secret_access_key":"b"}\n' + said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(speak, socket)
    bedrock = await connected(socket)
    with pytest.raises(expected):
        async with asyncio.timeout(5):
            await bedrock.follow()
    await bedrock.close()
    server.close()


async def test_the_file_decides_which_guardrail_goes_to_aws(socket: Path, leases: Leases) -> None:
    bedrock = await connected(socket)
    plain, pinned = system_with(), system_with(aws={"id": "gr1", "version": 3})
    parts = [Part(text="kind", role="system", path="system[0].text")]
    beside = bedrock.beside(EmbeddedGuardrail(plain, 7), plain)
    assert isinstance(beside, BesideInline)
    assert (await beside.inspect_input(parts, CONTEXT)).blocked is None
    bedrock._access.put(Lease(problem="withdrawn"))
    with pytest.raises(UpstreamError, match="withdrawn"):
        await bedrock.beside(EmbeddedGuardrail(pinned, 7), pinned).inspect_input(parts, CONTEXT)
    await bedrock.close()


@pytest.mark.parametrize(("location", "port"), [("", 443), ("http://127.0.0.1:4566", 4566)])
def test_the_gateway_may_connect_to_bedrock_alone(location: str, port: int) -> None:
    upstream = Upstream(kind="bedrock", location=location, profile="team")
    told = Settings(
        data="/d", system="s", region="eu-west-1", owner_uid=0, first_uid=None, publics={}, port=8443, upstream=upstream
    )
    system = SimpleNamespace(identity=SimpleNamespace(issuer=None))
    assert _ports(told, system) == (port,)  # type: ignore[arg-type]


def test_the_request_path_calls_aws_without_botocore() -> None:
    code = "import sys, caisson.wiring.bedrock; sys.exit('botocore' in sys.modules or 'boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
