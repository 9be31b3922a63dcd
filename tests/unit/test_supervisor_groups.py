"""Processes of one group under the supervisor: one listener for all, stopped together, renewed one after the other."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.isolation import leave_with_parent
from caisson.errors import StartError
from caisson.supervision import Event, ProcessSpec, Supervisor, read_state, renew
from caisson.supervision.identity import ProcessIdentity
from caisson.supervision.listeners import bind_tcp, bind_unix, inherited, variable
from caisson.supervision.state import write_state

SECONDS_MAX = 10.0
SERVES = """
import os, signal, socket, sys, threading, time
if "CAISSON_TURN_FD" in os.environ: os.read(int(os.environ["CAISSON_TURN_FD"]), 1)
def note(text): open(sys.argv[1], "a").write(text + " " + sys.argv[2] + "\\n")
def retire(*_): note("retires"); time.sleep(0.05); note("ends"); os._exit(0)
def stop(*_): note("stops"); time.sleep(0.05); note("ends"); os._exit(0)
signal.signal(signal.SIGUSR1, retire); signal.signal(signal.SIGTERM, stop)
note("begins")
if os.path.exists(sys.argv[1] + ".broken"): sys.exit(1)
os.write(int(os.environ["CAISSON_READY_FD"]), b'{"ready": {}}\\n')
while True: time.sleep(60)
"""
STUBBORN = SERVES.replace("signal.signal(signal.SIGUSR1, retire)", "signal.signal(signal.SIGUSR1, signal.SIG_IGN)")
ANSWERS = """
import os, signal, socket
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
listener = socket.socket(fileno=int(os.environ["CAISSON_LISTEN_PUBLIC"]))
listener.listen(8)
os.write(int(os.environ["CAISSON_READY_FD"]), b'{"ready": {}}\\n')
while True:
    connection, _ = listener.accept()
    connection.sendall(b"%d" % os.getpid()); connection.close()
"""


class Group:
    """A supervisor of processes that note what they hear."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "notes"
        self.events: list[Event] = []
        self.supervisor: Supervisor | None = None

    def spec(self, name: str, code: str = SERVES, **changes: object) -> ProcessSpec:
        argv = (sys.executable, "-I", "-S", "-c", code, str(self.notes), name)
        found = {"waits": code is not ANSWERS, "group": "workers", "after": (), **changes}
        return ProcessSpec(name=name, argv=argv, **found)  # type: ignore[arg-type]

    async def start(self, *specs: ProcessSpec) -> Supervisor:
        self.supervisor = Supervisor(
            specs, run=self.folder, clock=SystemClock(), prepare=leave_with_parent, on_event=self.events.append
        )
        await self.supervisor.start()
        self.notes.write_text("")
        return self.supervisor

    def pids(self) -> dict[str, int]:
        assert self.supervisor is not None
        zones = self.supervisor.state.zones
        return {name: zone.identity.pid for name, zone in zones.items() if zone.identity is not None}

    def heard(self) -> list[str]:
        return self.notes.read_text().splitlines()

    def renewal(self) -> str:
        assert self.supervisor is not None
        assert self.supervisor.state.renewal is not None
        return self.supervisor.state.renewal.phase


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[Group]:
    made = Group(tmp_path)
    yield made
    supervisor = made.supervisor
    if supervisor is not None:
        identities = [zone.identity for zone in supervisor.state.zones.values()]
        if supervisor.state.phase not in ("stopped", "failed"):
            supervisor.hurry()
            await supervisor.stop()
        assert [found for found in identities if found is not None and found.alive()] == []
    await until(lambda: left_behind(made) == [])  # no successor either


