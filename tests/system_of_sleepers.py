"""A whole `caisson up` of small children, as a program: RUN NAME=CODE … [--detach]. For tests of its life and death."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.isolation import leave_with_parent
from caisson.supervision import Announcement, ProcessSpec, Supervisor, alone, detached, serve
from caisson.supervision.detach import Say

READY = """
import os, signal, sys, time
def say(text): os.write(int(os.environ["CAISSON_READY_FD"]), text + b"\\n")
"""
WAITS = READY + "say(b'{\"ready\": {}}')\nwhile True: time.sleep(60)"
CODES = {
    "serves": "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n" + WAITS,
    "ignores": "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAITS,
    "fails": READY + 'say(b\'{"failed": "no port"}\')',
    "never": "import time; time.sleep(60)",
}


def main(run: Path, specs: list[str], say: Say) -> int:
    processes = [
        ProcessSpec(name=name, argv=(sys.executable, "-I", "-S", "-c", CODES[code]))
        for name, _, code in (text.partition("=") for text in specs)
    ]

    def make() -> Supervisor:
        return Supervisor(
            processes, run=run, clock=SystemClock(), prepare=leave_with_parent, on_event=lambda event: None
        )

    with alone(run):
        return asyncio.run(serve(make=make, on_ready=lambda _: say(Announcement(info={"port": 8443}))))


if __name__ == "__main__":
    folder, *rest = sys.argv[1:]
    if "--detach" in rest:
        rest.remove("--detach")
        said = detached(lambda say: main(Path(folder), rest, say), log=Path(folder) / "supervisor.log", seconds=20)
        print(said.failure or said.info)
        sys.exit(1 if said.failure else 0)
    sys.exit(main(Path(folder), rest, lambda announcement: print("ready", flush=True)))
