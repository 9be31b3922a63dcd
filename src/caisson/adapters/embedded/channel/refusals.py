"""Refusals of callers without credentials, counted instead of recorded one by one.

- A window gives at most one event for each of at most `KINDS_MAX` pairs of error and rule; further pairs count under
  `other`. So nobody fills the spool without credentials, however fast they call.
- Give it a writer of its own with a small `bytes_max`: when that quota is full, counts go on in memory and are written,
  with the longer window, once there is room.

>>> refusals = RefusalAggregator(writer, clock)  # doctest: +SKIP
>>> refusals.record(error="AccessDeniedException", rule="sigv4.window", source="::1", request_id="")  # doctest: +SKIP
>>> refusals.tick()  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass, field

from caisson.channels.messages import RefusalEvent
from caisson.errors import ChannelError
from caisson.ports.channel import ChannelWriter
from caisson.ports.clock import Clock

WINDOW_S = 10.0
KINDS_MAX = 64
SOURCES_MAX = 32
SAMPLES_MAX = 16
TEXT_CHARACTERS_MAX = 128
"""Of an error, rule, source or request id; longer ones are cut, whoever chose them."""
OTHER = "other"


@dataclass(kw_only=True)
class _Count:
    count: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)

    def add(self, source: str, request_id: str) -> None:
        self.count += 1
        if source not in self.sources and len(self.sources) >= SOURCES_MAX:
            source = OTHER
        self.sources[source] = self.sources.get(source, 0) + 1
        if len(self.samples) < SAMPLES_MAX:
            self.samples.append(request_id)


class RefusalAggregator:
    """See the module. `tick` is called by the owner's loop, a few times a window."""

    def __init__(self, writer: ChannelWriter, clock: Clock, window_s: float = WINDOW_S) -> None:
        self._writer = writer
        self._clock = clock
        self._window_s = window_s
        self._counts: dict[tuple[str, str], _Count] = {}
        self._began = 0.0

    def record(self, *, error: str, rule: str, source: str, request_id: str) -> None:
        """Count one refusal."""
        if not self._counts:
            self._began = self._clock.monotonic()
        kind = (error[:TEXT_CHARACTERS_MAX], rule[:TEXT_CHARACTERS_MAX])
        if kind not in self._counts and len(self._counts) >= KINDS_MAX:
            kind = (OTHER, OTHER)
        count = self._counts.setdefault(kind, _Count())
        count.add(source[:TEXT_CHARACTERS_MAX], request_id[:TEXT_CHARACTERS_MAX])

    def tick(self) -> None:
        """Write the window's events once it is over. What the channel refuses is kept and counted on."""
        if self._counts and self._clock.monotonic() - self._began >= self._window_s:
            self.flush()

    def flush(self) -> None:
        """Write what was counted so far."""
        window_s = self._clock.monotonic() - self._began
        for (error, rule), count in list(self._counts.items()):
            event = RefusalEvent(
                timestamp=self._clock.now(),
                count=count.count,
                error=error,
                rule=rule,
                window_s=round(window_s, 3),
                sources=count.sources,
                sample_request_ids=tuple(count.samples),
            )
            try:
                self._writer.append(event)
            except ChannelError:
                return
            del self._counts[error, rule]
