"""The logging zone stands back behind the gateway, and everybody can see how far."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from running_system import MODEL, Running

NICE_FIELD = 19 - 3
"""nice is the 19th field of /proc/pid/stat (proc(5)); what follows the command's parenthesis begins at the 3rd."""


def niceness(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[NICE_FIELD])


def lag(claims: Running, *arguments: str, exit_status: int = 0) -> dict[str, Any]:
    done = claims.cli("logs", "lag", "--json", *arguments, check=False)
    assert done.returncode == exit_status, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ask(claims: Running) -> str:
    answer = claims.client().converse(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "hello"}]}])
    return str(answer["ResponseMetadata"]["RequestId"])


def test_logging_stands_back_and_nobody_else(claims: Running) -> None:
    ask(claims)
    pids = claims.pids()
    own = os.nice(0)
    assert {name: niceness(pid) - own for name, pid in pids.items()} == {
        "logging": min(10, 19 - own), "control": 0, "gateway": 0, "supervisor": 0,
    }  # fmt: skip


def test_an_event_is_found_within_a_second(claims: Running) -> None:
    request = ask(claims)
    began = time.monotonic()
    while not claims.cli("logs", "query", "--json", "--request", request).stdout.count("model.response.v1"):
        assert time.monotonic() - began < 10, "even on a machine that others use"


def test_what_waits_shows_while_the_zone_stands_still_and_is_caught_up_after(claims: Running) -> None:
    ask(claims)
    pid = claims.pids()["logging"]
    os.kill(pid, signal.SIGSTOP)
    try:
        request = ask(claims)  # goes on: the spool takes it
        found = lag(claims, "--max", "0", exit_status=1)
        assert found["unread_bytes"] > 0 and found["unread_segments"] >= 1
        assert 0 < found["behind_s"] < 60
        assert "bytes wait in" in claims.cli("logs", "lag").stdout
    finally:
        os.kill(pid, signal.SIGCONT)
    ends = time.monotonic() + 10
    while lag(claims)["unread_bytes"]:
        assert time.monotonic() < ends
    assert len(claims.events("--request", request)) == 2
