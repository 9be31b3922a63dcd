"""Kill processes at random under load and see what holds (`make soak-kill`).

- Every acknowledged response has both of its events.
- The archive verifies.
- The service is back within 5 s of each kill: it answers, and the killed process runs again and is ready.
- No session's budget is exceeded.
- No plaintext of a canary stands anywhere under the data folder.
- With several workers, the death of one stops nobody else: others answer in the meantime, and each client loses at most
  the request that it had under way.

Run: python -m bench.soak_kill [--kills 200] [--seed 1] [--in-turn] [--workers 1]. Prints a summary and exits 0 when all
of it holds.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from caisson.supervision import State, read_state

ROOT = Path(__file__).parents[1]
CAISSON = str(Path(sys.executable).with_name("caisson"))
MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
CANARY = "AKIAQ3EGRZPLCANARY77"
BACK_SECONDS_MAX = 5.0
PAUSE_SECONDS = (0.1, 1.2)
CLIENTS = 4
EVENTS_MAX = 100_000
"""Of a kind: what `logs query` lists at most."""
LIMITS = """
limits:
  requests_per_user: {value: 100000/minute, because: the campaign asks as fast as it can}
  requests_total: {value: 100000/minute, because: the campaign asks as fast as it can}
"""
"""Budgets of sessions stay as they are, so that clients run into them."""
ENDED = {"ThrottlingException", "ExpiredTokenException", "AccessDeniedException"}
"""Errors after which a client signs in again."""
BROKEN = (BotoCoreError, HTTPError, OSError, ValueError, subprocess.TimeoutExpired)
"""What a kill looks like to a client; botocore lets urllib3's errors through in the middle of a stream."""


@dataclass
class Observed:
    """What the clients and the killer saw."""

    acknowledged: set[str] = field(default_factory=set)
    refused: int = 0
    broken: int = 0
    """Requests that ended without an answer of ours."""
    costs: list[int] = field(default_factory=list)
    """How many requests broke at each kill of a worker while others lived."""
    standstills: int = 0
    """Kills of a worker after which nobody else answered before it was back."""
    outages_s: list[tuple[str, float]] = field(default_factory=list)
    """Which process was killed, and how long service was away."""
    lock: threading.Lock = field(default_factory=threading.Lock)


def command(data: Path, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CAISSON, *arguments, "--data", str(data)], capture_output=True, text=True, timeout=timeout)


def up(data: Path, system: Path, port: int, workers: int, log: Path) -> subprocess.Popen[bytes]:
    places = ["--system", str(system), "--data", str(data), "--port", str(port)]
    with log.open("ab") as out:
        return subprocess.Popen(
            [CAISSON, "up", *places, "--workers", str(workers)],
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def credentials(data: Path) -> dict[str, Any] | None:
    made = command(
        data, "session", "new", "--user", "alice", "--agent", "claims", "--task", "answer", "--format", "json"
    )
    return json.loads(made.stdout) if made.returncode == 0 else None


def client_of(made: dict[str, Any]) -> Any:
    return boto3.Session(
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
        aws_session_token=made["SessionToken"],
        region_name=made["Region"],
    ).client(
        "bedrock-runtime",
        endpoint_url=made["Endpoints"]["bedrock_runtime"],
        verify=made["CaBundle"],
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10),
    )


def load(data: Path, observed: Observed, stop: threading.Event, seed: int) -> None:
    """Ask until told to stop; count only what was acknowledged whole."""
    chance = random.Random(seed)
    client = None
    while not stop.is_set():
        try:
            if client is None:
                made = credentials(data)
                if made is None:
                    time.sleep(0.1)
                    continue
                client = client_of(made)
            text = f"Please summarise claim CLM-{chance.randrange(10**8):08d} for bob@example.com; the key is {CANARY}."
            messages = [{"role": "user", "content": [{"text": text}]}]
            inference = {"maxTokens": 64}
            if chance.random() < 0.5:
                answer = client.converse(modelId=MODEL, messages=messages, inferenceConfig=inference)
            else:
                answer = client.converse_stream(modelId=MODEL, messages=messages, inferenceConfig=inference)
                ended = ["messageStop" in event for event in answer["stream"]]
                if not any(ended):
                    continue
            with observed.lock:
                observed.acknowledged.add(answer["ResponseMetadata"]["RequestId"])
        except ClientError as error:
            with observed.lock:
                observed.refused += 1
            if error.response["Error"]["Code"] in ENDED:
                client = None
            time.sleep(0.02)
        except BROKEN:
            with observed.lock:
                observed.broken += 1
            time.sleep(0.05)


