"""The archive of the logging zone: redacted events under a Merkle tree with signed checkpoints (LOG-07, LOG-09).

The writing end is the logging zone's process alone. The reading end answers queries and hands everything over for
verification; it takes nothing for granted that was read from storage, and works beside the writer or without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from caisson.policy.canonical import canonical
from caisson.policy.merkle import Frontier, leaf_hash


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One archived event."""

    index: int
    """Leaf number in the tree, from 0."""
    event: dict[str, Any]
    """Redacted event, JSON values, with `kind` and `message_id`."""
    writer: str
    incarnation: str
    sequence: int
    """Position of the record in its incarnation; -1 for what the logging zone itself states (heads, faults, keys)."""
    digest: str
    """SHA-256 hex of the sealed record it came from: ties it to the writer's signed chain. Empty for statements."""

    @cached_property
    def leaf(self) -> bytes:
        """The leaf's data: canonical JSON (RFC 8785) of all fields."""
        return canonical(
            {
                "index": self.index,
                "event": self.event,
                "writer": self.writer,
                "incarnation": self.incarnation,
                "sequence": self.sequence,
                "digest": self.digest,
            }
        )

    @cached_property
    def leaf_hash(self) -> bytes:
        """The leaf's hash in the tree."""
        return leaf_hash(self.leaf)

    @classmethod
    def from_leaf(cls, leaf: bytes) -> Entry:
        """The entry whose leaf data was stored; its hash is that of the stored bytes.

        Raises:
            ValueError: not the data of an entry.
        """
        try:
            fields = _decoder.decode(leaf)
        except msgspec.MsgspecError as error:
            raise ValueError(f"expected the canonical JSON of an entry: {error}") from None
        entry = cls(**msgspec.structs.asdict(fields))
        vars(entry)["leaf"] = leaf
        return entry


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    index: int
    event: dict[str, Any]
    writer: str
    incarnation: str
    sequence: int
    digest: str


_decoder = msgspec.json.Decoder(_Stored)


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A stored piece that is not what the archive wrote."""

    where: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Query:
    """What to look for. Empty fields do not restrict."""

    request_id: str = ""
    session_id: str = ""
    user: str = ""
    kind: str = ""
    without_kinds: tuple[str, ...] = ()
    """Kinds to leave out."""
    since: float = 0.0
    """Unix time of the event's writer, inclusive."""
    until: float = float("inf")
    start: int = 0
    """First index."""
    limit: int = 1000
    """The newest so many matches."""


class ArchiveReader(ABC):
    """The reading end."""

    @abstractmethod
    def size(self) -> int:
        """Entries so far."""

    @abstractmethod
    def query(self, query: Query) -> Iterator[Entry]:
        """Entries that match, oldest first. What cannot be read is left to `scan`."""

    @abstractmethod
    def scan(self) -> Iterator[Entry | Unreadable]:
        """All that is stored, in stored order, checked for nothing but readability."""

    def entries_from(self, start: int) -> Iterator[Entry]:
        """Entries from index `start` on, oldest first. What cannot be read is left to `scan`."""
        return (item for item in self.scan() if isinstance(item, Entry) and item.index >= start)

    @abstractmethod
    def leaves(self, start: int = 0) -> Iterator[bytes]:
        """Leaf hashes of the tree from index `start`, as stored."""

    @abstractmethod
    def checkpoints(self) -> Iterator[str]:
        """Signed checkpoints as stored, oldest first."""

    @abstractmethod
    def last_checkpoint(self) -> str:
        """The newest of them; empty when there is none. Takes no longer for a long log."""


class Archive(ArchiveReader):
    """The append-only store as the logging zone holds it."""

    @abstractmethod
    def append(self, entries: Sequence[Entry]) -> None:
        """Store entries and their leaf hashes; they are on stable storage when this returns.

        Raises:
            OperatorError: the disk refused. Nothing further is taken until the archive is opened anew.
            DeveloperError: indexes do not continue at `size()`.
        """

    @abstractmethod
    def append_checkpoint(self, note: str) -> None:
        """Store a signed checkpoint; it and every leaf so far are on stable storage when this returns."""

    @abstractmethod
    def save_frontier(self, frontier: Frontier) -> None:
        """Remember the frontier at the newest checkpoint. A cache: to be checked against the signed root."""

    @abstractmethod
    def load_frontier(self) -> Frontier:
        """What was saved; an empty frontier when there is none or it cannot be read."""

    @abstractmethod
    def last_sequence(self, writer: str, incarnation: str) -> int:
        """Sequence of the newest entry from that run of a writer; -1 when there is none."""

    @abstractmethod
    def compact(self) -> None:
        """Do the housekeeping that is due. Slow; may run in another thread while entries are appended."""

    @abstractmethod
    def close(self) -> None:
        """Release files."""
