"""Everything that has an adapter for AWS at once: budgets in DynamoDB, events through SQS, configuration from S3, the
log copied into S3 and said in log groups. The gateway answers stock boto3 as it does without.

Between it and moto stands the gate, which verifies signatures and breaks what a test asks it to.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_gate import Gate, gate_in_thread
from aws_services import OWN, REGION, Moto, table_of
from caisson.channels.retention import classes
from e2e.test_boto3 import (  # noqa: F401  (run here on AWS's adapters)
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

BUCKET = "caisson-claims-configuration"
LOG = "caisson-claims-archive-CLASS"
GROUPS = "/caisson/claims"


@dataclass
class World:
    """Caisson, the gate, and moto behind it."""

    caisson: Running
    gate: Gate
    moto: Moto


def write_profile(home: Path) -> None:
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text(
        f"[zone]\naws_access_key_id = {OWN.access_key_id}\naws_secret_access_key = {OWN.secret_access_key}\n"
    )


def configuration(url: str, bucket: str = BUCKET) -> list[str]:
    return ["--configuration", f"s3={bucket}@{url}", "--configuration-profile", "zone"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("aws")
    write_profile(folder / "home")
    moto = Moto()
    try:
        queue = str(moto.client("sqs").create_queue(QueueName="caisson-claims-events")["QueueUrl"])
        moto.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for each in classes():
            location = {"LocationConstraint": REGION}
            moto.client("logs").create_log_group(logGroupName=f"{GROUPS}/{each}")
            moto.client("s3").create_bucket(Bucket=LOG.replace("CLASS", each), CreateBucketConfiguration=location)
        table = table_of(moto, folder)
        with gate_in_thread(moto.url) as opened, pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(folder / "home"))
            caisson = start(
                folder, "--ledger", f"dynamodb={table}@{opened.url}", "--ledger-profile", "zone",
                "--events", f"sqs={queue.replace(moto.url, opened.url)}", "--events-profile", "zone",
                *configuration(opened.url), "--archive", f"s3={LOG}@{opened.url}", "--archive-profile", "zone",
                "--log-groups", f"cloudwatch={GROUPS}@{opened.url}", "--log-groups-profile", "zone",
                "--workers", "2", system=system_file(folder, **ENOUGH),
            )  # fmt: skip
            try:
                yield World(caisson=caisson, gate=opened, moto=moto)
            finally:
                assert caisson.stop() == 0, caisson.log.read_text()
            assert opened.denied == []
    finally:
        moto.stop()


@pytest.fixture
def claims(world: World) -> Running:
    return world.caisson


def session_of(world: World, made: dict[str, object]) -> str:
    """The id of the session that these credentials are of."""
    answer = world.caisson.client(credentials=made).converse(modelId=MODEL, messages=QUESTION)
    rows = world.caisson.events("--request", answer["ResponseMetadata"]["RequestId"], until=lambda rows: len(rows) > 1)
    return str(rows[0]["session_id"])


def test_the_gateway_reads_the_bucket_and_the_bucket_holds_what_was_published(world: World) -> None:
    there = {one["Key"] for one in world.moto.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]}
    folder = world.caisson.data / "configuration"
    here = {str(path.relative_to(folder)) for path in folder.rglob("*.json")}
    assert {"metadata/1.root.json", "metadata/timestamp.json"} <= there
    assert {name for name in there ^ here if not name.startswith("metadata/") or "root" in name} == set()
    copy = world.caisson.data / "zones/runtime/state/configuration-0"
    assert (copy / "metadata/timestamp.json").read_bytes()
    assert f"through bucket {BUCKET}" in world.caisson.said()
    assert ("GetObject", "metadata/timestamp.json") in world.gate.calls


def test_what_the_bucket_does_not_take_is_said_and_reaches_the_gateway_later(world: World) -> None:
    made = world.caisson.credentials()
    session = session_of(world, made)
    world.gate.fail("PutObject", *[("AccessDenied", 403)] * 1_000)
    try:
        done = world.caisson.cli("session", "revoke", session, check=False)
        assert done.returncode == 3 and "not reached every zone" in " ".join((done.stdout + done.stderr).split())
        client = world.caisson.client(credentials=made)
        assert client.converse(modelId=MODEL, messages=QUESTION)["stopReason"] == "end_turn"
    finally:
        world.gate.faults.clear()
    assert stopped(client) == "ExpiredTokenException"


def stopped(client: Any, seconds: float = 10) -> str:
    """The code with which a session's requests end, waited for."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            client.converse(modelId=MODEL, messages=QUESTION)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        time.sleep(0.1)
    return ""


@pytest.mark.parametrize("content", [b"", b"{", b'{"signed": {"meta": {"snapshot.json": {"version": -1}}}}', b"[]"])
def test_what_somebody_else_puts_into_the_bucket_changes_nothing(world: World, content: bytes) -> None:
    """The last valid configuration stays in force, and the refusal is an event."""
    world.moto.client("s3").put_object(Bucket=BUCKET, Key="metadata/timestamp.json", Body=content)
    time.sleep(1.0)
    answer = world.caisson.client().converse(modelId=MODEL, messages=QUESTION)
    assert answer["stopReason"] == "end_turn"
    found = world.caisson.events("--kind", "configuration.v1", until=refusals, seconds=20)
    assert refusals(found)
    session = session_of(world, made := world.caisson.credentials())
    world.caisson.cli("session", "revoke", session)  # and puts the timestamp right
    assert stopped(world.caisson.client(credentials=made)) == "ExpiredTokenException"