class Probe:
    """Asks whether the service answers, with a session of its own."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._client: Any = None

    def answers(self) -> bool:
        try:
            if self._client is None:
                made = credentials(self._data)
                self._client = None if made is None else client_of(made)
            if self._client is None:
                return False
            messages = [{"role": "user", "content": [{"text": "hi"}]}]
            self._client.count_tokens(modelId=MODEL, input={"converse": {"messages": messages}})
        except ClientError as error:
            if error.response["Error"]["Code"] in ENDED:
                self._client = None
            return False
        except BROKEN:
            return False
        return True

    def wait_back(self, killed: int | None, seconds: float) -> float:
        """Seconds until everything is ready without process `killed`, and a request is answered."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if ready(read_state(self._data / "run"), killed) and self.answers():
                return time.monotonic() - began
            time.sleep(0.05)
        return float("inf")


def ready(state: State | None, without: int | None) -> bool:
    """Whether every process of the system is ready and alive, and none is `without`."""
    if state is None or state.phase != "ready" or state.supervisor.pid == without or not state.supervisor.alive():
        return False
    return all(
        zone.phase == "ready" and zone.identity is not None and zone.identity.pid != without and zone.identity.alive()
        for zone in state.zones.values()
    )


def plaintext(data: Path) -> list[str]:
    """Files under the data folder that hold the canary, as it is or encoded."""
    secret = CANARY.encode()
    # a base64 text of what holds the canary shows one of three forms, by the offset; the edges depend on the rest
    forms = [secret, secret.hex().encode()] + [
        base64.b64encode(b"\0" * shift + secret)[4 if shift else 0 : -4] for shift in range(3)
    ]
    return [
        str(path.relative_to(data))
        for path in data.rglob("*")
        if path.is_file() and any(form in content for content in [path.read_bytes()] for form in forms)
    ]


def overspent(data: Path) -> list[str]:
    """Sessions that used more than they may."""
    done = command(data, "session", "list", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        row["session_id"]
        for row in rows
        if row["tokens_used"] > row["tokens_max"] or row["actions_used"] > row["actions_max"]
    ]


