"""The archive of the logging zone: redacted events under a signed Merkle tree (LOG-07, LOG-09)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


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
    digest: str
    """SHA-256 hex of the sealed record it came from: ties the entry to the writer's signed chain."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """What to look for. Empty fields do not restrict."""

    request_id: str = ""
    session_id: str = ""
    user: str = ""
    kind: str = ""
    since: float = 0.0
    until: float = float("inf")
    limit: int = 1000


class Archive(ABC):
    """Append-only store."""

    @abstractmethod
    def append(self, entries: Sequence[Entry]) -> None:
        """Store entries; they are on stable storage when this returns. Indexes continue without gaps."""

    @abstractmethod
    def size(self) -> int:
        """Entries so far."""

    @abstractmethod
    def query(self, query: Query) -> Iterator[Entry]:
        """Entries that match, oldest first."""

    @abstractmethod
    def close(self) -> None:
        """Release files."""
