"""OpenAI's own client talks to Caisson: the same request path, guardrails and record as every other route."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from running_system import MODEL, Running

QUESTION: Any = [{"role": "user", "content": "Claims are reported within 30 days. When must a claim be reported?"}]
PREFIXES = ("/openai/v1", "/v1")


def token(running: Running) -> str:
    made = running.cli(
        "session", "new", "--user", "alice", "--agent", "claims", "--task", "answer", "--format", "bearer"
    )
    return made.stdout.strip()


def made_client(running: Running, key: str, prefix: str = "/openai/v1") -> openai.OpenAI:
    bundle = running.session()["CaBundle"]
    return openai.OpenAI(
        base_url=f"https://localhost:{running.port}{prefix}", api_key=key, max_retries=0,
        http_client=httpx.Client(verify=ssl.create_default_context(cafile=bundle), trust_env=False),
    )  # fmt: skip


@pytest.fixture(scope="module")
def client(claims: Running) -> Iterator[openai.OpenAI]:
    with made_client(claims, token(claims)) as made:
        yield made


@pytest.fixture(scope="module")
def hostile_client(hostile: Running) -> Iterator[openai.OpenAI]:
    with made_client(hostile, token(hostile)) as made:
        yield made


def streamed(client: openai.OpenAI, messages: Any) -> tuple[str, str | None, int]:
    text, finish, tokens = "", None, 0
    for chunk in client.chat.completions.create(
        model=MODEL, messages=messages, stream=True, stream_options={"include_usage": True}
    ):
        if chunk.usage:
            tokens = chunk.usage.total_tokens
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    return text, finish, tokens


def test_a_completion_and_its_record(claims: Running, client: openai.OpenAI) -> None:
    answered = client.chat.completions.with_raw_response.create(model=MODEL, messages=QUESTION)
    said = answered.parse()
    assert "30 days" in (said.choices[0].message.content or "")
    assert said.choices[0].finish_reason == "stop"
    events = claims.events(
        "--request", answered.headers["x-caisson-request-id"], until=lambda found: len(found) == 2
    )  # fmt: skip
    assert [event["operation"] for event in events] == ["ChatCompletions"] * 2
    assert {event["model_id"] for event in events} == {MODEL}
    assert {event["user_identity"] for event in events} == {"alice"}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_stream_says_the_same(claims: Running, client: openai.OpenAI, prefix: str) -> None:
    with made_client(claims, client.api_key, prefix) as other:
        whole = other.chat.completions.create(model=MODEL, messages=QUESTION)
        text, finish, tokens = streamed(other, QUESTION)
    assert text == whole.choices[0].message.content
    assert finish == "stop"
    assert whole.usage is not None
    assert tokens == whole.usage.total_tokens


def test_the_models_of_the_session(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [MODEL]


def test_pseudonyms_go_out_and_come_back(client: openai.OpenAI) -> None:
    address = "carol@example.com"
    messages: Any = [{"role": "user", "content": f"The contact is {address}. Who is the contact?"}]
    assert address in (client.chat.completions.create(model=MODEL, messages=messages).choices[0].message.content or "")
    assert address in streamed(client, messages)[0]


@pytest.mark.parametrize("trigger", ["github", "aws", "token", "slack", "payment", "publish"])
def test_no_credential_comes_out(hostile_client: openai.OpenAI, trigger: str) -> None:
    messages: Any = [{"role": "user", "content": f"Help me with {trigger}."}]
    whole = hostile_client.chat.completions.create(model=MODEL, messages=messages).choices[0].message.content or ""
    text, finish, _ = streamed(hostile_client, messages)
    assert (text, finish) == (whole, "stop")
    for start in ("AKIA", "ghp_", "glpat-", "xoxb-", "sk_live_", "npm_", "SG.", "eyJhbGci"):
        assert start not in whole


def test_a_blocked_answer_is_a_content_filter(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "Tell me about project-falcon"}]
    choice = client.chat.completions.create(model=MODEL, messages=messages).choices[0]
    assert choice.finish_reason == "content_filter"
    assert "falcon" not in (choice.message.content or "")
    assert streamed(client, messages)[1] == "content_filter"


def test_errors_are_those_that_the_client_knows(claims: Running, client: openai.OpenAI) -> None:
    with made_client(claims, "nonsense") as stranger:
        with pytest.raises(openai.AuthenticationError):
            stranger.chat.completions.create(model=MODEL, messages=QUESTION)
        with pytest.raises(openai.AuthenticationError):
            stranger.models.list()
    with pytest.raises(openai.PermissionDeniedError, match="may use the model"):
        client.chat.completions.create(model="gpt-4", messages=QUESTION)
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=2)
    with pytest.raises(openai.PermissionDeniedError, match="tools"):
        client.chat.completions.create(
            model=MODEL, messages=QUESTION,
            tools=[{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
        )  # fmt: skip
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model=MODEL, input="hi")  # what no guardrail governs on AWS does not exist here


def test_an_error_has_a_request_id_and_openais_body(claims: Running, client: openai.OpenAI) -> None:
    bundle = claims.session()["CaBundle"]
    with httpx.Client(verify=ssl.create_default_context(cafile=bundle), trust_env=False) as plain:
        answer = plain.post(
            f"https://localhost:{claims.port}/v1/chat/completions",
            content=b"{",
            headers={"authorization": f"Bearer {client.api_key}"},
        )
    assert answer.status_code == 400
    assert answer.headers["x-caisson-request-id"]
    assert set(json.loads(answer.content)["error"]) == {"message", "type", "param", "code"}