def left_behind(group: Group) -> list[str]:
    """Children of this process that were started for the group."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(path.read_bytes().decode())
    return [line for line in lines if str(group.notes) in line]


async def test_a_group_is_renewed_one_at_a_time_and_others_stay(group: Group) -> None:
    supervisor = await group.start(group.spec("other", group=""), group.spec("a"), group.spec("b"))
    before = group.pids()
    supervisor.renew("workers")
    supervisor.renew("workers")  # one at a time
    assert group.renewal() == "under way"
    await until(lambda: group.renewal() == "done")
    assert group.heard() == ["retires a", "ends a", "begins a", "retires b", "ends b", "begins b"]
    after = group.pids()
    assert after["other"] == before["other"]
    assert not {after["a"], after["b"]} & set(before.values())
    assert {zone.phase for zone in supervisor.state.zones.values()} == {"ready"}
    assert supervisor.state.renewal is not None
    assert supervisor.state.renewal.number == 1
    assert supervisor.state.zones["a"].restarts == 0
    assert read_state(group.folder) == supervisor.state
    os.kill(after["a"], signal.SIGKILL)  # and it is watched again
    await until(lambda: supervisor.state.zones["a"].restarts == 1 and supervisor.state.zones["a"].phase == "ready")


async def test_one_that_cannot_start_again_ends_the_renewal(group: Group) -> None:
    supervisor = await group.start(group.spec("a"), group.spec("b"))
    before = group.pids()
    (broken := Path(f"{group.notes}.broken")).touch()
    supervisor.renew("workers")
    await until(lambda: group.renewal() == "failed")
    assert supervisor.state.renewal is not None
    assert "a did not start again" in supervisor.state.renewal.detail
    assert group.pids()["b"] == before["b"]
    assert "retires b" not in group.heard()
    broken.unlink()
    await until(lambda: supervisor.state.zones["a"].phase == "ready")  # tried again by itself
    supervisor.renew("workers")
    await until(lambda: group.renewal() == "done")


async def test_one_that_is_starting_again_is_waited_for(group: Group) -> None:
    supervisor = await group.start(group.spec("a"), group.spec("b"))
    (broken := Path(f"{group.notes}.broken")).touch()
    os.kill(group.pids()["a"], signal.SIGKILL)
    await until(lambda: "begins a" in group.heard())
    supervisor.renew("workers")
    await asyncio.sleep(0.05)
    assert "retires b" not in group.heard()
    broken.unlink()
    await until(lambda: group.renewal() == "done")
    assert group.heard()[-6:] == ["retires a", "ends a", "begins a", "retires b", "ends b", "begins b"]


async def test_what_does_not_retire_is_killed(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caisson.supervision.supervisor.RETIRE_SECONDS", 0.1)
    supervisor = await group.start(group.spec("a", STUBBORN))
    before = group.pids()
    supervisor.renew("workers")
    await until(lambda: group.renewal() == "done")
    assert group.pids() != before
    assert supervisor.state.zones["a"].last_exit == "was ended by SIGKILL"


@pytest.mark.parametrize("code", [SERVES, STUBBORN], ids=["retiring", "stubborn"])
async def test_a_stop_during_a_renewal_leaves_nothing(group: Group, code: str) -> None:
    supervisor = await group.start(group.spec("a", code), group.spec("b"))
    supervisor.renew("workers")
    await until(lambda: supervisor.state.zones["a"].phase == "retiring")
    await supervisor.stop()  # the fixture looks that nothing is alive
    assert supervisor.state.phase == "stopped"
    assert group.renewal() == "failed"


async def test_a_group_is_stopped_together(group: Group) -> None:
    supervisor = await group.start(group.spec("last", group=""), group.spec("a"), group.spec("b"))
    await supervisor.stop()
    heard = group.heard()
    assert sorted(heard[:2]) == ["stops a", "stops b"]  # neither waits for the other's end
    assert heard[-2:] == ["stops last", "ends last"]


async def test_connections_wait_for_the_next_process(group: Group) -> None:
    listener = bind_tcp("127.0.0.1", 0)
    address = listener.getsockname()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)  # bound, and closed until a process listens
    supervisor = await group.start(group.spec("a", ANSWERS, listens={"public": listener}))

    async def ask() -> int:
        async with asyncio.timeout(SECONDS_MAX):
            reader, writer = await asyncio.open_connection(*address)
            answer = await reader.read()
            writer.close()
            return int(answer)

    first = group.pids()["a"]
    assert await ask() == first
    os.kill(first, signal.SIGSTOP)
    await until(lambda: Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    waiting = [asyncio.create_task(ask()) for _ in range(4)]
    await asyncio.sleep(0.05)
    os.kill(first, signal.SIGKILL)
    assert set(await asyncio.gather(*waiting)) == {group.pids()["a"]} != {first}
    await supervisor.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)


def test_a_taken_port_is_said() -> None:
    taken = bind_tcp("127.0.0.1", 0)
    taken.listen(1)
    with pytest.raises(StartError, match=r"--port"):
        bind_tcp(*taken.getsockname())
    taken.close()


def test_a_unix_socket_replaces_what_was_left_and_has_its_mode(tmp_path: Path) -> None:
    bind_unix(tmp_path / "s", 0o600).close()
    bound = bind_unix(tmp_path / "s", 0o666)
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o666
    bound.close()
    with pytest.raises(StartError, match="expected to make the socket"):
        bind_unix(tmp_path / "missing" / "s", 0o666)


@pytest.mark.parametrize("value", ["", "x", "-1", "987654"])
def test_without_the_supervisors_socket_nothing_starts(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(variable("public"), value)
    with pytest.raises(StartError, match="expected the supervisor's socket 'public'"):
        inherited("public")


def test_a_given_socket_is_found_once_and_not_given_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given = socket.socket()
    os.set_inheritable(given.fileno(), True)
    monkeypatch.setenv(variable("public"), str(os.dup(given.fileno())))
    found = inherited("public")
    assert not found.get_inheritable()
    assert variable("public") not in os.environ
    found.close()
    given.close()


async def test_a_supervisor_that_knows_no_renewal_is_not_signalled(group: Group) -> None:
    """An earlier version would die of the signal."""
    supervisor = await group.start(group.spec("a"))
    old = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pidfd = os.pidfd_open(old.pid)
    try:
        identity = ProcessIdentity.of(old.pid)
        assert identity is not None
        for state in (
            replace(supervisor.state, supervisor=identity, renewal=None),
            replace(supervisor.state, supervisor=identity, phase="starting"),
        ):
            write_state(group.folder, state)
            with pytest.raises(StartError, match="restart it whole"):
                renew(group.folder, pidfd)
        assert old.poll() is None
    finally:
        old.kill()
        old.wait()
        os.close(pidfd)
