"""A copy of the data folder is a system, taken while it runs or when it stopped: a whole log and the same sessions."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from caisson.supervision import snapshot as module
from running_system import ENOUGH, MODEL, Running, clean_environment, start, system_file

ASKED = [{"role": "user", "content": [{"text": "Claims are reported within 30 days. When is a claim reported?"}]}]
BOTH = {"model.request.v1", "model.response.v1"}


def ask(running: Running, credentials: dict[str, Any] | None = None) -> str:
    made = dict(credentials or running.session())
    made["Endpoints"] = dict.fromkeys(made["Endpoints"], f"https://localhost:{running.port}")
    made["CaBundle"] = str(running.data / "authority/bundle.pem")
    answer = running.client(credentials=made).converse(modelId=MODEL, messages=ASKED)
    return str(answer["ResponseMetadata"]["RequestId"])


def take(data: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "caisson.supervision.snapshot", str(data), str(target)],
        capture_output=True, text=True, env=clean_environment(), timeout=120,
    )  # fmt: skip


def recorded(running: Running, wanted: list[str]) -> list[str]:
    """Those that the log holds with both events."""

    def held(found: list[dict[str, Any]]) -> list[str]:
        kinds: dict[str, set[str]] = {}
        for event in found:
            kinds.setdefault(event.get("request_id", ""), set()).add(event["kind"])
        return [each for each in wanted if kinds.get(each, set()) >= BOTH]

    return held(running.events("--limit", "100000", until=lambda found: len(held(found)) == len(wanted), seconds=20))


class Load:
    """Requests one after another until it is told to stop."""

    def __init__(self, running: Running) -> None:
        self.answered: list[tuple[float, str]] = []
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(running,))
        self._thread.start()

    def _run(self, running: Running) -> None:
        while not self._stop.is_set():
            try:
                request_id = ask(running)
                self.answered.append((time.monotonic(), request_id))
            except Exception as error:
                self.failures.append(f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def busy_system(tmp_path: Path) -> Iterator[Running]:
    running = start(tmp_path, "--workers", "2", system=system_file(tmp_path, **ENOUGH))
    running.session()
    yield running
    assert running.stop() == 0, running.log.read_text()


def restored(copy: Path, folder: Path, system: Path) -> Running:
    folder.mkdir()
    shutil.copytree(copy, folder / "data", symlinks=True)
    return start(folder, system=system)


def test_while_it_runs_under_load(busy_system: Running, tmp_path: Path) -> None:
    alive, revoked = busy_system.credentials(), busy_system.credentials()
    ask(busy_system, alive)
    ask(busy_system, revoked)
    busy_system.cli("session", "revoke", revoked["SessionId"], "--reason", "test")
    load, took = Load(busy_system), []
    try:
        while len(load.answered) < 10 and not load.failures:
            time.sleep(0.01)
        began = time.monotonic()
        for number in range(3):
            took.append(take(busy_system.data, tmp_path / f"copy-{number}"))
    finally:
        load.stop()
    assert [done.returncode for done in took] == [0, 0, 0], took
    assert load.failures == []
    assert load.answered[-1][0] > began
    assert not any(tmp_path.glob(".*.unfinished"))
    assert (tmp_path / "copy-2").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "copy-2/run").exists()

    before = [request_id for moment, request_id in load.answered if moment < began]
    again = restored(tmp_path / "copy-2", tmp_path / "restored", busy_system.system)
    try:
        assert recorded(again, before) == before
        ask(again, alive)
        with pytest.raises(ClientError, match=r"revoked|ended"):
            ask(again, revoked)
        assert again.cli("logs", "verify").returncode == 0
        assert busy_system.process.poll() is None
        ask(busy_system)
    finally:
        assert again.stop() == 0, again.log.read_text()
    assert again.cli("logs", "verify").returncode == 0


def test_a_stopped_system_copied_as_the_documentation_says(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    system = system_file(tmp_path, **ENOUGH)
    running = start(tmp_path / "one", system=system)
    asked = [ask(running) for _ in range(3)]
    made = running.session()
    assert running.stop() == 0
    subprocess.run(["tar", "--create", "--file", tmp_path / "backup.tar", "--directory", running.data, "."], check=True)
    (tmp_path / "two/data").mkdir(parents=True)
    subprocess.run(
        ["tar", "--extract", "--preserve-permissions", "--file", tmp_path / "backup.tar",
         "--directory", tmp_path / "two/data"], check=True,
    )  # fmt: skip
    again = start(tmp_path / "two", system=system)
    try:
        assert recorded(again, asked) == asked
        ask(again, made)
        assert again.cli("logs", "verify").returncode == 0
    finally:
        assert again.stop() == 0


def test_sessions_from_before_can_be_voided_as_the_documentation_says(tmp_path: Path) -> None:
    running = start(tmp_path, system=system_file(tmp_path, **ENOUGH))
    made = running.session()
    ask(running, made)
    assert running.stop() == 0
    for key in (running.data / "zones/runtime/keys").glob("session-*.key"):
        key.unlink()
    again = start(tmp_path, system=running.system)
    try:
        with pytest.raises(ClientError) as refused:
            ask(again, made)
        assert refused.value.response["Error"]["Code"] == "UnrecognizedClientException"
        ask(again)
        assert again.cli("logs", "verify").returncode == 0
    finally:
        assert again.stop() == 0


def test_a_copy_that_is_killed_leaves_a_system_that_runs(busy_system: Running, tmp_path: Path) -> None:
    """The guard wakes it."""
    script = (
        "import sys, time; from pathlib import Path; from caisson.supervision import snapshot as module\n"
        "with module._stopped(Path(sys.argv[1])):\n"
        "    print('still', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(busy_system.data / "run")], stdout=subprocess.PIPE, text=True
    ) as copying:
        assert copying.stdout is not None
        assert copying.stdout.readline() == "still\n"
        assert {module._state(pid) for pid in busy_system.pids().values()} == {"T"}
        copying.send_signal(signal.SIGKILL)
    ask(busy_system)


def test_what_cannot_be_copied(busy_system: Running, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert "expected a new folder" in take(busy_system.data, tmp_path / "there").stderr
    assert "outside the data folder" in take(busy_system.data, busy_system.data / "copy").stderr
    assert "expected a data folder" in take(tmp_path / "there", tmp_path / "copy").stderr
    assert take(busy_system.data, tmp_path / "missing/copy").returncode == 1
    assert {module._state(pid) for pid in busy_system.pids().values()} & {"T"} == set()
