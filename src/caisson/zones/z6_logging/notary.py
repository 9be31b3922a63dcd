"""Signs the log's tree: a checkpoint a second while something is new (LOG-07).

- What is signed extends what was signed before: the tree at the last checkpoint, grown by the leaves as they are on
  disk, has the root of the tree grown by the entries as they were appended. Otherwise nothing is signed any more.
- Each checkpoint also goes to the control zone, where the logging zone cannot rewrite it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import islice

from caisson.channels.messages import CheckpointFinding
from caisson.errors import ChannelError, OperatorError
from caisson.policy.merkle import Frontier
from caisson.ports.archive import Archive
from caisson.ports.channel import ChannelWriter
from caisson.ports.clock import Clock
from caisson.ports.keys import SigningKey
from caisson.zones.z6_logging.checkpoints import Checkpoint, is_signed, parse_note, sign

CHECKPOINT_EVERY_S = 1.0
CHECKPOINT_ENTRIES = 4_096
"""New entries after which a checkpoint does not wait for its time."""
_ADVICE = "run `caisson logs verify`, keep the data folder as evidence, and start anew with another one"


class Notary:
    """Holds the signed state of the tree and moves it forward."""

    def __init__(
        self, *, archive: Archive, key: SigningKey, origin: str, findings: ChannelWriter, clock: Clock
    ) -> None:
        self._archive, self._key, self._origin = archive, key, origin
        self._findings, self._clock = findings, clock
        self._unanchored: CheckpointFinding | None = None
        self._signed_at = float("-inf")
        self._signed = self._last_signed()
        self._tree = self._signed.copy()
        self._tree.extend(archive.leaves(self._tree.size))

    def grown(self, leaves: Sequence[bytes]) -> None:
        """Entries with these leaf hashes were appended."""
        self._tree.extend(leaves)

    def tick(self, *, force: bool = False) -> bool:
        """Sign when something is new and it is time, or when forced; whether a checkpoint was made.

        Raises:
            OperatorError: the leaves on disk are not those that were appended.
        """
        self._anchor()
        new = self._tree.size - self._signed.size
        waited = self._clock.monotonic() - self._signed_at
        if new == 0 or not (force or waited >= CHECKPOINT_EVERY_S or new >= CHECKPOINT_ENTRIES):
            return False
        stored = self._signed.copy()
        stored.extend(self._archive.leaves(stored.size))
        if stored.size != self._tree.size or stored.root() != self._tree.root():
            raise OperatorError(
                f"the log's leaves after {self._signed.size} changed on disk since they were appended: {_ADVICE}"
            )
        checkpoint = Checkpoint(
            origin=self._origin, size=stored.size, root=stored.root(), timestamp=round(self._clock.now(), 3)
        )
        note, signature = sign(checkpoint, self._key)
        self._archive.append_checkpoint(note)
        self._archive.save_frontier(stored)
        self._signed, self._signed_at = stored, self._clock.monotonic()
        self._unanchored = CheckpointFinding(
            timestamp=checkpoint.timestamp,
            size=checkpoint.size,
            root=checkpoint.root.hex(),
            signature=base64.b64encode(signature).decode(),
        )
        self._anchor()
        return True

    def _anchor(self) -> None:
        """Hand the newest checkpoint on. A full channel is tried again: a later checkpoint covers the earlier ones."""
        if self._unanchored is None:
            return
        try:
            self._findings.append(self._unanchored)
        except ChannelError:
            return
        self._unanchored = None

    def _last_signed(self) -> Frontier:
        """The tree at the newest checkpoint, which the leaves on disk must still give."""
        note = self._archive.last_checkpoint()
        if not note:
            return Frontier()
        try:
            checkpoint, signature = parse_note(note)
        except ValueError as error:
            raise OperatorError(f"the log's last checkpoint: {error}: {_ADVICE}") from None
        if checkpoint.origin != self._origin or not is_signed(
            checkpoint.text.encode(), signature, self._key.public_bytes
        ):
            raise OperatorError(f"the log's last checkpoint is not signed by this zone for {self._origin!r}: {_ADVICE}")
        # A kill can leave an earlier checkpoint's frontier: it grows on from there, the signed root says if rightly.
        for frontier in (self._archive.load_frontier(), Frontier()):
            more = max(0, checkpoint.size - frontier.size)
            frontier.extend(islice(self._archive.leaves(frontier.size), more))
            if (frontier.size, frontier.root()) == (checkpoint.size, checkpoint.root):
                return frontier
        raise OperatorError(
            f"the log's first {checkpoint.size} leaves do not give the root that was signed for them: {_ADVICE}"
        )
