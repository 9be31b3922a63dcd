"""Load by wrk: one thread, keep-alive, one request repeated. What it measured comes back as numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Missing, cpu_s, environment
from bench.subjects import Request, Subject

TIMEOUT_SECONDS = 5
_DONE = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\nJSON {"requests": %d, "us": %d, "p50_us": %d, "p99_us": %d, "failed": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status + e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run against one subject."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    worker_cpu_us: float
    """Processor time of the worker for each request."""
    all_cpu_us: float
    """Of all processes of the subject."""


def run(subject: Subject, *, connections: int, seconds: int) -> Run:
    """Put load on a subject.

    Raises:
        RuntimeError: an answer was not a success.
    """
    before, all_before = cpu_s(subject.worker_pid), sum(map(cpu_s, subject.pids))
    measured = _wrk(subject.request(), connections, seconds)
    worker, everything = cpu_s(subject.worker_pid) - before, sum(map(cpu_s, subject.pids)) - all_before
    if measured["failed"] or not measured["requests"]:
        raise RuntimeError(f"{subject.name}: {measured['failed']} of {measured['requests']} requests failed")
    count = measured["requests"]
    return Run(
        requests=count,
        per_second=count / measured["us"] * 1e6,
        p50_ms=measured["p50_us"] / 1e3,
        p99_ms=measured["p99_us"] / 1e3,
        worker_cpu_us=worker / count * 1e6,
        all_cpu_us=everything / count * 1e6,
    )


def wrk_version() -> str:
    """The version of wrk.

    Raises:
        Missing: it is not installed.
    """
    if shutil.which("wrk") is None:
        raise Missing("wrk is not installed; run: apt-get install wrk")
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True)
    return (said.stdout or said.stderr).split("[")[0].strip()


def script(request: Request) -> str:
    """A wrk script that sends `request`."""
    headers = "".join(f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}\n" for k, v in request.headers.items())
    return f'wrk.method = "POST"\nwrk.body = [==[{request.body}]==]\n{headers}{_DONE}'


def _wrk(request: Request, connections: int, seconds: int) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "request.lua"
        path.write_text(script(request))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT_SECONDS}s", "--latency",
                   "-s", str(path), request.url]  # fmt: skip
        said = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, env=environment())
    line = next((line for line in said.stdout.splitlines() if line.startswith("JSON ")), None)
    if line is None:
        raise RuntimeError(f"wrk said nothing: {said.stdout}{said.stderr}")
    return dict(json.loads(line.removeprefix("JSON ")))
