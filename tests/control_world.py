"""A control zone over a real repository, with channels that the test holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caisson.channels.messages import Message
from caisson.errors import ChannelError
from caisson.ports.channel import ChannelReader, ChannelWriter, Item
from caisson.system.schema import System
from caisson.zones.z5_control.anchors import Anchors
from caisson.zones.z5_control.control import Answer, Control
from caisson.zones.z5_control.findings import Findings
from caisson.zones.z5_control.handover import Handover
from caisson.zones.z5_control.record import Recorder
from configuration_world import HeldClock
from configuration_world import World as Repository
from system_files import minimal, reading

OWNER = 1000


class HeldWriter(ChannelWriter):
    """Keeps what was written; refuses while `full`, cannot sync while `stuck`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.full = self.stuck = False

    def append(self, message: Message) -> str:
        if self.full:
            raise ChannelError("the spool is full")
        self.messages.append(message)
        return str(len(self.messages))

    async def durable(self) -> None:
        if self.stuck:
            raise ChannelError("the disk refused")

    def close(self) -> None:
        """Nothing to release."""


class HeldReader(ChannelReader):
    """Gives its items again until they are committed."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._given = 0

    def poll(self, limit: int) -> Iterator[Item]:
        given = self.items[:limit]
        self._given = len(given)
        yield from given

    def commit(self) -> None:
        del self.items[: self._given]


def bundle_of(tier: int = 2, **changes: Any) -> dict[str, Any]:
    """What `up` hands over for a small system file."""
    system = reading(minimal(tier=tier, **changes)).system
    assert isinstance(system, System)
    return {"format": 1, "system": system.to_bundle(), "keys": {"runtime": {"channel": "AAAA"}}}


@dataclass
class World:
    folder: Path
    clock: HeldClock = field(default_factory=HeldClock)

    def __post_init__(self) -> None:
        self.repository = Repository(self.folder / "tuf", clock=self.clock)
        self.events, self.findings = HeldWriter(), HeldReader()
        self.state = self.folder / "state"
        self.state.mkdir(parents=True, exist_ok=True)

    def control(self, *, approver: bool = True) -> Control:
        """A control process starts."""
        self.publisher = self.repository.publisher()
        return Control(
            publisher=self.publisher,
            recorder=Recorder(self.events, self.state / "control.json"),
            findings=Findings(self.findings, Anchors(self.state / "anchors.jsonl"), self.clock),
            clock=self.clock,
            author=self.repository.author,
            approver=self.repository.approver if approver else None,
        )

    async def begun(self, tier: int = 2, *, approver: bool = True, **changes: Any) -> Control:
        """A control process that put a small system in force."""
        control = self.control(approver=approver)
        await control.begin(handover(bundle_of(tier, **changes)))
        return control

    def told(self, kind: type[Message]) -> list[Any]:
        """Events of a kind so far."""
        return [message for message in self.events.messages if isinstance(message, kind)]


def handover(bundle: dict[str, Any]) -> Handover:
    return Handover(bundle=bundle, author=f"uid:{OWNER}", reason="start")


async def asked(control: Control, op: str, **arguments: Any) -> Answer:
    """The answer to a request of the owner."""
    return await control.answer(json.dumps({"op": op, **arguments}).encode() + b"\n", OWNER)


async def done(control: Control, op: str, **arguments: Any) -> Answer:
    """The result; the request must succeed."""
    answer = await asked(control, op, **arguments)
    assert answer["ok"], answer
    result: Answer = answer["result"]
    return result


async def refused(control: Control, op: str, **arguments: Any) -> str:
    """Why not; the request must be refused."""
    answer = await asked(control, op, **arguments)
    assert not answer["ok"], answer
    return str(answer["error"])
