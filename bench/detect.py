"""The detectors on the development corpora, beside peers on the same files (`make bench-detect CORPORA=DIR`).

- What is trained is trained again, with every group and every source left out in turn; the artefacts must come out as
  they ship (`training/`). Its held-out figures are the ones that count; figures of what ships flatter.
- Peers run in environments of their own (`make bench-detect-peers`); without one its row says so.
- Times are of the processor; lengths are cut from ordinary prompts, one after the other.

Writes docs/detection.md and the curves beside it.

Run: python -m bench.detect --corpora DIR [--without-training]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.curves import Curve, drawn
from bench.detect_page import Measured, page
from bench.inspection import CLEAN
from caisson.cli.bench import Kind, measure
from caisson.cli.corpus import rows
from caisson.detect.detectors import detector, masked, rule_sets
from caisson.detect.finding import Finding
from caisson.detect.scoring import personal, secrets
from caisson.detect.scoring.tally import Tallies

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PEERS = ROOT / "bench/.peers"
FILES = {
    Kind.secrets: "secrets.jsonl.gz",
    Kind.pii: "pii.jsonl",
    Kind.injection: "injection.jsonl",
    Kind.benign: "benign_prompts.jsonl",
}
LENGTHS = (256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576)
"""Characters."""
SAMPLES, ROUNDS = 12, 5
"""Stretches of each length (one of the longest two), and runs of each, of which the fastest counts."""
READS: dict[str, Callable[[str], object]] = {
    "credentials": detector("secrets"),
    "credentials and personal data with a form": lambda text: masked(rule_sets(), text),
    "names and addresses too": detector("pii"),
    "injection, as what a user says": detector("injection"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the development corpora")
    parser.add_argument("--without-training", action="store_true", help="take the held-out figures that are there")
    options = parser.parse_args()
    if missing := [name for name in FILES.values() if not (options.corpora / name).is_file()]:
        parser.error(f"expected the development corpora in {options.corpora}, found no {', '.join(missing)}")
    if not options.without_training:
        for script in ("people", "injection"):
            _say(f"training {script}, every group and source left out in turn")
            subprocess.run(
                [sys.executable, f"training/{script}.py", "--corpora", options.corpora], check=True, cwd=ROOT
            )
    ours = {}
    for kind, name in FILES.items():
        _say(f"scoring {name}")
        ours[kind.value] = measure(kind, options.corpora / name, rounds=1)
    peers = {
        "detect-secrets": _peer(
            "detect-secrets", "detect_secrets_reads", options.corpora / FILES[Kind.secrets], secrets.score
        ),
        "presidio": _peer("presidio", "presidio_reads", options.corpora / FILES[Kind.pii], personal.score),
    }
    _say("timing by length")
    latency = _latency([row["text"] for _, row in rows(options.corpora / FILES[Kind.benign])])
    held_out = (DOCS / "models/injection-figures.md").read_text(encoding="utf-8")
    people = (DOCS / "models/people-figures.md").read_text(encoding="utf-8")
    clean = {name: _median_us(read, CLEAN * 100, LENGTHS[2]) for name, read in READS.items()}
    measured = Measured(ours=ours, peers=peers, latency=latency, clean=clean, injection=held_out, people=people)
    (DOCS / "detection.md").write_text(page(measured), encoding="utf-8")
    (DOCS / "detection-injection.svg").write_text(drawn(_curves(held_out)), encoding="utf-8")
    return 0


def _peer(name: str, program: str, corpus: Path, score: Callable[..., None]) -> dict[str, Any] | None:
    """A peer's figures on a corpus; None where it is not installed."""
    python = PEERS / name / "bin/python"
    if not python.exists():
        _say(f"{name} is not installed (make bench-detect-peers)")
        return None
    _say(f"scoring {name}")
    given = [row for _, row in rows(corpus)]
    began = time.monotonic()
    done = subprocess.run(
        [python, ROOT / f"bench/peers/{program}.py"],
        input="".join(json.dumps(row["text"]) + "\n" for row in given),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds = time.monotonic() - began
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(given):
        raise SystemExit(f"expected {len(given)} answers of {name}, found {len(answers)}")
    tallies = Tallies()
    for row, spans in zip(given, answers, strict=True):
        score(row, [_finding(name, *span) for span in spans], tallies)
    size = sum(len(row["text"].encode(errors="replace")) for row in given)
    return {**tallies.figures(), "throughput_mb_s": round(size / seconds / 1e6, 3)}


def _finding(peer: str, start: int, end: int, kind: str) -> Finding:
    return Finding(start=start, end=end, type=kind, rule=f"{peer}.{kind}", version="", score=1.0)


def _latency(prompts: Sequence[str]) -> dict[str, dict[int, float]]:
    """Microseconds of the processor by what is read and by length: the median of the samples."""
    prose = "\n".join(prompts)
    while len(prose) < LENGTHS[-1]:
        prose += "\n" + prose
    found: dict[str, dict[int, float]] = {}
    for name, read in READS.items():
        read(prose[: LENGTHS[2]])  # what is made at first use
        found[name] = {length: _median_us(read, prose, length) for length in LENGTHS}
    return found


def _median_us(read: Callable[[str], object], prose: str, length: int) -> float:
    samples = SAMPLES if length <= LENGTHS[-3] else 1
    step = max(1, (len(prose) - length) // samples)
    times = []
    for number in range(samples):
        text, best = prose[number * step : number * step + length], float("inf")
        for _ in range(ROUNDS if samples > 1 else 2):
            began = time.process_time_ns()
            read(text)
            best = min(best, time.process_time_ns() - began)
        times.append(best / 1e3)
    return sorted(times)[len(times) // 2]


def _curves(figures: str) -> list[Curve]:
    """Overt rows found against hard and ordinary innocent rows flagged, from the tables that training wrote."""
    curves = []
    for heading, trained in (("## Grouped", "groups left out"), ("## Source left out", "sources left out")):
        section = figures.partition(heading)[2].partition("\n## ")[0].partition("### Curve")[2]
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "%" in line]
        for innocent in ("hard benign rows", "ordinary prompts"):
            points = [(float(row[1].rstrip("%")), float(row[2])) for row in cells if row[0] == innocent]
            curves.append(Curve(name=f"{innocent}, {trained}", points=tuple(points), dashed=trained.startswith("s")))
    return curves


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
