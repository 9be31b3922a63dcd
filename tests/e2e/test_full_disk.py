"""A full disk refuses and forgets nothing: no answer without its record, and service again when there is space."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import small_disk
from running_system import clean_environment


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        small_disk.command(tmp_path), capture_output=True, text=True, env=clean_environment(), timeout=180
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["before"] == 5, seen
    assert seen["refused"] == ["503 ServiceUnavailableException"]
    assert seen["answered_while_full"] == 0
    assert seen["recovered_s"] < small_disk.RECOVERY_SECONDS_MAX
    assert seen["acknowledged"] > seen["before"] + 5
    assert seen["lost"] == []
    assert seen["restarts"]["gateway"] == 0  # the logging zone may end and be started again: it cannot archive
    assert seen["stopped"] == 0
    assert seen["verify"] == 0, seen["said"]
