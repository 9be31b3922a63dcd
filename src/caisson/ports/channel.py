"""A one-way channel between zones.

At least once, with message ids; readers are idempotent. A writer cannot read back. A reader alone deletes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from caisson.channels.messages import Message


@dataclass(frozen=True, kw_only=True)
class Received:
    """One message as the reader got it, with what an auditor needs to check the writer's chain later."""

    message: Message
    writer: str
    """Zone label and worker of the writer: `runtime-0`."""
    incarnation: str
    """One run of the writer: 16 hex digits, sorts by start time."""
    sequence: int
    """Position in the incarnation, from 0, without gaps."""
    digest: str
    """SHA-256 hex of the sealed record."""
    chain: str
    """Hex of `channels.chain.extend` over the previous chain value and `digest`; an incarnation begins at `GENESIS`."""


@dataclass(frozen=True, kw_only=True)
class ChainHead:
    """A writer's signed statement of how far its chain goes."""

    writer: str
    incarnation: str
    previous_incarnation: str
    """The writer's last incarnation before this one that holds records; empty for the first."""
    previous_length: int
    """Records in it, as the writer remembers them. A killed writer may have written one more than it remembers."""
    previous_chain: str
    """Chain value after `previous_length` records; of `GENESIS` when there is no previous incarnation."""
    length: int
    """Records in this incarnation so far."""
    chain: str
    """Chain value after the last of them."""
    closed: bool
    """The writer said that nothing follows."""
    key_id: str
    signature: str
    """Hex Ed25519 over `signed_text`."""

    @property
    def signed_text(self) -> bytes:
        """The exact bytes under the signature: one field a line, in this order."""
        return "\n".join(
            (
                "caisson chain head v1",
                self.writer,
                self.incarnation,
                self.previous_incarnation,
                str(self.previous_length),
                self.previous_chain,
                str(self.length),
                self.chain,
                "closed" if self.closed else "open",
                self.key_id,
            )
        ).encode()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something on a channel that cannot be what an honest writer wrote. Kept, reported, never skipped silently."""

    kind: str
    """`forged` (signature or seal fails), `damaged` (unreadable), `missing` (gap or cut), `replayed`, `reordered`."""
    writer: str
    where: str
    """Segment name and byte offset."""
    detail: str


Item = Received | ChainHead | Fault


class ChannelWriter(ABC):
    """The writing end."""

    outlives: bool = True
    """Whether what `append` took outlives this process and what it runs on. Where it does not, `durable` alone is an
    acknowledgement."""

    @abstractmethod
    def append(self, message: Message) -> str:
        """Hand the message to the operating system, so that killing this process cannot lose it; returns its id.

        Raises:
            ChannelError: the spool's bound is reached, or it cannot be written. The caller must stop its request.
        """

    @abstractmethod
    async def durable(self) -> None:
        """Return when all that was appended so far is on stable storage. Callers share one fsync (group commit).

        Raises:
            ChannelError: the disk refused.
        """

    async def acknowledged(self, *, fsync: bool) -> None:
        """Return when whoever asked may be told that what was appended so far is recorded.

        Args:
            fsync: whether the loss of power must not lose it either.

        Raises:
            ChannelError: nobody may be told.
        """
        if fsync or not self.outlives:
            await self.durable()

    @abstractmethod
    def close(self) -> None:
        """Sign the last head, mark the chain closed and release the file."""


class ChannelReader(ABC):
    """The reading end."""

    @abstractmethod
    def poll(self, limit: int) -> Iterator[Item]:
        """New items since the last `commit`, at most `limit`, each writer's in its order."""

    @abstractmethod
    def commit(self) -> None:
        """All that `poll` gave is safe elsewhere: remember the position and delete what is fully read."""
