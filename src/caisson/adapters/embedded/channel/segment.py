"""The bytes of a sealed segment. Pure.

    segment = prefix "caisson segment 1\\n" and u32 length | header (JSON) | Ed25519 signature over all of that | frames
    frame   = u32 payload length | u8 type | payload
    record  = u64 sequence | 32 bytes chain value before it | AES-256-GCM ciphertext of the message
    head    = Ed25519 signature | the signed text of a `ChainHead`

- The header wraps a fresh segment key to the reader with HPKE (RFC 9180), so a writer that forgot the key cannot read
  back, and says where the writer's earlier segments ended, so that a cut is told from a crash.
- A record's nonce is its sequence and the key lives for one segment. After a failed write the segment is given up, so
  that no nonce is used twice (NIST SP 800-38D, 8.2.1).
- A record names its sequence and the chain value before it, both authenticated: what is lost, moved or repeated around
  it is told apart. Its digest is SHA-256 of its payload.
- Every byte is covered: header and heads by signatures over their exact bytes, records by AEAD, lengths by what comes.

>>> SegmentName.parse("runtime-0.00000000000000ff.00000003.segment").number
3
>>> SegmentName.parse("../runtime-0.00000000000000ff.00000003.segment") is None
True
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from caisson.adapters.embedded.keys import key_id, seal, verify
from caisson.errors import ChannelError
from caisson.ports.channel import ChainHead
from caisson.ports.keys import SealingKey, SigningKey

RECORD = 1
HEAD = 2
FRAME_BYTES_MAX = 32 * 1024 * 1024
"""Largest payload of a frame: three times the largest request body that a system accepts by default."""
HEADER_BYTES_MAX = 8 * 1024
HEAD_BYTES_MAX = 1_024
SIGNATURE_BYTES = 64
SEGMENT_KEY_BYTES = 32

_MAGIC = b"caisson segment 1\n"
_LENGTH = struct.Struct(">I")
_FRAME = struct.Struct(">IB")
_PLACE = struct.Struct(">Q32s")
_TAG_BYTES = 16
_NAME = re.compile(r"([a-z]{1,32}-[a-z0-9]{1,16})\.([0-9a-f]{16})\.([0-9]{8})\.segment")
FRAME_HEADER_BYTES = _FRAME.size
_PREFIX_BYTES = len(_MAGIC) + _LENGTH.size


@dataclass(frozen=True, kw_only=True, order=True)
class SegmentName:
    """A segment's file name; sorts in the order in which a writer made them."""

    writer: str
    incarnation: str
    number: int

    @classmethod
    def parse(cls, text: str) -> SegmentName | None:
        """The name in `text`; None when a writer of ours would not choose it."""
        match = _NAME.fullmatch(text)
        return cls(writer=match[1], incarnation=match[2], number=int(match[3])) if match else None

    @property
    def zone(self) -> str:
        """Label of the writing zone."""
        return self.writer.partition("-")[0]

    def __str__(self) -> str:
        return f"{self.writer}.{self.incarnation}.{self.number:08d}.segment"


