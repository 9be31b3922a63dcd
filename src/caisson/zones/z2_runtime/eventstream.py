"""Frames of `application/vnd.amazon.eventstream`, as botocore and every AWS SDK read them.

    total length 4 | header length 4 | CRC-32 of those 4 | headers | payload | CRC-32 of all before 4

All integers big-endian; a header is its name's length 1, name, type 7 (string), value's length 2, value (Smithy: Amazon
Event Stream specification). Encoding only: whoever reads such a stream is a client.

>>> event_frame("messageStop", b"{}")[:12].hex()
'0000006300000051a7dcb396'
"""

from __future__ import annotations

import struct
from functools import lru_cache
from zlib import crc32

import msgspec

from caisson.errors import Refusal, WireError

MEDIA_TYPE = "application/vnd.amazon.eventstream"
FRAME_BYTES_MAX = 16 * 1024 * 1024
"""Bound of the specification on a whole message."""
HEADER_CACHE_MAX = 64
"""Distinct event and exception types; there are fewer than twenty."""

_OVERHEAD_BYTES = 16
_STRING = 7
_pack_prelude = struct.Struct(">II").pack
_pack_crc = struct.Struct(">I").pack
_encode_json = msgspec.json.encode


def frame(headers: bytes, payload: bytes) -> bytes:
    """One message of encoded headers and a payload.

    Raises:
        ValueError: it is larger than a reader accepts.
    """
    total = _OVERHEAD_BYTES + len(headers) + len(payload)
    if total > FRAME_BYTES_MAX:
        raise ValueError(f"expected a frame of at most {FRAME_BYTES_MAX} bytes, found {total}")
    prelude = _pack_prelude(total, len(headers))
    head = prelude + _pack_crc(crc32(prelude)) + headers
    return b"".join((head, payload, _pack_crc(crc32(payload, crc32(head)))))


def encoded_headers(headers: dict[str, str]) -> bytes:
    """String headers, in order."""
    out = bytearray()
    for name, value in headers.items():
        raw_name, raw_value = name.encode(), value.encode()
        out += bytes((len(raw_name),)) + raw_name + bytes((_STRING,)) + len(raw_value).to_bytes(2, "big") + raw_value
    return bytes(out)


@lru_cache(maxsize=HEADER_CACHE_MAX)
def _event_headers(kind: str) -> bytes:
    return encoded_headers({":event-type": kind, ":content-type": "application/json", ":message-type": "event"})


@lru_cache(maxsize=HEADER_CACHE_MAX)
def _exception_headers(kind: str) -> bytes:
    return encoded_headers({":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"})


def event_frame(kind: str, payload: bytes) -> bytes:
    """An event of type `kind` with a JSON payload."""
    return frame(_event_headers(kind), payload)


def exception_frame(refusal: Refusal, *, timeout: bool) -> bytes:
    """The exception that ends a stream. `timeout`: the operation knows `modelTimeoutException`; Converse does not."""
    kind, payload = _exception(refusal, timeout)
    return frame(_exception_headers(kind), _encode_json(payload))


_KINDS = {
    WireError.VALIDATION: "validationException",
    WireError.THROTTLING: "throttlingException",
    WireError.UNAVAILABLE: "serviceUnavailableException",
}


def _exception(refusal: Refusal, timeout: bool) -> tuple[str, dict[str, object]]:
    payload: dict[str, object] = {"message": refusal.message}
    if refusal.error is WireError.MODEL_TIMEOUT and timeout:
        return "modelTimeoutException", payload
    if kind := _KINDS.get(refusal.error):
        return kind, payload
    # Everything else that can end a stream is the model's failure (botocore: ModelStreamErrorException).
    return "modelStreamErrorException", {**payload, "originalStatusCode": refusal.error.status}
