"""Workers are restarted one after the other under load: no request fails, and the log and the metrics are whole.

Clients are stock boto3 with a single attempt. What makes that possible is that a worker stops accepting first, then
asks for new connections, and ends idle ones last (docs/decisions/0012).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from caisson.supervision import read_state
from caisson.supervision.state import ZoneState
from running_system import CAISSON, ENOUGH, MODEL, Running, clean_environment, sign_in, start, system_file
from wire import Connection, path, signed

WORKERS = 2
WORDS = " ".join(f"word{number}" for number in range(40))
SCRIPT = f"""
caisson_script: 1
rules:
  - when: {{contains: slowly}}
    answer: {{text: "{WORDS} end.", delay_ms: 60}}
  - when: {{contains: at length}}
    answer: {{text: "{WORDS} end.", delay_ms: 120}}
default:
  answer: {{text: "Good day to you, and how may I help?", delay_ms: 5}}
"""
HELLO = [{"role": "user", "content": [{"text": "Hello there"}]}]
SLOWLY = [{"role": "user", "content": [{"text": "Speak slowly"}]}]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("pair")
    (folder / "script.yaml").write_text(SCRIPT)
    upstream = ("--upstream", f"script={folder}/script.yaml")
    running = start(folder, *upstream, "--workers", str(WORKERS), system=system_file(folder, **ENOUGH))
    yield running
    assert running.stop() == 0, running.log.read_text()


def workers(running: Running) -> dict[str, int]:
    return {name: pid for name, pid in running.pids().items() if name.startswith("gateway")}


def restart(running: Running, *more: str) -> subprocess.CompletedProcess[str]:
    arguments = [CAISSON, "up", "--system", str(running.system), "--data", str(running.data), *more]
    return subprocess.run(
        [*arguments, "--restart-workers"], capture_output=True, text=True, timeout=120, env=clean_environment()
    )


def streamed(client: Any, messages: list[dict[str, Any]]) -> str:
    events = list(client.converse_stream(modelId=MODEL, messages=messages)["stream"])
    assert any("messageStop" in event for event in events), events[-1:]
    return "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in events)


class Load:
    """Threads that ask until told to stop, and what went wrong."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.failures: list[str] = []
        self.answered: dict[str, int] = {}
        self._threads: list[threading.Thread] = []

    def add(self, name: str, ask: Callable[[], object], pause_s: float = 0.0) -> None:
        def run() -> None:
            while not self.stop.is_set():
                try:
                    ask()
                    self.answered[name] = self.answered.get(name, 0) + 1
                except Exception as error:
                    self.failures.append(f"{name}: {type(error).__name__} {error}")
                time.sleep(pause_s)

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def end(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()


def asking(running: Running, action: str, text: str) -> bytes:
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": text}]}]}).encode()
    return signed(running.session(), "POST", path(action), body)


def stand_still(pid: int) -> None:
    """Returns when no thread of it runs any more: until then it may still accept."""
    os.kill(pid, signal.SIGSTOP)
    threads = list(Path(f"/proc/{pid}/task").glob("*/stat"))
    assert until(lambda: all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in threads))


def again(running: Running, *more: str) -> subprocess.CompletedProcess[str]:
    arguments = [CAISSON, "up", "--system", str(running.system), "--data", str(running.data), *more]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, env=clean_environment())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--upstream", "offline"), "--upstream: expected script="),
        (("--workers", "1"), f"--workers: expected {WORKERS}, with which the system runs, found 1"),
        (("--otlp", "http://127.0.0.1:1"), "--otlp: expected none, with which the system runs"),
        (("--ledger", "dynamodb=other", "--ledger-profile", "p"), "--ledger: expected none"),
        (("--port", "1"), "--port: expected "),
    ],
)
def test_what_a_running_system_does_not_take_up_is_refused(pair: Running, options: tuple[str, ...], named: str) -> None:
    done = again(pair, *options)
    assert done.returncode == 2
    assert named in done.stderr and "caisson down" in done.stderr


def test_what_it_runs_with_may_be_said_again_or_left_out(pair: Running) -> None:
    script = f"script={pair.system.parent}/script.yaml"
    for options in ((), ("--workers", str(WORKERS), "--upstream", script)):
        done = again(pair, *options)
        assert done.returncode == 0, done.stderr
        assert "runs already" in done.stdout


def on_a_new_connection(running: Running) -> None:
    connection = Connection.to(running)
    try:
        answer = connection.ask(asking(running, "converse", "Hello there"))
        assert answer.status == 200, answer
    finally:
        connection.close()


