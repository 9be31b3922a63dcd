"""`application/vnd.amazon.eventstream`, decoded as it arrives (Smithy: Amazon Event Stream specification).

    total length 4 | header length 4 | CRC-32 of those 4 | headers | payload | CRC-32 of all before 4

- Any cutting gives the same messages. A length is believed only after the prelude's checksum, and a message is handed
  out only after its own.
- Whatever is out of bounds, cut inside a header or spelled twice is `FrameError`, and nothing follows it: where
  the next message begins is unknown.

>>> decoder = EventStreamDecoder()
>>> list(decoder.feed(bytes.fromhex("000000100000000005c248eb7d98c8ff")))
[Message(headers={}, payload=b'')]
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

FRAME_BYTES_MAX = 16 * 1024 * 1024
"""Bound of the specification on a whole message."""
HEADER_BYTES_MAX = 128 * 1024
"""Bound of the specification on all headers of a message."""

Value = bool | int | bytes | str

_PRELUDE_BYTES = 12
_CRC_BYTES = 4
_OVERHEAD_BYTES = _PRELUDE_BYTES + _CRC_BYTES
_prelude = struct.Struct(">III").unpack_from
_crc = struct.Struct(">I").unpack_from
_length = struct.Struct(">H").unpack_from
_INTEGERS = {2: struct.Struct(">b"), 3: struct.Struct(">h"), 4: struct.Struct(">i"), 5: struct.Struct(">q"),
             8: struct.Struct(">q")}  # fmt: skip
"""Byte, short, integer, long, and a timestamp in milliseconds."""
_BYTES, _STRING, _UUID = 6, 7, 9
_UUID_BYTES = 16


class FrameError(ValueError):
    """The bytes are not an event stream within bounds. Says what is wrong, never what it holds."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, its checksums verified."""

    headers: dict[str, Value]
    payload: bytes


class EventStreamDecoder:
    """Bytes in, messages out. Holds at most one unfinished message."""

    def __init__(self, *, frame_bytes_max: int = FRAME_BYTES_MAX, header_bytes_max: int = HEADER_BYTES_MAX) -> None:
        self._frame_bytes_max = frame_bytes_max
        self._header_bytes_max = header_bytes_max
        self._held = bytearray()
        self._total = 0
        """Length of the message under way, once its prelude is verified; 0 before."""
        self._header_bytes = 0
        self._failed = False

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes.

        Raises:
            FrameError: it is none, and after this nothing is.
        """
        if self._failed:
            raise FrameError("expected nothing after a malformed message")
        self._held += data
        try:
            while self._total or len(self._held) >= _PRELUDE_BYTES:
                if not self._total:
                    self._read_prelude()
                if len(self._held) < self._total:
                    return
                message = self._take()
                self._total = 0
                yield message
        except FrameError:
            self._failed = True
            self._held.clear()
            raise

    def finish(self) -> None:
        """The stream has ended.

        Raises:
            FrameError: inside a message.
        """
        if self._held:
            raise FrameError(f"expected the end of a message, found the end of the stream {len(self._held)} in")

    def _read_prelude(self) -> None:
        total, header_bytes, checksum = _prelude(self._held)
        if crc32(self._held[: _PRELUDE_BYTES - _CRC_BYTES]) != checksum:
            raise FrameError("expected the prelude's checksum, found another")
        if header_bytes > self._header_bytes_max:
            raise FrameError(f"expected at most {self._header_bytes_max} bytes of headers, found {header_bytes}")
        least, most = _OVERHEAD_BYTES + header_bytes, self._frame_bytes_max
        if not least <= total <= most:
            raise FrameError(f"expected a message of {least} to {most} bytes, found {total}")
        self._total, self._header_bytes = total, header_bytes

    def _take(self) -> Message:
        frame = bytes(self._held[: self._total])
        del self._held[: self._total]
        end = len(frame) - _CRC_BYTES
        if crc32(frame[:end]) != _crc(frame, end)[0]:
            raise FrameError("expected the message's checksum, found another")
        headers_end = _PRELUDE_BYTES + self._header_bytes
        return Message(_headers(frame, headers_end), frame[headers_end:end])


def _headers(frame: bytes, end: int) -> dict[str, Value]:
    headers: dict[str, Value] = {}
    at = _PRELUDE_BYTES
    try:
        while at < end:
            start = at + 1
            at = start + frame[at]
            name = str(_inside(frame, start, at, end), "utf-8")
            value, at = _value(frame, at, end)
            if not name or name in headers:
                raise FrameError("expected each header once and with a name")
            headers[name] = value
    except UnicodeDecodeError as error:
        raise FrameError("expected headers in UTF-8") from error
    return headers


def _value(frame: bytes, at: int, end: int) -> tuple[Value, int]:
    kind = _inside(frame, at, at + 1, end)[0]
    at += 1
    if kind <= 1:
        return kind == 0, at
    if kind in _INTEGERS:
        stop = at + _INTEGERS[kind].size
        number: int = _INTEGERS[kind].unpack(_inside(frame, at, stop, end))[0]
        return number, stop
    if kind == _UUID:
        return _inside(frame, at, at + _UUID_BYTES, end), at + _UUID_BYTES
    if kind not in (_BYTES, _STRING):
        raise FrameError(f"expected a header type from 0 to 9, found {kind}")
    start = at + 2
    stop = start + _length(_inside(frame, at, start, end))[0]
    raw = _inside(frame, start, stop, end)
    return (raw.decode() if kind == _STRING else raw), stop


def _inside(frame: bytes, start: int, stop: int, end: int) -> bytes:
    if stop > end:
        raise FrameError("expected headers that end where their length says")
    return frame[start:stop]
