"""What one call of PutLogEvents may hold (CloudWatch Logs API reference, PutLogEvents). Pure.

>>> [len(batch) for batch in batches([Line(at_ms=n, text="x") for n in range(3)], lines_max=2)]
[2, 1]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from caisson.channels.retention import class_of
from caisson.ports.archive import Entry

BATCH_BYTES_MAX = 1_048_576
LINES_MAX = 10_000
OVERHEAD_BYTES = 26
"""Counted for each line."""
SPAN_MS = 86_400_000
"""Between the first and the last line."""
LINE_BYTES_MAX = 200_000
"""Well below what a line may have, as text in many pieces would cost more than it tells."""
LEFT_OUT = "[too long for a line: it is in the archive]"
"""Instead of the largest fields of a line that is too long."""
SILENT = frozenset({"head.v1", "key.v1", "checkpoint.v1"})
"""Kinds that say how the log is, and nothing about what was done."""

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, kw_only=True)
class Line:
    """A log event."""

    at_ms: int
    """Unix time in milliseconds."""
    text: str

    @property
    def size(self) -> int:
        """Bytes that it counts for."""
        return len(self.text.encode()) + OVERHEAD_BYTES


def lines(entries: Iterable[Entry]) -> dict[str, list[Line]]:
    """Class to the lines of its entries."""
    found: dict[str, list[Line]] = {}
    for entry in entries:
        kind = str(entry.event.get("kind"))
        if kind not in SILENT:
            found.setdefault(class_of(kind), []).append(_line(entry))
    return found


def _line(entry: Entry) -> Line:
    event = dict(entry.event)
    text = _encoder.encode(event)
    while len(text) > LINE_BYTES_MAX:
        largest = max(event, key=lambda name: len(_encoder.encode(event[name])))
        event[largest] = LEFT_OUT
        text = _encoder.encode(event)
    return Line(at_ms=max(0, int(float(event.get("timestamp", 0.0)) * 1_000)), text=text.decode())


def batches(found: Iterable[Line], *, lines_max: int = LINES_MAX) -> Iterator[list[Line]]:
    """In chronological order, as a call wants them, and no more than it takes."""
    batch: list[Line] = []
    size = 0
    for line in sorted(found, key=lambda line: line.at_ms):
        full = batch and (
            len(batch) == lines_max or size + line.size > BATCH_BYTES_MAX or line.at_ms - batch[0].at_ms >= SPAN_MS
        )
        if full:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += line.size
    if batch:
        yield batch
