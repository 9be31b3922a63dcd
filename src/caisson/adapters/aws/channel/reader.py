"""The reading end of a channel over a queue.

A message is deleted from the queue once its piece is on stable storage here. What is no piece of a writer is told as a
fault, and deleted when that was committed: until then it comes again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from caisson.adapters.aws.channel.arrivals import Arrivals, Full
from caisson.adapters.aws.channel.courier import Courier
from caisson.adapters.aws.channel.pieces import decode
from caisson.adapters.aws.channel.queue import Delivered, Queue
from caisson.adapters.embedded.channel import SealedReader
from caisson.adapters.embedded.channel.segment import by_key_id
from caisson.errors import ChannelError
from caisson.ports.channel import ChannelReader, Fault, Item
from caisson.ports.clock import Clock
from caisson.ports.keys import SealingKey

T = TypeVar("T")

RECEIVES_A_POLL_MAX = 50
ANSWER_SECONDS_MAX = 60.0

log = logging.getLogger("caisson.channel")


class QueueReader(ChannelReader):
    """See the module. One process at a time may read a channel.

    Args:
        queue: of the channel; its calls are made on a thread of this reader.
        channel, spool, state, keys, writers: as of `SealedReader`; the folder is this reader's own.
        clock: for what is late.

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
    ) -> None:
        self._sealed = SealedReader(channel=channel, spool=spool, state=state, keys=keys, writers=writers)
        self._publics = {label: by_key_id(publics) for label, publics in writers.items()}
        self._arrivals = Arrivals(channel=channel, spool=spool, state=state, publics=self._publics, clock=clock)
        self._queue, self._channel = queue, channel
        self._told: list[str] = []
        """Receipts of messages that were told as faults."""
        self._courier = Courier(f"{channel}-reader")

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
            self._wait(self._courier.run(self._queue.delete(self._told)))
            self._told = []

    def close(self) -> None:
        """End the calls."""
        if not self._courier.stopped:
            with suppress(ChannelError):
                self._wait(self._courier.run(self._queue.close()))
        self._courier.stop()

    def _receive(self) -> list[tuple[Fault, str]]:
        """Take what the queue has; what is wrong with what it gave."""
        wrong: list[tuple[Fault, str]] = []
        for _ in range(RECEIVES_A_POLL_MAX):
            given = self._wait(self._courier.run(self._queue.receive()))
            taken = []
            for message in given:
                try:
                    fault = self._take(message)
                except Full as error:
                    log.warning("a message stays in the queue: %s", error)
                    continue
                if fault is None:
                    taken.append(message.receipt)
                else:
                    wrong.append((fault, message.receipt))
            self._arrivals.settle()
            if taken:
                self._wait(self._courier.run(self._queue.delete(taken)))
            if not given:
                break
        return wrong

    def _take(self, message: Delivered) -> Fault | None:
        piece = decode(message.body, channel=self._channel, publics=self._publics)
        if isinstance(piece, str):
            return Fault(kind="forged", writer="", where=f"message {message.message_id[:40]}", detail=piece)
        objection = self._arrivals.take(piece)
        if not objection:
            return None
        where = f"{piece.segment}@{piece.offset}"
        return Fault(kind="forged", writer=piece.segment.writer, where=where, detail=objection)

    @staticmethod
    def _wait(answer: Future[T]) -> T:
        try:
            return answer.result(ANSWER_SECONDS_MAX)
        except TimeoutError:
            answer.cancel()
            raise ChannelError("the queue does not answer") from None
