"""The life of a running system from outside: `caisson down`, Ctrl-C, kill -9, a second start, --detach."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caisson.adapters.embedded.isolation import UserPlan
from caisson.adapters.embedded.layout import prepare
from caisson.supervision import State, read_state, running
from caisson.supervision.identity import ProcessIdentity

TESTS = Path(__file__).parents[1]
SECONDS_MAX = 20.0
ZONES = ("logging=serves", "control=serves", "gateway=serves")


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    prepare(tmp_path / "data", system="claims", users=UserPlan(first=None, reason=""))
    yield tmp_path / "data"
    pidfd = running(tmp_path / "data" / "run")
    if pidfd is not None:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.close(pidfd)


def up(data: Path, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, TESTS / "system_of_sleepers.py", data / "run", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert "--detach" in arguments or process.stdout.readline() == "ready\n"
    return process


def down(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import typer; from caisson.cli.down import down; typer.run(down)"
    return subprocess.run(
        [sys.executable, "-c", code, "--data", data, *arguments], capture_output=True, text=True, timeout=60
    )


def state(data: Path) -> State:
    found = read_state(data / "run")
    assert found is not None
    return found


def alive(found: State) -> list[str]:
    return [name for name, zone in found.zones.items() if zone.identity is not None and zone.identity.alive()]


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_down_drains_and_says_so(data: Path) -> None:
    process = up(data, *ZONES)
    before = state(data)
    assert alive(before) == ["logging", "control", "gateway"]
    done = down(data, "--json")
    assert (done.returncode, json.loads(done.stdout)["unfinished"]) == (0, [])
    assert process.wait(SECONDS_MAX) == 0
    assert alive(before) == []
    assert state(data).phase == "stopped"


def test_down_says_what_did_not_finish(data: Path) -> None:
    process = up(data, "logging=serves", "gateway=ignores")
    before = state(data)
    done = down(data, "--timeout", "0.3")
    assert (done.returncode, process.wait(SECONDS_MAX)) == (1, 1)
    assert "gateway did not finish: it was ended by SIGKILL" in done.stdout
    assert alive(before) == []


def test_down_of_a_supervisor_that_hangs_kills_it_and_its_zones(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = up(data, *ZONES)
    before = state(data)
    os.kill(process.pid, signal.SIGSTOP)
    code = "import typer; from caisson.cli import down; down.HURRY_SECONDS_MAX = 0.2; typer.run(down.down)"
    done = subprocess.run(
        [sys.executable, "-c", code, "--data", data, "--timeout", "0.1"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "it had to be killed" in done.stdout
    until(lambda: alive(before) == [])
    process.wait(SECONDS_MAX)


def test_down_when_nothing_runs(data: Path) -> None:
    done = down(data)
    assert (done.returncode, done.stdout) == (0, f"Nothing runs in {data}.\n")


def test_down_of_no_data_folder_is_a_wrong_call(tmp_path: Path) -> None:
    done = down(tmp_path / "elsewhere")
    assert done.returncode == 2
    assert "say which with --data" in done.stderr


def test_down_never_hits_a_process_that_got_the_number(data: Path) -> None:
    """A supervisor that was killed leaves its number behind, and the kernel gives it to somebody else."""
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        identity = ProcessIdentity.of(innocent.pid)
        assert identity is not None
        for changed in ({"started": identity.started - 1}, {"boot": "another"}):
            (data / "run" / "supervisor.pid").write_text(json.dumps({**identity.to_dict(), **changed}))
            assert "Nothing runs" in down(data).stdout
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": -1, "started": 1, "boot": "x"}', '{"pid": "1"}'])
def test_down_with_a_damaged_pid_file(data: Path, content: str) -> None:
    (data / "run" / "supervisor.pid").write_text(content)
    assert "Nothing runs" in down(data).stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_drain(data: Path, number: signal.Signals) -> None:
    process = up(data, *ZONES)
    before = state(data)
    process.send_signal(number)
    assert process.wait(SECONDS_MAX) == 0
    assert alive(before) == []


def test_a_signal_during_the_start_stops_it(data: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, TESTS / "system_of_sleepers.py", data / "run", "logging=serves", "gateway=never"]
    )
    until(lambda: (found := read_state(data / "run")) is not None and found.zones["gateway"].phase == "starting")
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS_MAX) == 0
    assert alive(state(data)) == []


def test_zones_die_with_a_killed_supervisor_and_the_next_one_starts(data: Path) -> None:
    for _ in range(5):
        process = up(data, *ZONES)
        before = state(data)
        process.kill()
        process.wait()
        again = up(data, *ZONES)  # at once
        assert alive(before) == []
        assert down(data).returncode == 0
        again.wait(SECONDS_MAX)


def test_one_system_for_a_data_folder(data: Path) -> None:
    first = up(data, *ZONES)
    second = subprocess.run(
        [sys.executable, TESTS / "system_of_sleepers.py", data / "run", *ZONES], capture_output=True, text=True
    )
    assert second.returncode != 0
    assert f"(process {first.pid})" in second.stderr
    assert len(alive(state(data))) == 3
    assert down(data).returncode == 0
    first.wait(SECONDS_MAX)


def test_detached_it_returns_when_ready(data: Path) -> None:
    process = up(data, *ZONES, "--detach")
    out, _ = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, out) == (0, "{'port': 8443}\n")
    found = state(data)
    assert found.phase == "ready"
    assert os.getsid(found.supervisor.pid) not in (os.getsid(0), found.supervisor.pid)
    assert len(alive(found)) == 3
    assert down(data).returncode == 0
    assert alive(found) == []


def test_detached_it_says_why_not(data: Path) -> None:
    process = up(data, "logging=serves", "gateway=fails", "--detach")
    out, _ = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 1
    assert "gateway did not start: no port" in out
    assert "gateway did not start: no port" in (data / "run" / "supervisor.log").read_text()
    assert running(data / "run") is None


def test_detached_a_bug_is_in_the_log_not_on_the_screen(data: Path) -> None:
    process = up(data, "gateway=no-such-code", "--detach")
    out, err = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, err) == (1, "")
    assert "it ended before it was ready" in out
    assert "KeyError" in (data / "run" / "supervisor.log").read_text()
