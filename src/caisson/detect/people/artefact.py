"""The trained weights as one file: a header, the lists of known words, the table of weights.

    8 bytes   magic, with the version of the layout
    4 bytes   length of the header, little endian
    header    JSON: labels, scale, bias, sizes of the lists
    body      zlib: lists (sorted 32-bit hashes), weights (int8), pairs (int8), transitions (float32)

The SHA-256 of the file is part of the program (`SHA256`). A file that is not the one that was measured is refused.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caisson.detect.people.words import BUCKETS, CLASSES, LISTS
from caisson.errors import StartError

MAGIC = b"caipeo01"
FILE = Path(__file__).with_name("people.bin")
SHA256 = ""
BODY_BYTES_MAX = 16 << 20
"""What the body may unpack to."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What training leaves."""

    labels: tuple[str, ...]
    """`O` first; then `B-NAME`, `I-NAME` and so on."""
    lists: dict[str, frozenset[int]]
    """Hashes of known words, by list."""
    words: NDArray[np.float32]
    """[bucket, label]."""
    pairs: NDArray[np.float32]
    """[before or after, class, class of the neighbour, label]."""
    transitions: NDArray[np.float32]
    """[label, next label]; the first row is also the beginning's."""
    bias: float
    """What `O` gets on top: more makes fewer findings."""


def pack(weights: Weights) -> bytes:
    """The file's content."""
    scale = float(max(np.abs(weights.words).max(), np.abs(weights.pairs).max(), 1e-6)) / 127
    lists = [np.array(sorted(weights.lists[name]), dtype="<u4") for name in LISTS]
    header = {"labels": weights.labels, "scale": scale, "bias": weights.bias, "lists": [len(one) for one in lists]}
    parts = [one.tobytes() for one in lists]
    parts += [np.round(array / scale).astype(np.int8).tobytes() for array in (weights.words, weights.pairs)]
    parts.append(weights.transitions.astype("<f4").tobytes())
    encoded = json.dumps(header).encode()
    return MAGIC + struct.pack("<I", len(encoded)) + encoded + zlib.compress(b"".join(parts), 9)


def unpack(content: bytes) -> Weights:
    """The weights in a file's content, whose hash the caller has checked."""
    if content[:8] != MAGIC:
        raise StartError(f"expected a file that begins with {MAGIC!r}, found {content[:8]!r}; reinstall Caisson")
    size = struct.unpack_from("<I", content, 8)[0]
    header: dict[str, Any] = json.loads(content[12 : 12 + size])
    body = zlib.decompressobj().decompress(content[12 + size :], BODY_BYTES_MAX)
    labels, at = tuple(header["labels"]), 0

    def take(count: int, kind: str) -> NDArray[Any]:
        nonlocal at
        array = np.frombuffer(body, dtype=kind, count=count, offset=at)
        at += array.nbytes
        return array

    lists = {
        name: frozenset(take(count, "<u4").tolist()) for name, count in zip(LISTS, header["lists"], strict=True)
    }
    wide = len(labels)
    words = take(BUCKETS * wide, "i1").reshape(BUCKETS, wide).astype(np.float32) * np.float32(header["scale"])
    pairs = take(2 * CLASSES * CLASSES * wide, "i1").reshape(2, CLASSES, CLASSES, wide)
    return Weights(
        labels=labels,
        lists=lists,
        words=words,
        pairs=pairs.astype(np.float32) * np.float32(header["scale"]),
        transitions=take(wide * wide, "<f4").reshape(wide, wide).astype(np.float32),
        bias=float(header["bias"]),
    )


def load(path: Path = FILE, expected: str = SHA256) -> Weights:
    """The weights that this version was measured with.

    Raises:
        StartError: the file is missing, or is another one.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StartError(f"{path.name}: expected the recogniser of names and addresses: {error}; reinstall Caisson") from error
    found = sha256(content).hexdigest()
    if found != expected:
        raise StartError(f"{path.name}: expected SHA-256 {expected!r}, found {found!r}: altered; reinstall Caisson")
    return unpack(content)
