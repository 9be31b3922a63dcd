"""What the findings channel brings: checkpoints of the log become anchors, all else is reported (LOG-07).

At least once: the channel forgets after the anchors and the reports are on stable storage.

>>> findings.take_new()  # doctest: +SKIP
[FaultEvent(fault='missing', ...)]
"""

from __future__ import annotations

import logging

from caisson.channels.messages import CheckpointFinding, FaultEvent
from caisson.channels.table import Zone
from caisson.ports.channel import ChannelReader, Fault, Item, Received
from caisson.ports.clock import Clock
from caisson.zones.z5_control import events
from caisson.zones.z5_control.anchors import Anchors

ITEMS_PER_TURN_MAX = 256

log = logging.getLogger("caisson.control")


class Findings:
    """See the module."""

    def __init__(self, reader: ChannelReader, anchors: Anchors, clock: Clock) -> None:
        self._reader = reader
        self._anchors = anchors
        self._clock = clock

    @property
    def anchored_size(self) -> int:
        """Leaves in the largest log tree that is anchored."""
        return self._anchors.newest_size

    def take_new(self) -> list[FaultEvent]:
        """Keep new anchors; what has to be reported. `done` once that is recorded.

        Raises:
            ConfigurationError: an anchor cannot be kept.
            ChannelError: the channel cannot be read.
        """
        found = [self._take(item) for item in self._reader.poll(ITEMS_PER_TURN_MAX)]
        return [fault for fault in found if fault is not None]

    def done(self) -> None:
        """What `take_new` gave is recorded: the channel may forget it.

        Raises:
            ChannelError: it cannot.
        """
        self._reader.commit()

    def _take(self, item: Item) -> FaultEvent | None:
        match item:
            case Received(message=CheckpointFinding() as finding) if item.writer.startswith(f"{Zone.LOGGING.label}-"):
                earlier = self._anchors.newest_size
                verdict = self._anchors.take(finding)
                if verdict in ("new", "known"):
                    return None
                detail = f"a checkpoint of {finding.size} leaves after one of {earlier}"
                return self._fault(verdict, item.writer, f"{item.incarnation}/{item.sequence}", detail)
            case Received():
                detail = f"{type(item.message).__name__}, which this zone does not take from this writer"
                return self._fault("forged", item.writer, f"{item.incarnation}/{item.sequence}", detail)
            case Fault():
                return self._fault(item.kind, item.writer, item.where, item.detail)
            case _:
                return None

    def _fault(self, kind: str, writer: str, where: str, detail: str) -> FaultEvent:
        log.error("findings: %s, writer %s, at %s: %s", kind, writer, where, detail)
        return events.fault_found(at=self._clock.now(), fault=kind, writer=writer, where=where, detail=detail)
