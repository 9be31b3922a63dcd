"""The reading end of a channel over a queue.

- A message is deleted from the queue once its piece is on stable storage here. What is no piece of a writer is told as
  a fault, and deleted when that was committed: until then it comes again.
- The queue is asked on a thread of its own. A poll takes what has come, and sets out for more: it waits for an answer
  no longer than its caller has patience.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from caisson.adapters.aws.api.courier import Courier
from caisson.adapters.aws.channel.arrivals import Arrivals, Full
from caisson.adapters.aws.channel.pieces import decode
from caisson.adapters.aws.channel.queue import Delivered, Queue
from caisson.adapters.embedded.channel import SealedReader
from caisson.adapters.embedded.channel.segment import by_key_id
from caisson.errors import ChannelError
from caisson.ports.channel import ChannelReader, Fault, Item
from caisson.ports.clock import Clock
from caisson.ports.keys import SealingKey

RECEIVES_MAX = 50
"""Of one trip to the queue."""
RECEIVED_BYTES_MAX = 8 * 1024 * 1024
"""Of messages that one trip brings; a receive may go beyond it by ten messages."""
ANSWER_SECONDS_MAX = 60.0
CLOSE_SECONDS_MAX = 5.0
LONG_POLL_S = 20
"""Longest wait that a queue takes (SQS developer guide, sqs-short-and-long-polling)."""

log = logging.getLogger("caisson.channel")


class QueueReader(ChannelReader):
    """See the module. One process at a time may read a channel. Nothing is received before `start`.

    Args:
        queue: of the channel; its calls are made on a thread of this reader.
        channel, spool, state, keys, writers: as of `SealedReader`; the folder is this reader's own.
        clock: for what is late.
        patience_s: how long a poll or a commit waits for the queue. At 0 what goes wrong is said by the next poll.

    Raises:
        StartError: `writers` names a zone that the channel table does not let write here.
        ChannelError: what is remembered cannot be used.
    """

    def __init__(
        self,
        *,
        queue: Queue,
        channel: str,
        spool: Path,
        state: Path,
        keys: Sequence[SealingKey],
        writers: Mapping[str, tuple[bytes, ...]],
        clock: Clock,
        patience_s: float = ANSWER_SECONDS_MAX,
    ) -> None:
        self._sealed = SealedReader(channel=channel, spool=spool, state=state, keys=keys, writers=writers)
        self._publics = {label: by_key_id(publics) for label, publics in writers.items()}
        self._arrivals = Arrivals(channel=channel, spool=spool, state=state, publics=self._publics, clock=clock)
        self._queue, self._channel, self._patience_s = queue, channel, patience_s
        self._trip: Future[list[Delivered]] | None = None
        self._told: list[str] = []
        """Receipts of messages that were told as faults."""
        self._courier = Courier(f"{channel}-reader")

    def start(self) -> None:
        """Begin to receive, on a thread that is made here."""
        self._courier.start()

    def check(self) -> None:
        """See that the queue answers. What it gives is kept.

        Raises:
            ChannelError: it does not.
        """
        self._set_out(0).result(ANSWER_SECONDS_MAX)

    def poll(self, limit: int) -> Iterator[Item]:
        self._told = []
        for fault, receipt in self._receive() if limit > 0 else []:
            if limit <= 0:
                return
            limit -= 1
            self._told.append(receipt)
            yield fault
        yield from self._sealed.poll(limit)

    def commit(self) -> None:
        self._sealed.commit()
        if self._told:
            self._delete(self._told)
            self._told = []

    def close(self) -> None:
        """End the calls."""
        if self._courier.runs:
            with suppress(ChannelError, TimeoutError):
                self._courier.run(self._queue.close()).result(CLOSE_SECONDS_MAX)
        self._courier.stop()

    def _receive(self) -> list[tuple[Fault, str]]:
        """Take what has come; what is wrong with it, and what deletes that.

        Raises:
            ChannelError: the queue does not answer, or the folder cannot be written.
        """
        wrong: list[tuple[Fault, str]] = []
        taken = []
        for message in self._brought():
            try:
                fault = self._take(message)
            except Full as error:
                log.warning("a message stays in the queue: %s", error)
                continue
            if fault is None:
                taken.append(message.receipt)
            else:
                wrong.append((fault, message.receipt))
        self._arrivals.settle()  # also when nothing came: what was waited for too long begins
        if taken:
            self._delete(taken)
        return wrong

    def _brought(self) -> list[Delivered]:
        """What a trip to the queue brought; nothing while it is under way."""
        trip = self._set_out(LONG_POLL_S if self._waits_for_nothing else 0)
        if self._waits_for_nothing and not trip.done():
            return []
        try:
            return trip.result(self._patience_s)
        except TimeoutError:
            trip.cancel()
            raise ChannelError("the queue does not answer") from None
        finally:
            self._trip = None

    @property
    def _waits_for_nothing(self) -> bool:
        return self._patience_s <= 0

    def _set_out(self, wait_s: int) -> Future[list[Delivered]]:
        if self._trip is None:
            self._trip = self._courier.run(self._trip_to_the_queue(wait_s))
        return self._trip

    async def _trip_to_the_queue(self, wait_s: int) -> list[Delivered]:
        """Messages until there are no more, or enough. `wait_s`: for the first of them."""
        brought: list[Delivered] = []
        for _ in range(RECEIVES_MAX):
            try:
                given = await self._queue.receive(wait_s=0 if brought else wait_s)
            except ChannelError:
                if brought:
                    break  # the next trip says so; these would come again, and count as read once more
                raise
            brought += given
            if not given or sum(len(message.body) for message in brought) >= RECEIVED_BYTES_MAX:
                break
        return brought

    def _delete(self, receipts: Sequence[str]) -> None:
        deleting = self._courier.run(self._queue.delete(receipts))
        if self._waits_for_nothing:
            deleting.add_done_callback(_say)
            return
        try:
            deleting.result(self._patience_s)
        except TimeoutError:
            deleting.cancel()
            raise ChannelError("the queue does not answer") from None

    def _take(self, message: Delivered) -> Fault | None:
        piece = decode(message.body, channel=self._channel, publics=self._publics)
        if isinstance(piece, str):
            return Fault(kind="forged", writer="", where=f"message {message.message_id[:40]}", detail=piece)
        objection = self._arrivals.take(piece)
        if not objection:
            return None
        where = f"{piece.segment}@{piece.offset}"
        return Fault(kind="forged", writer=piece.segment.writer, where=where, detail=objection)


def _say(deleting: Future[None]) -> None:
    """A deletion that nobody waits for: what it did not delete comes again, and is known."""
    if not deleting.cancelled() and (error := deleting.exception()) is not None:
        log.warning("messages that were taken come again: %s", error)
