"""The empty network namespace is empty, and loopback works in it."""

from __future__ import annotations

import sys

import netns

PROGRAM = """
import socket, os
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
six = socket.create_server(("::1", 0), family=socket.AF_INET6)
socket.create_connection(six.getsockname()[:2]).close()
print(sorted(os.listdir("/proc/self/net") and [line.split(":")[0].strip() for line in open("/proc/self/net/dev")][2:]))
try:
    socket.create_connection(("192.0.2.1", 80), 2)
except OSError as error:
    print(error.errno)
"""


def test_there_is_loopback_and_nothing_else() -> None:
    done = netns.run([sys.executable, "-c", PROGRAM], timeout=20)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["['lo']", "101"]


def test_the_exit_status_is_the_commands() -> None:
    assert netns.run([sys.executable, "-c", "raise SystemExit(7)"], timeout=20).returncode == 7
