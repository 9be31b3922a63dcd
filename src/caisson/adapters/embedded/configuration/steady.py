"""A clock that cannot be turned back: what has expired stays expired.

- It never shows less than the highest time it has shown, plus what has passed since.
- With a memory, that holds across restarts, and a machine clock that is more than `TOLERANCE_S` behind is an error
  which says what to do, because nobody can tell any more whether orders are still in force.

>>> clock = SteadyClock(SystemClock())  # doctest: +SKIP
>>> clock.now() <= clock.now()  # doctest: +SKIP
True
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from caisson.adapters.embedded.configuration.folder import read_plain, write_whole
from caisson.errors import ConfigurationError
from caisson.ports.clock import Clock

TOLERANCE_S = 5.0
"""Steps back that time synchronisation makes in ordinary running (chrony's `makestep` is one second)."""
GRAIN_S = 1.0
"""How much later the time must be before it is written down again; TUF's times have no finer grain."""
_MEMORY_BYTES_MAX = 256


class _Memory(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    highest: float


class SteadyClock(Clock):
    """See the module.

    Raises:
        ConfigurationError: the memory cannot be read.
    """

    def __init__(self, clock: Clock, memory: Path | None = None) -> None:
        self._clock = clock
        self._memory = memory
        self._remembered = 0.0 if memory is None else _recall(memory)
        self._highest = self._remembered
        self._since = clock.monotonic()

    def now(self) -> float:
        passed = self._clock.monotonic()
        floor = self._highest + (passed - self._since)
        shown = max(self._clock.now(), floor)
        self._highest, self._since = shown, passed
        return shown

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def checked(self) -> float:
        """The time, written down.

        Raises:
            ConfigurationError: the machine's clock is too far behind, or the memory cannot be written.
        """
        wall = self._clock.now()
        shown = self.now()
        if self._memory is not None and shown >= self._remembered + GRAIN_S:
            self._remember(self._memory, shown)
        if wall < shown - TOLERANCE_S:
            raise ConfigurationError(
                f"clock: this machine's clock is {shown - wall:.0f} s behind the latest time seen here; set it right."
                f" If it was ahead before and is right now, remove {self._memory} and restart"
            )
        return shown

    def _remember(self, memory: Path, shown: float) -> None:
        try:
            write_whole(memory, msgspec.json.encode(_Memory(highest=shown)), mode=0o600)
        except OSError as error:
            raise ConfigurationError(
                f"clock: the latest time seen cannot be written to {memory} ({error.strerror}); make it writable"
            ) from error
        self._remembered = shown


def _recall(memory: Path) -> float:
    try:
        return msgspec.json.decode(read_plain(memory, bytes_max=_MEMORY_BYTES_MAX), type=_Memory).highest
    except FileNotFoundError:
        return 0.0
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, ConfigurationError) as error:
        raise ConfigurationError(
            f"clock: {memory} does not say what the latest time seen here was;"
            " when this machine's clock is right, remove it"
        ) from error
