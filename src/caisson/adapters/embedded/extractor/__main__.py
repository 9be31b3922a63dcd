"""The nursery as a program: `python -m caisson.adapters.embedded.extractor FD PID CPU_S WALL_S MEMORY_BYTES`."""

from __future__ import annotations

import socket
import sys

from caisson.adapters.embedded.extractor import nursery
from caisson.adapters.embedded.extractor.child import Bounds


def main(arguments: list[str]) -> None:
    """Run the nursery."""
    descriptor, parent_pid, cpu_s, wall_s, memory_bytes = arguments
    bounds = Bounds(cpu_s=int(cpu_s), wall_s=float(wall_s), memory_bytes=int(memory_bytes))
    nursery.run(socket.socket(fileno=int(descriptor)), bounds, int(parent_pid))


if __name__ == "__main__":
    main(sys.argv[1:])
