"""Memory under mixed load (`make soak`): whole answers, streams, blocked and malformed requests, clients that leave.

Resident memory of every process is sampled each second against the number of requests so far. After a warm-up a line is
fitted by least squares. Exits 1 when a process grows by more than `GROWTH_KB_MAX` per 1,000 requests, or when a request
ends otherwise than it should.

Run: python -m bench.soak [--minutes 10]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import ssl
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table
from yarl import URL

from bench.processes import resident_mb
from bench.subjects import ROOT, Request, Subject, caisson, converse_body, session, signed, upstream

CLIENTS = 8
SAMPLE_S = 1.0
SIGN_EVERY_S = 60.0
"""Signatures are valid for five minutes."""
SESSION_EVERY_S = 600.0
WARM_UP_SHARE = 0.3
GROWTH_KB_MAX = 32.0
"""Per 1,000 requests and process."""
REQUEST_SECONDS_MAX = 30


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of request."""

    operation: str
    body: str
    weight: int
    status: int
    leaves: bool = False
    """The client closes the connection after the first bytes."""
    signed: bool = True


KINDS = {
    "converse": Kind(operation="converse", body=converse_body(), weight=8, status=200),
    "stream": Kind(operation="converse-stream", body=converse_body(), weight=4, status=200),
    "left": Kind(operation="converse-stream", body=converse_body(), weight=2, status=200, leaves=True),
    "blocked": Kind(operation="converse", body=converse_body("tell me about project-falcon"), weight=1, status=200),
    "malformed": Kind(operation="converse", body='{"messages": [{"role": "nobody"}]}', weight=1, status=400),
    "unsigned": Kind(operation="converse", body=converse_body(), weight=1, status=403, signed=False),
}


@dataclass(kw_only=True)
class Soak:
    """What is going on."""

    subject: Subject
    requests: dict[str, Request] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    samples: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    """By process: requests so far, resident MB."""

    @property
    def total(self) -> int:
        return self.seen.total()


async def client(http: aiohttp.ClientSession, soak: Soak, seed: int) -> None:
    """Send one request after the other until cancelled."""
    chance, names = random.Random(seed), list(KINDS)
    weights = [kind.weight for kind in KINDS.values()]
    while True:
        name = chance.choices(names, weights)[0]
        kind, request = KINDS[name], soak.requests[name]
        headers = request.headers if kind.signed else {"Content-Type": "application/json"}
        try:
            async with http.post(URL(request.url, encoded=True), data=request.body, headers=headers) as said:
                if said.status != kind.status:
                    soak.wrong[f"{name}: {said.status}"] += 1
                if kind.leaves:
                    await said.content.readany()
                    said.close()
                else:
                    await said.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            soak.wrong[f"{name}: {type(error).__name__}"] += 1
        soak.seen[name] += 1


async def sign(soak: Soak) -> None:
    """Keep signatures and the session fresh."""
    age = 0.0
    while True:
        if age >= SESSION_EVERY_S:
            soak.subject.credentials, age = await asyncio.to_thread(session, soak.subject.data), 0.0
        _sign(soak)
        await asyncio.sleep(SIGN_EVERY_S)
        age += SIGN_EVERY_S


def _sign(soak: Soak) -> None:
    for name, kind in KINDS.items():
        soak.requests[name] = signed(soak.subject.credentials, kind.operation, kind.body)


async def watch(soak: Soak, seconds: float) -> None:
    """Sample memory until the time is over."""
    for _ in range(round(seconds / SAMPLE_S)):
        await asyncio.sleep(SAMPLE_S)
        for pid in soak.subject.pids:
            soak.samples.setdefault(pid, []).append((soak.total, resident_mb(pid)))


async def run(soak: Soak, seconds: float) -> None:
    """The whole load."""
    _sign(soak)
    secure = ssl.create_default_context(cafile=soak.subject.credentials["CaBundle"])
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS_MAX)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=secure), timeout=timeout) as http:
        tasks = [asyncio.create_task(client(http, soak, seed)) for seed in range(CLIENTS)]
        tasks.append(asyncio.create_task(sign(soak)))
        watching = asyncio.create_task(watch(soak, seconds))
        done, _ = await asyncio.wait([watching, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def growth_kb(samples: Sequence[tuple[int, float]]) -> float:
    """Slope after warm-up by least squares, in KB per 1,000 requests.

    >>> growth_kb([(1000 * n, 50 + n / 1024) for n in range(100)])
    1.0
    """
    kept = samples[int(len(samples) * WARM_UP_SHARE) :]
    x_mean = sum(x for x, _ in kept) / len(kept)
    y_mean = sum(y for _, y in kept) / len(kept)
    spread = sum((x - x_mean) ** 2 for x, _ in kept)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in kept) / spread if spread else 0.0
    return round(slope * 1_000 * 1_024, 3)


def main() -> int:
    """Soak, report, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--tier", type=int, default=2, choices=(1, 2, 3, 4))
    options = parser.parse_args()
    base = ROOT / "bench/.work"
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="s", dir=base) as name:
        folder = Path(name)
        folder.chmod(0o711)
        with upstream(folder) as port, caisson(folder / "soak", options.tier, port) as subject:
            soak = Soak(subject=subject)
            names = _names(subject)
            asyncio.run(run(soak, options.minutes * 60))
    table = Table(caption=f"{soak.total:,} requests: {json.dumps(dict(soak.seen))}")
    for column in ("process", "after warm-up", "at the end", f"growth per 1,000 requests (bound {GROWTH_KB_MAX:g} KB)"):
        table.add_column(column, justify="left" if column == "process" else "right")
    over = []
    for pid, samples in soak.samples.items():
        grows = growth_kb(samples)
        warm = samples[int(len(samples) * WARM_UP_SHARE)][1]
        table.add_row(names.get(pid, "supervisor"), f"{warm:.1f} MB", f"{samples[-1][1]:.1f} MB", f"{grows:.1f} KB")
        if grows > GROWTH_KB_MAX:
            over.append(names.get(pid, "supervisor"))
    console = Console(highlight=False)
    console.print(table)
    if soak.wrong:
        console.print(f"[red]ended otherwise than they should:[/red] {dict(soak.wrong)}")
    if over:
        console.print(f"[red]grows too fast:[/red] {', '.join(over)}")
    return int(bool(over or soak.wrong))


def _names(subject: Subject) -> dict[int, str]:
    zones = json.loads((subject.data / "run/state.json").read_text())["zones"]
    return {int(zone["pid"]): name for name, zone in zones.items()}


if __name__ == "__main__":
    sys.exit(main())
