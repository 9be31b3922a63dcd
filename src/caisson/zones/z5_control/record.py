"""Every change has its event, whatever happens to this process (IAM-08).

- Events of a change wait here, in order, until the channel took them and they are on stable storage; then it is
  remembered how far the record goes.
- At a start, what is in force and not yet recorded is recorded then.

>>> await recorder.note([event], configuration=3)  # doctest: +SKIP
True
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec

from caisson.channels.messages import Message
from caisson.errors import ChannelError, ConfigurationError
from caisson.ports.channel import ChannelWriter
from caisson.zones.z5_control.state_file import write_whole

PENDING_MAX = 1_000
"""Events that wait for the channel. Beyond it nothing changes any more."""

log = logging.getLogger("caisson.control")


class Marks(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How far the record goes, and what was handed over last."""

    configuration: int = 0
    orders: int = 0
    handed: str = ""
    """Digest of the last handover."""


class Recorder:
    """Writes events and remembers.

    Raises:
        ConfigurationError: the memory is damaged or cannot be read.
    """

    def __init__(self, events: ChannelWriter, memory: Path) -> None:
        self._events = events
        self._memory = memory
        self._pending: deque[Message] = deque()
        self._marks = self._wanted = _read(memory)

    @property
    def marks(self) -> Marks:
        """How far the record will go once nothing is pending."""
        return self._wanted

    @property
    def pending(self) -> int:
        """Events that the channel did not take yet."""
        return len(self._pending)

    @property
    def full(self) -> bool:
        """Whether no change can be recorded any more."""
        return len(self._pending) >= PENDING_MAX

    async def note(
        self,
        messages: Sequence[Message],
        *,
        configuration: int | None = None,
        orders: int | None = None,
        handed: str | None = None,
    ) -> bool:
        """Record; whether all is on stable storage. What is not will be tried again by `flush`."""
        self._pending.extend(messages)
        given = {"configuration": configuration, "orders": orders, "handed": handed}
        self._wanted = msgspec.structs.replace(
            self._wanted, **{name: value for name, value in given.items() if value is not None}
        )
        return await self.flush()

    async def flush(self) -> bool:
        """Try what is pending; whether nothing is any more."""
        if not self._pending and self._marks == self._wanted:
            return True
        try:
            while self._pending:
                self._events.append(self._pending[0])
                self._pending.popleft()
            await self._events.durable()
            write_whole(self._memory, msgspec.json.encode(self._wanted))
        except (ChannelError, OSError) as error:
            log.error("changes are in force and not recorded yet, %d events wait: %s", len(self._pending), error)
            return False
        self._marks = self._wanted
        return True


def _read(memory: Path) -> Marks:
    try:
        return msgspec.json.decode(memory.read_bytes(), type=Marks)
    except FileNotFoundError:
        return Marks()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"damaged: {memory} does not say what is recorded; remove it, and all that is in force is recorded again"
        ) from error
