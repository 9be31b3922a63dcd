"""A signed repository and what a zone trusts, copied, and what an attacker would do to the copy (IAM-03)."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp

from caisson.adapters.embedded.configuration import TufConfigurationSource
from caisson.adapters.embedded.configuration.signing import RoleSigner
from caisson.assurance.probes.check import Lacking
from caisson.assurance.probes.held import HeldClock
from caisson.assurance.probes.target import Target
from caisson.errors import ConfigurationError
from caisson.ports.configuration import Configuration, Orders
from caisson.ports.keys import SigningKey

COPY_BYTES_MAX = 256 << 20
COPIES_MAX = 5
"""A copy may be torn by a renewal of orders; then another is taken."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A repository and what a zone trusts, copied at one moment."""

    repository: Path
    trust: Path

    def source(self, at: float) -> TufConfigurationSource:
        return TufConfigurationSource(self.repository, self.trust, HeldClock(at))

    def read(self, at: float) -> tuple[Configuration, Orders] | str:
        """The pair that a zone would take, or the word with which it refuses."""
        try:
            return self.source(at).refresh()
        except ConfigurationError as error:
            return str(error).partition(":")[0]

    def beside(self, name: str) -> Copy:
        """The same once more, to be damaged."""
        folder = self.repository.parent.with_name(name)
        shutil.copytree(self.repository.parent, folder)
        return Copy(repository=folder / "configuration", trust=folder / "trust")

    def forget(self) -> None:
        """Leave the zone the root that it was given, as at its first start."""
        for path in self.trust.iterdir():
            if path.is_dir():
                shutil.rmtree(path)

    def newest(self, role: str) -> Path:
        """The newest metadata file of a role."""
        if role == "timestamp":
            return self.repository / "metadata" / "timestamp.json"
        return max(self.repository.glob(f"metadata/*.{role}.json"), key=lambda path: int(path.name.partition(".")[0]))


def copied(target: Target, folder: Path) -> Copy:
    """Repository and the gateway's trust, of one moment: read until they fit."""
    source, trust = target.folder() / "configuration", target.zone("runtime") / "state" / "trust"
    for _ in range(COPIES_MAX):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
            if size > COPY_BYTES_MAX:
                raise Lacking(f"the repository has {size} bytes; expected at most {COPY_BYTES_MAX}")
            shutil.copytree(source, folder / "configuration")
            shutil.copytree(trust, folder / "trust", ignore=shutil.ignore_patterns("lock", "clock.json"))
        except PermissionError:
            raise Lacking(f"{trust} belongs to another user") from None
        except (FileNotFoundError, shutil.Error):
            continue  # a renewal replaced a file meanwhile
        made = Copy(repository=folder / "configuration", trust=folder / "trust")
        if not isinstance(made.read(target.clock()), str):
            return made
        time.sleep(0.2)
    return Copy(repository=folder / "configuration", trust=folder / "trust")


@dataclass(frozen=True, kw_only=True)
class Attack:
    """Something done to a repository."""

    what: str
    change: Callable[[Copy], None]
    to_new: bool = True
    """Whether a zone that has seen nothing before can tell."""


