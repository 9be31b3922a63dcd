"""Parts of the copied archive. Pure.

    entries/<first>-<last>.jsonl.gz   in the bucket of each class: those of the entries that belong to it, a leaf a line
    tree/<first>-<last>.json          in the bucket of the class that is kept longest: a `Part`

A part counts once its `Part` is there, which is put last and names the digest of each of its other objects.

>>> parse("tree/0000000000000000-0000000000000041.json")
(0, 41)
>>> parse("tree/x.json") is None
True
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

from caisson.channels.retention import class_of
from caisson.policy.merkle import HASH_BYTES
from caisson.ports.archive import Entry

TREE = "tree/"
PART_ENTRIES_MAX = 20_000
PART_BYTES_MAX = 16 * 2**20
"""Leaves of a part; a larger entry is a part of its own."""
OBJECT_BYTES_MAX = 64 * 2**20
UNPACKED_BYTES_MAX = 256 * 2**20
_TREE = re.compile(r"tree/([0-9]{16})-([0-9]{16})\.json")


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run of entries that was copied at once."""

    first: int
    leaves: bytes
    """Leaf hashes."""
    classes: dict[str, str]
    """Class to the SHA-256 of its object, in hex."""
    at: float
    """Unix time of the copying, from which on the buckets hold it."""
    checkpoint: str = ""
    """Signed, over all entries up to the end of this part; empty where one covers more than a part may hold."""
    version: int = 1

    @property
    def last(self) -> int:
        """Index of its last entry."""
        return self.first + len(self.leaves) // HASH_BYTES - 1


_encoder, _decoder = msgspec.json.Encoder(order="sorted"), msgspec.json.Decoder(Part)


def tree_name(first: int, last: int) -> str:
    """Of the object with the part."""
    return f"{TREE}{first:016d}-{last:016d}.json"


def entries_name(first: int, last: int) -> str:
    """Of the object with its entries of a class, in the bucket of that class."""
    return f"entries/{first:016d}-{last:016d}.jsonl.gz"


def parse(name: str) -> tuple[int, int] | None:
    """First and last index in the name of a part; None where it is none of ours."""
    match = _TREE.fullmatch(name)
    return (int(match[1]), int(match[2])) if match and int(match[1]) <= int(match[2]) else None


def packed(entries: Sequence[Entry]) -> dict[str, bytes]:
    """Class to its object. The same entries give the same bytes."""
    lines: dict[str, list[bytes]] = {}
    for entry in entries:
        lines.setdefault(class_of(str(entry.event.get("kind"))), []).append(entry.leaf)
    return {name: gzip.compress(b"\n".join(leaves), mtime=0) for name, leaves in sorted(lines.items())}


def part_of(entries: Sequence[Entry], objects: Mapping[str, bytes], *, at: float, checkpoint: str) -> bytes:
    """The object that makes a part count."""
    return _encoder.encode(
        Part(
            first=entries[0].index,
            leaves=b"".join(entry.leaf_hash for entry in entries),
            classes={name: sha256(content).hexdigest() for name, content in objects.items()},
            at=at,
            checkpoint=checkpoint,
        )
    )


def read_part(name: str, content: bytes) -> Part:
    """The part in an object of this name.

    Raises:
        ValueError: it is none, or another's.
    """
    try:
        part = _decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"it is no part of a log: {error}") from None
    whole = part.version == 1 and part.leaves and not len(part.leaves) % HASH_BYTES
    if not whole or parse(name) != (part.first, part.last):
        raise ValueError(f"it is the part {part.first} to {part.last}")
    return part


def unpacked(content: bytes) -> list[bytes]:
    """Leaves in an object.

    Raises:
        ValueError: it cannot be unpacked, or is longer than any of ours.
    """
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        data = unpacking.decompress(content, UNPACKED_BYTES_MAX)
    except zlib.error as error:
        raise ValueError(f"it cannot be unpacked: {error}") from None
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("it ends before its time, or is longer than any of ours")
    return data.split(b"\n")
