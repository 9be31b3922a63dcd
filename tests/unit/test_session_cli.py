"""`caisson session` as people run it, and stock boto3 with what it printed (IAM-06).

The gateway's sign-in socket and its STS calls are real, in this process; the command and the boto3 programs are others.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from typer.testing import CliRunner

from caisson.cli import aws_profile
from caisson.supervision.listeners import bind_unix
from caisson.zones.z1_ingress.http import HttpRequest
from caisson.zones.z1_ingress.signin import SOCKET_MODE, serve_signin
from identity_world import REGION, World

CALLER = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
ALICE = "arn:aws:sts::000000000000:assumed-role/claims-assistant/claims/answer/alice"
STATIC = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = not-a-secret\n"
SIGN_IN = ("session", "new", "--user", "alice", "--agent", "claims", "--task", "answer")


@dataclass
class Ran:
    code: int
    out: str
    err: str


@dataclass
class Gateway:
    """A data folder with a sign-in socket and an STS endpoint behind it, and a home folder."""

    world: World
    data: Path
    home: Path

    def environment(self, extra: dict[str, str]) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        return kept | {"HOME": str(self.home), "AWS_EC2_METADATA_DISABLED": "true", "COLUMNS": "200"} | extra

    async def run(self, *argv: str, **extra: str) -> Ran:
        process = await asyncio.create_subprocess_exec(
            *argv, env=self.environment(extra), cwd=self.home,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    async def caisson(self, *arguments: str, **extra: str) -> Ran:
        return await self.run(sys.executable, "-m", "caisson.cli.main", *arguments, "--data", str(self.data), **extra)

    async def program(self, text: str, **extra: str) -> Ran:
        return await self.run(sys.executable, "-c", text, **extra)

    async def selected(self, *arguments: str) -> dict[str, str]:
        """The one variable that `session new` prints."""
        ran = await self.caisson(*SIGN_IN, *arguments)
        assert ran.code == 0, ran.err
        (line,) = ran.out.splitlines()
        name, _, value = line.removeprefix("export ").partition("=")
        return {name: value}


def certificate(folder: Path) -> Path:
    """A certificate for this machine with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    path = folder / "bundle.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    world = World(tmp_path, owner_uid=os.getuid())
    world.clock.time = time.time()
    world.govern()

    async def sts(request: web.Request) -> web.Response:
        headers = tuple((name.lower(), value) for name, value in request.raw_headers)
        asked = HttpRequest(
            method=request.method, raw_path=request.raw_path.encode(), query=b"", headers=headers,
            body=await request.read(), client="127.0.0.1", secure=True,
        )  # fmt: skip
        status, xml = await world.sts.handle(asked, "request-1")
        return web.Response(status=status, body=xml, content_type="text/xml")

    data, home = tmp_path / "data", tmp_path / "home"
    for folder in (data / "run", data / "sockets", data / "client", home / ".aws"):
        folder.mkdir(parents=True)
    bundle = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(bundle)
    app = web.Application()
    app.router.add_post("/", sts)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0, ssl_context=tls).start()
    endpoint = {
        "host": "localhost", "port": runner.addresses[0][1], "region": REGION, "ca_bundle": str(bundle),
        "system": "claims-assistant",
    }  # fmt: skip
    (data / "run/endpoint.json").write_text(json.dumps(endpoint))
    async with await serve_signin(bind_unix(data / "sockets/gateway.sock", SOCKET_MODE), world.signin):
        yield Gateway(world, data, home)
    await runner.cleanup()


async def test_one_variable_is_all_that_a_program_needs(gateway: Gateway) -> None:
    selected = await gateway.selected()
    assert selected == {"AWS_CONFIG_FILE": str(gateway.data / "client/config")}
    ran = await gateway.program(CALLER, **selected)
    assert ran.out.strip() == ALICE, ran.err
    assert [event.change for event in gateway.world.events.sessions] == ["opened"]


async def test_static_keys_of_the_user_do_not_get_in_its_way(gateway: Gateway) -> None:
    (gateway.home / ".aws/credentials").write_text(STATIC)
    selected = await gateway.selected()
    ran = await gateway.program(CALLER, **selected)
    assert ran.out.strip().startswith(ALICE.removesuffix("alice")), ran.err
    assert [event.change for event in gateway.world.events.sessions] == ["opened", "narrowed"]
    named = "import boto3; print(boto3.Session(profile_name='caisson').client('sts').get_caller_identity()['Arn'])"
    assert (await gateway.program(named, **selected)).out.strip() == ALICE


