"""No connection but to the configured upstream and issuer (NET-07): shown in an empty network namespace.

In it only loopback exists. The kernel counts every packet that found no way out (`OutNoRoutes`) and every connection
that was begun (`ActiveOpens`), whoever tried, so a swallowed failure counts too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import netns
from running_system import clean_environment

TESTS = Path(__file__).parents[1]


def test_the_example_works_without_a_network(tmp_path: Path) -> None:
    done = netns.run(
        [sys.executable, TESTS / "without_network.py", tmp_path], env=clean_environment(), timeout=120, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["interfaces"] == ["lo"]
    assert seen["stop_reason"] == "end_turn"
    assert seen["stopped"] == 0
    assert seen["no_route"] == 0
    assert seen["unanswered"] == []


def test_an_attempt_would_be_counted(tmp_path: Path) -> None:
    """The counter moves when somebody tries, even one who says nothing."""
    code = (
        "import json, socket, sys; sys.path.insert(0, sys.argv[1]); import without_network as w\n"
        "before = w.no_route()\n"
        "for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
        "    try: socket.socket(socket.AF_INET, kind).connect(('192.0.2.1', 443))\n"
        "    except OSError: pass\n"
        "print(w.no_route() - before)\n"
    )
    done = netns.run([sys.executable, "-c", code, TESTS], env=clean_environment(), timeout=30)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 2
