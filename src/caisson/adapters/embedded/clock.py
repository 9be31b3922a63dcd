"""The machine's clock."""

from __future__ import annotations

import time

from caisson.ports.clock import Clock


class SystemClock(Clock):
    """Reads the operating system."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()
