"""The errors that boto3 raises are those that it would raise from AWS; what can be retried is, and then succeeds."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from running_system import MODEL, Running, start, system_file

HELLO = [{"role": "user", "content": [{"text": "Hello there"}]}]
SCRIPT = """
caisson_script: 1
rules:
  - when: {contains: too busy}
    error: {kind: throttling}
  - when: {contains: too late}
    error: {kind: timeout}
  - when: {contains: gone}
    error: {kind: unavailable}
  - when: {contains: nonsense}
    error: {kind: nonsense}
default:
  answer: {text: "Good day."}
"""


def say(text: str) -> list[dict[str, object]]:
    return [{"role": "user", "content": [{"text": text}]}]


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("errors")
    (folder / "script.yaml").write_text(SCRIPT)
    limits = {"requests_per_user": {"value": "1000/minute", "because": "tests"}}
    running = start(folder, "--upstream", f"script={folder}/script.yaml", system=system_file(folder, limits=limits))
    yield running
    assert running.stop() == 0, running.log.read_text()


@pytest.mark.parametrize(
    ("said", "name", "status"),
    [
        ("You are too busy", "ThrottlingException", 429),
        ("You are too late", "ModelTimeoutException", 408),
        ("You are gone", "ServiceUnavailableException", 503),
        ("You talk nonsense", "ModelErrorException", 424),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_the_models_errors(scripted: Running, said: str, name: str, status: int, streamed: bool) -> None:
    client = scripted.client()
    with pytest.raises(getattr(client.exceptions, name)) as raised:
        (client.converse_stream if streamed else client.converse)(modelId=MODEL, messages=say(said))
    response = raised.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (name, status)
    assert response["Error"]["Message"]
    assert (
        response["ResponseMetadata"]["RequestId"] == response["ResponseMetadata"]["HTTPHeaders"]["x-caisson-request-id"]
    )


def test_access_denied(scripted: Running) -> None:
    client = scripted.client()
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.converse(modelId="amazon.nova-pro-v1:0", messages=HELLO)


def test_validation(scripted: Running) -> None:
    client = scripted.client()
    with pytest.raises(client.exceptions.ValidationException) as raised:
        client.converse(modelId=MODEL, messages=[])
    assert "messages" in str(raised.value)


def test_expired_token(scripted: Running) -> None:
    made = scripted.credentials()
    client = scripted.client(credentials=made)
    client.converse(modelId=MODEL, messages=HELLO)
    before = {json.loads(line)["session_id"] for line in scripted.cli("session", "list", "--json").stdout.splitlines()}
    for session in before:
        scripted.cli("session", "revoke", session)

    def refused() -> str:
        try:
            client.converse(modelId=MODEL, messages=HELLO)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    for _ in range(100):
        if refused():
            break
    assert refused() == "ExpiredTokenException"
    scripted.sessions.clear()


def test_what_is_throttled_is_retried_by_boto3_and_succeeds(tmp_path) -> None:
    running = start(tmp_path, system=system_file(tmp_path, limits={"requests_per_user": "1/second"}))
    try:
        client = running.client(retries=4)
        answers = [client.converse(modelId=MODEL, messages=HELLO) for _ in range(4)]
        assert {answer["stopReason"] for answer in answers} == {"end_turn"}
        assert sum(answer["ResponseMetadata"]["RetryAttempts"] for answer in answers) > 0
    finally:
        assert running.stop() == 0


def test_throttling_by_rate_names_when_to_come_back(tmp_path) -> None:
    running = start(tmp_path, system=system_file(tmp_path, limits={"requests_per_user": "3/minute"}))
    try:
        client = running.client()
        with pytest.raises(client.exceptions.ThrottlingException) as raised:
            for _ in range(4):
                client.converse(modelId=MODEL, messages=HELLO)
        assert int(raised.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"]) >= 1
    finally:
        assert running.stop() == 0
