"""Stock boto3 talks to Caisson as if it were Amazon Bedrock."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from running_system import MODEL, Running, clean_environment

QUESTION = [{"role": "user", "content": [{"text": "Within how many days must a claim be reported?"}]}]
DOCUMENT = {
    "document": {
        "format": "txt",
        "name": "reporting rules",
        "source": {
            "bytes": b"Claims are reported within 30 days. A surveyor visits within a week. Cash is never paid."
        },
    }
}
ANTHROPIC = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Claims are reported within 30 days. When must a claim be reported?"}],
}


def text_of(stream) -> str:
    return "".join(
        event["contentBlockDelta"]["delta"].get("text", "") for event in stream if "contentBlockDelta" in event
    )


def test_converse(claims: Running) -> None:
    answer = claims.client().converse(
        modelId=MODEL, messages=[{"role": "user", "content": [DOCUMENT, {"text": "When are claims reported?"}]}]
    )
    assert "30 days" in answer["output"]["message"]["content"][0]["text"]
    assert answer["stopReason"] == "end_turn"
    assert answer["usage"]["totalTokens"] == answer["usage"]["inputTokens"] + answer["usage"]["outputTokens"] > 0
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-caisson-upstream"] == "offline"
    assert float(headers["x-caisson-overhead-ms"]) >= 0
    assert headers["x-caisson-request-id"] == answer["ResponseMetadata"]["RequestId"]


def test_converse_stream_says_the_same(claims: Running) -> None:
    client = claims.client()
    whole = client.converse(modelId=MODEL, messages=QUESTION)["output"]["message"]["content"][0]["text"]
    events = list(client.converse_stream(modelId=MODEL, messages=QUESTION)["stream"])
    assert text_of(events) == whole
    assert "messageStart" in events[0]
    assert "messageStop" in events[-2]
    assert events[-1]["metadata"]["usage"]["totalTokens"] > 0


def test_invoke_model_and_stream(claims: Running) -> None:
    client = claims.client()
    whole = json.loads(client.invoke_model(modelId=MODEL, body=json.dumps(ANTHROPIC))["body"].read())
    assert whole["type"] == "message"
    assert "30 days" in whole["content"][0]["text"]
    stream = client.invoke_model_with_response_stream(modelId=MODEL, body=json.dumps(ANTHROPIC))["body"]
    events = [json.loads(event["chunk"]["bytes"]) for event in stream]
    text = "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")
    assert text == whole["content"][0]["text"]


def test_count_tokens(claims: Running) -> None:
    counted = claims.client().count_tokens(modelId=MODEL, input={"converse": {"messages": QUESTION}})
    assert 5 < counted["inputTokens"] < 100


def test_apply_guardrail(claims: Running) -> None:
    client = claims.client()
    passed = client.apply_guardrail(
        guardrailIdentifier="main",
        guardrailVersion="DRAFT",
        source="INPUT",
        content=[{"text": {"text": "Good morning."}}],
    )
    assert passed["action"] == "NONE"
    masked = client.apply_guardrail(
        guardrailIdentifier="main",
        guardrailVersion="DRAFT",
        source="OUTPUT",
        content=[{"text": {"text": "Write to carol@example.com about project-falcon."}}],
    )
    assert masked["action"] == "GUARDRAIL_INTERVENED"
    assert "carol@example.com" not in json.dumps(masked["outputs"])


def test_sts(claims: Running) -> None:
    sts = claims.client("sts")
    me = sts.get_caller_identity()
    assert me["Account"] == "000000000000"
    assert "claims" in me["Arn"]
    narrowed = sts.assume_role(
        RoleArn="arn:aws:iam::000000000000:role/claims-assistant/claims/answer",
        RoleSessionName="narrow",
        DurationSeconds=900,
    )["Credentials"]
    made = claims.credentials()
    made.update({key: narrowed[key] for key in ("AccessKeyId", "SecretAccessKey", "SessionToken")})
    assert claims.client(credentials=made).converse(modelId=MODEL, messages=QUESTION)["stopReason"] == "end_turn"
    with pytest.raises(ClientError) as refused:
        sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/claims-assistant/claims/other", RoleSessionName="wider")
    assert refused.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException", "ValidationError"}


def test_another_model_is_denied(claims: Running) -> None:
    client = claims.client()
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.converse(modelId="amazon.nova-lite-v1:0", messages=QUESTION)


def test_validation_names_the_place(claims: Running) -> None:
    client = claims.client()
    with pytest.raises(client.exceptions.ValidationException) as refused:
        client.converse(
            modelId=MODEL,
            messages=[{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": b"x"}}}]}],
        )
    assert "image" in str(refused.value)


def test_a_revoked_session_stops_within_a_second(claims: Running) -> None:
    import time

    made = claims.credentials()
    client = claims.client(credentials=made)
    client.converse(modelId=MODEL, messages=QUESTION)
    session = claims.events("--user", "alice")[-1]["session_id"]
    claims.cli("session", "revoke", session, "--reason", "test")
    time.sleep(1.0)
    with pytest.raises(ClientError) as refused:
        client.converse(modelId=MODEL, messages=QUESTION)
    assert refused.value.response["Error"]["Code"] in {"ExpiredTokenException", "AccessDeniedException"}


def test_the_printed_profile_is_all_a_program_needs(claims: Running, tmp_path) -> None:
    printed = claims.cli("session", "new", "--user", "alice", "--agent", "claims", "--task", "answer").stdout
    (line,) = [line for line in printed.splitlines() if line.startswith("export ")]
    name, _, value = line.removeprefix("export ").partition("=")
    program = tmp_path / "program.py"
    program.write_text(
        "import boto3\n"
        "client = boto3.client('bedrock-runtime')\n"
        f"messages = [{{'role': 'user', 'content': [{{'text': 'Hello there'}}]}}]\n"
        f"answer = client.converse(modelId={MODEL!r}, messages=messages)\n"
        "print(answer['stopReason'])\n"
    )
    environment = clean_environment(**{name: value.strip("'\"")})
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.strip() == "end_turn", done.stderr


def test_bearer_token(claims: Running, tmp_path) -> None:
    token = claims.cli(
        "session", "new", "--user", "alice", "--agent", "claims", "--task", "answer", "--format", "bearer"
    ).stdout.strip()
    made = claims.credentials()
    program = tmp_path / "program.py"
    program.write_text(
        "import boto3\n"
        f"client = boto3.client('bedrock-runtime', region_name={made['Region']!r}, "
        f"endpoint_url={made['Endpoints']['bedrock_runtime']!r}, verify={made['CaBundle']!r})\n"
        f"messages = [{{'role': 'user', 'content': [{{'text': 'Hello there'}}]}}]\n"
        f"print(client.converse(modelId={MODEL!r}, messages=messages)['stopReason'])\n"
        f"events = list(client.converse_stream(modelId={MODEL!r}, messages=messages)['stream'])\n"
        "print([event['messageStop']['stopReason'] for event in events if 'messageStop' in event])\n"
    )
    environment = clean_environment(AWS_BEARER_TOKEN_BEDROCK=token)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.splitlines() == ["end_turn", "['end_turn']"], done.stderr


def test_unsigned_and_tampered_requests_are_refused(claims: Running) -> None:
    made = claims.credentials()
    made["SecretAccessKey"] = made["SecretAccessKey"][:-1] + ("A" if made["SecretAccessKey"][-1] != "A" else "B")
    with pytest.raises(ClientError) as refused:
        claims.client(credentials=made).converse(modelId=MODEL, messages=QUESTION)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_old_tls_is_not_offered(claims: Running) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", claims.port)) as raw:
        context.wrap_socket(raw, server_hostname="localhost")


def test_every_request_has_both_events_and_the_log_verifies(claims: Running) -> None:
    answer = claims.client().converse(modelId=MODEL, messages=QUESTION)
    request_id = answer["ResponseMetadata"]["RequestId"]
    found = claims.events("--request", request_id, until=lambda events: len(events) == 2)
    request, response = found
    assert (request["kind"], response["kind"]) == ("model.request.v1", "model.response.v1")
    assert request["user_identity"] == response["user_identity"] == "alice"
    assert response["outcome"] == "answered"
    assert {action["stage"] for action in response["guardrail_actions"]} == {"input", "output"}
    assert claims.cli("logs", "verify").returncode == 0
