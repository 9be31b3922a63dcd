"""As in a container: read-only root, no root user, one volume, another interface, identities of an issuer alone.

The image itself is not built here: what it would start is read from the Dockerfile and started on this machine's root.
"""

from __future__ import annotations

import http.client
import json
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from ruamel.yaml import YAML

import issuer as oidc
import sandbox
from certificates import own_authority
from running_system import (
    CAISSON,
    CLAIMS,
    MODEL,
    ROOT,
    START_SECONDS_MAX,
    clean_environment,
    free_port,
    start,
    without_local_users,
)

CONTAINER = ROOT / "packaging/container"
NAME = "ai.example.com"
ELSEWHERE = "127.0.0.2"
"""Another address than that which `up` listens on by default: only `--host 0.0.0.0` answers there."""
THIRD = "127.0.0.3"
"""Who calls from there is no caller of this machine to the gateway, which knows 127.0.0.1 and ::1 as that."""
MESSAGES = [{"role": "user", "content": [{"text": "Claims are reported within 30 days. When is a claim reported?"}]}]
ROLE = "arn:aws:iam::000000000000:role/claims-assistant/claims/answer"


def dockerfile() -> dict[str, str]:
    """The last instruction of each kind, continued lines joined."""
    text = (CONTAINER / "Dockerfile").read_text().replace("\\\n", " ")
    return dict(line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#"))


@dataclass
class World:
    issuer: oidc.Issuer
    contained: sandbox.Contained
    volume: Path
    log: Path
    port: int
    system: Path

    @property
    def data(self) -> Path:
        return self.volume / "data"

    def client(self, service: str, **credentials: str) -> Any:
        return boto3.Session(region_name="eu-west-1", **credentials).client(
            service,
            endpoint_url=f"https://{ELSEWHERE}:{self.port}",
            verify=str(self.data / "authority/bundle.pem"),
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
        )

    def signed_in(self, token: str) -> Any:
        """What a program does that has a token of the issuer."""
        anonymous = self.client("sts", aws_access_key_id="none", aws_secret_access_key="none")
        made = anonymous.assume_role_with_web_identity(
            RoleArn=ROLE, RoleSessionName="container", WebIdentityToken=token
        )["Credentials"]
        return self.client(
            "bedrock-runtime", aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"], aws_session_token=made["SessionToken"],
        )  # fmt: skip

    def inside(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`docker exec`."""
        return self.contained.execute(arguments, clean_environment())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("container")
    volume, log, port = folder / "volume", folder / "up.log", free_port()
    volume.mkdir(mode=0o700)
    chain, key = own_authority().issue(folder / "tls", NAME, ELSEWHERE)
    with oidc.running() as found:
        system = without_local_users(folder, found.url)
        here = {
            "/opt/caisson/bin/caisson": CAISSON, "/etc/caisson/caisson.yaml": str(system),
            "/var/lib/caisson/data": str(volume / "data"), "8443": str(port),
            "/etc/caisson/tls/chain.pem": str(chain), "/etc/caisson/tls/key.pem": str(key),
        }  # fmt: skip
        entry = [here.get(word, word) for word in json.loads(dockerfile()["ENTRYPOINT"])]
        contained = sandbox.start(
            [*entry, "--name", NAME, "--name", ELSEWHERE], volume=volume, log=log, environment=clean_environment()
        )
        ends = time.monotonic() + START_SECONDS_MAX
        while "Ready." not in log.read_text():
            assert contained.outer.poll() is None and time.monotonic() < ends, log.read_text()
            time.sleep(0.05)
        yield World(found, contained, volume, log, port, system)
        if contained.outer.poll() is None:
            contained.signal(signal.SIGKILL)
            contained.outer.wait(30)


def test_the_volume_alone_can_be_written(world: World) -> None:
    paths = ["/tmp", "/var", "/run", "/etc", str(ROOT), str(Path(sys.prefix))]
    script = 'for path; do touch "$path/written" && echo "$path"; done; id -u'
    for folders, written in ((paths, []), ([str(world.volume)], [str(world.volume)])):
        tried = sandbox.run(["sh", "-c", script, "sh", *folders], volume=world.volume, environment=clean_environment())
        assert tried.stdout.split() == [*written, str(sandbox.USER)]


def test_an_identity_of_the_issuer_signs_in_and_asks(world: World) -> None:
    client = world.signed_in(world.issuer.token(sub="carol", groups=["adjusters"]))
    answer = client.converse(modelId=MODEL, messages=MESSAGES)
    assert "30 days" in answer["output"]["message"]["content"][0]["text"]
    request_id, found = answer["ResponseMetadata"]["RequestId"], []
    ends = time.monotonic() + 10
    while len(found) < 2 and time.monotonic() < ends:
        queried = world.inside(CAISSON, "logs", "query", "--json", "--request", request_id, "--data", str(world.data))
        found = [json.loads(line) for line in queried.stdout.splitlines()]
    assert {event["user_identity"] for event in found} == {"carol"}
    assert world.inside(CAISSON, "logs", "verify", "--data", str(world.data)).returncode == 0


def test_nobody_else_does(world: World) -> None:
    with pytest.raises(ClientError) as refused:
        world.signed_in(world.issuer.token(iss="https://idp.example.org"))
    assert refused.value.response["Error"]["Code"] == "InvalidIdentityToken"
    local = world.inside(
        CAISSON, "session", "new", "--user", "alice", "--agent", "claims", "--task", "answer", "--data", str(world.data)
    )
    assert local.returncode == 1


def test_local_users_cannot_be_brought_in_later(world: World) -> None:
    handed = world.inside(CAISSON, "up", "--system", str(CLAIMS), "--data", str(world.data))
    assert handed.returncode != 0
    assert "local users" in handed.stderr


def test_the_health_check_of_the_image(world: World) -> None:
    program = str(CONTAINER / "ready.py")
    assert world.inside(sys.executable, program, str(world.port)).returncode == 0
    assert world.inside(sys.executable, program, str(free_port())).returncode == 1


@pytest.mark.parametrize(
    ("source", "keys", "metrics"), [("127.0.0.1", {"status", "problems"}, 200), (THIRD, {"status"}, 403)]
)
def test_strangers_learn_no_reasons(world: World, source: str, keys: set[str], metrics: int) -> None:
    """Readiness is for a load balancer; why not, and the metrics, are for this machine."""
    context = ssl.create_default_context(cafile=str(world.data / "authority/bundle.pem"))
    connection = http.client.HTTPSConnection(
        ELSEWHERE, world.port, context=context, timeout=10, source_address=(source, 0)
    )
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    assert (answer.status, set(json.loads(answer.read()))) == (200, keys)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    answer.read()
    assert answer.status == metrics
    connection.close()


def test_it_stops_as_docker_stops_it(world: World) -> None:
    """Last of this module: SIGTERM to the first process."""
    world.contained.signal(signal.SIGTERM)
    assert world.contained.outer.wait(60) == 0, world.log.read_text()
    state = json.loads((world.data / "run/state.json").read_text())
    assert state["phase"] == "stopped"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "expected your certificate and the name"),
        (("--name", NAME, "--certificate", "chain.pem"), "expected both --certificate and --key"),
        (("--name", NAME, "--certificate", "chain.pem", "--key", "key.pem"), "expected no local users"),
    ],
)
def test_another_interface_asks_for_more(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    own_authority().issue(tmp_path, NAME)
    done = subprocess.run(
        [CAISSON, "up", "--system", str(CLAIMS), "--data", str(tmp_path / "data"), "--host", "0.0.0.0", *arguments],
        cwd=tmp_path, capture_output=True, text=True, env=clean_environment(), timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert says in " ".join(done.stderr.split())
    assert not (tmp_path / "data").exists()


def test_image_and_compose_file_say_what_the_sandbox_does() -> None:
    image, text = dockerfile(), (CONTAINER / "Dockerfile").read_text()
    assert image["USER"] == f"{sandbox.USER}:{sandbox.USER}"
    assert re.search(r"^ARG BASE$", text, re.M), "the base image has no default"
    assert set(re.findall(r"^FROM (\S+)", text, re.M)) == {"${BASE}"}
    assert "--require-hashes" in text
    service = YAML(typ="safe").load(CONTAINER / "compose.yaml")["services"]["caisson"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == image["USER"]
    writable = [volume for volume in service["volumes"] if not volume.endswith(":ro")]
    assert writable == ["data:" + json.loads(image["VOLUME"])[0]]
    assert json.loads(image["HEALTHCHECK"].partition("CMD ")[2])[1] == "/opt/caisson/ready.py"


def test_only_what_the_image_copies_is_sent_to_the_builder() -> None:
    sent = set((ROOT / ".dockerignore").read_text().split())
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (CONTAINER / "Dockerfile").read_text(), re.M)
    for source in " ".join(copied).split():
        assert f"!{source}" in sent
        assert (ROOT / source).exists()


def test_a_rollback_brings_no_local_users_to_another_interface(tmp_path: Path) -> None:
    """Version 1 was for loopback. The gateway does not put its return in force, and says so in the log."""
    first = start(tmp_path)
    assert first.credentials()["AccessKeyId"]
    assert first.stop() == 0
    chain, key = own_authority().issue(tmp_path / "tls", NAME)
    with oidc.running() as found:
        arguments = ("--host", "0.0.0.0", "--name", NAME, "--certificate", str(chain), "--key", str(key))
        second = start(tmp_path, *arguments, system=without_local_users(tmp_path, found.url))
        try:
            second.cli("rollback", "1", "--reason", "test")
            refused = second.events(
                "--kind", "configuration.v1", until=lambda events: any(row["change"] == "refused" for row in events)
            )
            assert any("local users" in row["reason"] for row in refused)
            signed_in = second.cli(
                "session", "new", "--user", "alice", "--agent", "claims", "--task", "answer", "--format", "json",
                check=False,
            )  # fmt: skip
            assert signed_in.returncode == 1
        finally:
            assert second.stop() == 0
