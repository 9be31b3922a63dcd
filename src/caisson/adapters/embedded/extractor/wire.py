"""What the gateway and a reading process say to each other over one socket pair a document.

    request   format, padded to 8 bytes, then the document until the writing side is closed
    answer    a status byte, the length of the text as 4 bytes, the text in UTF-8

An answer that is cut short or of another shape is a crash. The process that wrote it is as hostile as the document.
"""

from __future__ import annotations

import struct

from caisson.ports.extractor import TEXT_CHARACTERS_MAX, Unreadable

FORMAT_BYTES = 8
_HEADER = struct.Struct(">BI")
_STATUSES: tuple[Unreadable | None, ...] = (None, *Unreadable)
"""A status is a place in this list; the first is success."""
ANSWER_BYTES_MAX = _HEADER.size + 4 * TEXT_CHARACTERS_MAX
"""A character is at most four bytes."""


def request(format: str, document: bytes) -> bytes:
    """The bytes of a request."""
    return format.encode("ascii").ljust(FORMAT_BYTES) + document


def split(received: bytes) -> tuple[str, bytes]:
    """Format and document of a request."""
    return received[:FORMAT_BYTES].decode("ascii").rstrip(), received[FORMAT_BYTES:]


def answer(outcome: str | Unreadable) -> bytes:
    """The bytes of an answer.

    >>> read(answer("hi")), read(answer(Unreadable.TOO_DEEP)).rule
    ('hi', 'document.nesting')
    """
    text = outcome.encode("utf-8", "replace") if isinstance(outcome, str) else b""
    status = None if isinstance(outcome, str) else outcome
    return _HEADER.pack(_STATUSES.index(status), len(text)) + text


def read(received: bytes) -> str | Unreadable:
    """What an answer says. Whatever follows it is not read."""
    if len(received) < _HEADER.size:
        return Unreadable.DAMAGED
    status, length = _HEADER.unpack_from(received)
    text = received[_HEADER.size : _HEADER.size + length]
    if status >= len(_STATUSES) or len(text) < length:
        return Unreadable.DAMAGED
    try:
        return _STATUSES[status] or text.decode("utf-8")
    except UnicodeDecodeError:
        return Unreadable.DAMAGED
