"""Real child processes under the supervisor: order, readiness, restarts, draining, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import pytest

from caisson.adapters.embedded.isolation import User, leave_with_parent
from caisson.errors import DeveloperError, StartError
from caisson.ports.clock import Clock
from caisson.supervision import Event, ProcessSpec, Supervisor, read_state, zone_environment
from caisson.supervision.backoff import STABLE_S, delay_s, drain_deadlines, failures_after
from caisson.supervision.identity import ProcessIdentity
from caisson.supervision.readiness import TURN, TURN_VARIABLE, wait_for_turn

SECONDS_MAX = 10.0
READY = """
import os, signal, sys, time
def say(text): os.write(int(os.environ["CAISSON_READY_FD"]), text + b"\\n")
"""
ENDS = "signal.signal(signal.SIGTERM, lambda *_: os._exit({status}))\n"
SAYS = 'say(b\'{"ready": {"pid": %d}}\' % os.getpid())\ntime.sleep(60)\n'
SERVES = READY + ENDS.format(status=0) + SAYS
IGNORES = READY + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay(b'{\"ready\": {}}')\ntime.sleep(60)\n"


class HeldClock(Clock):
    def __init__(self) -> None:
        self.time = 1_000.0

    def now(self) -> float:
        return 1_800_000_000.0 + self.time

    def monotonic(self) -> float:
        return self.time


class World:
    """A supervisor, what it reported, and restarts that wait for nothing."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.clock = HeldClock()
        self.events: list[Event] = []
        self.slept: list[float] = []
        self.waits_end = asyncio.Event()
        self.waits_end.set()
        self.supervisor: Supervisor | None = None

    def supervise(self, *specs: ProcessSpec) -> Supervisor:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            await asyncio.sleep(0)
            await self.waits_end.wait()

        self.supervisor = Supervisor(
            specs, run=self.run, clock=self.clock, prepare=leave_with_parent, on_event=self.events.append, sleep=sleep
        )
        return self.supervisor

    def pid(self, name: str) -> int:
        assert self.supervisor is not None
        identity = self.supervisor.state.zones[name].identity
        assert identity is not None
        return identity.pid

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS_MAX):
            while not condition():
                await asyncio.sleep(0.005)

    def happened(self, change: str) -> list[str]:
        return [event.process for event in self.events if event.change == change]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    supervisor = made.supervisor
    if supervisor is not None and supervisor.state.phase not in ("stopped", "failed"):
        supervisor.hurry()
        await supervisor.stop()
    for process in ("gateway", "control", "logging"):
        if supervisor is not None and process in supervisor.state.zones:
            identity = supervisor.state.zones[process].identity
            assert identity is None or not identity.alive()


def spec(name: str, code: str, *arguments: str, **changes: object) -> ProcessSpec:
    return ProcessSpec(name=name, argv=(sys.executable, "-I", "-S", "-c", code, *arguments), **changes)  # type: ignore[arg-type]