async def test_without_the_variable_nothing_changes(gateway: Gateway) -> None:
    files = {
        gateway.home / ".aws/credentials": STATIC,
        gateway.home / ".aws/config": "[default]\nregion = eu-north-1\n",
    }
    for path, text in files.items():
        path.write_text(text)
    await gateway.selected()
    ran = await gateway.program(
        "import boto3; s = boto3.Session(); print(s.get_credentials().access_key, s.region_name, "
        "s.client('sts').meta.endpoint_url, s.available_profiles)"
    )
    assert ran.out.split() == [
        "AKIAIOSFODNN7EXAMPLE",
        "eu-north-1",
        "https://sts.eu-north-1.amazonaws.com",
        "['default']",
    ]
    assert {path: path.read_text() for path in files} == files


async def test_only_our_services_are_sent_here(gateway: Gateway) -> None:
    selected = await gateway.selected()
    ran = await gateway.program(
        "import boto3\nfor name in ('bedrock-runtime', 'bedrock-agent-runtime', 'sts', 's3', 'bedrock'):\n"
        "    print(boto3.client(name).meta.endpoint_url.startswith('https://localhost:'))",
        **selected,
    )
    assert ran.out.split() == ["True", "True", "True", "False", "False"], ran.err


async def test_the_profile_holds_no_secret_and_a_short_session_is_not_renewed(gateway: Gateway) -> None:
    await gateway.selected("--ttl", "15m")
    path = gateway.data / "client/config"
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "--no-renew" in text
    assert "--ttl 900s" in text
    assert "ASIA" not in text
    assert gateway.world.events.sessions == []
    await gateway.selected()
    assert "--no-renew" not in path.read_text()


@pytest.mark.parametrize(
    ("name", "value", "agreeing"),
    [
        ("AWS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt", "BUNDLE"),
        ("AWS_REGION", "mars-north-1", REGION),
        ("AWS_DEFAULT_REGION", "mars-north-1", REGION),
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "https://example.net", "URL"),
        ("AWS_BEARER_TOKEN_BEDROCK", "token", ""),
        ("AWS_PROFILE", "work", "caisson"),
    ],
)
async def test_variables_that_beat_the_profile_are_named(
    gateway: Gateway, name: str, value: str, agreeing: str
) -> None:
    ran = await gateway.caisson(*SIGN_IN, **{name: value})
    assert ran.code == 0
    assert f"Warning: {name} is set" in ran.err
    assert f"unset {name}\n" in ran.err
    assert name not in ran.out
    endpoint = json.loads((gateway.data / "run/endpoint.json").read_text())
    same = {"BUNDLE": endpoint["ca_bundle"], "URL": f"https://localhost:{endpoint['port']}"}.get(agreeing, agreeing)
    assert "Warning" not in (await gateway.caisson(*SIGN_IN, **{name: same})).err


async def test_a_bundle_that_beats_the_profile_stops_the_program_and_the_advice_helps(gateway: Gateway) -> None:
    import certifi

    selected = await gateway.selected()
    wrong = {"AWS_CA_BUNDLE": certifi.where()}
    assert "CERTIFICATE_VERIFY_FAILED" in (await gateway.program(CALLER, **selected, **wrong)).err
    requests = {"REQUESTS_CA_BUNDLE": certifi.where()}  # the profile's ca_bundle beats this one: nothing to warn of
    assert (await gateway.program(CALLER, **selected, **requests)).out.strip() == ALICE
    assert "Warning" not in (await gateway.caisson(*SIGN_IN, **requests)).err


async def test_json_env_process_and_bearer(gateway: Gateway) -> None:
    made = json.loads((await gateway.caisson(*SIGN_IN, "--ttl", "15m", "--format", "json")).out)
    assert set(made) == {
        "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "SessionId", "Region", "CaBundle", "Endpoints",
    }  # fmt: skip
    assert set(made["Endpoints"]) == {"bedrock_runtime", "bedrock_agent_runtime", "sts"}
    assert datetime.fromisoformat(made["Expiration"]).timestamp() == int(gateway.world.clock.time + 900)

    exported = (await gateway.caisson(*SIGN_IN, "--format", "env")).out.splitlines()
    variables = dict(line.removeprefix("export ").split("=", 1) for line in exported)
    assert {"AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"} <= set(variables)
    assert (await gateway.program(CALLER, **variables)).out.strip() == ALICE

    process = json.loads((await gateway.caisson(*SIGN_IN, "--format", "process")).out)
    assert process["Version"] == 1
    assert "Expiration" in process
    assert "Expiration" not in json.loads((await gateway.caisson(*SIGN_IN, "--format", "process", "--no-renew")).out)

    (token,) = (await gateway.caisson(*SIGN_IN, "--format", "bearer")).out.splitlines()
    assert not isinstance(gateway.world.credentials.verify_bearer(token, gateway.world.clock.now()), dict)
    assert "caisson/claims-assistant/bearer" in _payload(token)


