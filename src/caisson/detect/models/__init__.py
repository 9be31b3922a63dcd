"""What training made, as files that refuse to load when they were altered.

A file holds a JSON header and raw little-endian arrays and texts. Its SHA-256 stands here, in code that is reviewed and
signed with the release; training writes both.

>>> sorted(DIGESTS)
['embedding.bin', 'injection.bin']
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caisson.errors import StartError

DIGESTS = {
    "embedding.bin": "47618471250bb26de35a1a1244dc31f71f5cbe4174e2d72ea9aebdfd304e5188",
    "injection.bin": "76205b7a98e06d0e54ddf9bf6a762f4111db6443114b708479d22a6599137d8b",
}
"""File and SHA-256 of its bytes."""
MAGIC = b"CAISSON1"
DTYPES = frozenset({"int8", "uint8", "uint32", "float16", "float32", "int32"})
_FOLDER = Path(__file__).parent


class AlteredModelError(StartError):
    """A shipped model is missing or is not the one that this version was released with."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A file's content."""

    meta: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    texts: Mapping[str, str]


def load(name: str, folder: Path = _FOLDER) -> Model:
    """The model of that name.

    Raises:
        AlteredModelError: the file is missing or its digest differs.
    """
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise AlteredModelError(f"model {name!r} is missing: install Caisson again") from error
    found = hashlib.sha256(data).hexdigest()
    if found != DIGESTS[name]:
        raise AlteredModelError(
            f"model {name!r}: expected SHA-256 {DIGESTS[name]}, found {found}: install Caisson again"
        )
    return decode(data)


def decode(data: bytes) -> Model:
    """A file's bytes, which are trusted: their digest was checked."""
    size = int.from_bytes(data[8:16], "little")
    header = json.loads(data[16 : 16 + size])
    body = memoryview(data)[16 + size :]
    arrays = {
        row["name"]: np.frombuffer(body, np.dtype(row["dtype"]), row["count"], row["offset"]).reshape(row["shape"])
        for row in header["arrays"]
        if row["dtype"] in DTYPES
    }
    texts = {
        row["name"]: zlib.decompress(body[row["offset"] : row["offset"] + row["size"]]).decode()
        for row in header["texts"]
    }
    return Model(meta=header["meta"], arrays=arrays, texts=texts)


def encode(model: Model) -> bytes:
    """The bytes of a model; the same for the same content."""
    blobs: list[bytes] = []
    offset = 0

    def put(blob: bytes) -> int:
        nonlocal offset
        padded = blob + bytes(-len(blob) % 8)
        blobs.append(padded)
        offset += len(padded)
        return offset - len(padded)

    arrays = [
        {"name": name, "dtype": str(a.dtype), "shape": a.shape, "count": a.size, "offset": put(a.tobytes())}
        for name, a in sorted(model.arrays.items())
    ]
    texts = []
    for name, text in sorted(model.texts.items()):
        packed = zlib.compress(text.encode(), 9)
        texts.append({"name": name, "size": len(packed), "offset": put(packed)})
    header = json.dumps({"meta": model.meta, "arrays": arrays, "texts": texts}, sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return MAGIC + len(header).to_bytes(8, "little") + header + b"".join(blobs)
