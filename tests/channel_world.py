"""A channel with its two ends in one folder, a clock that the test holds, and a disk that fails when told to."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from caisson.adapters.embedded.channel import SealedReader, SealedWriter
from caisson.adapters.embedded.channel.disk import Disk
from caisson.adapters.embedded.keys import FileKeys
from caisson.channels.messages import Message, ProcessEvent
from caisson.ports.channel import ChainHead, Fault, Item, Received
from caisson.ports.clock import Clock


class HeldClock(Clock):
    """Moves when the test says so."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.time = now
        self.passed = 0.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.passed

    def step(self, seconds: float) -> None:
        self.time += seconds
        self.passed += seconds


class FaultyDisk(Disk):
    """The real disk, until `fail` holds an error for an operation. Knows its descriptors, so that a test can kill."""

    def __init__(self) -> None:
        self.open: set[int] = set()
        self.maps: list[mmap.mmap] = []
        self.fail: dict[str, OSError] = {}
        self.take: Callable[[int], int] | None = None
        """How many bytes of a write the system takes; all when None."""
        self.syncs = 0
        self.on_sync: Callable[[], None] = lambda: None

    def _maybe(self, operation: str) -> None:
        if operation in self.fail:
            raise self.fail[operation]

    def create(self, path: Path, mode: int) -> int:
        self._maybe("create")
        descriptor = super().create(path, mode)
        self.open.add(descriptor)
        return descriptor

    def open_locked(self, path: Path) -> int:
        descriptor = super().open_locked(path)
        self.open.add(descriptor)
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        self._maybe("write")
        if self.take is not None:
            data = bytes(data[: self.take(len(data))])
        return super().write(descriptor, data)

    def map(self, descriptor: int, size: int) -> mmap.mmap:
        self._maybe("map")
        made = super().map(descriptor, size)
        self.maps.append(made)
        return made

    def sync(self, descriptor: int, *, created: bool) -> None:
        self.on_sync()
        self.syncs += 1
        self._maybe("sync")
        super().sync(descriptor, created=created)

    def close(self, descriptor: int) -> None:
        self.open.discard(descriptor)
        super().close(descriptor)

    def kill(self) -> None:
        """What the system does to a killed process's files."""
        for descriptor in list(self.open):
            self.close(descriptor)
        while self.maps:
            self.maps.pop().close()


_KEYS: dict[str, FileKeys] = {}


def zone_keys(root: Path, zone: str) -> FileKeys:
    """The same keys for all worlds of a test run: making them costs more than most tests."""
    if zone not in _KEYS:
        _KEYS[zone] = FileKeys.create(root / f"{zone}-keys", signing=("channel",), sealing=("events",))
    return _KEYS[zone]


class World:
    """One channel `events`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spool, self.writer_state, self.reader_state = root / "spool", root / "writer", root / "reader"
        for folder in (self.spool, self.writer_state, self.reader_state):
            folder.mkdir()
        self.clock = HeldClock()
        self.disk = FaultyDisk()
        self.runtime, self.logging = zone_keys(root, "runtime"), zone_keys(root, "logging")

    def writer(self, name: str = "runtime-0", **changes: object) -> SealedWriter:
        arguments = {
            "channel": "events",
            "writer": name,
            "spool": self.spool,
            "state": self.writer_state,
            "signing": self.runtime.signing("channel"),
            "reader_public": self.logging.sealing("events").public_bytes,
            "clock": self.clock,
            "disk": self.disk,
        }
        return SealedWriter(**(arguments | changes))  # type: ignore[arg-type]

    def reader(self, **changes: object) -> SealedReader:
        arguments = {
            "channel": "events",
            "spool": self.spool,
            "state": self.reader_state,
            "keys": [self.logging.sealing("events")],
            "writers": {"runtime": (self.runtime.signing("channel").public_bytes,)},
        }
        return SealedReader(**(arguments | changes))  # type: ignore[arg-type]

    def kill(self, writer: SealedWriter) -> None:
        """End the writer as SIGKILL does: nothing more is written, its files are closed."""
        writer._commit.close()
        writer._closed = True
        self.disk.kill()

    def segments(self) -> list[Path]:
        """Files that the reader would look at, in their order."""
        return sorted(path for path in self.spool.iterdir() if path.suffix == ".segment")

    def kept(self) -> list[Path]:
        """Files set aside as evidence."""
        return sorted(path for path in self.spool.iterdir() if path.suffix == ".kept")

    def read(self, reader: SealedReader | None = None, *, commit: bool = True) -> list[Item]:
        """Everything that there is."""
        reader = reader or self.reader()
        items: list[Item] = []
        while batch := list(reader.poll(1_000)):
            items += batch
            if not commit:
                break
            reader.commit()
        if commit:
            reader.commit()
        return items


def event(text: object = "") -> Message:
    return ProcessEvent(zone="runtime", change="started", timestamp=1.0, detail={"text": str(text)})


def texts(items: Iterable[Item]) -> list[str]:
    return [item.message.detail["text"] for item in items if isinstance(item, Received)]  # type: ignore[attr-defined]


def faults(items: Iterable[Item]) -> list[Fault]:
    return [item for item in items if isinstance(item, Fault)]


def kinds(items: Iterable[Item]) -> list[str]:
    return [fault.kind for fault in faults(items)]


def heads(items: Iterable[Item]) -> list[ChainHead]:
    return [item for item in items if isinstance(item, ChainHead)]


def flip(path: Path, offset: int, mask: int = 1) -> None:
    """Change bits of one byte."""
    with open(path, "r+b") as file:
        byte = os.pread(file.fileno(), 1, offset)[0]
        os.pwrite(file.fileno(), bytes([byte ^ mask]), offset)