def test_no_request_fails_while_all_workers_are_restarted(pair: Running) -> None:
    before, load = workers(pair), Load()
    assert sorted(before) == ["gateway", "gateway-1"]
    kept, patient, streaming, slow = pair.client(), pair.client(), pair.client(), pair.client()
    load.add("kept", lambda: kept.converse(modelId=MODEL, messages=HELLO))
    load.add("now and then", lambda: patient.converse(modelId=MODEL, messages=HELLO), pause_s=0.7)
    load.add("streamed", lambda: streamed(streaming, HELLO))
    load.add("slow", lambda: _whole(streamed(slow, SLOWLY)))
    load.add("new", lambda: on_a_new_connection(pair))
    try:
        time.sleep(0.5)
        for _ in range(2):
            done = restart(pair)
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        load.end()
    assert load.failures == []
    assert min(load.answered.values()) > 2
    assert set(load.answered) == {"kept", "now and then", "streamed", "slow", "new"}
    after = workers(pair)
    assert sorted(after) == sorted(before)
    assert not set(after.values()) & set(before.values())
    assert pair.cli("logs", "verify").returncode == 0


def _whole(text: str) -> None:
    assert text.endswith("word39 end."), text


def counted(running: Running) -> float:
    connection = Connection.to(running)
    try:
        text = connection.ask(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").body.decode()
    finally:
        connection.close()
    lines = [line for line in text.splitlines() if line.startswith("caisson_requests_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_metrics_are_of_all_workers_and_outlive_them(pair: Running) -> None:
    before = counted(pair)
    for _ in range(20):
        on_a_new_connection(pair)
    ends = time.monotonic() + 10
    while (seen := counted(pair)) < before + 20 and time.monotonic() < ends:
        time.sleep(0.1)  # the worker that is asked sees the others' counts a second later at most
    assert [counted(pair) for _ in range(6)] == [before + 20] * 6 == [seen] * 6  # whoever answers
    assert restart(pair).returncode == 0
    assert counted(pair) == before + 20


def test_a_file_that_changed_is_published_with_the_restart(pair: Running) -> None:
    text = pair.system.read_text()
    pair.system.write_text(text.replace("project-falcon", "project-kestrel"))
    done = restart(pair, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"restarted": true' in done.stdout
    assert all(zone.phase == "ready" for zone in _zones(pair).values())
    client = pair.client()
    said = client.converse(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "about project-kestrel"}]}])
    assert said["stopReason"] == "guardrail_intervened"


def _zones(running: Running) -> Mapping[str, ZoneState]:
    state = read_state(running.data / "run")
    assert state is not None
    return state.zones


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("single")
    (folder / "script.yaml").write_text(SCRIPT)
    running = start(folder, "--upstream", f"script={folder}/script.yaml", system=system_file(folder, **ENOUGH))
    yield running
    assert running.stop() == 0, running.log.read_text()


def test_one_worker_is_restarted_without_a_failed_request_too(single: Running) -> None:
    load, kept = Load(), single.client()
    load.add("kept", lambda: kept.converse(modelId=MODEL, messages=HELLO))
    load.add("new", lambda: on_a_new_connection(single))
    try:
        before = workers(single)
        done = restart(single)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        load.end()
    assert load.failures == []
    assert workers(single) != before


def test_after_a_stream_its_client_may_ask_once_more(single: Running) -> None:
    """When the answer began nobody knew that the worker would retire, so it did not say that the connection closes."""
    connection = Connection.to(single, seconds=30)
    try:
        connection.send(asking(single, "converse-stream", "Speak at length"))
        connection.wait()
        os.kill(single.pids()["supervisor"], signal.SIGUSR1)
        assert until(lambda: _zones(single)["gateway"].phase == "retiring")
        stream = connection.read()
        assert (stream.status, stream.closed) == (200, False)
        assert b"word39" in stream.body
        again = connection.ask(asking(single, "converse", "Hello there"))
        assert (again.status, again.closed) == (200, True)
    finally:
        connection.close()
    assert until(lambda: _zones(single)["gateway"].phase == "ready")


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    ends = time.monotonic() + seconds
    while not condition() and time.monotonic() < ends:
        time.sleep(0.02)
    return condition()


def test_each_worker_accepts(pair: Running) -> None:
    """On either socket, while the others do nothing at all."""
    for pid in workers(pair).values():
        stand_still(pid)
        try:
            on_a_new_connection(pair)
            assert sign_in(pair.data, "claims")["SessionToken"]
        finally:
            os.kill(pid, signal.SIGCONT)


def test_a_killed_worker_costs_its_own_requests_alone(pair: Running) -> None:
    """The other worker goes on, and what waits for a connection waits for no dead process."""
    load = Load()
    for number in range(4):
        client = pair.client()
        load.add(f"kept {number}", lambda client=client: client.converse(modelId=MODEL, messages=HELLO))
    try:
        time.sleep(0.5)
        answered = sum(load.answered.values())
        os.kill(workers(pair)["gateway-1"], signal.SIGKILL)
        time.sleep(0.3)
        assert sum(load.answered.values()) > answered  # before it is back
    finally:
        load.end()
    assert len(load.failures) <= 4, load.failures  # what was under way on it, one a client
    on_a_new_connection(pair)
    assert until(lambda: _zones(pair)["gateway-1"].phase == "ready")
    assert pair.cli("logs", "verify").returncode == 0
