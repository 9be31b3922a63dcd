"""A long campaign of malformed requests against a running example (`make fuzz`).

- Every answer from the application layer on is a 2xx or a 4xx in the shape of the API.
- The gateway neither restarts nor grows.

Run: python -m bench.fuzz [--count 50000] [--seed 1]. Prints a summary and exits 0 when all of it holds.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzzing import Sender, requests
from running_system import ENOUGH, memory_bytes, start, system_file
from wire import Connection

WARM_UP = 2_000
GROWTH_BYTES_MAX = 32 << 20
SIGN_IN_EVERY = 20_000
SHOWN_MAX = 20
"""Wrong answers that the summary shows."""


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="caisson-fuzz-") as folder:
        running = start(Path(folder), system=system_file(Path(folder), **ENOUGH))
        try:
            pid = running.pids()["gateway"]
            sender = Sender(lambda: Connection.to(running))
            statuses: Counter[int] = Counter()
            wrong: list[tuple[str, str, str]] = []
            warm, began = 0, time.monotonic()
            for number in range(options.count):
                if number % SIGN_IN_EVERY == 0:
                    running.sessions.clear()
                    cases = requests(chance, running.session())
                request = next(cases)
                status, problem = sender.send(request)
                statuses[status] += 1
                if problem:
                    wrong.append((request.kind, problem, repr(request.data[:300])))
                if number == min(WARM_UP, options.count // 2):
                    warm = memory_bytes(pid)
            seconds = time.monotonic() - began
            sender.close()
            alive = running.pids()["gateway"] == pid
            grown = memory_bytes(pid) - warm if alive else 0
            bugs = (running.data / "run/gateway.log").read_text().count("bug of ours")
        finally:
            stopped = running.stop()
    summary = {
        "requests": options.count,
        "seed": options.seed,
        "seconds": round(seconds, 1),
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "wrong": len(wrong),
        "examples": wrong[:SHOWN_MAX],
        "bugs_in_the_log": bugs,
        "restarted": not alive,
        "warm_mib": round(warm / 2**20, 1),
        "grown_mib": round(grown / 2**20, 1),
        "exit_of_up": stopped,
    }
    print(json.dumps(summary, indent=2))
    return int(bool(wrong or bugs or not alive or grown > GROWTH_BYTES_MAX or stopped))


if __name__ == "__main__":
    sys.exit(main())