def attacks(attacker: SigningKey, older: Copy) -> list[Attack]:
    """Each with what an attacker would want of it."""

    def forged(role: str) -> Callable[[Copy], None]:
        def change(copy: Copy) -> None:
            path = copy.newest(role)
            made: Metadata[Any] = Metadata.from_file(str(path))
            made.signed.version += 1
            made.sign(RoleSigner(attacker))
            number = "" if role == "timestamp" else f"{made.signed.version}."
            made.to_file(str(path.with_name(f"{number}{role}.json")))
            if number:
                made.to_file(str(path))

        return change

    def unsigned(role: str) -> Callable[[Copy], None]:
        def change(copy: Copy) -> None:
            path = copy.newest(role)
            made: Metadata[Any] = Metadata.from_file(str(path))
            made.signatures.clear()
            made.to_file(str(path))

        return change

    def weaker(copy: Copy) -> None:
        targets: Metadata[Targets] = Metadata.from_file(str(copy.newest("targets")))
        for info in targets.signed.targets.values():
            digest = info.hashes["sha256"]
            for path in copy.repository.glob(f"targets/{digest}.*"):
                path.write_bytes(path.read_bytes().replace(b'"high"', b'"none"').replace(b'"block"', b'"flag"') + b" ")

    def pardoned(copy: Copy) -> None:
        orders: Metadata[Targets] = Metadata.from_file(str(copy.newest("orders")))
        for info in orders.signed.targets.values():
            for path in copy.repository.glob(f"targets/{info.hashes['sha256']}.*"):
                path.write_bytes(b'{"number":1,"revoked_sessions":{},"revoked_users":{},"stopped":""}')

    def rolled_back(copy: Copy) -> None:
        shutil.rmtree(copy.repository)
        shutil.copytree(older.repository, copy.repository)

    def mixed(copy: Copy) -> None:
        shutil.copy(older.newest("snapshot"), copy.newest("snapshot"))

    def stale(copy: Copy) -> None:
        shutil.copy(older.newest("orders"), copy.newest("orders"))

    found = [
        Attack(what=f"{role} signed by the gateway's own key", change=forged(role))
        for role in ("timestamp", "snapshot", "orders")
    ]
    found += [
        Attack(what=f"{role} without signatures", change=unsigned(role))
        for role in ("timestamp", "snapshot", "orders", "targets")
    ]
    found += [
        Attack(what="a weaker guardrail in the configuration", change=weaker),
        Attack(what="the revocation taken out of the orders", change=pardoned),
        Attack(
            what="the revocation taken out, and every role signed by the gateway's own key",
            change=lambda copy: _signed_through(copy, attacker),
        ),
        Attack(what="the repository of before the revocation", change=rolled_back, to_new=False),
        Attack(what="today's timestamp over the snapshot of before the revocation", change=mixed),
        Attack(what="today's snapshot over the orders of before the revocation", change=stale),
        Attack(what="the timestamp taken away", change=lambda copy: copy.newest("timestamp").unlink()),
        Attack(what="a root of the attacker's", change=lambda copy: _own_root(copy, attacker)),
    ]
    return found


def _signed_through(copy: Copy, attacker: SigningKey) -> None:
    """The revocation taken out of the orders, and every role above them made to agree and signed by the attacker."""
    orders: Metadata[Targets] = Metadata.from_file(str(copy.newest("orders")))
    ((path, info),) = orders.signed.targets.items()
    (content,) = copy.repository.glob(f"targets/{info.hashes['sha256']}.*")
    pardon = json.dumps({**json.loads(content.read_bytes()), "revoked_sessions": {}}).encode()
    made = TargetFile.from_data(path, pardon, ["sha256"])
    content.with_name(f"{made.hashes['sha256']}.{content.name.partition('.')[2]}").write_bytes(pardon)
    orders.signed.targets[path] = made
    snapshot: Metadata[Snapshot] = Metadata.from_file(str(copy.newest("snapshot")))
    timestamp: Metadata[Timestamp] = Metadata.from_file(str(copy.newest("timestamp")))
    orders.signed.version += 1
    snapshot.signed.version += 1
    timestamp.signed.version += 1
    snapshot.signed.meta["orders.json"] = MetaFile(orders.signed.version)
    timestamp.signed.snapshot_meta = MetaFile(snapshot.signed.version)
    folder = copy.repository / "metadata"
    for role, name in (
        (orders, f"{orders.signed.version}.orders.json"),
        (snapshot, f"{snapshot.signed.version}.snapshot.json"),
        (timestamp, "timestamp.json"),
    ):
        role.sign(RoleSigner(attacker))
        role.to_file(str(folder / name))


def _own_root(copy: Copy, attacker: SigningKey) -> None:
    path = copy.newest("root")
    made: Metadata[Any] = Metadata.from_file(str(path))
    made.signed.version += 1
    made.sign(RoleSigner(attacker))
    made.to_file(str(path.with_name(f"{made.signed.version}.root.json")))
