"""The gateway whose events travel through SQS answers stock boto3 as it does with a spool: the same checks.

Between it and moto stands the gate, which verifies signatures and breaks what a test asks it to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from aws_gate import DEAF, Gate, gate_in_thread
from aws_services import OWN, Moto
from e2e.test_boto3 import (  # noqa: F401  (run here on another channel)
    QUESTION,
    test_another_model_is_denied,
    test_apply_guardrail,
    test_bearer_token,
    test_converse,
    test_converse_stream_says_the_same,
    test_count_tokens,
    test_every_request_has_both_events_and_the_log_verifies,
    test_invoke_model_and_stream,
    test_sts,
    test_unsigned_and_tampered_requests_are_refused,
)
from e2e.test_boto3 import test_a_revoked_session_stops_within_a_second as test_a_revoked_session_stops  # noqa: F401
from running_system import CAISSON, CLAIMS, ENOUGH, MODEL, Running, clean_environment, free_port, start, system_file

BACK_SECONDS_MAX = 60.0


@dataclass
class World:
    """Caisson, the gate, and moto behind it."""

    caisson: Running
    gate: Gate
    moto: Moto
    queue: str
    """URL at moto."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sqs")
    write_profile(folder / "home")
    moto = Moto()
    try:
        again = {"VisibilityTimeout": "5"}  # what a reader held that was killed comes again soon
        made = moto.client("sqs").create_queue(QueueName="caisson-claims-events", Attributes=again)
        queue = str(made["QueueUrl"])
        with gate_in_thread(moto.url) as opened, pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(folder / "home"))
            caisson = start(
                folder, *options(queue.replace(moto.url, opened.url)), "--workers", "2",
                system=system_file(folder, **ENOUGH),
            )  # fmt: skip
            try:
                yield World(caisson=caisson, gate=opened, moto=moto, queue=queue)
            finally:
                assert caisson.stop() == 0, caisson.log.read_text()
            assert opened.denied == []
            assert list((caisson.data / "zones/runtime/state/outgoing").iterdir()) == []
    finally:
        moto.stop()


def options(queue: str) -> tuple[str, ...]:
    return ("--events", f"sqs={queue}", "--events-profile", "events")


@pytest.fixture
def claims(world: World) -> Running:
    return world.caisson


def write_profile(home: Path) -> None:
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text(
        f"[events]\naws_access_key_id = {OWN.access_key_id}\naws_secret_access_key = {OWN.secret_access_key}\n"
    )


def ask(world: World) -> str:
    """The id of an answered request."""
    answer = world.caisson.client(retries=3).converse(modelId=MODEL, messages=QUESTION)
    assert answer["stopReason"] == "end_turn"
    return str(answer["ResponseMetadata"]["RequestId"])


def kinds_of(world: World, request_id: str) -> set[str]:
    """Kinds of a request's events, waited for."""
    found = world.caisson.events("--request", request_id, until=lambda rows: len(rows) > 1, seconds=30)
    return {row["kind"] for row in found}


BOTH = {"model.request.v1", "model.response.v1"}


def test_events_of_the_gateway_go_through_the_queue_and_no_other_way(world: World) -> None:
    world.gate.calls.clear()
    assert kinds_of(world, ask(world)) == BOTH
    assert {"SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch"} <= {name for name, _ in world.gate.calls}
    assert not list((world.caisson.data / "spool/events").glob("runtime-*"))
    assert "the gateway's through http" in world.caisson.said()
    written = (world.caisson.data / "spool/events").rglob("*"), (world.caisson.data / "zones").rglob("*.json")
    for path in (one for group in written for one in group if one.is_file()):
        assert OWN.secret_access_key.encode() not in path.read_bytes()


def test_what_the_queue_does_not_take_is_not_acknowledged_and_not_lost(world: World) -> None:
    client = world.caisson.client()
    ask(world)
    world.gate.fail("SendMessageBatch", *[("AccessDenied", 403)] * 1_000)
    try:
        with pytest.raises(ClientError) as refused:
            client.converse(modelId=MODEL, messages=QUESTION)
    finally:
        world.gate.faults.clear()
    answer = refused.value.response
    assert answer["Error"]["Code"] == "ServiceUnavailableException"
    assert "could not be recorded" in answer["Error"]["Message"]
    assert kinds_of(world, answer["ResponseMetadata"]["RequestId"]) == BOTH
    assert kinds_of(world, ask(world)) == BOTH


def test_a_queue_that_gives_nothing_holds_up_nothing_else(world: World) -> None:
    """Requests go on, what others write on this machine is archived, and in the end everything is."""
    made = world.caisson.credentials()
    other = world.caisson.client(credentials=made).converse(modelId=MODEL, messages=QUESTION)
    found = world.caisson.events("--request", other["ResponseMetadata"]["RequestId"], until=lambda rows: len(rows) > 1)
    world.gate.fail("ReceiveMessage", *[DEAF] * 10_000)
    try:
        asked = [ask(world) for _ in range(3)]
        world.caisson.cli("session", "revoke", found[0]["session_id"])
        rows = world.caisson.events("--session", found[0]["session_id"], until=revoked, seconds=30)
        assert revoked(rows)
        assert not world.caisson.events("--request", asked[-1], seconds=0)  # the first was asked for before
    finally:
        world.gate.faults.clear()
    for request_id in asked:
        assert kinds_of(world, request_id) == BOTH


