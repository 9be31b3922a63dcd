"""What is measured, side by side: the bare pass-through, Caisson at two tiers (by rules
alone and with its classifier) and peers when installed.

Peers run as their pages say for a first start: plain HTTP, one worker, no guardrails, no database.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench import system_file
from bench.processes import Missing, free_port, spawn, stop, wait_for_port

ROOT = Path(__file__).parents[1]
CAISSON = str(Path(sys.executable).with_name("caisson"))
PEERS = ROOT / "bench/.peers"
MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
PROMPT_BYTES = 4_096
CLAIM = "CLM-20260117"
EMAIL = "erika.musterfrau@example.com"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, ready to be sent again and again."""

    url: str
    headers: dict[str, str]
    body: str


@dataclass(kw_only=True)
class Subject:
    """Something that is measured."""

    name: str
    process: subprocess.Popen[bytes]
    worker_pid: int
    """The process that serves requests."""
    pids: tuple[int, ...]
    """All its processes, the worker among them."""
    port: int
    plain: Request | None = None
    """None: the request is signed anew for every run."""
    version: str = ""
    credentials: dict[str, Any] = field(default_factory=dict)
    data: Path = Path()
    rules: int = 0

    def request(self) -> Request:
        """What to send now. SigV4 signatures are valid for five minutes."""
        return self.plain or signed(self.credentials, "converse", converse_body())


