"""The gateway behind a proxy that does to requests what an ingress on AWS does: boto3 unchanged, no other way in."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ingress_hop import Arrived, hop
from running_system import MODEL, Running, free_port, start

QUESTION = [{"role": "user", "content": [{"text": "Within how many days must a claim be reported?"}]}]


class Proxy(BaseHTTPRequestHandler):
    """Forwards to the gateway over TLS; `decodes` as the server says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        behind: Behind = self.server.behind  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        arrived = hop(Arrived(path=self.path, headers=tuple(self.headers.items())), decodes=behind.decodes)
        context = ssl.create_default_context(cafile=behind.running.session()["CaBundle"])
        onward = http.client.HTTPSConnection("localhost", behind.running.port, context=context, timeout=30)
        onward.putrequest(self.command, arrived.path, skip_host=True, skip_accept_encoding=True)
        for name, value in arrived.headers:
            if name not in ("content-length", "transfer-encoding"):
                onward.putheader(name, value)
        onward.putheader("content-length", str(len(body)))
        onward.endheaders(body)
        answer = onward.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        while piece := answer.read1(65_536):
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")
        onward.close()

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Behind:
    """A system behind the proxy."""

    running: Running
    port: int
    decodes: bool = False

    def client(self, service: str = "bedrock-runtime") -> Any:
        made = self.running.session()
        return boto3.client(
            service,
            region_name=made["Region"],
            endpoint_url=f"http://localhost:{self.port}",
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
            aws_session_token=made["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
        )

    def get(self, path: str, *, around: bool = False) -> tuple[int, dict[str, Any] | str]:
        """Through the proxy, or around it."""
        if around:
            context = ssl.create_default_context(cafile=self.running.session()["CaBundle"])
            asked: http.client.HTTPConnection = http.client.HTTPSConnection(
                "localhost", self.running.port, context=context
            )
        else:
            asked = http.client.HTTPConnection("localhost", self.port)
        asked.request("GET", path)
        answer = asked.getresponse()
        text = answer.read().decode()
        asked.close()
        return answer.status, json.loads(text) if text.startswith("{") else text


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), Proxy)
    running = start(tmp_path_factory.mktemp("behind"), "--ingress", f"localhost:{server.server_port}")
    found = Behind(running, server.server_port)
    server.behind = found  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()
    assert running.stop() == 0, running.log.read_text()


@pytest.mark.parametrize("decodes", [False, True])
def test_boto3_unchanged(behind: Behind, decodes: bool) -> None:
    behind.decodes = decodes
    client = behind.client()
    whole = client.converse(modelId=MODEL, messages=QUESTION)["output"]["message"]["content"][0]["text"]
    stream = client.converse_stream(modelId=MODEL, messages=QUESTION)["stream"]
    events = [event["contentBlockDelta"]["delta"]["text"] for event in stream if "contentBlockDelta" in event]
    assert "".join(events) == whole != ""
    assert ":assumed-role/" in behind.client("sts").get_caller_identity()["Arn"]
    with pytest.raises(ClientError, match="model"):
        client.converse(modelId="no.such-model:0", messages=QUESTION)


def test_nobody_gets_in_around_it(behind: Behind) -> None:
    """Who signed for the gateway's own name, and reaches it, is told where to call."""
    with pytest.raises(ClientError) as refused:
        behind.running.client().converse(modelId=MODEL, messages=QUESTION)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert f"by way of localhost:{behind.port} alone" in refused.value.response["Error"]["Message"]


def test_who_comes_through_a_proxy_is_not_on_this_machine(behind: Behind) -> None:
    status, said = behind.get("/metrics")
    assert status == 403 and "this machine only" in str(said)
    assert behind.get("/metrics", around=True)[0] == 200
    assert behind.get("/healthz") == (200, {"status": "alive"})


def test_a_running_system_keeps_its_ingress(behind: Behind) -> None:
    done = behind.running.cli("up", "--system", str(behind.running.system), "--ingress", "ai.example.com", check=False)
    assert done.returncode == 2
    assert f"--ingress: expected localhost:{behind.port}, with which the system runs" in done.stderr


@pytest.mark.parametrize("name", ["https://ai.example.com", "AI.example.com", "a b", ""])
def test_what_is_no_name(behind: Behind, name: str) -> None:
    done = behind.running.cli("up", "--system", str(behind.running.system), "--ingress", name, check=False)
    assert (done.returncode, done.stderr.count("--ingress: expected a host name in lower case")) == (2, 1)
