"""Time as a capability, so that tests hold the clock."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Clock(ABC):
    """Wall and monotonic time in seconds."""

    @abstractmethod
    def now(self) -> float:
        """Unix time in seconds, UTC."""

    @abstractmethod
    def monotonic(self) -> float:
        """Seconds that never step back; for durations only."""
