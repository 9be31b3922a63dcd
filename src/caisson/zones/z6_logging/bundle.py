"""A part of the log with everything that proves it, as JSON Lines: what `verifier/verify_logs.py` checks offline.

    {"format": "caisson-log-bundle-1", "first": 0, "size": 42, "frontier": [], "checkpoint": "…", "log_keys": […], …}
    {"leaves": "…"}         leaf hashes from `first` on, up to 1,024 a line, base64
    {"entry": "…"}          an entry's leaf data, exactly as it was hashed

The bundle reaches from `first` to the newest checkpoint. `frontier` is the tree's frontier before `first`, so that a
bundle of the last hour is proved by the same signature as the whole log.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from caisson.errors import OperatorError
from caisson.policy.merkle import Frontier
from caisson.ports.archive import ArchiveReader, Entry, Query
from caisson.zones.z6_logging.checkpoints import parse_note
from caisson.zones.z6_logging.verify import Anchor

FORMAT = "caisson-log-bundle-1"
LEAVES_A_LINE = 1_024
KEYS_LISTED_MAX = 10_000


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which entries a bundle holds."""

    first: int
    size: int
    """Leaves under the checkpoint; the last entry is the one before."""
    checkpoint: str
    """The signed note."""


def scope(archive: ArchiveReader, since: float) -> Scope:
    """From the first entry of Unix time `since` to the newest checkpoint.

    Raises:
        OperatorError: nothing is signed yet, or the newest checkpoint cannot be read.
    """
    note = archive.last_checkpoint()
    if not note:
        raise OperatorError("the log has no checkpoint yet: nothing to export; try again after the first events")
    try:
        size = parse_note(note)[0].size
    except ValueError as error:
        raise OperatorError(f"the log's newest checkpoint: {error}; run `caisson logs verify`") from None
    first = 0
    if since > 0:
        entries = (item for item in archive.scan() if isinstance(item, Entry))
        first = next((entry.index for entry in entries if entry.event.get("timestamp", 0.0) >= since), size)
    return Scope(first=min(first, size), size=size, checkpoint=note)


def entries_in(archive: ArchiveReader, part: Scope) -> Iterator[Entry]:
    """The part's entries in stored order."""
    for item in archive.scan():
        if isinstance(item, Entry) and part.first <= item.index < part.size:
            yield item


def lines(
    archive: ArchiveReader, part: Scope, *, log_keys: Sequence[bytes], anchors: Sequence[Anchor], exported: float
) -> Iterator[bytes]:
    """The bundle, line by line."""
    frontier = Frontier()
    frontier.extend(islice(archive.leaves(), part.first))
    yield _line(
        {
            "format": FORMAT,
            "exported": exported,
            "first": part.first,
            "size": part.size,
            "frontier": [_base64(peak) for peak in frontier.peaks],
            "checkpoint": part.checkpoint,
            "log_keys": [_base64(key) for key in log_keys],
            "writer_keys": _writer_keys(archive),
            "anchors": [
                {
                    "size": anchor.checkpoint.size,
                    "root": anchor.checkpoint.root.hex(),
                    "timestamp": anchor.checkpoint.timestamp,
                    "signature": _base64(anchor.signature),
                }
                for anchor in anchors
                if part.first <= anchor.checkpoint.size <= part.size
            ],
        }
    )
    leaves = islice(archive.leaves(part.first), part.size - part.first)
    while block := b"".join(islice(leaves, LEAVES_A_LINE)):
        yield _line({"leaves": _base64(block)})
    for entry in entries_in(archive, part):
        yield _line({"entry": entry.leaf.decode()})


def _writer_keys(archive: ArchiveReader) -> dict[str, dict[str, str]]:
    keys: dict[str, dict[str, str]] = {}
    for entry in archive.query(Query(kind="key.v1", limit=KEYS_LISTED_MAX)):
        if entry.sequence < 0:
            keys.setdefault(entry.event["zone"], {})[entry.event["key_id"]] = entry.event["public_key"]
    return keys


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _line(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value) + b"\n"
