"""A stop lets what is under way finish; a change of configuration loses nothing either."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from running_system import CAISSON, ENOUGH, MODEL, Running, clean_environment, start, system_file

WORDS = " ".join(f"word{number}" for number in range(40))
SCRIPT = f"""
caisson_script: 1
rules:
  - when: {{contains: slowly}}
    answer: {{text: "{WORDS} end.", delay_ms: 40}}
default:
  answer: {{text: "The project-falcon and the project-eagle."}}
"""
HELLO = [{"role": "user", "content": [{"text": "Hello there"}]}]
SECONDS_MAX = 10.0


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "script.yaml").write_text(SCRIPT)
    running = start(tmp_path, "--upstream", f"script={tmp_path}/script.yaml", system=system_file(tmp_path, **ENOUGH))
    yield running
    running.stop()


def test_a_stream_under_way_finishes(slow: Running) -> None:
    client, other = slow.client(), slow.client()
    other.converse(modelId=MODEL, messages=HELLO)
    answer = client.converse_stream(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "Speak slowly"}]}])
    events = iter(answer["stream"])
    text = ""
    while not text:
        text += next(events).get("contentBlockDelta", {}).get("delta", {}).get("text", "")
    slow.process.send_signal(signal.SIGTERM)
    refused = ""
    ends = time.monotonic() + SECONDS_MAX
    while not refused and time.monotonic() < ends:
        try:
            other.converse(modelId=MODEL, messages=HELLO)
        except ClientError as error:
            refused = error.response["Error"]["Code"]
        except BotoCoreError:
            refused = "closed"
    assert refused in {"ThrottlingException", "ServiceUnavailableException", "closed"}
    rest = list(events)
    text += "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in rest)
    assert text.endswith("word39 end.")
    assert any("messageStop" in event for event in rest)
    assert slow.process.wait(30) == 0  # a second signal would end it at once
    assert slow.cli("logs", "verify").returncode == 0
    request_id = answer["ResponseMetadata"]["RequestId"]
    kinds = {event["kind"] for event in slow.events("--request", request_id)}
    assert kinds == {"model.request.v1", "model.response.v1"}


def said(client) -> str:
    return client.converse(modelId=MODEL, messages=HELLO)["output"]["message"]["content"][0]["text"]


def until(condition, seconds: float) -> float:
    """Seconds until it holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_changed_file_and_a_rollback_take_effect_without_a_lost_request(slow: Running) -> None:
    client = slow.client()
    assert "project-falcon" not in said(client)
    failures: list[str] = []
    answered, stop = [0], threading.Event()

    def load() -> None:
        mine = slow.client()
        while not stop.is_set():
            try:
                said(mine)
                answered[0] += 1
            except (ClientError, BotoCoreError) as error:
                failures.append(str(error))

    workers = [threading.Thread(target=load) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        text = slow.system.read_text()
        slow.system.write_text(text.replace("project-falcon", "project-eagle"))
        changed = publish(slow)
        assert changed.returncode == 0, changed.stdout + changed.stderr
        until(lambda: "The project-falcon" in said(client), 1.0)
        assert "project-eagle" not in said(client)
        slow.cli("rollback", "1", "--reason", "the old name again")
        until(lambda: "project-falcon" not in said(client), 1.0)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert failures == []
    assert answered[0] > 10
    assert slow.stop() == 0
    assert slow.cli("logs", "verify").returncode == 0


def publish(running: Running):
    """`caisson up` again: it puts the file in force."""
    import subprocess

    return subprocess.run(
        [CAISSON, "up", "--system", str(running.system), "--data", str(running.data), "--port", str(running.port)],
        capture_output=True, text=True, timeout=60, env=clean_environment(),
    )  # fmt: skip
