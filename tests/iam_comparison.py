"""Decisions of this evaluator beside those of the independent simulator, case by case.

python tests/iam_comparison.py --decided 20000 --seed 1
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

from caisson.assurance.iam.cases import Case, cases
from caisson.assurance.iam.decision import Decision, Outcome, decide
from iam_differences import explained
from iam_generator import case

SIMULATOR = Path(__file__).parent / "iam_simulator"
BATCH = 2_000
Json = dict[str, Any]


def installed() -> bool:
    """The simulator and Node are there."""
    return shutil.which("node") is not None and (SIMULATOR / "node_modules/@cloud-copilot/iam-simulate").is_dir()


@dataclass
class Comparison:
    """What came out."""

    agreed: Counter[str] = field(default_factory=Counter)
    """Cases with the same decision, by decision."""
    explained: Counter[str] = field(default_factory=Counter)
    """Cases that differ as an exception says, by its name."""
    undetermined: int = 0
    """Cases that we do not decide."""
    unexplained: list[tuple[Json, Decision, str]] = field(default_factory=list)
    failed: list[tuple[Json, str]] = field(default_factory=list)
    """Cases that either side could not read."""

    def report(self) -> str:
        """All of it, differences with their cases."""
        lines = [f"{number:7,} {name}" for name, number in sorted(self.agreed.items())]
        lines += [f"{number:7,} differ, exception: {name}" for name, number in sorted(self.explained.items())]
        lines += [f"{self.undetermined:7,} undetermined", f"{len(self.unexplained):7,} differ without exception"]
        for one, ours, theirs in self.unexplained[:5]:
            lines += [json.dumps(one), f"  ours {ours.outcome.value} ({ours.reason}), theirs {theirs}"]
        return "\n".join(lines)


def compare(seeds: Iterable[int], *, flip: int | None = None) -> Comparison:
    """Make a case of each seed and decide it on both sides. `flip` falsifies our decision on the case of that seed."""
    made = [case(seed) for seed in seeds]
    comparison = Comparison()
    for one, theirs in zip(made, _simulated(made), strict=True):
        ours = _ours(one)
        if ours is None or "error" in theirs or theirs["ignored"]:
            comparison.failed.append((one, str(theirs)))
            continue
        decision = _opposite(ours) if one["id"] == f"g{flip}" else ours
        if decision.outcome is Outcome.UNDETERMINED:
            comparison.undetermined += 1
        elif decision.outcome.value == theirs["decision"]:
            comparison.agreed[decision.outcome.value] += 1
        elif name := explained(one, decision, theirs["decision"]):
            comparison.explained[name] += 1
        else:
            comparison.unexplained.append((one, decision, theirs["decision"]))
    return comparison


def _ours(one: Json) -> Decision | None:
    read = next(cases([json.dumps(one).encode()]))
    return decide(read.request, read.policies) if isinstance(read, Case) else None


def _opposite(decision: Decision) -> Decision:
    allowed = decision.outcome is Outcome.ALLOW
    outcome = Outcome.DENY_EXPLICIT if allowed else Outcome.ALLOW
    return Decision(outcome=outcome, statements=decision.statements, reason="falsified")


def _simulated(made: list[Json]) -> Iterator[Json]:
    """The simulator's answers, in order."""
    lines = "".join(json.dumps(one) + "\n" for one in made)
    command = ["node", str(SIMULATOR / "simulate.mjs")]
    found = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=1_800)
    for one, line in zip(made, found.stdout.splitlines(), strict=True):
        answer = json.loads(line)
        if answer.pop("id") != one["id"]:
            raise RuntimeError("the simulator answered out of order")
        yield answer


def main() -> int:
    """Compare until so many cases are decided alike; exit 1 on a difference that no exception explains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decided", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    whole, seeds = Comparison(), count(asked.seed * 10_000_000)
    while whole.agreed.total() < asked.decided:
        part = compare(islice(seeds, BATCH))
        whole.agreed += part.agreed
        whole.explained += part.explained
        whole.undetermined += part.undetermined
        whole.unexplained += part.unexplained
        whole.failed += part.failed
        print(f"{whole.agreed.total():,} of {asked.decided:,} decided alike", file=sys.stderr)
        if part.unexplained or part.failed:
            break
    print(whole.report())
    for one, why in whole.failed[:5]:
        print("could not be read", json.dumps(one), why)
    return 1 if whole.unexplained or whole.failed else 0


if __name__ == "__main__":
    sys.exit(main())
