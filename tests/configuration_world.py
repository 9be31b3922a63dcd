"""A repository, its publisher and its readers under a clock that the test holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from caisson.adapters.aws.api.courier import Courier
from caisson.adapters.aws.api.objects import Objects
from caisson.adapters.aws.configuration import Download
from caisson.adapters.embedded.configuration import (
    OnlineKeys,
    TufConfigurationPublisher,
    TufConfigurationSource,
    establish_trust,
)
from caisson.ports.clock import Clock
from caisson.ports.configuration import Change, Configuration, ConfigurationSource, Orders, Published, Staged
from caisson.ports.keys import SigningKey

NOON = 1_800_000_000.0


@dataclass
class HeldClock(Clock):
    wall: float = NOON
    passed: float = 1_000.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.passed

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.passed += seconds

    def step(self, seconds: float) -> None:
        """The wall clock is set; no time passes."""
        self.wall += seconds


class MemoryKey(SigningKey):
    """The same seed gives the same key."""

    def __init__(self, seed: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(sha256(seed.encode()).digest())

    @property
    def key_id(self) -> str:
        return sha256(self.public_bytes).hexdigest()[:16]

    @property
    def public_bytes(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data)


def bundle(tier: int = 1, **system: Any) -> dict[str, Any]:
    return {"format": 1, "system": {"tier": tier, "name": "claims", **system}, "keys": {"runtime": {"channel": "AAAA"}}}


@dataclass
class World:
    folder: Path
    clock: HeldClock = field(default_factory=HeldClock)
    owner: str = "ours"
    """Names the keys: another owner has other keys."""

    def __post_init__(self) -> None:
        self.author = MemoryKey(f"{self.owner} author")
        self.approver = MemoryKey(f"{self.owner} approver")
        self.online = OnlineKeys(
            orders=MemoryKey(f"{self.owner} orders"),
            snapshot=MemoryKey(f"{self.owner} snapshot"),
            timestamp=MemoryKey(f"{self.owner} timestamp"),
        )
        self.repository = self.folder / "configuration"
        self.state = self.folder / "control"

    def publisher(self) -> TufConfigurationPublisher:
        return TufConfigurationPublisher(
            repository=self.repository,
            state=self.state,
            online=self.online,
            operators={"author": self.author.public_bytes, "approver": self.approver.public_bytes},
            clock=self.clock,
        )

    def source(self, zone: str = "runtime") -> TufConfigurationSource:
        establish_trust(self.repository, self.folder / zone)
        return TufConfigurationSource(self.repository, self.folder / zone, self.clock)

    def publish(
        self, publisher: TufConfigurationPublisher, *, signatures: int = 1, both: bool = False, **system: Any
    ) -> Published | Staged:
        return publisher.publish(
            bundle(**system),
            Change(author="uid:1000", reason="because", origin="publish", at=self.clock.now()),
            signatures=signatures,
            orders_validity_s=300 if signatures == 1 else 60,
            signers=[self.author, self.approver] if both else [self.author],
        )

    def files(self) -> list[Path]:
        """Every file of the repository."""
        return sorted(path for path in self.repository.rglob("*") if path.is_file())


class BucketWorld(World):
    """The same through a bucket: what lies in the folder is put there, whatever it is, before a source looks."""

    objects: Any
    """A client of S3, and a bucket's name."""
    make: Callable[[], Objects]
    sources: list[_Looking]

    def close(self) -> None:
        for source in self.sources:
            source.close()

    def source(self, zone: str = "runtime") -> ConfigurationSource:  # type: ignore[override]
        establish_trust(self.repository, self.folder / zone)
        copy = self.folder / f"{zone}-copy"
        return _Looking(self, copy, TufConfigurationSource(copy, self.folder / zone, self.clock))

    def carry(self) -> None:
        """As a hostile bucket would: everything that is in the folder, and nothing else."""
        client, bucket = self.objects
        listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
        for name in {one["Key"] for one in listed}:
            client.delete_object(Bucket=bucket, Key=name)
        for path in self.files():
            name = str(path.relative_to(self.repository))
            client.put_object(Bucket=bucket, Key=name, Body=path.read_bytes())


class _Looking(ConfigurationSource):
    def __init__(self, world: BucketWorld, copy: Path, source: TufConfigurationSource) -> None:
        self._world, self._source = world, source
        self._courier = Courier("test")
        self._courier.start()
        self._download = Download(copy, world.make())
        world.sources.append(self)

    def changed(self) -> bool:
        self._look()
        return self._source.changed()

    def refresh(self) -> tuple[Configuration, Orders]:
        self._look()
        return self._source.refresh()

    def close(self) -> None:
        self._courier.run(self._download.close()).result(10)
        self._courier.stop()

    def _look(self) -> None:
        self._world.carry()
        self._courier.run(self._download.look()).result(30)