def revoked(rows: list[dict[str, object]]) -> bool:
    return any(row.get("change") == "revoked" for row in rows)


@pytest.mark.parametrize("killed", ["logging", "gateway", "events-keys"])
def test_a_process_that_is_killed_loses_nothing_acknowledged(world: World, killed: str) -> None:
    asked = [ask(world) for _ in range(3)]
    before = world.caisson.pids()[killed]
    os.kill(before, signal.SIGKILL)
    ends = time.monotonic() + BACK_SECONDS_MAX
    while world.caisson.pids().get(killed) in (None, before):
        assert time.monotonic() < ends, world.caisson.log.read_text()
        time.sleep(0.1)
    while True:
        try:
            asked.append(ask(world))
            break
        except Exception:
            assert time.monotonic() < ends, world.caisson.log.read_text()
            time.sleep(0.5)
    for request_id in asked:
        assert kinds_of(world, request_id) == BOTH
    assert world.caisson.cli("logs", "verify").returncode == 0


def test_what_somebody_else_puts_into_the_queue_is_told(world: World) -> None:
    world.moto.client("sqs").send_message(QueueUrl=world.queue, MessageBody="made up")
    (row, *_) = world.caisson.events("--kind", "fault.v1", until=bool, seconds=30)
    assert row["fault"] == "forged" and "no piece" in row["detail"]
    assert world.caisson.cli("logs", "verify", check=False).returncode == 1


def test_a_start_without_the_queue_leaves_nothing_behind(tmp_path: Path, world: World) -> None:
    """What waits for a queue is not forgotten because the option is."""
    write_profile(tmp_path / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path / "home"))
        name = "caisson-of-another"
        queue = str(world.moto.client("sqs").create_queue(QueueName=name)["QueueUrl"])
        first = start(tmp_path, *options(queue.replace(world.moto.url, world.gate.url)), "--workers", "2")
        client = first.client()
        world.gate.fail("SendMessageBatch", *[("AccessDenied", 403)] * 10_000)
        try:
            with pytest.raises(ClientError):
                client.converse(modelId=MODEL, messages=QUESTION)
            assert first.stop() == 0, first.log.read_text()
        finally:
            world.gate.faults.clear()
        assert list((first.data / "zones/runtime/state/outgoing").iterdir())
        done = up(tmp_path)
        assert done.returncode == 1 and "wait for their queue" in " ".join((done.stdout + done.stderr).split())
        again = start(tmp_path, *options(queue.replace(world.moto.url, world.gate.url)))  # with a worker less
        try:
            found = again.events(until=lambda rows: {row["kind"] for row in rows} >= BOTH, seconds=30)
            assert {row["kind"] for row in found} >= BOTH
            assert again.cli("logs", "verify").returncode == 0
        finally:
            assert again.stop() == 0, again.log.read_text()


def up(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CAISSON, "up", "--system", str(CLAIMS), "--data", str(folder / "data"), "--port", str(free_port()), *more],
        capture_output=True, text=True, timeout=90, env=clean_environment(HOME=str(folder)),
    )  # fmt: skip


AT = "https://sqs.eu-west-1.amazonaws.com/000000000000/caisson"


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (["--events", f"sqs={AT}"], 2, "--events-profile"),
        (["--events-profile", "events"], 2, "wants --events"),
        (["--events", "kafka=x", "--events-profile", "events"], 2, "expected sqs=QUEUE_URL"),
        (["--events", "sqs=x", "--events-profile", "events"], 2, "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"),
        (["--events", f"sqs={AT}.fifo", "--events-profile", "events"], 2, "FIFO"),
        (["--events", f"sqs={AT.replace('eu-west-1', 'us-east-1')}", "--events-profile", "events"], 2, "the Region"),
        (["--events", "sqs=https://example.com/000000000000/caisson", "--events-profile", "events"], 2, "127.0.0.1"),
        (["--events", "sqs={moto}/123456789012/caisson-claims-events", "--events-profile", "nobody"], 1, "nobody"),
        (["--events", "sqs={moto}/123456789012/there-is-none", "--events-profile", "events"], 1, "does not exist"),
    ],
)
def test_what_cannot_be_reached_does_not_start(
    world: World, tmp_path: Path, given: list[str], status: int, said: str
) -> None:
    write_profile(tmp_path)
    done = up(tmp_path, *(one.format(moto=world.moto.url) for one in given))
    assert done.returncode == status, done.stderr
    assert said in " ".join((done.stdout + done.stderr).split())