def _payload(token: str) -> str:
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(token.split(".")[1] + "==").decode()


async def test_list(gateway: Gateway) -> None:
    assert "No sessions" in (await gateway.caisson("session", "list")).out
    made = json.loads((await gateway.caisson(*SIGN_IN, "--format", "json")).out)
    (line,) = (await gateway.caisson("session", "list", "--json")).out.splitlines()
    listed: dict[str, Any] = json.loads(line)
    assert (listed["session_id"], listed["state"], listed["user"]) == (made["SessionId"], "live", "alice")
    assert made["SessionId"] in (await gateway.caisson("session", "list")).out


async def test_a_shown_beginning_names_the_session_when_it_is_the_only_one(gateway: Gateway) -> None:
    made = json.loads((await gateway.caisson(*SIGN_IN, "--format", "json")).out)["SessionId"]
    listed = (await gateway.caisson("session", "list", COLUMNS="80")).out
    assert made[:10] in listed
    assert made not in listed
    assert "…" not in listed
    from caisson.cli import session

    assert await asyncio.to_thread(session._meant, gateway.data, "s-narrowed") == "s-narrowed"
    assert await asyncio.to_thread(session._meant, gateway.data, made[:10]) == made


@pytest.mark.parametrize(("known", "reached"), [(True, True), (False, True), (True, False)])
async def test_revoke_asks_the_control_zone(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, known: bool, reached: bool
) -> None:
    """A narrowed session has no account; it is revoked for as long as any session lives."""
    calls: list[tuple[Path, str, dict[str, Any]]] = []

    class ControlClient:
        def __init__(self, path: Path) -> None:
            self.path = path

        def call(self, op: str, **fields: Any) -> dict[str, Any]:
            calls.append((self.path, op, fields))
            return {"recorded": True, "reached": reached}

    monkeypatch.setitem(sys.modules, "caisson.zones.z5_control.client", SimpleNamespace(ControlClient=ControlClient))
    opened = await gateway.world.open()
    session_id = opened.session_id if known else "s-narrowed"
    from caisson.cli.session import app

    arguments = ["revoke", session_id, "--reason", "lost laptop", "--data", str(gateway.data)]
    ran = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert ran.exit_code == (0 if reached else 3), ran.output
    assert session_id in ran.output and ("not reached every zone" in ran.output) is not reached
    ((path, op, fields),) = calls
    assert (path, op) == (gateway.data / "sockets/control.sock", "revoke_session")
    assert (fields["session"], fields["reason"]) == (session_id, "lost laptop")
    assert fields["until"] == opened.expires if known else fields["until"] > time.time() + 3500


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((*SIGN_IN, "--ttl", "soon"), 2, "15m"),
        ((*SIGN_IN, "--ttl", "1m"), 1, "900"),
        ((*SIGN_IN[:3], "bob", *SIGN_IN[4:]), 1, "identity.local.users"),
        ((*SIGN_IN[:-1], "other"), 1, "claims/answer"),
        ((*SIGN_IN, "--format", "yaml"), 2, "--format"),
    ],
    ids=["ttl", "short", "user", "task", "format"],
)
async def test_refusals_are_one_clear_message(
    gateway: Gateway, arguments: tuple[str, ...], code: int, says: str
) -> None:
    ran = await gateway.caisson(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
    assert "Traceback" not in ran.err


async def test_nothing_runs(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "caisson.cli.main", *SIGN_IN, "--data", str(tmp_path / "none"),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    assert process.returncode == 1
    assert "caisson up" in err.decode()


@pytest.mark.parametrize(
    ("text", "found"),
    [(STATIC, True), ("", False), ("[work]\naws_access_key_id = a\n", False), ("nonsense", False), (None, False)],
)
def test_static_default_keys_are_recognised(tmp_path: Path, text: str | None, found: bool) -> None:
    if text is not None:
        (tmp_path / "credentials").write_text(text)
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    assert aws_profile.has_static_default(environment) is found
