"""How long `caisson prove` takes on the deployments of the tests, tier 1 to 4, each in its own process: time with
synthesis, and the most memory that one of the processes takes, Node for the CDK among them.

    python -m bench.prove_systems            all
    python -m bench.prove_systems example    one
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

SYSTEMS = {"one-account": 1, "three-accounts": 2, "example": 3, "every-key": 4}
"""Deployment of the tests to its tier."""


def main() -> None:
    if "--one" in sys.argv:
        _one(sys.argv[-1])
        return
    print("| system | tier | claims | not held | s | most MB so far |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in sys.argv[1:] or SYSTEMS:
        command = [sys.executable, "-m", "bench.prove_systems", "--one", name]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = child.communicate()[0].strip()
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1_024
        print(f"{said} {most:.0f} |", flush=True)


def _one(name: str) -> None:
    from caisson.assurance.deployment import proved
    from deployments import readings

    began = time.perf_counter()
    _, proofs = proved(readings()[name])
    found = Counter(proof.verdict.value for proof in proofs)
    seconds = time.perf_counter() - began
    others = sum(number for verdict, number in found.items() if verdict != "holds")
    print(f"| `{name}` | {SYSTEMS[name]} | {sum(found.values())} | {others} | {seconds:.1f} |")


if __name__ == "__main__":
    main()