def prompt() -> str:
    """4 KB of prose with a claim number and an address, so that masking has work as well."""
    prose = "The customer reports that the roof was damaged by hail in the night and that water came into two rooms. "
    text = f"Summarise claim {CLAIM} for {EMAIL}. "
    return (text + prose * (PROMPT_BYTES // len(prose) + 1))[:PROMPT_BYTES]


def converse_body(text: str | None = None) -> str:
    """A Converse request."""
    content = [{"text": prompt() if text is None else text}]
    return json.dumps({"messages": [{"role": "user", "content": content}], "inferenceConfig": {"maxTokens": 256}})


def chat_body() -> str:
    """The same question in OpenAI's shape."""
    return json.dumps({"model": "m", "max_tokens": 256, "messages": [{"role": "user", "content": prompt()}]})


def signed(credentials: dict[str, Any], operation: str, body: str) -> Request:
    """A request to Bedrock's runtime, signed by botocore as boto3 does it."""
    url = f"{credentials['Endpoints']['bedrock_runtime']}/model/{MODEL.replace(':', '%3A')}/{operation}"
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
    keys = Credentials(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    SigV4Auth(keys, "bedrock", credentials["Region"]).add_auth(request)
    host = url.split("/")[2]
    return Request(url=url, headers={**dict(request.headers.items()), "Host": host}, body=body)


@contextmanager
def all_subjects(folder: Path, upstream_port: int) -> Iterator[list[Subject]]:
    """Everything that can be measured here, running."""
    with ExitStack() as stack:
        ours = [
            stack.enter_context(caisson(folder / f"tier{tier}-{statistics}", tier, upstream_port, statistics))
            for tier in (2, 3)
            for statistics in (False, True)
        ]
        found = [stack.enter_context(passthrough(folder, ours[0], upstream_port)), *ours]
        for peer in (litellm, portkey):
            try:
                found.append(stack.enter_context(peer(folder, upstream_port)))
            except Missing as missing:
                print(missing, file=sys.stderr)
        yield found


@contextmanager
def upstream(folder: Path) -> Iterator[int]:
    """The canned model endpoint; its port."""
    port, log = free_port(), folder / "upstream.log"
    process = spawn([sys.executable, "-m", "bench.upstream", str(port)], log, PYTHONPATH=str(ROOT))
    try:
        wait_for_port(port, process, log)
        yield port
    finally:
        stop(process)


@contextmanager
def passthrough(folder: Path, lender: Subject, upstream_port: int) -> Iterator[Subject]:
    """The same server, TLS and client with nothing in between; it borrows a certificate."""
    port, log = free_port(), folder / "passthrough.log"
    keys = lender.data / "zones/runtime/keys"
    url = f"http://127.0.0.1:{upstream_port}/v1/chat/completions"
    command = [sys.executable, "-m", "bench.passthrough", str(port), url, str(keys / "tls.pem"), str(keys / "tls.key")]
    process = spawn(command, log, PYTHONPATH=str(ROOT))
    try:
        wait_for_port(port, process, log)
        yield Subject(
            name="bare TLS pass-through", process=process, worker_pid=process.pid, pids=(process.pid,), port=port,
            plain=_chat(f"https://localhost:{port}/v1/chat/completions"),
        )  # fmt: skip
    finally:
        stop(process)


@contextmanager
def caisson(folder: Path, tier: int, upstream_port: int, statistics: bool = True) -> Iterator[Subject]:
    """`caisson up` on a system file of that tier, and a session in it; without `statistics`, with rules alone."""
    folder.mkdir(mode=0o711, parents=True)
    port, log, data, system = free_port(), folder / "up.log", folder / "data", folder / "caisson.yaml"
    rules = system_file.write(system, tier, statistics)
    command = [CAISSON, "up", "--system", str(system), "--data", str(data), "--port", str(port),
               "--upstream", f"openai=http://127.0.0.1:{upstream_port}/v1"]  # fmt: skip
    process = spawn(command, log)
    try:
        wait_for_port(port, process, log)
        zones = json.loads((data / "run/state.json").read_text())["zones"]
        pids = {name: int(zone["pid"]) for name, zone in zones.items()}
        suffix = "" if statistics else ", rules alone"
        yield Subject(
            name=f"Caisson, tier {tier}{suffix}", process=process, worker_pid=pids["gateway"],
            pids=(*pids.values(), process.pid), port=port, credentials=session(data), data=data, rules=rules,
        )  # fmt: skip
    finally:
        stop(process)


def command(data: Path, *arguments: str) -> str:
    """What a `caisson` command prints."""
    done = subprocess.run([CAISSON, *arguments, "--data", str(data)], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"caisson {' '.join(arguments)} exited {done.returncode}: {done.stderr}")
    return done.stdout


def session(data: Path) -> dict[str, Any]:
    """Credentials of a new session."""
    said = command(
        data, "session", "new", "--user", "alice", "--agent", "claims", "--task", "answer", "--format", "json"
    )
    return dict(json.loads(said))


@contextmanager
def litellm(folder: Path, upstream_port: int) -> Iterator[Subject]:
    """LiteLLM's proxy."""
    binary = PEERS / "litellm/bin/litellm"
    if not binary.exists():
        raise Missing("LiteLLM is not installed and is left out; run: make bench-peers")
    port, log, config = free_port(), folder / "litellm.log", folder / "litellm.yaml"
    endpoint = {"model": "openai/m", "api_base": f"http://127.0.0.1:{upstream_port}/v1", "api_key": "none"}
    key = f"sk-{token_hex(32)}"  # it does not start without one
    config.write_text(
        json.dumps({
            "model_list": [{"model_name": "m", "litellm_params": endpoint}], "general_settings": {"master_key": key},
        })
    )  # fmt: skip
    command = [str(binary), "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
    process = spawn(command, log, LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_LOG="ERROR", DO_NOT_TRACK="1")
    try:
        wait_for_port(port, process, log)
        code = "import importlib.metadata as m; print(m.version('litellm'))"
        version = subprocess.run([str(binary.with_name("python")), "-c", code], capture_output=True, text=True)
        yield Subject(
            name="LiteLLM proxy", process=process, worker_pid=process.pid, pids=(process.pid,), port=port,
            plain=_chat(f"http://127.0.0.1:{port}/v1/chat/completions", key), version=version.stdout.strip(),
        )  # fmt: skip
    finally:
        stop(process)


@contextmanager
def portkey(folder: Path, upstream_port: int) -> Iterator[Subject]:
    """Portkey's gateway."""
    package = PEERS / "portkey/node_modules/@portkey-ai/gateway"
    node = shutil.which("node")
    if not package.exists() or node is None:
        raise Missing("Portkey is not installed and is left out; run: make bench-peers (needs Node)")
    port, log = free_port(), folder / "portkey.log"
    process = spawn([node, str(package / "build/start-server.js"), f"--port={port}", "--headless"], log)
    try:
        wait_for_port(port, process, log)
        plain = _chat(f"http://127.0.0.1:{port}/v1/chat/completions")
        plain.headers.update(
            {"x-portkey-provider": "openai", "x-portkey-custom-host": f"http://127.0.0.1:{upstream_port}/v1"}
        )
        yield Subject(
            name="Portkey", process=process, worker_pid=process.pid, pids=(process.pid,), port=port, plain=plain,
            version=json.loads((package / "package.json").read_text())["version"],
        )  # fmt: skip
    finally:
        stop(process)


def _chat(url: str, key: str = "none") -> Request:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}", "Host": url.split("/")[2]}
    return Request(url=url, headers=headers, body=chat_body())
