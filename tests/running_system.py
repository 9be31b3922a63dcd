"""A running Caisson for tests: real processes, real sockets, real TLS; clients are stock boto3.

>>> running = start(tmp_path, "--upstream", "offline")  # doctest: +SKIP
>>> running.client().converse(modelId=MODEL, messages=[...])  # doctest: +SKIP
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from caisson.cli.aws_profile import Endpoint, json_credentials
from caisson.supervision import read_state

ROOT = Path(__file__).parents[1]
CAISSON = str(Path(sys.executable).with_name("caisson"))
CLAIMS = ROOT / "examples/claims/caisson.yaml"
MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
START_SECONDS_MAX = 90.0
"""Far more than a start takes; other people's work may share the machine."""
ENOUGH = {
    "limits": {
        "requests_per_user": {"value": "100000/minute", "because": "tests ask more often than people"},
        "requests_total": {"value": "100000/minute", "because": "tests ask more often than people"},
    },
    "sessions": {
        "tokens": {"value": 100_000_000, "because": "tests ask more often than people"},
        "actions": {"value": 100_000, "because": "tests ask more often than people"},
    },
}
"""Changes to a system file for tests that are not about budgets."""
OVERRIDING = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
"""Variables besides AWS's own that would replace the profile's roots."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**extra: str) -> dict[str, str]:
    """Nothing of the caller's AWS settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_") and key not in OVERRIDING}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", **extra}


@dataclass
class Running:
    """One `caisson up`."""

    data: Path
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    system: Path
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: int = 0
    """Bytes of the log that an earlier run wrote."""

    def said(self) -> str:
        """What this run has printed, its spaces folded."""
        return " ".join(self.log.read_bytes()[self.before :].decode().split())

    def cli(self, *arguments: str, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [CAISSON, *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=clean_environment(),
        )
        if check and done.returncode != 0:
            raise AssertionError(f"caisson {' '.join(arguments)} exited {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def credentials(
        self, user: str = "alice", agent: str = "claims", task: str = "answer", ttl: str = "15m"
    ) -> dict[str, Any]:
        out = self.cli(
            "session", "new", "--user", user, "--agent", agent, "--task", task, "--ttl", ttl, "--format", "json"
        ).stdout
        return json.loads(out)

    def session(self, agent: str = "claims") -> dict[str, Any]:
        """Alice's credentials, the same ones all along."""
        if agent not in self.sessions:
            self.sessions[agent] = sign_in(self.data, agent)
        return self.sessions[agent]

    def client(
        self, service: str = "bedrock-runtime", *, credentials: dict[str, Any] | None = None, retries: int = 0
    ) -> Any:
        made = credentials or self.session()
        return boto3.Session(
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
            aws_session_token=made["SessionToken"],
            region_name=made["Region"],
        ).client(
            service,
            endpoint_url=made["Endpoints"][service.replace("-", "_")],
            verify=made["CaBundle"],
            config=Config(retries={"total_max_attempts": retries + 1, "mode": "standard"}, read_timeout=30),
        )

    def events(
        self, *arguments: str, until: Callable[[list[dict[str, Any]]], bool] = bool, seconds: float = 10
    ) -> list[dict[str, Any]]:
        """`caisson logs query --json`, asked again until it holds what is waited for."""
        ends = time.monotonic() + seconds
        while True:
            out = self.cli("logs", "query", "--json", *arguments).stdout
            found = [json.loads(line) for line in out.splitlines()]
            if until(found) or time.monotonic() > ends:
                return found
            time.sleep(0.2)

    def pids(self) -> dict[str, int]:
        """Process ids by name, the supervisor's too."""
        state = read_state(self.data / "run")
        assert state is not None
        zones = {name: zone.identity.pid for name, zone in state.zones.items() if zone.identity is not None}
        return {**zones, "supervisor": state.supervisor.pid}

    def stop(self, seconds: float = 30) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def start(folder: Path, *arguments: str, system: Path = CLAIMS, port: int | None = None, wait: bool = True) -> Running:
    """`caisson up` in `folder`, ready."""
    port = port or free_port()
    data, log = folder / "data", folder / "up.log"
    before = log.stat().st_size if log.exists() else 0
    with log.open("ab") as out:
        process = subprocess.Popen(
            [CAISSON, "up", "--system", str(system), "--data", str(data), "--port", str(port), *arguments],
            stdout=out, stderr=out, env=clean_environment(), start_new_session=True,
        )  # fmt: skip
    running = Running(data=data, port=port, process=process, log=log, system=system, before=before)
    try:
        if wait:
            wait_ready(running)
    except BaseException:
        process.kill()  # its zones end with it
        process.wait()
        raise
    return running


def sign_in(data: Path, agent: str, user: str = "alice") -> dict[str, Any]:
    """Credentials over the gateway's socket, as `caisson session new --format json` prints them."""
    found = json.loads((data / "run/endpoint.json").read_text())
    endpoint = Endpoint(**{name: found[name] for name in Endpoint.__dataclass_fields__})
    return json_credentials(_new_session(data, agent, user, "sigv4"), endpoint)


def bearer_token(data: Path, agent: str, user: str = "alice") -> str:
    """As `caisson session new --format bearer` prints it."""
    return str(_new_session(data, agent, user, "bearer")["bearer_token"])


def _new_session(data: Path, agent: str, user: str, form: str) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(data / "sockets/gateway.sock"))
        asked = {"op": "new", "user": user, "agent": agent, "task": "answer", "format": form}
        connection.sendall(json.dumps(asked).encode() + b"\n")
        answer = json.loads(connection.makefile("rb").readline())
    assert answer["ok"], answer
    return dict(answer)


def memory_bytes(pid: int) -> int:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def wait_ready(running: Running) -> None:
    ends = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < ends:
        if running.process.poll() is not None:
            raise AssertionError(f"caisson up exited {running.process.returncode}:\n{running.log.read_text()}")
        state = read_state(running.data / "run")
        if (
            state is not None
            and state.phase == "ready"
            and state.supervisor.pid == running.process.pid
            and "Ready." in running.said()
        ):
            return
        time.sleep(0.05)
    raise AssertionError(f"caisson up was not ready in {START_SECONDS_MAX} s:\n{running.log.read_text()}")


def system_file(folder: Path, **changes: Any) -> Path:
    """A copy of the example with top-level keys replaced."""
    from ruamel.yaml import YAML

    yaml = YAML()
    document = yaml.load(CLAIMS.read_text())
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(document.get(key), dict):
            document[key].update(value)
        else:
            document[key] = value
    path = folder / "caisson.yaml"
    with path.open("w") as out:
        yaml.dump(document, out)
    return path


def without_local_users(folder: Path, url: str) -> Path:
    """A copy of the example whose users are an issuer's alone."""
    from ruamel.yaml import YAML

    yaml = YAML()
    document = yaml.load(CLAIMS.read_text())
    document["identity"] |= {"issuer": {"url": url, "audience": "claims"}}
    del document["identity"]["local"]
    path = folder / "caisson.yaml"
    with path.open("w") as out:
        yaml.dump(document, out)
    return path
