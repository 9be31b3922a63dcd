"""Throughput and latency of Caisson beside a bare pass-through and peers, in one run (`make bench`).

- All subjects stand side by side and are loaded in turn, round after round, so that a busy machine slows all of them.
  Before each run the last subject's background work (archiving) has come to rest.
- First it is shown that the answers are right, that both directions were inspected and that the log says so.
- Exits 1 when a budget of the design is missed.

Run: python -m bench.run [--rounds 5] [--seconds 3]
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import ssl
import sys
import tempfile
import time
import urllib.request
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench import report
from bench.load import run as put_load
from bench.load import wrk_version
from bench.processes import Missing, resident_mb, wait_idle
from bench.report import Measured
from bench.subjects import CLAIM, EMAIL, ROOT, Subject, all_subjects, command, upstream
from bench.upstream import TEXT

WARM_UP_SECONDS = 2
FSYNCS = 40
FSYNC_BYTES = 12_288
"""About what two sealed events of a 4 KB prompt add."""
LOGGED_SECONDS_MAX = 20.0


def answer_of(subject: Subject) -> tuple[str, str]:
    """The text that a subject answers with, and its request id."""
    request = subject.request()
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE  # the bare pass-through borrows a name
    asked = urllib.request.Request(request.url, request.body.encode(), request.headers)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unverified)
    )
    with opener.open(asked, timeout=30) as said:
        document = json.loads(said.read())
        request_id = said.headers.get("x-caisson-request-id", "")
    if "choices" in document:
        return document["choices"][0]["message"]["content"], request_id
    return document["output"]["message"]["content"][0]["text"], request_id


def check(subject: Subject) -> None:
    """The answer is right and, for Caisson, both directions were inspected and logged.

    Raises:
        RuntimeError: it is not so, and a measurement would mean nothing.
    """
    text, request_id = answer_of(subject)
    if text != TEXT:
        raise RuntimeError(f"{subject.name}: expected the upstream's text, found {text[:80]!r}")
    if not subject.credentials:
        return
    ends, events = time.monotonic() + LOGGED_SECONDS_MAX, list[dict[str, Any]]()
    while len(events) < 2 and time.monotonic() < ends:
        lines = command(subject.data, "logs", "query", "--json", "--request", request_id).splitlines()
        events = [json.loads(line) for line in lines]
        time.sleep(0.2)
    actions = [action for event in events for action in event.get("guardrail_actions", ())]
    if {action["stage"] for action in actions} != {"input", "output"}:
        raise RuntimeError(f"{subject.name}: expected actions of both stages, found {actions} in {len(events)} events")
    if not any(action["decision"] == "masked" for action in actions):
        raise RuntimeError(f"{subject.name}: expected {CLAIM} and {EMAIL} masked, found {actions}")


def fsync_ms(folder: Path) -> float:
    """Median cost of appending an exchange's records and waiting for the disk."""
    path, spent = folder / "fsync", []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for _ in range(FSYNCS):
            os.write(descriptor, b"\0" * FSYNC_BYTES)
            began = time.perf_counter()
            os.fdatasync(descriptor)
            spent.append((time.perf_counter() - began) * 1e3)
    finally:
        os.close(descriptor)
        path.unlink()
    return median(spent)


def measure(subjects: list[Subject], folder: Path, *, rounds: int, seconds: int) -> tuple[dict[str, Measured], float]:
    """Load every subject in turn, `rounds` times; what was measured by name, and the cost of an fsync."""
    found = {each.name: Measured(name=each.name, version=each.version) for each in subjects}
    for each in subjects:
        put_load(each, connections=1, seconds=WARM_UP_SECONDS)
        found[each.name].before_mb = resident_mb(each.worker_pid)
    syncs = []
    everyone = [pid for each in subjects for pid in each.pids]
    for number in range(rounds):
        wait_idle(everyone)
        syncs.append(fsync_ms(folder))
        for each in subjects:
            one, many = found[each.name].one, found[each.name].many
            one.append(put_load(each, connections=1, seconds=seconds))
            wait_idle(each.pids)
            many.append(put_load(each, connections=32, seconds=seconds))
            wait_idle(each.pids)
            print(f"round {number + 1}/{rounds}  {each.name:<24} p50 {one[-1].p50_ms:6.2f} ms  "
                  f"{many[-1].per_second:8,.0f}/s", file=sys.stderr)  # fmt: skip
    for each in subjects:
        found[each.name].after_mb = resident_mb(each.worker_pid)
    return found, median(syncs)


def machine() -> str:
    """Processor model and cores."""
    models = (line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    return f"{next(models, platform.machine()).partition(':')[2].strip()}, {len(os.sched_getaffinity(0))} cores"


def main() -> int:
    """Measure, report, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where data folders go; on a real disk (default: bench/.work)")
    parser.add_argument("--keep", action="store_true", help="write no documentation")
    options = parser.parse_args()
    try:
        wrk = wrk_version()
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    base = options.folder or ROOT / "bench/.work"
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="b", dir=base) as name:
        folder = Path(name)
        folder.chmod(0o711)  # zones with users of their own must come through
        with upstream(folder) as port, all_subjects(folder, port) as subjects:
            for each in subjects:
                check(each)
            rules = next(each.rules for each in subjects if each.rules)
            found, sync = measure(subjects, folder, rounds=options.rounds, seconds=options.seconds)
    packages = ", ".join(f"{name} {version(name)}" for name in ("caisson", "granian", "aiohttp", "hyperscan"))
    about = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine() + ", load generator and upstream on the same cores",
        "versions": f"Python {platform.python_version()}, {packages}, {wrk}",
        "prompt": f"4 KB, inspected both ways by {rules} rules of the file's own beside the built-in ones",
        "rounds": f"{options.rounds} of {options.seconds} s",
        "fsync": f"{sync:.2f} ms",
    }
    judged = report.verdicts(found, sync)
    report.show(found, judged, about)
    (ROOT / "bench/results.json").write_text(json.dumps(report.as_json(found, judged, about), indent=1))
    if not options.keep:
        for path in (ROOT / "README.md", ROOT / "docs/benchmarks.md"):
            report.insert(path, report.markdown(found, judged, about))
    return int(not all(verdict.holds for verdict in judged))


if __name__ == "__main__":
    sys.exit(main())
