"""Files of the repository, in the order in which a reader may believe them (TUF specification 1.0, section 6).

- Everything new goes to a new name; `timestamp.json` is renamed into place last, and alone makes it count.
- Nothing is written that a reader would refuse: each signature is checked against the role above it first.
- Swept: what no reader in the middle of a refresh can need, and what a crash left unfinished.

>>> writer.vouch(held, root=root, targets=targets, targets_file=file, orders=b"{}")  # doctest: +SKIP
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from caisson.adapters.embedded.configuration.client import METADATA, ROLE_BYTES_MAX, TARGETS, Trusted
from caisson.adapters.embedded.configuration.documents import CONFIGURATION, ORDERS
from caisson.adapters.embedded.configuration.draft import Draft
from caisson.adapters.embedded.configuration.folder import read_plain, sync, write_whole
from caisson.adapters.embedded.configuration.history import content_hash, orders_validity_s
from caisson.adapters.embedded.configuration.signing import ORDERS_ROLE, OnlineKeys, RoleSigner, moment
from caisson.errors import ConfigurationError
from caisson.ports.clock import Clock
from caisson.ports.keys import SigningKey

GENERATIONS_KEPT_MAX = 8
"""Of orders and snapshots: a reader that took the timestamp before must still find what it names."""
HASHES = ["sha256"]


class RepositoryWriter:
    """See the module. Every method raises OSError when the disk refuses."""

    def __init__(self, repository: Path, online: OnlineKeys, clock: Clock) -> None:
        self._repository = repository
        self._online = online
        self._clock = clock
        for folder in (repository / METADATA, repository / TARGETS):
            if not folder.is_dir():
                folder.mkdir(parents=True)
                folder.chmod(0o755)  # readers run as other users, whatever this process' umask is

    def version(self, draft: Draft) -> MetaFile:
        """Write a configuration version; nothing names it yet. Returns what a snapshot says about it."""
        content = draft.targets.to_bytes()
        self._put(TARGETS, f"{content_hash(draft.targets.signed)}.{CONFIGURATION}", draft.content)
        self._put(METADATA, f"{draft.version}.targets.json", content)
        return MetaFile.from_data(draft.version, content, HASHES)

    def root(self, root: Metadata[Root]) -> None:
        """Write a root; readers follow it as soon as it is there."""
        self._put(METADATA, f"{root.signed.version}.root.json", root.to_bytes())
        sync(self._repository / METADATA)

    def vouch(
        self, held: Trusted | None, *, root: Root, targets: Targets, targets_file: MetaFile, orders: bytes
    ) -> None:
        """Sign orders, snapshot and timestamp after `held`; with the last rename `targets` and `orders` are in force.

        Raises:
            ConfigurationError: an online key is not the one that the repository names.
        """
        expires = moment(self._clock.now() + orders_validity_s(targets))
        role = Metadata(
            Targets(
                version=1 if held is None else held.orders.version + 1,
                expires=expires,
                targets={ORDERS: TargetFile.from_data(ORDERS, orders, HASHES)},
            )
        )
        role_bytes = self._signed(role, self._online.orders, targets, ORDERS_ROLE)
        snapshot = Metadata(
            Snapshot(
                version=1 if held is None else held.snapshot.version + 1,
                expires=expires,
                meta={
                    "targets.json": targets_file,
                    f"{ORDERS_ROLE}.json": MetaFile.from_data(role.signed.version, role_bytes, HASHES),
                },
            )
        )
        snapshot_bytes = self._signed(snapshot, self._online.snapshot, root, Snapshot.type)
        timestamp = Metadata(
            Timestamp(
                version=1 if held is None else held.timestamp.version + 1,
                expires=expires,
                snapshot_meta=MetaFile.from_data(snapshot.signed.version, snapshot_bytes, HASHES),
            )
        )
        timestamp_bytes = self._signed(timestamp, self._online.timestamp, root, Timestamp.type)
        self._put(TARGETS, f"{sha256(orders).hexdigest()}.{ORDERS}", orders)
        self._put(METADATA, f"{role.signed.version}.{ORDERS_ROLE}.json", role_bytes)
        self._put(METADATA, f"{snapshot.signed.version}.snapshot.json", snapshot_bytes)
        for folder in (TARGETS, METADATA):
            sync(self._repository / folder)
        self._put(METADATA, "timestamp.json", timestamp_bytes)
        sync(self._repository / METADATA)

    def _signed(self, metadata: Metadata[Any], key: SigningKey, delegator: Root | Targets, role: str) -> bytes:
        metadata.sign(RoleSigner(key))
        try:
            delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except RepositoryError as error:
            raise ConfigurationError(
                f"forged: the online key for {role} is not the one that the repository names;"
                " restore the control zone's keys"
            ) from error
        return metadata.to_bytes()

    def _put(self, folder: str, name: str, content: bytes) -> None:
        write_whole(self._repository / folder / name, content)

    def read(self, folder: str, name: str, *, bytes_max: int) -> bytes:
        """A file of the repository.

        Raises:
            ConfigurationError: it is no plain file, or too long.
        """
        return read_plain(self._repository / folder / name, bytes_max=bytes_max)

    def sweep(self, trusted: Trusted, versions: range) -> None:
        """Remove all but `versions`, the roots, and the last generations of the rest."""
        metadata = {"timestamp.json"} | {f"{number}.root.json" for number in range(1, trusted.root.version + 1)}
        metadata |= {f"{number}.targets.json" for number in versions}
        for role, newest in ((ORDERS_ROLE, trusted.orders.version), (Snapshot.type, trusted.snapshot.version)):
            metadata |= {f"{number}.{role}.json" for number in range(newest - GENERATIONS_KEPT_MAX + 1, newest + 1)}
        naming = (name for name in metadata if name.endswith((".targets.json", f".{ORDERS_ROLE}.json")))
        targets = {target for name in naming for target in self._named_by(name)}
        for folder, kept in ((METADATA, metadata), (TARGETS, targets)):
            for path in (self._repository / folder).iterdir():
                if path.name not in kept:
                    path.unlink(missing_ok=True)

    def _named_by(self, name: str) -> set[str]:
        """Files of the targets folder that a role's metadata names; none when it is not there or damaged."""
        try:
            content = self.read(METADATA, name, bytes_max=ROLE_BYTES_MAX)
            signed = Metadata[Targets].from_bytes(content).signed
        except (OSError, RepositoryError, ConfigurationError):
            return set()
        return {f"{target.hashes['sha256']}.{path}" for path, target in signed.targets.items()}
