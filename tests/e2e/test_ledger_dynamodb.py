"""The gateway with its budgets in DynamoDB answers stock boto3 as it does with them in a file: the same checks.

Between it and moto stands the gate, which verifies signatures and keeps each session's credentials to its own items.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from aws_gate import Gate, gate_in_thread
from aws_services import OWN, Moto, table_of
from e2e.test_boto3 import (  # noqa: F401  (run here on another ledger)
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

ROLE = "arn:aws:iam::123456789012:role/caisson-claims-ledger"


@dataclass
class World:
    """Caisson, the gate and the table behind it."""

    caisson: Running
    gate: Gate
    moto: str
    """Its address."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("dynamodb")
    home = folder / "home"
    write_profile(home)
    moto = Moto()
    try:
        table = table_of(moto, folder)
        with gate_in_thread(moto.url) as opened, pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(home))
            options = (
                "--ledger",
                f"dynamodb={table}@{opened.url}",
                "--ledger-profile",
                "budgets",
                "--ledger-role",
                ROLE,
            )
            caisson = start(folder, *options, "--workers", "2", system=system_file(folder, **ENOUGH))
            try:
                yield World(caisson=caisson, gate=opened, moto=moto.url)
            finally:
                assert caisson.stop() == 0, caisson.log.read_text()
            assert opened.denied == []
    finally:
        moto.stop()


@pytest.fixture
def claims(world: World) -> Running:
    return world.caisson


def write_profile(home: Path) -> None:
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text(
        f"[budgets]\naws_access_key_id = {OWN.access_key_id}\naws_secret_access_key = {OWN.secret_access_key}\n"
    )


def test_budgets_are_in_the_table_and_nowhere_else(world: World) -> None:
    made = world.caisson.credentials()
    world.gate.calls.clear()
    answer = world.caisson.client(credentials=made).converse(modelId=MODEL, messages=QUESTION)
    (row,) = world.caisson.events(
        "--request", answer["ResponseMetadata"]["RequestId"], until=lambda rows: len(rows) > 1
    )[:1]
    session = row["session_id"]
    assert {("GetItem", session), ("TransactWriteItems", session), ("PutItem", session)} <= set(world.gate.calls)
    listed = world.caisson.cli("session", "list", "--json").stdout
    assert session in listed
    assert not list(world.caisson.data.rglob("ledger.db"))
    assert "DynamoDB table" in world.caisson.said()


def test_a_table_that_does_not_answer_stops_requests(world: World) -> None:
    """Nothing reaches the model without a budget, and nothing is granted by guessing."""
    client = world.caisson.client()
    client.converse(modelId=MODEL, messages=QUESTION)
    world.gate.fail("TransactWriteItems", ("AccessDeniedException", 400))
    with pytest.raises(ClientError) as refused:
        client.converse(modelId=MODEL, messages=QUESTION)
    assert refused.value.response["Error"]["Code"] == "ServiceUnavailableException"
    found = world.caisson.events(
        "--request", refused.value.response["ResponseMetadata"]["RequestId"],
        until=lambda rows: any(row.get("rule") == "ledger.unavailable" for row in rows),
    )  # fmt: skip
    assert any("AccessDenied" in str(row.get("rationale")) for row in found)
    world.gate.fail("GetItem", *[("AccessDeniedException", 400)] * 8)
    with pytest.raises(ClientError) as refused:
        client.converse(modelId=MODEL, messages=QUESTION)
    world.gate.faults.clear()
    assert refused.value.response["Error"]["Code"] == "ServiceUnavailableException"
    assert client.converse(modelId=MODEL, messages=QUESTION)["stopReason"] == "end_turn"


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--ledger", "dynamodb=caisson-budgets"], 2, "--ledger-profile"),
        (["--ledger", "sqlite=x"], 2, "expected dynamodb=TABLE"),
        (["--ledger", "dynamodb=a b"], 2, "expected dynamodb=TABLE"),
        (["--ledger-role", ROLE], 2, "wants --ledger"),
        (["--ledger", "dynamodb=tab", "--ledger-profile", "budgets", "--ledger-role", "admin"], 2, "ARN of a role"),
        (["--ledger", "dynamodb=tab@https://dynamodb.example.com", "--ledger-profile", "budgets"], 2, "127.0.0.1"),
        (["--ledger", "dynamodb=tab", "--ledger-profile", "nobody"], 1, "nobody"),
        (["--ledger", "dynamodb=none@{url}", "--ledger-profile", "budgets"], 1, "ResourceNotFoundException"),
    ],
)
def test_what_cannot_be_reached_does_not_start(
    world: World, tmp_path: Path, options: list[str], status: int, said: str
) -> None:
    write_profile(tmp_path)
    done = subprocess.run(
        [
            CAISSON, "up", "--system", str(CLAIMS), "--data", str(tmp_path / "data"), "--port", str(free_port()),
            *(option.format(url=world.moto) for option in options),
        ],
        capture_output=True, text=True, timeout=90, env=clean_environment(HOME=str(tmp_path)),
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert said in " ".join((done.stdout + done.stderr).split())
