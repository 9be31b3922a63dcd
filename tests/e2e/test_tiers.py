"""What tier 3 adds: two signatures, events on stable storage, orders that stop requests when nobody renews them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from running_system import CAISSON, MODEL, Running, clean_environment, start, system_file

HELLO = [{"role": "user", "content": [{"text": "Hello there"}]}]
EXPIRY_SECONDS_MAX = 90.0


def tier_3(folder: Path) -> Path:
    return system_file(folder, tier=3)


def up_again(running: Running) -> subprocess.CompletedProcess[str]:
    """`caisson up` on a running system: put the file in force."""
    return subprocess.run(
        [CAISSON, "up", "--system", str(running.system), "--data", str(running.data), "--port", str(running.port)],
        capture_output=True, text=True, timeout=60, env=clean_environment(),
    )  # fmt: skip


@pytest.fixture
def running(tmp_path: Path):
    made = start(tmp_path, system=tier_3(tmp_path))
    yield made
    made.stop()


def test_two_signatures_and_a_change_without_the_second(running: Running, tmp_path: Path) -> None:
    assert running.client().converse(modelId=MODEL, messages=HELLO)["stopReason"] == "end_turn"
    assert "two signatures are one person's" in running.said()
    key = running.data / "zones/control/operators/approver.signing.key"
    elsewhere = tmp_path / "second person"
    elsewhere.mkdir(mode=0o700)
    assert running.stop() == 0

    key.rename(elsewhere / key.name)
    running.system.write_text(running.system.read_text().replace("project-falcon", "project-eagle"))
    again = start(tmp_path, system=running.system)
    try:
        assert "not in force" in again.said()
        ready = again.client()
        assert words(ready, "project-eagle") == "NONE"
        assert words(ready, "project-falcon") == "GUARDRAIL_INTERVENED"

        approved = again.cli("rollback", "--approve", "--keys", str(elsewhere))
        assert "in force" in approved.stdout
        ends = time.monotonic() + 5
        while words(ready, "project-eagle") == "NONE":
            assert time.monotonic() < ends
        assert words(ready, "project-falcon") == "NONE"
        assert again.cli("logs", "verify").returncode == 0
    finally:
        assert again.stop() == 0


def words(client, text: str) -> str:
    """What the guardrail says of it."""
    content = [{"text": {"text": f"We talk about {text}."}}]
    return client.apply_guardrail(
        guardrailIdentifier="main", guardrailVersion="DRAFT", source="INPUT", content=content
    )["action"]


def test_a_change_while_running_waits_for_the_second_signature(running: Running, tmp_path: Path) -> None:
    assert running.stop() == 0
    (running.data / "zones/control/operators/approver.signing.key").rename(tmp_path / "approver.signing.key")
    again = start(tmp_path, system=running.system)
    try:
        again.system.write_text(again.system.read_text().replace("project-falcon", "project-eagle"))
        assert "waits for 1 more signature" in " ".join(up_again(again).stdout.split())
        time.sleep(1.0)
        assert words(again.client(), "project-eagle") == "NONE"
    finally:
        assert again.stop() == 0


def test_orders_that_nobody_renews_stop_requests(running: Running) -> None:
    """Who stops the control zone cannot keep a revoked session alive: 60 s, in real time."""
    client = running.client()
    client.converse(modelId=MODEL, messages=HELLO)
    pid = running.pids()["control"]
    os.kill(pid, signal.SIGSTOP)
    try:
        began, code = time.monotonic(), ""
        while not code and time.monotonic() - began < EXPIRY_SECONDS_MAX:
            try:
                client.count_tokens(modelId=MODEL, input={"converse": {"messages": HELLO}})
                time.sleep(2.5)
            except ClientError as error:
                code = error.response["Error"]["Code"]
        assert code == "ServiceUnavailableException"
        assert time.monotonic() - began < 65
    finally:
        os.kill(pid, signal.SIGCONT)
    ends = time.monotonic() + 5
    while True:
        try:
            client.count_tokens(modelId=MODEL, input={"converse": {"messages": HELLO}})
            break
        except ClientError:
            assert time.monotonic() < ends
            time.sleep(0.1)
