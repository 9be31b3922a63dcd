"""Starts the system of a file once more, beside whatever runs, and stops it again.

It is the user's file with four additions, each named in the transcript of `verify`: two users and an agent of the
probes' own, and budgets for machines, which ask more often than people. Nothing else differs.

>>> with rehearsal(Path("caisson.yaml")) as target:  # doctest: +SKIP
...     target.endpoint().url
'https://localhost:40123'
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from caisson.assurance.probes.check import Lacking
from caisson.assurance.probes.target import Target
from caisson.assurance.probes.wire import Wire
from caisson.assurance.rehearsal.model import HostileModel
from caisson.supervision import read_state
from caisson.system.loader import load

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 60.0
USERS = ("probe-one", "probe-two")
AGENT = "probe-other"
MODEL_ID = "amazon.nova-micro-v1:0"
BECAUSE = "probes ask more often than people"
PROFILE = "probe"
_BUDGETS: dict[str, dict[str, Any]] = {
    "limits": {"requests_per_user": "100000/minute", "requests_total": "100000/minute"},
    "sessions": {"tokens": 100_000_000, "actions": 100_000},
}


def rehearsed(document: dict[str, Any]) -> dict[str, Any]:
    """The file's document with the probes' users, agent and budgets."""
    made = dict(document)
    identity = dict(made["identity"])
    local = dict(identity.get("local") or {})
    groups = list(identity["groups"])[:1]
    users = {name: {"uid": "owner", "groups": groups} for name in USERS}
    identity["local"] = {**local, "users": {**users, **dict(local.get("users") or {})}}
    made["identity"] = identity
    agents = dict(made["agents"])
    guardrail = next(iter(agents.values()))["guardrail"]
    made["agents"] = {**agents, AGENT: {"model": AGENT, "guardrail": guardrail, "tasks": {"answer": {}}}}
    made["models"] = {**made["models"], AGENT: {"id": MODEL_ID}}
    for section, keys in _BUDGETS.items():
        loosened = {key: {"value": value, "because": BECAUSE} for key, value in keys.items()}
        made[section] = {**dict(made.get(section) or {}), **loosened}
    return made


@contextmanager
def rehearsal(file: Path, *, waiting: Callable[[str], None] = lambda _why: None) -> Iterator[Target]:
    """The system of `file`, running with a model of ours, in a folder that is removed afterwards.

    Raises:
        Lacking: it does not start; says why.
    """
    with tempfile.TemporaryDirectory(prefix="caisson-rehearsal-") as name, HostileModel() as model:
        folder = Path(name)
        path = _write(file, folder)
        key = f"upstream-{secrets.token_hex(16)}"
        credentials = folder / ".config" / "caisson" / "credentials"
        credentials.parent.mkdir(parents=True)
        credentials.touch(mode=0o600)
        credentials.write_text(f"[{PROFILE}]\napi_key = {key}\n", encoding="utf-8")
        port = _free_port()
        data = folder / "data"
        command = [
            sys.executable, "-m", "caisson.cli.main", "up", "--system", str(path), "--data", str(data),
            "--port", str(port), "--upstream", f"openai={model.url}/v1/chat/completions", "--upstream-profile", PROFILE,
        ]  # fmt: skip
        log = folder / "up.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True, cwd=folder,
                env={**_environment(), "HOME": str(folder)},
            )  # fmt: skip
        try:
            found = _ready(process, data, log)
            waiting("")
            target = Target(
                system=load(path, carrier="up"),
                wire=Wire(f"https://{found['host']}:{found['port']}", ca_file=found["ca_bundle"]),
                region=found["region"], data=data, model=model, waiting=waiting, upstream_key=key,
            )  # fmt: skip
            yield target
        finally:
            _stop(process)


def _environment() -> dict[str, str]:
    """Nothing of the caller's AWS settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _write(file: Path, folder: Path) -> Path:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.representer.ignore_aliases = lambda _data: True  # system files know no anchors
    path = folder / "caisson.yaml"
    load(file, carrier="up")  # what does not run is refused with its place in the user's own file
    with path.open("w", encoding="utf-8") as out:
        yaml.dump(rehearsed(yaml.load(file.read_text(encoding="utf-8"))), out)
    return path


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _ready(process: subprocess.Popen[bytes], data: Path, log: Path) -> dict[str, Any]:
    ends = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < ends:
        if process.poll() is not None:
            said = log.read_text(encoding="utf-8", errors="replace").strip()
            raise Lacking(f"the rehearsal does not start: {said[-300:]}")
        state = read_state(data / "run") if (data / "run").is_dir() else None
        if state is not None and state.phase == "ready":
            found: dict[str, Any] = json.loads((data / "run" / "endpoint.json").read_bytes())
            return found
        time.sleep(0.05)
    raise Lacking(f"the rehearsal was not ready in {START_SECONDS_MAX:.0f} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()  # the kernel ends its zones with it
        process.wait(STOP_SECONDS_MAX)
