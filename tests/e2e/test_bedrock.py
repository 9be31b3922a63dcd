"""Stock boto3 → `caisson up --upstream bedrock` → a local Bedrock that checks each signature by botocore's signer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError
from ruamel.yaml import YAML

from bedrock_server import (
    KEY_ID,
    SECRET,
    TOKEN,
    Handler,
    Server,
    applied,
    body,
    exception,
    failing,
    said,
    stream,
    whole,
)
from bedrock_server import running as bedrock
from running_system import CAISSON, CLAIMS, ENOUGH, MODEL, Running, clean_environment, free_port, start, system_file

QUESTION = [{"role": "user", "content": [{"text": "I am bob@example.com. When is a claim reported?"}]}]
SYSTEM = [{"text": "Be kind."}]
AMBIENT = {"AWS_ACCESS_KEY_ID": "AKIAAMBIENT000000000", "AWS_SECRET_ACCESS_KEY": "ambient"}
BLOCKED = {"topicPolicy": {"topics": [{"name": "legal", "type": "DENY", "action": "BLOCKED"}]}}
CLEAN_TRACE = {"guardrail": {"inputAssessment": {"gr1": {}}, "outputAssessments": {"gr1": [{}]}}}
BLOCKED_TRACE = {"guardrail": {"inputAssessment": {"gr1": {}}, "outputAssessments": {"gr1": [BLOCKED]}}}


@dataclass
class World:
    """Caisson and the Bedrock behind it."""

    caisson: Running
    server: Server

    def play(self, handler: Handler | None, apply: Handler | None = None) -> None:
        """What Converse and ApplyGuardrail answer from now on."""
        if handler is None and apply is None:
            self.server.handler = None
            return

        async def send(request: Any) -> Any:
            if request.raw_path.endswith("/apply"):
                return await (apply or body(applied()))(request)
            return await (handler or body(whole(trace=CLEAN_TRACE)))(request)

        self.server.handler = send

    def response(self, request_id: str) -> dict[str, Any]:
        """The record of how a request ended."""
        found = self.caisson.events("--request", request_id, until=lambda rows: any("outcome" in row for row in rows))
        return next(row for row in found if "outcome" in row)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("bedrock")
    home = folder / "home"
    write_profile(home)
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    servers: list[Server] = []

    async def serve() -> None:
        async with bedrock() as server:
            servers.append(server)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    guardrails = YAML(typ="safe").load(CLAIMS.read_text())["guardrails"]
    guardrails["main"]["aws"] = {"id": "gr1", "version": 3}
    system = system_file(folder, guardrails=guardrails, **ENOUGH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        upstream = ("--upstream", f"bedrock={servers[0].url}", "--upstream-profile", "team")
        caisson = start(folder, *upstream, "--workers", "2", system=system)
    yield World(caisson=caisson, server=servers[0])
    assert caisson.stop() == 0
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()
    assert not servers[0].problems


@pytest.fixture(autouse=True)
def fresh(world: World) -> None:
    world.play(body(whole({"text": "Within [EMAIL_000000] days."}, trace=CLEAN_TRACE)))
    for seen in (world.server.bodies, world.server.paths, world.server.operations, world.server.headers):
        seen.clear()


def write_profile(home: Path, secret: str = SECRET) -> None:
    (home / ".aws").mkdir(parents=True, exist_ok=True)
    (home / ".aws/credentials").write_text(
        f"[team]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {secret}\naws_session_token = {TOKEN}\n"
    )


def spoken(events: Any) -> str:
    return "".join(
        found["contentBlockDelta"]["delta"].get("text", "") for found in events if "contentBlockDelta" in found
    )


def test_a_whole_answer(world: World) -> None:
    world.play(body(whole({"text": "Within 30 days."}, trace=CLEAN_TRACE)))
    answer = world.caisson.client().converse(modelId=MODEL, messages=QUESTION, system=SYSTEM)
    assert answer["output"]["message"]["content"] == [{"text": "Within 30 days."}]
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-caisson-upstream"] == "bedrock"
    assert (answer["usage"]["inputTokens"], answer["usage"]["outputTokens"]) == (11, 3)
    assert world.server.operations == ["ApplyGuardrail", "Converse"]
    asked, sent = world.server.bodies
    assert [block["text"]["text"] for block in asked["content"]] == ["Be kind."]
    assert sent["guardrailConfig"] == {"guardrailIdentifier": "gr1", "guardrailVersion": "3", "trace": "enabled_full"}
    assert "bob@example.com" not in json.dumps(world.server.bodies)
    assert "alice" not in json.dumps(world.server.bodies)
    assert len(sent["requestMetadata"]["caisson-user"]) == 32
    record = world.response(answer["ResponseMetadata"]["RequestId"])
    assert (record["outcome"], record["metadata"]["upstream"]) == ("answered", "bedrock")
    rows = {(row["guardrail_id"], row["stage"], row["decision"]) for row in record["guardrail_actions"]}
    assert {("gr1", "input", "pass"), ("gr1", "output", "pass"), ("main", "output", "pass")} <= rows


def test_a_streamed_answer(world: World) -> None:
    world.play(stream(*said("Within ", "30 ", "days.", trace=CLEAN_TRACE), size=9))
    answer = world.caisson.client().converse_stream(modelId=MODEL, messages=QUESTION)
    events = list(answer["stream"])
    assert spoken(events) == "Within 30 days."
    assert events[-1]["metadata"]["usage"]["totalTokens"] == 14
    assert world.server.bodies[-1]["guardrailConfig"]["streamProcessingMode"] == "sync"
    assert world.response(answer["ResponseMetadata"]["RequestId"])["outcome"] == "answered"


def test_the_callers_guardrail_and_tags_go_nowhere(world: World) -> None:
    tagged = [{"role": "user", "content": [{"guardContent": {"text": {"text": "tagged"}}}, {"text": "untagged"}]}]
    world.caisson.client().converse(
        modelId=MODEL,
        messages=tagged,
        guardrailConfig={"guardrailIdentifier": "mine", "guardrailVersion": "1", "trace": "disabled"},
    )
    sent = world.server.bodies[-1]
    assert sent["messages"][0]["content"] == [{"text": "tagged"}, {"text": "untagged"}]
    assert sent["guardrailConfig"]["guardrailIdentifier"] == "gr1"


@pytest.mark.parametrize("streams", [False, True])
def test_an_intervention_of_aws_is_a_block_in_the_record(world: World, streams: bool) -> None:
    client = world.caisson.client()
    if streams:
        world.play(stream(*said("Sorry.", stop="guardrail_intervened", trace=BLOCKED_TRACE)))
        answer = client.converse_stream(modelId=MODEL, messages=QUESTION)
        events = list(answer["stream"])
        assert spoken(events) == "Sorry."
        assert events[-2]["messageStop"]["stopReason"] == "guardrail_intervened"
    else:
        world.play(body(whole({"text": "Sorry."}, stop="guardrail_intervened", trace=BLOCKED_TRACE)))
        answer = client.converse(modelId=MODEL, messages=QUESTION)
        assert answer["stopReason"] == "guardrail_intervened"
    record = world.response(answer["ResponseMetadata"]["RequestId"])
    assert (record["outcome"], record["rule"]) == ("blocked", "topics.legal")


def test_apply_guardrail_has_no_inline_guardrail_so_everything_is_applied(world: World) -> None:
    given = [{"text": {"text": "I am bob@example.com"}}]
    client = world.caisson.client()
    for source in ("INPUT", "OUTPUT"):
        client.apply_guardrail(guardrailIdentifier="main", guardrailVersion="1", source=source, content=given)
    assert world.server.operations == ["ApplyGuardrail", "ApplyGuardrail"]
    assert [sent["source"] for sent in world.server.bodies] == ["INPUT", "OUTPUT"]
    assert "bob@example.com" not in json.dumps(world.server.bodies)


def test_a_system_prompt_that_aws_blocks_never_reaches_the_model(world: World) -> None:
    world.play(None, body(applied("no", action="GUARDRAIL_INTERVENED", **BLOCKED)))
    answer = world.caisson.client().converse(modelId=MODEL, messages=QUESTION, system=SYSTEM)
    assert answer["stopReason"] == "guardrail_intervened"
    assert world.server.operations == ["ApplyGuardrail"]


def test_a_guardrail_that_did_not_see_everything_stops_the_request(world: World) -> None:
    world.play(None, body(applied(guarded=1)))
    with pytest.raises(ClientError) as raised:
        world.caisson.client().converse(modelId=MODEL, messages=QUESTION, system=SYSTEM)
    assert raised.value.response["Error"]["Code"] == "ServiceUnavailableException"
    assert world.server.operations == ["ApplyGuardrail"]


def test_throttling_reaches_the_client_as_throttling(world: World) -> None:
    world.play(failing("ThrottlingException", 429, retry_after="7"))
    with pytest.raises(ClientError) as raised:
        world.caisson.client().converse(modelId=MODEL, messages=QUESTION)
    assert raised.value.response["Error"]["Code"] == "ThrottlingException"
    assert raised.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"


def test_denied_access_is_explained_in_the_record_alone(world: World) -> None:
    world.play(failing("AccessDeniedException", 403))
    with pytest.raises(ClientError) as raised:
        world.caisson.client().converse(modelId=MODEL, messages=QUESTION)
    assert raised.value.response["Error"]["Code"] == "ServiceUnavailableException"
    assert "profile" not in str(raised.value)
    record = world.response(raised.value.response["ResponseMetadata"]["RequestId"])
    assert "check that the profile may call this model" in record["rationale"]


def test_a_stream_that_fails_on_its_way_fails_for_the_client_too(world: World) -> None:
    world.play(stream(*said("Within 30 days. " * 40)[:2], exception("throttlingException")))
    answer = world.caisson.client().converse_stream(modelId=MODEL, messages=QUESTION)
    with pytest.raises(EventStreamError, match="throttlingException"):
        list(answer["stream"])
    assert world.response(answer["ResponseMetadata"]["RequestId"])["outcome"] == "failed"


def test_the_credentials_are_in_no_file_and_no_environment(world: World) -> None:
    for pid in world.caisson.pids().values():
        assert SECRET.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
        assert SECRET not in Path(f"/proc/{pid}/cmdline").read_text()
    for path in world.caisson.data.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found = path.read_bytes()
            assert SECRET.encode() not in found, path
            assert TOKEN.encode() not in found, path


def test_when_the_resolving_process_dies_it_and_all_workers_come_back(world: World) -> None:
    before, lost = world.caisson.pids(), {"upstream", "gateway", "gateway-1"}
    os.kill(before["upstream"], signal.SIGKILL)
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        now = world.caisson.pids()
        if lost <= set(now) and all(now[name] != before[name] for name in lost):
            break
        time.sleep(0.1)
    world.play(body(whole({"text": "back"}, trace=CLEAN_TRACE)))
    while True:
        try:
            answer = world.caisson.client().converse(modelId=MODEL, messages=QUESTION)
            break
        except Exception:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
    assert answer["output"]["message"]["content"] == [{"text": "back"}]


def refused(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "home").mkdir()
    return subprocess.run(
        [
            CAISSON,
            "up",
            "--system",
            str(CLAIMS),
            "--data",
            str(tmp_path / "data"),
            "--port",
            str(free_port()),
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment(HOME=str(tmp_path / "home"), **AMBIENT),
    )


def test_without_the_profile_nothing_starts_whatever_the_environment_has(tmp_path: Path) -> None:
    done = refused(tmp_path, "--upstream", "bedrock", "--upstream-profile", "nobody")
    assert done.returncode != 0
    assert "expected a profile 'nobody'" in " ".join(done.stderr.split())


@pytest.mark.parametrize("where", ["https://bedrock.example.com", "http://169.254.169.254"])
def test_another_endpoint_is_refused(tmp_path: Path, where: str) -> None:
    done = refused(tmp_path, "--upstream", f"bedrock={where}")
    assert done.returncode == 2
    assert "expected --upstream bedrock alone" in done.stderr
    assert not (tmp_path / "data").exists()
