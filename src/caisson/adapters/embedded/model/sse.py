"""Server-sent events from a hostile server: data lines only, every line and event bounded (WHATWG HTML, section 9.2).

For every way of cutting the bytes the events are the same.

>>> reader = EventReader()
>>> reader.feed(b"data: a\\r\\n\\r") + reader.feed(b"\\n: comment\\ndata: b\\ndata: c\\n\\n")
[b'a', b'b\\nc']
"""

from __future__ import annotations

EVENT_BYTES_MAX = 1_048_576
"""Bound on one line and on one event's data."""


class EventReader:
    """Splits a byte stream into the `data` of events."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._data_bytes = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """The events that are complete with `piece`.

        Raises:
            ValueError: a line or an event is larger than `EVENT_BYTES_MAX`.
        """
        buffer = self._rest + piece
        held = b""
        if buffer.endswith(b"\r"):  # its line feed may still come
            buffer, held = buffer[:-1], b"\r"
        lines = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + held
        if len(self._rest) > EVENT_BYTES_MAX:
            raise ValueError("a line is too long")
        return [event for line in lines if (event := self._line(line)) is not None]

    def _line(self, line: bytes) -> bytes | None:
        if not line:
            event, self._data, self._data_bytes = b"\n".join(self._data) if self._data else None, [], 0
            return event
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
            self._data_bytes += len(value)
            if self._data_bytes > EVENT_BYTES_MAX:
                raise ValueError("an event is too long")
        return None
