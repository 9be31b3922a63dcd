"""A program: start the example, ask it, print what the kernel counted. Run it in an empty network namespace."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

from running_system import MODEL, start

LOOPBACK = ("0100007F", "00000000", "00000000000000000000000001000000", "0" * 32, "0000000000000000FFFF00000100007F")
"""Addresses as /proc/net/tcp writes them."""


def no_route() -> int:
    """Packets and connections of this namespace that found no way out (RFC 4293, ipSystemStatsOutNoRoutes)."""
    names, values = (
        line.split()[1:] for line in Path("/proc/self/net/snmp").read_text().splitlines() if line.startswith("Ip:")
    )
    six = dict(line.split() for line in Path("/proc/self/net/snmp6").read_text().splitlines())
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + int(six["Ip6OutNoRoutes"])


def elsewhere() -> list[str]:
    """Peers of sockets that are not on loopback."""
    rows = [row.split() for name in ("tcp", "tcp6", "udp", "udp6") for row in _rows(name)]
    return [row[2] for row in rows if row[2].partition(":")[0] not in LOOPBACK]


def _rows(name: str) -> list[str]:
    path = Path("/proc/self/net") / name
    return path.read_text().splitlines()[1:] if path.exists() else []


def main(folder: Path) -> None:
    """Everything that a first user does."""
    before = no_route()
    running = start(folder)
    client = running.client()
    messages = [{"role": "user", "content": [{"text": "Hello there"}]}]
    answer = client.converse(modelId=MODEL, messages=messages)
    list(client.converse_stream(modelId=MODEL, messages=messages)["stream"])
    running.cli("logs", "verify")
    seen = elsewhere()
    stopped = running.stop()
    print(
        json.dumps(
            {
                "interfaces": [name for _, name in socket.if_nameindex()],
                "stop_reason": answer["stopReason"],
                "stopped": stopped,
                "no_route": no_route() - before,
                "unanswered": seen,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