async def test_each_starts_when_the_one_before_is_ready_and_they_end_in_reverse(world: World, tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = READY + (
        "write = lambda text: open(sys.argv[1], 'a').write(text + '\\n')\n"
        "def end(*_):\n write('end ' + sys.argv[2]); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "time.sleep(0.05); write('ready ' + sys.argv[2]); say(b'{\"ready\": {}}')\n"
        "time.sleep(60)\n"
    )
    names = ("logging", "control", "gateway")
    supervisor = world.supervise(*(spec(name, code, str(order), name) for name in names))
    await supervisor.start()
    assert supervisor.state.phase == "ready"
    assert {zone.phase for zone in supervisor.state.zones.values()} == {"ready"}
    assert world.happened("ready") == list(names)
    drained = await supervisor.stop()
    assert drained.unfinished == ()
    assert order.read_text().splitlines() == [*(f"ready {name}" for name in names), *(f"end {n}" for n in names[::-1])]
    assert [(event.process, event.detail) for event in world.events if event.change == "stopped"] == [
        (name, "it ended with exit status 0") for name in names[::-1]
    ]


LOADS = READY + (
    "import pathlib; here = pathlib.Path(sys.argv[1])\n"
    "def until(name):\n while not (here / name).exists(): time.sleep(0.002)\n"
    "def turn(): return os.read(int(os.environ['CAISSON_TURN_FD']), 1) == b'!'\n"
)
"""Says by files what it did; waits for what others did."""
STAYS = "say(b'{\"ready\": {}}'); time.sleep(60)\n"


async def test_those_that_wait_load_at_once_and_begin_in_their_turn(world: World, tmp_path: Path) -> None:
    logging = LOADS + "turn(); until('gateway loaded'); assert not (here / 'gateway began').exists()\n" + STAYS
    gateway = LOADS + "(here / 'gateway loaded').touch(); turn() and (here / 'gateway began').touch()\n" + STAYS
    supervisor = world.supervise(
        spec("logging", logging, str(tmp_path), waits=True), spec("gateway", gateway, str(tmp_path), waits=True)
    )
    await supervisor.start()
    assert world.happened("started") == world.happened("ready") == ["logging", "gateway"]
    assert (tmp_path / "gateway began").exists()
    os.kill(world.pid("gateway"), signal.SIGKILL)  # a restart has its turn at once
    await world.until(lambda: world.happened("ready").count("gateway") == 2)


async def test_what_needs_nobody_begins_beside_the_others(world: World, tmp_path: Path) -> None:
    def each(own: str, other: str) -> str:
        return LOADS + f"(here / '{own}').touch(); until('{other}')\n" + STAYS

    supervisor = world.supervise(
        spec("logging", each("a", "b"), str(tmp_path), after=()),
        spec("control", each("b", "a"), str(tmp_path), after=()),
        spec("gateway", SERVES, after=("logging", "control")),
    )
    await supervisor.start()
    assert world.happened("ready")[-1] == world.happened("started")[-1] == "gateway"


async def test_what_was_not_ready_gives_nobody_a_turn(world: World, tmp_path: Path) -> None:
    gateway = LOADS + "(here / 'loaded').touch(); turn() and (here / 'began').touch()\n" + STAYS
    control = LOADS + "until('loaded'); say(b'{\"failed\": \"no key\"}'); time.sleep(60)"
    supervisor = world.supervise(
        spec("control", control, str(tmp_path), after=()),
        spec("gateway", gateway, str(tmp_path), waits=True, after=("control",)),
    )
    with pytest.raises(StartError, match="no key"):
        await supervisor.start()
    assert world.happened("started") == world.happened("stopped") == ["control"]
    assert not (tmp_path / "began").exists()  # and the fixture looks that it is gone


async def test_what_ends_before_its_turn_fails_in_it(world: World, tmp_path: Path) -> None:
    logging = LOADS + "until('gone'); time.sleep(0.05)\n" + STAYS
    gateway = LOADS + "(here / 'gone').touch(); print('no such module'); sys.exit(1)\n"
    supervisor = world.supervise(
        spec("logging", logging, str(tmp_path)), spec("gateway", gateway, str(tmp_path), waits=True)
    )
    with pytest.raises(StartError, match=r"gateway did not start: .*no such module"):
        await supervisor.start()


async def test_told_to_stop_while_others_wait_nothing_is_left(world: World, tmp_path: Path) -> None:
    gateway = LOADS + "(here / 'loaded').touch(); turn()\n" + STAYS
    supervisor = world.supervise(
        spec("logging", READY + "time.sleep(60)"), spec("gateway", gateway, str(tmp_path), waits=True)
    )
    starting = asyncio.create_task(supervisor.start())
    await world.until((tmp_path / "loaded").exists)
    starting.cancel()
    await asyncio.wait({starting})
    assert (await supervisor.stop()).unfinished == ()  # the fixture looks that nothing is alive


@pytest.mark.parametrize("said", [TURN, b"", b"?"])
def test_only_a_turn_lets_a_process_begin(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    reads, writes = os.pipe()
    monkeypatch.setenv(TURN_VARIABLE, str(reads))
    os.write(writes, said)
    os.close(writes)
    with nullcontext() if said == TURN else pytest.raises(StartError, match="supervisor has gone"):
        wait_for_turn()
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(reads)
    wait_for_turn()  # by hand, without a supervisor


async def test_what_a_process_says_of_itself_is_reported(world: World) -> None:
    await world.supervise(spec("gateway", SERVES)).start()
    (ready,) = [event for event in world.events if event.change == "ready"]
    assert ready.info == {"pid": world.pid("gateway")}


FAILURES = {
    "its own words": (READY + "say(b'{\"failed\": \"found no key\"}'); time.sleep(60)", "found no key"),
    "its end": ("import sys; sys.exit(3)", "ended with exit status 3 before it was ready"),
    "its last line": ("print('no such port'); raise SystemExit(1)", "saying last: 'no such port'"),
    "its signal": ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
    "nonsense": (READY + "say(b'hello'); time.sleep(60)", "neither ready nor failed"),
    "other JSON": (READY + "say(b'[1]'); time.sleep(60)", "neither ready nor failed"),
    "ready that is none": (READY + "say(b'{\"ready\": true}'); time.sleep(60)", "neither ready nor failed"),
    "too much": (READY + "say(b'x' * 9000); time.sleep(60)", "more than one line"),
    "half a line": (READY + "os.write(int(os.environ['CAISSON_READY_FD']), b'{\"re'); os._exit(0)", "half of one"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "message"), FAILURES.values(), ids=FAILURES)
async def test_a_failure_at_the_first_start_stops_everything(world: World, code: str, message: str) -> None:
    supervisor = world.supervise(spec("logging", SERVES), spec("control", code), spec("gateway", SERVES))
    with pytest.raises(StartError, match="control did not start") as raised:
        await supervisor.start()
    assert message in str(raised.value)
    assert "control.log" in str(raised.value)
    assert world.happened("started") == ["logging", "control"]
    assert supervisor.state.phase == "failed"
    logging = supervisor.state.zones["logging"].identity
    assert logging is not None
    assert not logging.alive()


async def test_a_process_that_says_nothing_is_given_up(world: World) -> None:
    supervisor = world.supervise(spec("gateway", "import time; time.sleep(60)", ready_seconds_max=0.2))
    with pytest.raises(StartError, match=r"it was not ready after 0\.2 s"):
        await supervisor.start()


async def test_a_program_that_is_not_there_is_said(world: World, tmp_path: Path) -> None:
    supervisor = world.supervise(ProcessSpec(name="gateway", argv=(str(tmp_path / "missing"),)))
    with pytest.raises(StartError, match=r"expected to start .*missing"):
        await supervisor.start()


async def test_a_killed_process_comes_back_and_the_others_stay(world: World) -> None:
    supervisor = world.supervise(spec("logging", SERVES), spec("gateway", SERVES))
    await supervisor.start()
    stays, killed = world.pid("logging"), world.pid("gateway")
    os.kill(killed, signal.SIGKILL)
    await world.until(lambda: world.happened("ready").count("gateway") == 2)
    assert world.pid("gateway") != killed
    assert world.pid("logging") == stays
    zone = supervisor.state.zones["gateway"]
    assert (zone.restarts, zone.last_exit, zone.phase) == (1, "was ended by SIGKILL", "ready")


async def test_a_storm_of_kills(world: World) -> None:
    names = ("logging", "control", "gateway")
    supervisor = world.supervise(*(spec(name, SERVES) for name in names))
    await supervisor.start()
    for number in range(15):
        name = names[number % 3]
        os.kill(world.pid(name), signal.SIGKILL)
        await world.until(lambda name=name, number=number: world.happened("ready").count(name) == number // 3 + 2)  # type: ignore[misc]
    assert {name: zone.restarts for name, zone in supervisor.state.zones.items()} == dict.fromkeys(names, 5)
    assert (await supervisor.stop()).unfinished == ()


async def test_waits_grow_until_a_run_was_stable(world: World) -> None:
    supervisor = world.supervise(spec("gateway", SERVES))
    await supervisor.start()
    for number in range(1, 8):
        if number == 7:
            world.clock.time += STABLE_S
        os.kill(world.pid("gateway"), signal.SIGKILL)
        await world.until(lambda number=number: len(world.happened("ready")) == number + 1)  # type: ignore[misc]
    assert world.slept == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 0.1]


async def test_once_it_ran_a_process_that_cannot_get_ready_is_tried_for_ever(world: World, tmp_path: Path) -> None:
    code = READY + (
        "import pathlib; runs = pathlib.Path(sys.argv[1]); text = runs.read_text() if runs.exists() else ''\n"
        "runs.write_text(text + '.')\n"
        "if 0 < len(text) < 9: sys.exit(1)\n"
    )
    supervisor = world.supervise(spec("gateway", code + SERVES, str(tmp_path / "runs")))
    await supervisor.start()
    os.kill(world.pid("gateway"), signal.SIGKILL)
    await world.until(lambda: len(world.happened("ready")) == 2)
    assert world.slept == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert supervisor.state.zones["gateway"].restarts == 9
    assert len(world.happened("failed")) == 8


async def test_a_program_that_vanishes_is_tried_again(world: World, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.symlink_to(sys.executable)
    gateway = ProcessSpec(name="gateway", argv=(str(program), "-I", "-S", "-c", SERVES))
    supervisor = world.supervise(gateway)
    await supervisor.start()
    program.unlink()
    os.kill(world.pid("gateway"), signal.SIGKILL)
    await world.until(lambda: len(world.slept) >= 3)
    program.symlink_to(sys.executable)
    await world.until(lambda: len(world.happened("ready")) == 2)


async def test_what_does_not_drain_in_time_is_killed_and_said(world: World) -> None:
    supervisor = world.supervise(spec("logging", SERVES), spec("gateway", IGNORES))
    await supervisor.start()
    drained = await supervisor.stop(0.2)
    assert drained.unfinished == ("gateway",)
    state = read_state(world.run)
    assert state is not None
    assert [state.zones[name].unfinished for name in ("logging", "gateway")] == [False, True]


async def test_what_ends_badly_when_told_did_not_finish(world: World) -> None:
    await world.supervise(spec("gateway", READY + ENDS.format(status=3) + SAYS)).start()
    assert world.supervisor is not None
    assert (await world.supervisor.stop()).unfinished == ("gateway",)
    assert world.supervisor.state.zones["gateway"].last_exit == "ended with exit status 3"


async def test_what_was_dead_before_is_not_counted(world: World) -> None:
    supervisor = world.supervise(spec("gateway", SERVES))
    await supervisor.start()
    world.waits_end.clear()
    os.kill(world.pid("gateway"), signal.SIGKILL)
    await world.until(lambda: world.happened("restarting") == ["gateway"])
    assert (await supervisor.stop()).unfinished == ()


async def test_told_twice_it_does_not_wait(world: World) -> None:
    supervisor = world.supervise(spec("logging", SERVES), spec("gateway", IGNORES))
    await supervisor.start()
    stopping = asyncio.create_task(supervisor.stop(60.0))
    await world.until(lambda: supervisor.state.phase == "stopping")
    supervisor.hurry()
    async with asyncio.timeout(SECONDS_MAX):
        assert "gateway" in (await stopping).unfinished


async def test_stopping_during_a_restart_leaves_nothing(world: World) -> None:
    code = READY + "say(b'{\"ready\": {}}') if not os.path.exists(sys.argv[1]) else None\ntime.sleep(60)\n"
    supervisor = world.supervise(spec("gateway", code, str(world.run / "hang")))
    await supervisor.start()
    (world.run / "hang").touch()
    os.kill(world.pid("gateway"), signal.SIGKILL)
    await world.until(lambda: len(world.happened("started")) == 2)
    await supervisor.stop()  # the fixture looks that nothing is alive
    assert supervisor.state.zones["gateway"].phase == "stopped"


async def test_children_of_a_process_end_with_it(world: World) -> None:
    code = READY + (
        'pid = os.fork()\nif pid == 0: time.sleep(60)\nsay(b\'{"ready": {"child": %d}}\' % pid); time.sleep(60)\n'
    )
    await world.supervise(spec("gateway", code)).start()
    child = ProcessIdentity.of(world.events[-1].info["child"])
    assert child is not None
    os.kill(world.pid("gateway"), signal.SIGKILL)
    await world.until(lambda: not child.alive())


async def test_a_process_gets_nothing_of_the_callers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("HTTPS_PROXY", "http://canary")
    monkeypatch.setenv("PYTHONPATH", "/canary")
    secret = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(secret, True)
    code = READY + (
        "import json\nfrom resource import *\n"
        "found = {'environment': sorted(os.environ), 'canary': 'canary' in str(os.environ), 'cwd': os.getcwd(),\n"
        " 'descriptors': sorted(os.listdir('/proc/self/fd')), 'session': os.getsid(0) == os.getpid(),\n"
        " 'stdin': os.readlink('/proc/self/fd/0'), 'umask': oct(os.umask(0)), 'core': getrlimit(RLIMIT_CORE)}\n"
        "say(json.dumps({'ready': found}).encode()); time.sleep(60)\n"
    )
    await world.supervise(
        ProcessSpec(name="gateway", argv=(sys.executable, "-I", "-c", code), environment=zone_environment(TZ="UTC"))
    ).start()
    os.close(secret)
    info = world.events[-1].info
    own = {*zone_environment(), "TZ", "CAISSON_READY_FD"}
    assert set(info["environment"]) - {"LC_CTYPE"} == own  # Python itself sets LC_CTYPE (PEP 538)
    assert info["canary"] is False
    assert len(info["descriptors"]) == 5, "three streams, the pipe for readiness and the listing itself"
    assert {key: info[key] for key in ("cwd", "session", "stdin", "umask", "core")} == {
        "cwd": "/", "session": True, "stdin": "/dev/null", "umask": "0o27", "core": [0, 0],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "HTTP_PROXY", "https_proxy", "LD_PRELOAD"])
def test_credentials_proxies_and_loader_settings_are_refused(name: str) -> None:
    with pytest.raises(DeveloperError):
        zone_environment(**{name: "x"})


@pytest.mark.skipif(os.geteuid() != 0, reason="own users need root")
async def test_a_process_runs_as_its_own_user_and_nobody_else(world: World, reachable: Path) -> None:
    code = (
        "import json, os, time\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "found = {key: status[key].split() for key in ('Uid', 'Gid', 'Groups', 'CapEff')}\n"
        "line = json.dumps({'ready': found}).encode() + b'\\n'\n"
        "os.write(int(os.environ['CAISSON_READY_FD']), line); time.sleep(60)\n"
    )
    user = User(uid=65_510, gid=65_510, groups=(65_504,))
    await world.supervise(ProcessSpec(name="gateway", argv=("/usr/bin/python3", "-I", "-c", code), user=user)).start()
    assert world.events[-1].info == {
        "Uid": ["65510"] * 4, "Gid": ["65510"] * 4, "Groups": ["65504"], "CapEff": ["0" * 16],
    }  # fmt: skip
    os.kill(world.pid("gateway"), signal.SIGKILL)
    await world.until(lambda: len(world.happened("ready")) == 2)


async def test_the_log_has_what_a_process_says(world: World) -> None:
    code = "import sys; print('one', flush=True); print('two\\x1b[2J', file=sys.stderr)\n" + SERVES
    supervisor = world.supervise(spec("gateway", code))
    await supervisor.start()
    log = world.run / "gateway.log"
    await world.until(lambda: log.read_text().count("\n") == 2)
    moment, pid, text = log.read_text().splitlines()[0].split(" ", 2)
    assert (moment.endswith("+00:00"), pid, text) == (True, f"[{world.pid('gateway')}]", "one")
    assert "\x1b" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


async def test_others_can_read_the_state(world: World) -> None:
    supervisor = world.supervise(spec("gateway", SERVES))
    await supervisor.start()
    document = json.loads((world.run / "state.json").read_text())
    assert document["pid"] == os.getpid()
    assert document["phase"] == "ready"
    assert document["zones"]["gateway"]["pid"] == world.pid("gateway")
    assert read_state(world.run) == supervisor.state
    (world.run / "state.json").write_text('{"format": 2}')
    assert read_state(world.run) is None


async def test_two_processes_of_one_name_are_a_bug(world: World) -> None:
    with pytest.raises(DeveloperError):
        world.supervise(spec("gateway", SERVES), spec("gateway", SERVES))


def test_backoff_never_shrinks_within_a_series_and_stays_bounded() -> None:
    for was_ready, most in ((True, 1.0), (False, 5.0)):
        delays = [delay_s(failures, was_ready=was_ready) for failures in range(1, 5_000)]
        assert delays == sorted(delays)
        assert (delays[0], delays[-1]) == (0.1, most)
    assert failures_after(7, STABLE_S) == 1
    assert failures_after(7, STABLE_S - 0.1) == 8
    assert failures_after(7, None) == 8


@pytest.mark.parametrize("seconds", [0.0, 1.0, 10.0, 60.0, 600.0])
@pytest.mark.parametrize("count", [0, 1, 3, 6])
def test_each_has_time_of_its_own_to_drain(count: int, seconds: float) -> None:
    deadlines = drain_deadlines(count, seconds)
    assert len(deadlines) == count
    assert list(deadlines) == sorted(deadlines)
    assert deadlines == () or (deadlines[-1] == seconds and deadlines[0] >= seconds / 2)
    assert seconds == 0 or all(b > a for a, b in pairwise(deadlines))
