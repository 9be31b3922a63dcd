"""Each process killed under load: acknowledged means recorded, the archive verifies, service comes back; the death of
one of two gateway workers stops nobody else.

How soon it is back is what `make soak-kill` measures, on a machine that does nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from running_system import ROOT, clean_environment


@pytest.mark.parametrize(("workers", "gateways"), [(1, {"gateway"}), (2, {"gateway", "gateway-1"})])
def test_each_process_killed_under_load(workers: int, gateways: set[str]) -> None:
    options = ["--kills", "6", "--in-turn", "--back-seconds", "25", "--workers", str(workers)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.soak_kill", *options],
        cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout)
    assert set(summary["killed"]) == {"control", "logging", "supervisor", *gateways}
    assert summary["acknowledged"] > 20
    assert summary["acknowledged_without_both_events"] == 0
    assert summary["verify_exit"] == 0
    assert summary["standstills"] == 0
