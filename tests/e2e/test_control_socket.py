"""The control process' socket, its client, and `caisson rollback` as people run it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from caisson.adapters.embedded.keys import FileKeys
from caisson.errors import ConfigurationError, StartError
from caisson.zones.z5_control import service
from caisson.zones.z5_control.client import ControlClient
from caisson.zones.z5_control.service import serve
from control_world import World, bundle_of, handover

ME = os.getuid()
NOBODY = 65_534
ASK = """import socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    try:
        connection.sendall(b'{"op":"stop","reason":"drill"}\\n')
    except BrokenPipeError:
        pass
    print(connection.makefile().readline())"""


@dataclass
class Running:
    """A control zone that serves in this process."""

    world: World
    data: Path
    stop: asyncio.Event
    task: asyncio.Task[None]

    @property
    def path(self) -> Path:
        return self.data / "sockets/control.sock"

    async def call(self, op: str, **arguments: Any) -> dict[str, Any]:
        return await asyncio.to_thread(ControlClient(self.path).call, op, **arguments)

    async def say(self, data: bytes, answers: int = 1) -> list[dict[str, Any]]:
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(data)
        heard = [await reader.readline() for _ in range(answers)]
        writer.close()
        return [json.loads(line) if line else {} for line in heard]

    async def rollback(self, *argv: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "caisson.cli.main", "rollback", "--data", str(self.data), *argv),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "COLUMNS": "200"},
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()


async def started(world: World, data: Path, *, owner_uid: int = ME, tier: int = 2) -> Running:
    (data / "sockets").mkdir(parents=True)
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(
        serve(
            world.control(),
            handover(bundle_of(tier, sessions__tokens=5000)),
            data / "sockets/control.sock",
            owner_uid=owner_uid,
            stop=stop,
            ready=ready.set,
        )
    )
    await asyncio.wait([task, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    return Running(world=world, data=data, stop=stop, task=task)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user of the machine can reach; `tmp_path` is closed to others."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    made = await started(World(tmp_path / "zone"), tmp_path / "data")
    yield made
    made.stop.set()
    await made.task


async def test_it_answers_its_owner(running: Running) -> None:
    status = await running.call("status")
    assert status["configuration"]["version"] == 1
    assert running.path.stat().st_mode & 0o777 == 0o600


async def test_a_revocation_over_the_socket_is_in_force(running: Running) -> None:
    source = running.world.repository.source()
    source.refresh()
    await running.call("revoke_session", session="s-1", until=running.world.clock.now() + 60, reason="lost")
    assert source.changed()
    assert "s-1" in source.refresh()[1].revoked_sessions


async def test_a_refusal_says_why(running: Running) -> None:
    with pytest.raises(ConfigurationError, match="runs"):
        await running.call("resume", reason="nothing")
    with pytest.raises(ConfigurationError, match="expected a request"):
        await running.call("unknown")


async def test_several_requests_on_one_connection_are_answered_in_order(running: Running) -> None:
    lines = b'{"op":"status"}\n{"op":"nothing"}\nnot json\n{"op":"stop","reason":"drill"}\n{"op":"status"}\n'
    answers = await running.say(lines, answers=5)
    assert [answer["ok"] for answer in answers] == [True, False, False, True, True]
    assert answers[4]["result"]["orders"]["stopped"] == "drill"


async def test_concurrent_requests_take_turns_and_lose_no_order(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way = 0

    async def durable() -> None:
        nonlocal under_way
        under_way += 1
        most.append(under_way)
        await asyncio.sleep(0.001)
        under_way -= 1

    most: list[int] = []
    monkeypatch.setattr(running.world.events, "durable", durable)
    await asyncio.gather(*(running.call("revoke_session", session=f"s-{n}", reason="lost") for n in range(10)))
    _, orders = running.world.repository.source().refresh()
    assert len(orders.revoked_sessions) == 10
    assert max(most) == 1


async def test_strangers_are_not_heard(tmp_path: Path, open_folder: Path) -> None:
    """With own users the socket is open to all, and the kernel says who connects."""
    running = await started(World(tmp_path / "zone"), open_folder / "data", owner_uid=ME + 1)
    assert running.path.stat().st_mode & 0o777 == 0o666
    stranger = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if ME == 0 else {}
    process = await asyncio.create_subprocess_exec(
        *("/usr/bin/env", "python3", "-c", ASK, str(running.path)), stdout=subprocess.PIPE, **stranger
    )
    out, _ = await process.communicate()
    assert json.loads(out) == {
        "ok": False,
        "error": "only who started the system, or root, may ask the control zone",
    }
    assert running.world.repository.source().refresh()[1].stopped == ""
    running.stop.set()
    await running.task


async def test_who_asks_is_the_kernels_word(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "peer_uid", lambda _: ME + 4242)
    with pytest.raises(ConfigurationError, match="only who started"):
        await running.call("stop", reason="drill")
    assert running.world.repository.source().refresh()[1].stopped == ""


def test_the_kernel_names_the_peer() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        assert service.peer_uid(ours) == ME


async def test_lines_are_bounded(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    running.stop.set()
    await running.task
    monkeypatch.setattr(service, "LINE_BYTES_MAX", 1_000)
    again = await started(World(running.data / "other"), running.data / "small")
    assert (await again.say(b'{"op":"stop","reason":"' + b"x" * 5_000))[0] == {}
    assert (await again.call("status"))["orders"]["stopped"] == ""
    again.stop.set()
    await again.task


async def test_connections_requests_and_idle_time_are_bounded(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "REQUESTS_PER_CONNECTION_MAX", 2)
    answers = await running.say(b'{"op":"status"}\n' * 3, answers=3)
    assert [bool(answer) for answer in answers] == [True, True, False]
    monkeypatch.setattr(service, "CONNECTIONS_MAX", 1)
    reader, writer = await asyncio.open_unix_connection(str(running.path))
    writer.write(b'{"op":"status"}\n')
    await reader.readline()
    assert await running.say(b"") == [{}]
    writer.close()
    await writer.wait_closed()
    monkeypatch.setattr(service, "CONNECTIONS_MAX", 16)
    monkeypatch.setattr(service, "IDLE_S", 0.01)
    assert await running.say(b"") == [{}]


async def test_it_stops_while_somebody_listens_and_takes_its_socket_along(running: Running) -> None:
    reader, _writer = await asyncio.open_unix_connection(str(running.path))
    await running.call("status")
    running.stop.set()
    await running.task
    assert await reader.read() == b""
    assert not running.path.exists()
    with pytest.raises(ConfigurationError, match="caisson up"):
        await running.call("status")


async def test_a_socket_left_by_a_crash_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "data/sockets").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "data/sockets/control.sock"))
    (tmp_path / "data").rename(tmp_path / "moved")
    world = World(tmp_path / "zone")
    stop, ready = asyncio.Event(), asyncio.Event()
    path = tmp_path / "moved/sockets/control.sock"
    task = asyncio.create_task(
        serve(world.control(), handover(bundle_of()), path, owner_uid=ME, stop=stop, ready=ready.set)
    )
    await asyncio.wait([task, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    assert not task.done()
    assert (await asyncio.to_thread(ControlClient(path).call, "status"))["system"] == "tiny"
    stop.set()
    await task


async def test_a_socket_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    world = World(tmp_path / "zone")
    long = tmp_path / ("x" * 120) / "control.sock"
    for path in (tmp_path / "nowhere/control.sock", long):
        with pytest.raises(StartError, match="control socket"):
            await serve(world.control(), handover(bundle_of()), path, owner_uid=ME, stop=asyncio.Event())


async def test_rollback_lists_then_goes_back(running: Running) -> None:
    await running.call("publish", bundle=bundle_of(sessions__tokens=7000), reason="[bold]more[/bold]")
    code, out, _ = await running.rollback()
    assert code == 0
    assert "in force" in out
    assert "[bold]more[/bold]" in out
    code, out, _ = await running.rollback("1", "--reason", "7000 was wrong")
    assert (code, out) == (0, "Version 3 is in force, signed by author.\n")
    code, out, _ = await running.rollback("--json")
    listed = [json.loads(line) for line in out.splitlines()]
    assert [(one["version"], one["state"]) for one in listed] == [(1, "kept"), (2, "kept"), (3, "in force")]
    assert listed[2]["change"]["reason"] == "7000 was wrong"
    configuration, _ = running.world.repository.source().refresh()
    assert configuration.bundle["system"]["sessions"]["tokens"] == 5000


async def test_rollback_refuses_in_one_line(running: Running, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text((Path(__file__).parents[2] / "examples/claims/caisson.yaml").read_text())
    for argv, code, says in (
        (("1",), 2, "--reason"),
        (("1", "--reason", "x", "--approve"), 2, "--approve"),
        (("0", "--reason", "x"), 2, "version"),
        (("9", "--reason", "x"), 1, "missing"),
        (("1", "--reason", "x"), 1, "nothing differs"),
        (("--approve",), 1, "nothing is staged"),
        (("--system", str(other)), 2, "--data"),
        (("--data", str(tmp_path / "nowhere")), 1, "caisson up"),
    ):
        found, out, err = await running.rollback(*argv)
        assert (found, "Traceback" in err, out) == (code, False, ""), (argv, err)
        assert says in err, (argv, err)


async def test_from_tier_3_a_rollback_waits_for_the_second_operator(tmp_path: Path) -> None:
    keys = FileKeys.create(tmp_path / "operators", signing=("approver", "stranger"))
    world = World(tmp_path / "zone")
    world.repository.approver = keys.signing("approver")  # type: ignore[assignment]
    running = await started(world, tmp_path / "data", tier=3)
    await running.call("publish", bundle=bundle_of(3, sessions__tokens=7000), reason="more")
    where = ("--keys", str(tmp_path / "operators"))
    code, _, err = await running.rollback("--approve", *where, "--operator", "stranger")
    assert (code, "forged" in err) == (1, True)
    assert (await running.rollback("--approve", *where))[0] == 0
    code, out, _ = await running.rollback("1", "--reason", "7000 was wrong")
    assert (code, "--approve" in out) == (3, True)
    code, out, _ = await running.rollback()
    assert "staged" in out
    code, out, _ = await running.rollback("--approve", *where, "--json")
    assert (code, json.loads(out)["version"]["approvers"]) == (0, ["approver", "author"])
    configuration, _ = world.repository.source().refresh()
    assert (configuration.version, configuration.bundle["system"]["sessions"]["tokens"]) == (3, 5000)
    running.stop.set()
    await running.task