def running_pids(data: Path) -> dict[str, int]:
    """Process ids by name; everything was ready just before."""
    state = read_state(data / "run")
    if state is None:
        raise SystemExit("expected run/state.json of a running system, found none")
    zones = {name: zone.identity.pid for name, zone in state.zones.items() if zone.identity is not None}
    return {**zones, "supervisor": state.supervisor.pid}


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--system", type=Path, default=ROOT / "examples/claims/caisson.yaml")
    parser.add_argument("--in-turn", action="store_true", help="kill each process in turn, not at random")
    parser.add_argument("--workers", type=int, default=1, help="gateway processes")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--back-seconds", type=float, default=BACK_SECONDS_MAX, help="how soon service must be back")
    options = parser.parse_args()
    options.port = options.port or free_port()
    chance = random.Random(options.seed)
    observed, stop = Observed(), threading.Event()
    with tempfile.TemporaryDirectory(prefix="caisson-soak-") as folder:
        data, log = Path(folder) / "data", Path(folder) / "up.log"
        system = Path(folder) / "caisson.yaml"
        system.write_text(options.system.read_text() + LIMITS)
        process, probe = up(data, system, options.port, options.workers, log), Probe(data)
        if probe.wait_back(None, 30) == float("inf"):
            process.kill()
            process.wait()
            print(log.read_text(), "the system did not answer within 30 s", sep="\n", file=sys.stderr)
            return 1
        workers = [
            threading.Thread(target=load, args=(data, observed, stop, options.seed + number), daemon=True)
            for number in range(CLIENTS)
        ]
        for worker in workers:
            worker.start()
        killed: dict[str, int] = {}
        for number in range(options.kills):
            time.sleep(chance.uniform(*PAUSE_SECONDS))
            pids = running_pids(data)
            names = sorted(pids)
            name = names[number % len(names)] if options.in_turn else chance.choice(names)
            broken, acknowledged = observed.broken, len(observed.acknowledged)
            os.kill(pids[name], signal.SIGKILL)
            killed[name] = killed.get(name, 0) + 1
            if name == "supervisor":
                process.wait()
                process = up(data, system, options.port, options.workers, log)
            one_of_several = name.startswith("gateway") and options.workers > 1
            if one_of_several:
                observed.standstills += not answers_meanwhile(data, pids[name], observed, acknowledged)
            outage = probe.wait_back(pids[name], 30)
            observed.outages_s.append((name, outage))
            if one_of_several:
                observed.costs.append(observed.broken - broken)
            if sys.stderr.isatty():
                print(f"\r{number + 1}/{options.kills} {name:<12} back after {outage:.2f} s", end="", file=sys.stderr)
        stop.set()
        for worker in workers:
            worker.join(20)
        overspent_sessions = overspent(data)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        missing = unlogged(data, observed.acknowledged)
        verify = command(data, "logs", "verify", "--json", timeout=300)
        found = plaintext(data)
        outages = sorted(seconds for _, seconds in observed.outages_s)
        print(
            json.dumps(
                {
                    "kills": sum(killed.values()),
                    "killed": killed,
                    "acknowledged": len(observed.acknowledged),
                    "refused": observed.refused,
                    "acknowledged_without_both_events": len(missing),
                    "verify_exit": verify.returncode,
                    "back_s": spread(outages),
                    "back_s_by_process": {
                        name: spread(sorted(seconds for other, seconds in observed.outages_s if other == name))
                        for name in sorted(killed)
                    },
                    "broken_by_the_death_of_one_worker": max(observed.costs, default=0),
                    "standstills": observed.standstills,
                    "overspent_sessions": overspent_sessions,
                    "files_with_plaintext": found,
                },
                indent=2,
            )
        )
        if verify.returncode:
            print(verify.stdout, verify.stderr, file=sys.stderr)
        slow = [value for value in outages if value > options.back_seconds]
        costly = max(observed.costs, default=0) > CLIENTS or observed.standstills
        failed = missing or verify.returncode or overspent_sessions or found or slow or costly
        return int(bool(failed or not observed.acknowledged))


def answers_meanwhile(data: Path, killed: int, observed: Observed, acknowledged: int) -> bool:
    """Whether clients are answered by others before a successor of process `killed` is ready."""
    ends = time.monotonic() + BACK_SECONDS_MAX
    while time.monotonic() < ends and not ready(read_state(data / "run"), killed):
        if len(observed.acknowledged) > acknowledged:
            return True
        time.sleep(0.005)
    return len(observed.acknowledged) > acknowledged


def spread(seconds: list[float]) -> dict[str, float]:
    """Median and maximum of sorted figures."""
    return {"median": round(seconds[len(seconds) // 2], 2), "max": round(seconds[-1], 2)} if seconds else {}


def unlogged(data: Path, acknowledged: set[str]) -> set[str]:
    """Acknowledged requests that lack one of their events."""
    events: dict[str, set[str]] = {}
    for kind in ("model.request.v1", "model.response.v1"):
        done = command(data, "logs", "query", "--json", "--kind", kind, "--limit", str(EVENTS_MAX), timeout=300)
        rows = done.stdout.splitlines()
        if done.returncode != 0 or len(rows) == EVENTS_MAX:
            raise SystemExit(f"expected fewer than {EVENTS_MAX} events of {kind}, found {len(rows)}: {done.stderr}")
        for line in rows:
            event = json.loads(line)
            events.setdefault(event["request_id"], set()).add(event["kind"])
    return {request for request in acknowledged if len(events.get(request, ())) != 2}


if __name__ == "__main__":
    sys.exit(main())
