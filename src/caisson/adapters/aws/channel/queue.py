"""A queue of SQS, as the channel needs it: send all or say so, receive, delete (SQS API reference).

Sending is tried again for `BUSY_SECONDS_MAX`: what may have arrived arrives twice, and is put together once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from caisson.adapters.aws.api.calls import PASSING, CallFailed, Calls
from caisson.adapters.aws.channel.pieces import MESSAGE_BYTES_MAX
from caisson.errors import ChannelError, OperatorError
from caisson.ports.clock import Clock
from caisson.protocol.sigv4 import Keys

Json = dict[str, Any]

BATCH_MAX = 10
"""Entries of a batch (SQS API reference, SendMessageBatch)."""
BUSY_SECONDS_MAX = 8.0
PAUSE_S, PAUSE_MAX_S = 0.05, 1.0
_MORE_PASSING = frozenset({"ThrottledException", "RequestThrottled", "KmsThrottled", "KMS.Throttled", "OverLimit"})


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """A message that was given out, and what deletes it."""

    body: str
    message_id: str
    receipt: str


class Queue:
    """One queue. Used on one event loop."""

    def __init__(
        self, calls: Calls, *, url: str, keys: Callable[[], Keys], clock: Clock, busy_s: float = BUSY_SECONDS_MAX
    ) -> None:
        """`url` is the queue's; `keys` signs each call."""
        self._calls = calls
        self._url = url
        self._keys = keys
        self._clock = clock
        self._busy_s = busy_s

    async def send(self, bodies: Sequence[str]) -> None:
        """Have the queue keep all of these.

        Raises:
            ChannelError: it does not keep one of them, or nobody knows.
        """
        for batch in _batches(bodies):
            await self._send(batch)

    async def receive(self, *, wait_s: int = 0) -> list[Delivered]:
        """Up to ten messages; they come again unless they are deleted in time.

        Raises:
            ChannelError: the queue does not answer.
        """
        asked = {"MaxNumberOfMessages": BATCH_MAX, "WaitTimeSeconds": wait_s}
        answer = await self._again("ReceiveMessage", asked)
        try:
            return [
                Delivered(body=one["Body"], message_id=one["MessageId"], receipt=one["ReceiptHandle"])
                for one in answer.get("Messages") or []
            ]
        except (KeyError, TypeError) as error:
            raise ChannelError(f"expected messages of queue {self._url}, found something else: {error!r}") from error

    async def delete(self, receipts: Sequence[str]) -> None:
        """These were taken. One that is not deleted comes again, which does no harm.

        Raises:
            ChannelError: the queue does not answer.
        """
        for start in range(0, len(receipts), BATCH_MAX):
            part = receipts[start : start + BATCH_MAX]
            entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(part)]
            await self._again("DeleteMessageBatch", {"Entries": entries})

    async def close(self) -> None:
        """Release connections."""
        await self._calls.close()

    async def _send(self, batch: Sequence[str]) -> None:
        left = {str(number): body for number, body in enumerate(batch)}
        began, attempt, reason = self._clock.monotonic(), 0, ""
        while left:
            if attempt:
                if self._clock.monotonic() - began > self._busy_s:
                    raise self._refused(reason)
                await asyncio.sleep(_pause(attempt))
            attempt += 1
            entries = [{"Id": number, "MessageBody": body} for number, body in left.items()]
            answer = await self._again("SendMessageBatch", {"Entries": entries})
            done = {str(one.get("Id")) for one in answer.get("Successful") or []}
            for one in answer.get("Failed") or []:
                reason = f"{one.get('Code')}: {one.get('Message', '')}"
                if one.get("SenderFault") and str(one.get("Code")) not in PASSING | _MORE_PASSING:
                    raise self._refused(reason)
            if not done & left.keys() and not reason:
                raise self._refused("it says neither that it took a message nor that it did not")
            left = {number: body for number, body in left.items() if number not in done}

    async def _again(self, operation: str, asked: Json) -> Json:
        """The answer to a call, tried again where that may help."""
        began, attempt = self._clock.monotonic(), 0
        while True:
            try:
                return await self._calls.json(f"AmazonSQS.{operation}", {"QueueUrl": self._url, **asked}, self._keys())
            except CallFailed as error:
                passing = error.passing or error.code in _MORE_PASSING
                if not passing or self._clock.monotonic() - began > self._busy_s:
                    raise self._refused(str(error)) from error
            except OperatorError as error:
                raise self._refused(str(error)) from error
            attempt += 1
            await asyncio.sleep(_pause(attempt))

    def _refused(self, reason: str) -> ChannelError:
        return ChannelError(f"queue {self._url}: {reason}")


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    """Ten at most, and together no more than one message may have."""
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == BATCH_MAX or size + length > MESSAGE_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch


def _pause(attempt: int) -> float:
    pause_s = min(PAUSE_S * 2.0**attempt, PAUSE_MAX_S)
    return pause_s / 2 + random.random() * pause_s / 2  # noqa: S311 - spreads load, hides nothing
