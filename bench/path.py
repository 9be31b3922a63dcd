"""The request path alone, in one process: no sockets, no TLS, no HTTP client, an upstream that answers at once.

Everything of ours is on: signature, ledger, sealed events on a real disk, inspection both ways by the rules of
`make bench`. Processor time a request, best of several rounds, because other processes only ever add to it.

Run: python -m bench.path [--tier 2] [--clean] [--rules-alone] [--profile]
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from statistics import median
from time import process_time, time
from typing import Any

from bench import system_file
from bench.subjects import MODEL, PROMPT_BYTES, converse_body, signed
from bench.upstream import TEXT
from caisson.adapters.embedded.channel import SealedWriter
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.credentials import EmbeddedCredentials
from caisson.adapters.embedded.guardrail import EmbeddedGuardrail
from caisson.adapters.embedded.keyring import session_keys
from caisson.adapters.embedded.keys import FileKeys
from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.adapters.embedded.metrics import PrometheusMetrics
from caisson.policy.prices import Prices
from caisson.policy.sessions import Role
from caisson.ports.configuration import Orders
from caisson.ports.credentials import Principal
from caisson.ports.model import Model, ModelAnswer, ModelRequest, Usage
from caisson.system.loader import load
from caisson.zones.z1_ingress.gateway import Gateway
from caisson.zones.z1_ingress.identity import Identity
from caisson.zones.z1_ingress.sessions import Sessions
from caisson.zones.z2_runtime.pseudonyms import PseudonymKeys
from caisson.zones.z2_runtime.runtime import Runtime, Snapshot

REGION = "eu-west-1"
ROUNDS, CALLS = 20, 192
CLEAN = "The roof was damaged by hail in the night and water came into two rooms. "


class _Instant(Model):
    """Says what `bench.upstream` says."""

    name = "instant"

    async def converse(self, _request: ModelRequest) -> ModelAnswer:
        usage = Usage(input_tokens=900, output_tokens=80)
        return ModelAnswer(content=({"text": TEXT},), stop_reason="end_turn", usage=usage, latency_ms=0.0)

    async def converse_stream(self, _request: ModelRequest) -> AsyncGenerator[dict[str, Any], None]:
        raise RuntimeError("nobody asks for a stream here")
        yield {}

    async def close(self) -> None:
        pass


class _Nobody:
    def record(self, **_: Any) -> None:
        raise RuntimeError("a caller without an identity")

    def problems(self) -> list[str]:
        return []


def yardstick() -> float:
    """µs of a fixed piece of Python: what this machine is worth at this moment, beside its other work."""
    began = process_time()
    for _ in range(40):
        words = {str(number): [number] for number in range(400)}
        sum(len(key) + value[0] for key, value in words.items())
    return (process_time() - began) / 40 * 1e6


async def made(folder: Path, tier: int, statistics: bool) -> tuple[Gateway, SealedWriter, dict[str, Any]]:
    """A gateway as the wiring makes it, its events, and credentials of a session."""
    system_file.write(folder / "caisson.yaml", tier, statistics)
    system = load(folder / "caisson.yaml", carrier="up")
    for name in ("runtime", "logging", "spool", "state"):
        (folder / name).mkdir(mode=0o700)
    clock = SystemClock()
    keys = FileKeys.create(folder / "runtime/keys", signing=("events",), secrets=("pseudonyms",))
    reader = FileKeys.create(folder / "logging/keys", sealing=("events",))
    events = SealedWriter(
        channel="events", writer="runtime-0", spool=folder / "spool", state=folder / "state",
        signing=keys.signing("events"), reader_public=reader.sealing("events").public_bytes, clock=clock,
    )  # fmt: skip
    ledger = EmbeddedLedger(folder / "ledger.db")
    credentials = EmbeddedCredentials(open_keys=session_keys(folder / "keys"), system=system.name, clock=clock)
    sessions = Sessions(ledger=ledger, events=events, clock=clock)
    identity = Identity(sessions=sessions, credentials=credentials, region=REGION, clock=clock)
    identity.set_state(system, Orders(number=1, expires=time() + 86_400))
    opened = await sessions.open(
        user="alice", groups=("adjusters",), role=Role("claims", "answer"), lifetime_s=None, method="socket"
    )
    if not isinstance(opened, Principal):
        raise RuntimeError(opened.message)
    minted = credentials.mint(opened)
    runtime = Runtime(
        snapshot=Snapshot.of(version=1, system=system, guardrail=EmbeddedGuardrail(system, 1)),
        model=_Instant(), ledger=ledger, events=events, clock=clock, metrics=PrometheusMetrics(),
        prices=Prices.load(REGION), pseudonyms=PseudonymKeys(keys.secret("pseudonyms")),
    )  # fmt: skip
    gateway = Gateway(runtime=runtime, identity=identity, sts=_Nobody(), refusals=_Nobody(), readiness=_Nobody())  # type: ignore[arg-type]
    return gateway, events, {
        "AccessKeyId": minted.access_key_id, "SecretAccessKey": minted.secret_access_key,
        "SessionToken": minted.session_token, "Region": REGION,
        "Endpoints": {"bedrock_runtime": "https://localhost:8443"},
    }  # fmt: skip


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", type=int, default=2)
    parser.add_argument("--connections", type=int, default=32, help="requests under way")
    parser.add_argument("--clean", action="store_true", help="a prompt without anything to mask")
    parser.add_argument("--rules-alone", action="store_true", help="without the injection classifier")
    parser.add_argument("--profile", action="store_true", help="where the time goes, by function")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        gateway, events, credentials = await made(Path(name), options.tier, not options.rules_alone)
        text = CLEAN * (PROMPT_BYTES // len(CLEAN)) if options.clean else None
        request = signed(credentials, "converse", converse_body(text))
        headers = [(key.lower().encode(), value.encode()) for key, value in request.headers.items()]
        headers.append((b"content-length", b"%d" % len(request.body)))
        scope = {
            "type": "http", "method": "POST", "raw_path": f"/model/{MODEL.replace(':', '%3A')}/converse".encode(),
            "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1), "scheme": "https",
        }  # fmt: skip
        arrived = {"type": "http.request", "body": request.body.encode(), "more_body": False}
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return arrived

        async def send(message: Any) -> None:
            if "status" in message:
                statuses.append(message["status"])

        async def client(count: int) -> None:
            for _ in range(count):
                await gateway(scope, receive, send)

        async def calls(count: int) -> float:
            began = process_time()
            await asyncio.gather(*[client(count // options.connections) for _ in range(options.connections)])
            return (process_time() - began) / count * 1e6

        await calls(CALLS)
        found, yardsticks = [], []
        for _ in range(ROUNDS):
            yardsticks.append(yardstick())
            found.append(await calls(CALLS))
        if set(statuses) != {200}:
            raise RuntimeError(f"expected 200, found {set(statuses)}")
        ratio = min(each / mark for each, mark in zip(found, yardsticks, strict=True))
        print(f"request path, tier {options.tier}: {min(found):.0f} µs a request (median {median(found):.0f}), "
              f"{ratio:.2f} yardsticks")  # fmt: skip
        if options.profile:
            profile = cProfile.Profile()
            profile.enable()
            await calls(CALLS * 4)
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        events.close()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
