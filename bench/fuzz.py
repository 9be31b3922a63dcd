"""A long campaign of malformed requests, against a running Caisson whose model's server is malformed too (`make fuzz`).

- Every answer is a 2xx, a 4xx or, when the model's server broke, a 503, in the shape of the API; nobody waits for ever.
- Forged tokens and signatures are not let in.
- No process ends, no bug is in a log, and memory is flat.

Several processes send on kept connections, so that a million requests take less than an hour.

Run: python -m bench.fuzz [--count 50000] [--seed 1] [--processes 2]. Prints a summary and exits 0 when all of it holds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import multiprocessing.connection
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bench.soak import growth_kb
from fuzzing import Sender, requests
from fuzzing_identity import Access
from fuzzing_upstream import Broken
from hostile_campaign import system
from hostile_upstream import Upstream
from running_system import Running, memory_bytes, start
from wire import Connection

THREADS = 6
"""Connections of a process."""
SIGN_IN_EVERY_S = 240.0
REPORT_EVERY = 500
"""Requests of a thread between two reports."""
GROWTH_KB_MAX = 40.0
"""Of a process, per 1,000 requests after warm-up (the soak test's bound is for sound requests)."""
SETTLED_MIB_MAX = 24.0
"""Growth that a short run may have in all: caches fill."""
ANSWER_SECONDS_MAX = 30.0
SHOWN_MAX = 20
"""Wrong answers that the summary shows."""


@dataclass
class Seen:
    """What came back."""

    statuses: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    wrong_count: int = 0

    def add(self, other: Seen) -> None:
        """Count what another saw."""
        self.statuses.update(other.statuses)
        self.kinds.update(other.kinds)
        self.wrong = (self.wrong + other.wrong)[:SHOWN_MAX]
        self.wrong_count += other.wrong_count


def _client(data: Path, port: int, seed: int, count: int, reports: Pipe) -> None:
    """One process: threads, each on a connection of its own."""
    began, bundle = time.monotonic(), str(data / "authority/bundle.pem")
    held: list[tuple[float, Access]] = [(began, Access.at(data))]

    def access() -> Access:
        at, found = held[0]
        if time.monotonic() - at > SIGN_IN_EVERY_S:
            found = Access.at(data)
            held[0] = time.monotonic(), found
        return found

    def run(thread: int) -> None:
        chance = random.Random(f"{seed}/{thread}")
        sender, seen = Sender(lambda: Connection(port, bundle, ANSWER_SECONDS_MAX)), Seen()
        for number in range(count // THREADS):
            request = next(requests(chance, access()))
            status, problem = sender.send(request)
            seen.statuses[status] += 1
            seen.kinds[f"{request.kind} {status // 100}xx"] += 1
            if problem:
                seen.wrong_count += 1
                seen.wrong.append((request.kind, problem, repr(request.data[:600])))
            if number % REPORT_EVERY == REPORT_EVERY - 1 or number == count // THREADS - 1:
                reports.send(seen)
                seen = Seen()
        sender.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))
    reports.send(None)


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    broken = Broken(options.seed)
    with Upstream(broken.answer) as upstream, tempfile.TemporaryDirectory(prefix="caisson-fuzz-") as name:
        folder = Path(name)
        running = start(folder, "--upstream", f"openai={upstream.url}", system=system(folder))
        try:
            pids, began = running.pids(), time.monotonic()
            seen, samples = _sent(running, options.count, options.seed, options.processes, pids)
            seconds = time.monotonic() - began
            restarted = sorted(name for name, pid in running.pids().items() if pids.get(name) != pid)
            logs = {log.stem: log.read_text() for log in (running.data / "run").glob("*.log")}
        finally:
            stopped = running.stop()
    bugs = {
        name: found for name, text in logs.items() if (found := text.count("bug of ours") + text.count("Traceback"))
    }
    grown = {
        pid: (rows[-1][1] - rows[len(rows) // 5][1], growth_kb(rows)) for pid, rows in samples.items() if len(rows) > 4
    }
    names = {pid: name for name, pid in pids.items()}
    summary = {
        "requests": seen.statuses.total(),
        "answers_of_the_upstream": broken.answers,
        "seed": options.seed,
        "seconds": round(seconds, 1),
        "per_second": round(seen.statuses.total() / seconds),
        "statuses": {str(status): count for status, count in sorted(seen.statuses.items())},
        "kinds": dict(sorted(seen.kinds.items())),
        "wrong": seen.wrong_count,
        "examples": seen.wrong,
        "bugs_in_the_logs": bugs,
        "restarted": restarted,
        "memory": {
            names[pid]: {
                "at_the_end_mib": round(samples[pid][-1][1], 1), "grown_mib": round(mib, 1),
                "kb_per_1000_requests": slope,
                "mib_by_tenth": [round(rows[len(rows) * tenth // 10][1], 1) for tenth in range(10)],
            }
            for pid, (mib, slope) in grown.items()
            for rows in (samples[pid],)
        },
        "exit_of_up": stopped,
    }  # fmt: skip
    print(json.dumps(summary, indent=2))
    grows = any(mib > SETTLED_MIB_MAX and slope > GROWTH_KB_MAX for mib, slope in grown.values())
    return int(bool(seen.wrong_count or bugs or restarted or grows or stopped))


def _sent(
    running: Running, count: int, seed: int, processes: int, pids: dict[str, int]
) -> tuple[Seen, dict[int, list[tuple[int, float]]]]:
    """What came back, and the resident MiB of each process of ours by requests so far."""
    seen, samples = Seen(), {pid: [] for pid in pids.values()}  # type: ignore[var-annotated]
    spawn = multiprocessing.get_context("spawn")
    pipes, clients = [], []
    for number in range(processes):
        ours, theirs = spawn.Pipe(duplex=False)
        arguments = (running.data, running.port, seed * 1_000 + number, count // processes, theirs)
        clients.append(spawn.Process(target=_client, args=arguments, daemon=True))
        clients[-1].start()
        theirs.close()
        pipes.append(ours)
    while pipes:
        for pipe in multiprocessing.connection.wait(pipes, timeout=1.0):
            try:
                found = pipe.recv()  # type: ignore[union-attr]
            except EOFError:
                raise RuntimeError("a client ended early") from None
            if found is None:
                pipes.remove(pipe)  # type: ignore[arg-type]
                continue
            seen.add(found)
            for pid, rows in samples.items():
                if Path(f"/proc/{pid}").exists():
                    rows.append((seen.statuses.total(), memory_bytes(pid) / 2**20))
            print(f"{seen.statuses.total()} requests, {seen.wrong_count} wrong", file=sys.stderr)
    for client in clients:
        client.join()
    return seen, samples


if __name__ == "__main__":
    sys.exit(main())
