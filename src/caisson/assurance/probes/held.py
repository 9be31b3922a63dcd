"""A clock that a probe holds, for what happens when time passes."""

from __future__ import annotations

from caisson.ports.clock import Clock


class HeldClock(Clock):
    """It shows what it was given."""

    def __init__(self, at: float) -> None:
        self.at = at
        """Unix time in seconds."""

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at