class Header(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a writer says, signed, when it begins a segment."""

    channel: str
    writer: str
    incarnation: str
    number: int
    previous_incarnation: str
    """The writer's last incarnation before this one that holds records; empty for the first."""
    previous_length: int
    """Records in it, as the writer remembers them."""
    previous_chain: bytes
    """Chain value after them."""
    last_segment: str
    """Name of the writer's segment before this one, of any incarnation; empty for the first."""
    last_end: int
    """Bytes in it that were written whole. What follows them is a torn write of a killed writer."""
    start_length: int
    """Records of this incarnation before this segment."""
    start_chain: bytes
    """Chain value after them."""
    reader_key_id: str
    writer_key_id: str
    sealed_key: bytes
    """The segment key, sealed to the reader."""

    @property
    def name(self) -> SegmentName:
        """The file that this header belongs into."""
        return SegmentName(writer=self.writer, incarnation=self.incarnation, number=self.number)


_header_encoder = msgspec.json.Encoder()
_header_decoder = msgspec.json.Decoder(Header)


def seal_key(segment_key: bytes, reader_public: bytes, *, channel: str, name: SegmentName) -> bytes:
    """Wrap a segment key so that only the reader opens it, and only for this segment."""
    return seal(reader_public, segment_key, _key_info(channel, name))


def unseal_key(header: Header, reader: SealingKey) -> bytes:
    """The segment key of a header.

    Raises:
        ChannelError: it was sealed to another key or for another segment.
    """
    key = reader.unseal(header.sealed_key, _key_info(header.channel, header.name))
    if len(key) != SEGMENT_KEY_BYTES:
        raise ChannelError(f"expected a segment key of {SEGMENT_KEY_BYTES} bytes, found {len(key)}")
    return key


def _key_info(channel: str, name: SegmentName) -> bytes:
    return f"caisson segment key v1\n{channel}\n{name}".encode()


def encode_header(header: Header, signing: SigningKey) -> bytes:
    """Prefix, header and signature: the first bytes of a segment."""
    body = _header_encoder.encode(header)
    signed = _MAGIC + _LENGTH.pack(len(body)) + body
    return signed + signing.sign(signed)


def decode_header(data: bytes, publics: Mapping[str, bytes]) -> tuple[Header, int] | str | None:
    """The verified header at the start of `data` and its length in bytes, what is wrong, or None when it is cut.

    Args:
        data: up to `HEADER_BYTES_MAX` bytes from the start of a segment.
        publics: public signing keys of the writer's zone by key id.
    """
    if data[: len(_MAGIC)] != _MAGIC[: len(data)]:
        return "it does not begin like a segment"
    if len(data) < _PREFIX_BYTES:
        return None
    body_end = _PREFIX_BYTES + _LENGTH.unpack_from(data, len(_MAGIC))[0]
    end = body_end + SIGNATURE_BYTES
    if end > HEADER_BYTES_MAX:
        return f"its header is longer than {HEADER_BYTES_MAX} bytes"
    if len(data) < end:
        return None
    try:
        header = _header_decoder.decode(data[_PREFIX_BYTES:body_end])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "its header is not of this version"
    public = publics.get(header.writer_key_id)
    if public is None:
        return f"it is signed by the unknown key {header.writer_key_id[:16]!r}"
    if not verify(public, data[body_end:end], data[:body_end]):
        return f"its header is not signed by key {header.writer_key_id!r}"
    return header, end


class RecordSeal:
    """Seals and opens the records of one segment."""

    def __init__(self, segment_key: bytes, *, channel: str, name: SegmentName) -> None:
        self._cipher = AESGCM(segment_key)
        self._context = f"caisson record v1\n{channel}\n{name}\n".encode()

    def frame(self, sequence: int, chain: bytes, plaintext: bytes) -> tuple[bytes, bytes]:
        """The record as a frame, and its digest."""
        place = _PLACE.pack(sequence, chain)
        payload = place + self._cipher.encrypt(_nonce(sequence), plaintext, self._context + place)
        return _FRAME.pack(len(payload), RECORD) + payload, sha256(payload).digest()

    def open(self, payload: bytes) -> Record | None:
        """The record in a frame's payload; None when this segment's key did not seal it."""
        if len(payload) < _PLACE.size + _TAG_BYTES:
            return None
        sequence, chain = _PLACE.unpack_from(payload)
        try:
            plaintext = self._cipher.decrypt(
                _nonce(sequence), payload[_PLACE.size :], self._context + payload[: _PLACE.size]
            )
        except InvalidTag:
            return None
        return Record(sequence=sequence, chain=chain, plaintext=plaintext, digest=sha256(payload).digest())


class Record(msgspec.Struct, kw_only=True, frozen=True):
    """One opened record."""

    sequence: int
    chain: bytes
    """Chain value before it."""
    plaintext: bytes
    digest: bytes


def _nonce(sequence: int) -> bytes:
    return sequence.to_bytes(12, "big")


def head_frame(head: ChainHead) -> bytes:
    """A chain head as a frame."""
    payload = bytes.fromhex(head.signature) + head.signed_text
    return _FRAME.pack(len(payload), HEAD) + payload


def open_head(payload: bytes, publics: Mapping[str, bytes]) -> ChainHead | None:
    """The verified chain head in a frame's payload; None when it is none of these keys' heads, byte for byte."""
    if len(payload) > HEAD_BYTES_MAX:
        return None
    signature, text = payload[:SIGNATURE_BYTES], payload[SIGNATURE_BYTES:]
    try:
        lines = text.decode("ascii").split("\n")
        head = ChainHead(
            writer=lines[1],
            incarnation=lines[2],
            previous_incarnation=lines[3],
            previous_length=int(lines[4]),
            previous_chain=lines[5],
            length=int(lines[6]),
            chain=lines[7],
            closed=lines[8] == "closed",
            key_id=lines[9],
            signature=signature.hex(),
        )
        bytes.fromhex(head.chain)
    except (ValueError, IndexError):
        return None
    public = publics.get(head.key_id)
    if public is None or head.signed_text != text or not verify(public, signature, text):
        return None
    return head


def frame_header(data: bytes, offset: int) -> tuple[int, int]:
    """Payload length and type of the frame whose `FRAME_HEADER_BYTES` stand at `offset`."""
    length, kind = _FRAME.unpack_from(data, offset)
    return length, kind


def by_key_id(publics: tuple[bytes, ...]) -> dict[str, bytes]:
    """Public keys by their id."""
    return {key_id(public): public for public in publics}