def refusals(rows: list[dict[str, object]]) -> bool:
    return any(row.get("change") == "refused" and row.get("zone") == "runtime" for row in rows)


def test_the_log_and_its_copy_verify(world: World) -> None:
    assert world.caisson.cli("logs", "verify").returncode == 0
    assert part_of(world)
    done = world.caisson.cli("logs", "verify", "--copy", "--json")
    report = json.loads(done.stdout)
    assert report["whole"] and report["entries"] == report["signed_size"] > 0
    assert f"copied into {LOG}" in world.caisson.said()


def test_answers_are_lines_of_the_group_that_metrics_are_counted_in(world: World) -> None:
    answer = world.caisson.client().converse(modelId=MODEL, messages=QUESTION)
    wanted, ends = answer["ResponseMetadata"]["RequestId"], time.monotonic() + 30
    while True:
        found = world.moto.client("logs").filter_log_events(logGroupName=f"{GROUPS}/text")["events"]
        lines = [json.loads(one["message"]) for one in found]
        kinds = [line["kind"] for line in lines if line.get("request_id") == wanted]
        if sorted(kinds) == ["model.request.v1", "model.response.v1"]:
            return
        assert time.monotonic() < ends, kinds
        time.sleep(0.3)


def part_of(world: World) -> str:
    """Name of the copy's first part, waited for."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        listed = world.moto.client("s3").list_objects_v2(Bucket=LOG.replace("CLASS", "access"), Prefix="tree/")
        if listed["KeyCount"]:
            return str(listed["Contents"][0]["Key"])
        time.sleep(0.5)
    return ""


def test_a_copy_that_was_changed_is_told_beside_a_log_that_is_whole(world: World) -> None:
    client, bucket, name = world.moto.client("s3"), LOG.replace("CLASS", "access"), part_of(world)
    kept = client.get_object(Bucket=bucket, Key=name)["Body"].read()
    client.put_object(Bucket=bucket, Key=name, Body=b"{}")
    try:
        assert world.caisson.cli("logs", "verify", "--copy", check=False).returncode == 1
        assert world.caisson.cli("logs", "verify").returncode == 0
    finally:
        client.put_object(Bucket=bucket, Key=name, Body=kept)


def test_a_bucket_that_refuses_holds_up_nothing(world: World) -> None:
    world.gate.fail("PutObject", *[("AccessDenied", 403)] * 1_000)
    try:
        answer = world.caisson.client().converse(modelId=MODEL, messages=QUESTION)
    finally:
        world.gate.faults.clear()
    assert answer["stopReason"] == "end_turn"
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert len(world.caisson.events("--request", request_id, until=lambda rows: len(rows) > 1, seconds=20)) == 2


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (["--log-groups", "cloudwatch=/x"], 2, "--log-groups-profile"),
        (["--log-groups-profile", "zone"], 2, "wants --log-groups"),
        (["--log-groups", "splunk=/x", "--log-groups-profile", "zone"], 2, "expected cloudwatch=PREFIX"),
        (["--log-groups", "cloudwatch=a b", "--log-groups-profile", "zone"], 2, "expected cloudwatch=PREFIX"),
        (["--log-groups", "cloudwatch=/x@https://a.b", "--log-groups-profile", "zone"], 2, "127.0.0.1"),
        (["--log-groups", "cloudwatch=/x@{url}", "--log-groups-profile", "nobody"], 1, "nobody"),
        (["--archive", "s3=caisson-x"], 2, "--archive-profile"),
        (["--archive-profile", "zone"], 2, "wants --archive"),
        (["--archive", "tape=x", "--archive-profile", "zone"], 2, "expected s3=BUCKET"),
        (["--archive", "s3=a.b", "--archive-profile", "zone"], 2, "without dots"),
        (["--archive", "s3=caisson-x@{url}", "--archive-profile", "nobody"], 1, "nobody"),
        (["--archive", "s3=there-is-none@{url}", "--archive-profile", "zone"], 1, "NoSuchBucket"),
        (["--configuration", "s3=caisson-x"], 2, "--configuration-profile"),
        (["--configuration-profile", "zone"], 2, "wants --configuration"),
        (["--configuration", "git=x", "--configuration-profile", "zone"], 2, "expected s3=BUCKET"),
        (["--configuration", "s3=a.b", "--configuration-profile", "zone"], 2, "without dots"),
        (["--configuration", "s3=caisson-x@https://example.com", "--configuration-profile", "zone"], 2, "127.0.0.1"),
        (["--configuration", "s3=caisson-x@{url}", "--configuration-profile", "nobody"], 1, "nobody"),
        (["--configuration", "s3=there-is-none@{url}", "--configuration-profile", "zone"], 1, "NoSuchBucket"),
    ],
)
def test_what_cannot_be_reached_does_not_start(
    world: World, tmp_path: Path, given: list[str], status: int, said: str
) -> None:
    write_profile(tmp_path)
    done = subprocess.run(
        [
            CAISSON, "up", "--system", str(CLAIMS), "--data", str(tmp_path / "data"), "--port", str(free_port()),
            *(option.format(url=world.moto.url) for option in given),
        ],
        capture_output=True, text=True, timeout=90, env=clean_environment(HOME=str(tmp_path)),
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert said in " ".join((done.stdout + done.stderr).split())
