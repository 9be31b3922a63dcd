"""The head of an archive file: a magic line and authenticated JSON that tells what the file holds.

Nothing in it is secret: index and time ranges, how far each writer had come, keyed hashes to prune by.
"""

from __future__ import annotations

import base64
from array import array
from bisect import bisect_left
from hashlib import blake2b
from typing import Any, BinaryIO

import msgspec

HEADER_BYTES_MAX = 16 * 2**20
TERMED_FIELDS = ("request_id", "session_id", "user_identity", "kind")
_TERM_BYTES = 8


class FileHeader(msgspec.Struct, kw_only=True, frozen=True):
    """What stands before the encrypted part."""

    first: int
    """Index of the file's first entry."""
    day: str
    """YYYYMMDD, UTC, on which the log received the entries."""
    opened: float
    """Unix time at which the file was begun."""
    salt: str
    """Hex."""
    positions: dict[str, int]
    """`<writer>/<incarnation>` to its newest sequence: before a journal's first entry, after a Parquet file's last."""
    last: int = -1
    """Index of a Parquet file's last entry; a journal grows."""
    time_min: float = 0.0
    """Earliest event timestamp in a Parquet file."""
    time_max: float = float(2**53)
    terms: str = ""
    """Base64 of the sorted 8-byte keyed hashes of the field values in a Parquet file."""

    def may_hold(self, term: bytes) -> bool:
        """False when no entry of the Parquet file has the value."""
        terms = array("Q", base64.b64decode(self.terms))
        wanted = array("Q", term)[0]
        at = bisect_left(terms, wanted)
        return at < len(terms) and terms[at] == wanted


def term(key: bytes, field: str, value: str) -> bytes:
    """Keyed hash of a field's value, which says nothing to whoever lacks the key."""
    return blake2b(f"{field}\x00{value}".encode(), digest_size=_TERM_BYTES, key=key).digest()


def terms_of(key: bytes, events: list[dict[str, Any]]) -> str:
    """`FileHeader.terms` for these events."""
    values = {(field, event[field]) for event in events for field in TERMED_FIELDS if event.get(field)}
    values |= {("request_id", sample) for event in events for sample in event.get("sample_request_ids", ())}
    packed = array("Q")
    packed.frombytes(b"".join(term(key, field, value) for field, value in values))
    return base64.b64encode(array("Q", sorted(packed)).tobytes()).decode()


def encode_header(magic: bytes, header: FileHeader) -> bytes:
    """The head's bytes, to which every encrypted piece of the file is bound."""
    body = msgspec.json.encode(header)
    return magic + len(body).to_bytes(4, "big") + body


def read_header(file: BinaryIO, magic: bytes) -> tuple[FileHeader, bytes]:
    """The head and its bytes.

    Raises:
        ValueError: the file does not begin with a head of this kind.
    """
    start = file.read(len(magic) + 4)
    length = int.from_bytes(start[len(magic) :], "big")
    if len(start) != len(magic) + 4 or not start.startswith(magic) or length > HEADER_BYTES_MAX:
        raise ValueError(f"expected a file that begins with {magic!r}")
    body = file.read(length)
    try:
        return msgspec.json.decode(body, type=FileHeader), start + body
    except msgspec.MsgspecError as error:
        raise ValueError(f"the head cannot be read: {error}") from None
