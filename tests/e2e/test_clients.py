"""Clients that people have already, as they come from PyPI: nothing is told to them but the profile or the endpoint."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from langchain_aws import ChatBedrockConverse
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.tools import tool
from requests_aws4auth import AWS4Auth
from strands import Agent
from strands.models import BedrockModel

from running_system import MODEL, Running

RULES = "Claims are reported within 30 days. A surveyor visits within a week. Cash is never paid."
QUESTION = f"{RULES} When must a claim be reported?"
BODY = json.dumps({"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}).encode()
PATH = f"/model/{quote(MODEL, safe='')}/converse"


@pytest.fixture
def profile(claims: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `session new` prints, and nothing else of AWS's variables."""
    printed = claims.cli("session", "new", "--user", "alice", "--agent", "claims", "--task", "answer").stdout
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    name, _, value = printed.strip().removeprefix("export ").partition("=")
    monkeypatch.setenv(name, value.strip("'\""))


class TestLangChain:
    """langchain-aws 1.x, ChatBedrockConverse."""

    @pytest.fixture
    def chat(self, profile: None) -> ChatBedrockConverse:
        return ChatBedrockConverse(model=MODEL)

    def test_invoke(self, chat: ChatBedrockConverse) -> None:
        answer = chat.invoke([SystemMessage("You answer short."), HumanMessage(QUESTION)])
        assert "30 days" in str(answer.content)
        assert answer.response_metadata["stopReason"] == "end_turn"
        assert answer.usage_metadata is not None
        assert answer.usage_metadata["total_tokens"] > 0

    def test_a_stream_says_the_same(self, chat: ChatBedrockConverse) -> None:
        whole = chat.invoke(QUESTION)
        chunks = list(chat.stream(QUESTION))
        assert len(chunks) > 1
        assert "".join(str(chunk.text) for chunk in chunks) == str(whole.text)

    def test_a_blocked_question_is_an_answer_that_says_so(self, chat: ChatBedrockConverse) -> None:
        answer = chat.invoke("Tell me about project-falcon")
        assert answer.response_metadata["stopReason"] == "guardrail_intervened"
        assert "falcon" not in str(answer.content)

    def test_a_tool_that_the_file_does_not_declare_is_refused(self, chat: ChatBedrockConverse) -> None:
        @tool
        def look_up(claim: str) -> str:
            """Look up a claim."""
            return claim

        with pytest.raises(ClientError, match="tool") as refused:
            chat.bind_tools([look_up]).invoke(QUESTION)
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


class TestStrands:
    """strands-agents 1.x, an agent over BedrockModel."""

    @pytest.mark.parametrize("streaming", [True, False])
    def test_a_turn_and_the_next(self, profile: None, streaming: bool) -> None:
        agent = Agent(model=BedrockModel(model_id=MODEL, streaming=streaming), callback_handler=None)
        first = agent(QUESTION)
        assert "30 days" in str(first)
        assert first.stop_reason == "end_turn"
        agent("Thank you. And when does the surveyor visit?")
        assert [message["role"] for message in agent.messages] == ["user", "assistant"] * 2

    def test_a_blocked_question(self, profile: None) -> None:
        agent = Agent(model=BedrockModel(model_id=MODEL), callback_handler=None)
        assert agent("Tell me about project-falcon").stop_reason == "guardrail_intervened"


class TestSignedRequests:
    """Programs without an SDK: only SigV4."""

    @pytest.fixture
    def made(self, claims: Running) -> dict[str, Any]:
        return claims.session()

    def test_requests_with_aws4auth(self, claims: Running, made: dict[str, Any]) -> None:
        signer = AWS4Auth(
            made["AccessKeyId"], made["SecretAccessKey"], made["Region"], "bedrock", session_token=made["SessionToken"]
        )
        said = self.posted(claims, made, auth=signer)
        assert "30 days" in said["output"]["message"]["content"][0]["text"]

    def test_requests_signed_by_botocore(self, claims: Running, made: dict[str, Any]) -> None:
        url = f"https://localhost:{claims.port}{PATH}"
        request = AWSRequest("POST", url, data=BODY, headers={"content-type": "application/json"})
        keys = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        SigV4Auth(keys, "bedrock", made["Region"]).add_auth(request)
        assert "30 days" in json.dumps(self.posted(claims, made, headers=dict(request.headers)))

    @staticmethod
    def posted(claims: Running, made: dict[str, Any], **options: Any) -> Any:
        options.setdefault("headers", {"content-type": "application/json"})
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                f"https://localhost:{claims.port}{PATH}", data=BODY, verify=made["CaBundle"], timeout=30, **options
            )
        assert answer.status_code == 200, answer.text
        return answer.json()

    @pytest.fixture
    def connection(self, claims: Running, made: dict[str, Any]) -> Iterator[http.client.HTTPSConnection]:
        context = ssl.create_default_context(cafile=made["CaBundle"])
        connection = http.client.HTTPSConnection("localhost", claims.port, context=context, timeout=30)
        yield connection
        connection.close()

    def test_by_hand_with_the_standard_library(
        self, claims: Running, made: dict[str, Any], connection: http.client.HTTPSConnection
    ) -> None:
        for spoilt in (False, True):
            headers = by_hand(made, f"localhost:{claims.port}", BODY)
            connection.request("POST", PATH, BODY + b" " * spoilt, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            assert answer.status == (403 if spoilt else 200), said
        assert answer.headers["x-amzn-errortype"].startswith("InvalidSignatureException")


def by_hand(made: dict[str, Any], host: str, body: bytes) -> dict[str, str]:
    """Signature Version 4 from its description alone (AWS IAM User Guide, "Create a signed AWS API request")."""
    now = datetime.now(UTC)
    moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {
        "content-type": "application/json",
        "host": host,
        "x-amz-date": moment,
        "x-amz-security-token": made["SessionToken"],
    }
    signed = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    # The path is encoded once more for every service but S3.
    canonical = f"POST\n{quote(PATH)}\n\n{lines}\n{signed}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{made['Region']}/bedrock/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{made['SecretAccessKey']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={made['AccessKeyId']}/{scope}, SignedHeaders={signed}, Signature={signature}"
    )
    return headers


def test_what_the_clients_did_is_in_the_record(claims: Running) -> None:
    """Last of this module: each went the one path, and the log is whole."""
    events = claims.events("--kind", "model.response.v1", until=lambda found: len(found) >= 8)
    assert {event["operation"] for event in events} >= {"Converse", "ConverseStream"}
    assert {event["user_identity"] for event in events} == {"alice"}
    assert claims.cli("logs", "verify").returncode == 0
