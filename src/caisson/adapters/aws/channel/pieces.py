"""The bytes of a piece: a run of bytes of one segment, with its place, signed by the writing zone. Pure.

    piece = JSON: version, channel, segment, offset, data (base64), key_id, signature (base64)

The signature is over channel, segment, offset and SHA-256 of the data, so that a piece can only be put where its writer
had it. What the data says is sealed already.

>>> PIECE_BYTES_MAX * 4 // 3 < MESSAGE_BYTES_MAX
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from caisson.adapters.embedded.channel.segment import SegmentName
from caisson.adapters.embedded.keys import verify
from caisson.ports.keys import SigningKey

MESSAGE_BYTES_MAX = 262_144
"""What a queue takes unless it was made otherwise before 2025 (SQS developer guide, quotas-messages)."""
PIECE_BYTES_MAX = 180_000
"""Bytes of a segment in one piece; base64 makes four thirds of it."""
OFFSET_MAX = 2**40


class _Written(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    version: int
    channel: str
    segment: str
    offset: int
    data: bytes
    key_id: str
    signature: bytes


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Written)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Bytes of a segment."""

    segment: SegmentName
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + len(self.data)


def encode(piece: Piece, *, channel: str, signing: SigningKey) -> str:
    """The body of a message."""
    signature = signing.sign(_signed(channel, str(piece.segment), piece.offset, piece.data))
    written = _Written(
        version=1, channel=channel, segment=str(piece.segment), offset=piece.offset, data=piece.data,
        key_id=signing.key_id, signature=signature,
    )  # fmt: skip
    return _encoder.encode(written).decode()


def decode(body: str, *, channel: str, publics: Mapping[str, Mapping[str, bytes]]) -> Piece | str:
    """The piece in a message, or what is wrong with it.

    Args:
        body: of the message.
        channel: that it came by.
        publics: public signing keys by zone label and key id.
    """
    try:
        found = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        return "it is no piece of a segment"
    name = SegmentName.parse(found.segment)
    if (found.version, found.channel) != (1, channel) or name is None:
        return f"it is of channel {found.channel[:40]!r}, version {found.version}, segment {found.segment[:80]!r}"
    if not (0 <= found.offset <= OFFSET_MAX and 0 < len(found.data) <= PIECE_BYTES_MAX):
        return f"it holds {len(found.data)} bytes at {found.offset}"
    public = publics.get(name.zone, {}).get(found.key_id)
    if public is None:
        return f"it is signed by the unknown key {found.key_id[:16]!r} of zone {name.zone!r}"
    if not verify(public, found.signature, _signed(channel, found.segment, found.offset, found.data)):
        return f"it is not signed by key {found.key_id[:16]!r}"
    return Piece(segment=name, offset=found.offset, data=found.data)


def _signed(channel: str, segment: str, offset: int, data: bytes) -> bytes:
    return f"caisson piece v1\n{channel}\n{segment}\n{offset}\n{sha256(data).hexdigest()}\n".encode()
