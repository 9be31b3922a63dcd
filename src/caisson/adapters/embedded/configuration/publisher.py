"""The control zone's end of the repository (IAM-03, IAM-08).

- A configuration counts once enough operators signed it; until then it is staged, and nothing of it is in force.
- A new root asks for no more than the signatures that the version before it already has, so it follows that version.
- A publication is kept as a complete draft until all of it is there: what a crash cut short is finished at the start.
- The publisher is a client of its own repository: at every start and after each change it verifies what is there
  against its own root and the newest state it has seen, and never continues from an older or altered repository.

>>> publisher.publish(bundle, change, signatures=1, orders_validity_s=300, signers=[author])  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Root, TargetFile, Targets

from caisson.adapters.embedded.configuration.client import (
    METADATA,
    ROLE_BYTES_MAX,
    TARGETS,
    RepositoryClient,
    Trusted,
    establish_trust,
    has_trust,
)
from caisson.adapters.embedded.configuration.documents import (
    CONFIGURATION,
    CONTENT_BYTES_MAX,
    ORDERS,
    ORDERS_VALIDITY_MAX_S,
    configuration_content,
    orders_content,
    read_configuration,
    read_orders,
)
from caisson.adapters.embedded.configuration.draft import Draft
from caisson.adapters.embedded.configuration.history import custom, published
from caisson.adapters.embedded.configuration.signing import (
    ORDERS_ROLE,
    OnlineKeys,
    first_root,
    moment,
    tuf_key,
    with_signatures,
)
from caisson.adapters.embedded.configuration.writer import HASHES, RepositoryWriter
from caisson.errors import ConfigurationError
from caisson.ports.clock import Clock
from caisson.ports.configuration import Change, Configuration, ConfigurationPublisher, Orders, Published, Staged
from caisson.ports.keys import SigningKey

DAY_S = 86_400
CONFIGURATION_VALIDITY_S = 365 * DAY_S
ROOT_VALIDITY_S = 5 * 365 * DAY_S
"""Renewed with a configuration once half of it is over."""
CONFIGURATIONS_KEPT_MAX = 50
ORDERS_VALIDITY_MIN_S = 10
"""Less leaves no time to renew."""
BEFORE_ANY_EXPIRY = 0.0
"""A publisher that was down for longer than its metadata holds must still be able to go on from it."""


class TufConfigurationPublisher(ConfigurationPublisher):
    """Writes `repository`; keeps its trust and what is staged in `state`, which is private.

    `operators` are names and public keys for a new repository; one that exists names its own. `distribute` carries the
    repository to zones that cannot read the folder.

    Raises:
        ConfigurationError: the repository is not what this publisher left, or cannot be written.
    """

    def __init__(
        self,
        *,
        repository: Path,
        state: Path,
        online: OnlineKeys,
        operators: Mapping[str, bytes],
        clock: Clock,
        distribute: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._repository = repository
        self._online = online
        self._operators = operators
        self._clock = clock
        self._distribute = distribute
        self._trust = state / "trust"
        self._staged = state / "staged.json"
        self._client = RepositoryClient(repository, self._trust)
        self._trusted: Trusted | None = None
        self._draft: Draft | None = None
        self._cut_short = True
        """Disk and memory may differ: read what is there, and finish it, before anything else."""
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._writer = RepositoryWriter(repository, online, clock)
        except OSError as error:
            raise self._unwritable(error) from error
        with self._changing():
            pass

    async def distributed(self) -> None:
        if self._distribute is not None and self._trusted is not None:
            await self._distribute()

    def current(self) -> tuple[Configuration, Orders] | None:
        trusted = self._trusted
        if trusted is None:
            return None
        configuration = read_configuration(
            trusted.configuration_content,
            version=trusted.targets.version,
            expires=trusted.targets.expires.timestamp(),
        )
        return configuration, _orders(trusted)

    def publish(
        self,
        bundle: dict[str, Any],
        change: Change,
        *,
        signatures: int,
        orders_validity_s: int,
        signers: Sequence[SigningKey],
    ) -> Published | Staged:
        if not ORDERS_VALIDITY_MIN_S <= orders_validity_s <= ORDERS_VALIDITY_MAX_S:
            raise ConfigurationError(
                f"expected orders to hold for {ORDERS_VALIDITY_MIN_S} to {ORDERS_VALIDITY_MAX_S} s,"
                f" found {orders_validity_s}"
            )
        content = configuration_content(bundle, author=change.author, reason=change.reason)
        target = TargetFile.from_data(CONFIGURATION, content, HASHES)
        target.unrecognized_fields["custom"] = custom(change, orders_validity_s=orders_validity_s)
        with self._changing():
            targets = Targets(
                version=self._next_version(),
                expires=moment(self._clock.now() + CONFIGURATION_VALIDITY_S),
                targets={CONFIGURATION: target},
                delegations=_delegations(self._online),
            )
            draft = Draft(targets=Metadata(targets), root=self._new_root(signatures), content=content)
            for signer in signers:
                draft.add(signer.key_id, [signer.sign(payload) for payload in draft.payloads], self._root())
            return self._settle(draft)

    def sign(self, key_id: str, signatures: Sequence[bytes]) -> Published | Staged:
        with self._changing():
            if self._draft is None:
                raise ConfigurationError("missing: nothing is staged that could be signed")
            self._draft.add(key_id, signatures, self._root())
            return self._settle(self._draft)

    def staged(self) -> Staged | None:
        return None if self._draft is None else self._draft.staged(self._root())

    def issue(self, orders: Orders) -> Orders:
        with self._changing():
            if self._trusted is None:
                raise ConfigurationError("missing: no configuration is published yet, so nothing can be ordered")
            held = _orders(self._trusted)
            asked = replace(orders, number=held.number, expires=held.expires)
            if asked != held:
                asked = replace(asked, number=held.number + 1)
            trusted = self._renew(self._trusted, orders_content(asked))
            self._writer.sweep(trusted, _kept(trusted))
            return _orders(trusted)

    def versions(self) -> tuple[Published, ...]:
        if self._trusted is None:
            return ()
        found = (self._published(number, self._trusted.root) for number in _kept(self._trusted))
        return tuple(one for one in found if one is not None)

    def bundle(self, version: int) -> dict[str, Any]:
        one = next((kept for kept in self.versions() if kept.version == version), None)
        if one is None:
            numbers = [kept.version for kept in self.versions()]
            raise ConfigurationError(f"missing: expected a version that is kept, one of {numbers}, found {version}")
        try:
            content = self._writer.read(TARGETS, f"{one.sha256}.{CONFIGURATION}", bytes_max=CONTENT_BYTES_MAX)
        except OSError as error:
            raise ConfigurationError(f"missing: the content of version {version}; choose another") from error
        if sha256(content).hexdigest() != one.sha256:
            raise ConfigurationError(f"damaged: the content of version {version}; choose another")
        return read_configuration(content, version=version, expires=one.expires).bundle

    def _root(self) -> Root | None:
        return None if self._trusted is None else self._trusted.root

    def _next_version(self) -> int:
        return 1 if self._trusted is None else self._trusted.targets.version + 1

    def _published(self, version: int, root: Root) -> Published | None:
        try:
            content = self._writer.read(METADATA, f"{version}.targets.json", bytes_max=ROLE_BYTES_MAX)
            found = published(Metadata[Targets].from_bytes(content), root)
        except (OSError, RepositoryError, ConfigurationError):
            return None  # damaged: not offered
        return found if found is not None and found.version == version else None

    def _new_root(self, signatures: int) -> Metadata[Root] | None:
        """The root that the next version needs, when it is not the one in force."""
        now = self._clock.now()
        expires = now + ROOT_VALIDITY_S
        held = self._root()
        if held is None:
            return Metadata(
                first_root(operators=self._operators, online=self._online, signatures=signatures, expires=expires)
            )
        renew = held.expires.timestamp() - now < ROOT_VALIDITY_S / 2
        if held.roles[Targets.type].threshold == signatures and not renew:
            return None
        root = with_signatures(Root.from_dict(held.to_dict()), signatures)
        root.version += 1
        root.expires = moment(expires)
        return Metadata(root)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Around each change: what was cut short before, in this process or another, is finished first."""
        try:
            if self._cut_short:
                self._catch_up()
            self._cut_short = True
            yield
            self._cut_short = False
        except OSError as error:
            raise self._unwritable(error) from error

    def _catch_up(self) -> None:
        self._draft = draft = Draft.read(self._staged)
        if has_trust(self._trust):
            self._trusted = self._client.load(at=BEFORE_ANY_EXPIRY)
        elif draft is None and (self._repository / METADATA / "timestamp.json").exists():
            raise ConfigurationError(
                f"forged: {self._repository} holds a repository that this control zone did not write; move it away,"
                f" or restore {self._trust}"
            )
        if draft is None:
            return
        root = self._root()
        root_follows = draft.root is not None and (root is None or draft.root.signed.version > root.version)
        if draft.version != self._next_version() and not root_follows:
            self._drop_draft()
        elif draft.missing(root) == 0:
            self._commit(draft)

    def _settle(self, draft: Draft) -> Published | Staged:
        draft.write(self._staged)
        self._draft = draft
        if draft.missing(self._root()) > 0:
            return draft.staged(self._root())
        return self._commit(draft)

    def _commit(self, draft: Draft) -> Published:
        held = self._trusted
        orders = orders_content(Orders(number=1)) if held is None else held.orders_content
        file = self._writer.version(draft)
        if held is None:
            root = draft.first_root()
            self._writer.root(root)
            self._writer.vouch(None, root=root.signed, targets=draft.targets.signed, targets_file=file, orders=orders)
            establish_trust(self._repository, self._trust)
        else:
            self._writer.vouch(held, root=held.root, targets=draft.targets.signed, targets_file=file, orders=orders)
            if draft.root is not None:
                self._writer.root(draft.root)
        trusted = self._reload()
        if draft.root is not None:
            trusted = self._renew(trusted, orders)  # readers look for a root when the timestamp changes
        self._drop_draft()
        self._writer.sweep(trusted, _kept(trusted))
        found = self._published(draft.version, trusted.root)
        if found is None:
            raise ConfigurationError(f"damaged: version {draft.version} cannot be read back; look at the disk")
        return found

    def _renew(self, held: Trusted, orders: bytes) -> Trusted:
        file = held.snapshot.meta[f"{Targets.type}.json"]
        self._writer.vouch(held, root=held.root, targets=held.targets, targets_file=file, orders=orders)
        return self._reload()

    def _reload(self) -> Trusted:
        self._trusted = trusted = self._client.load(at=BEFORE_ANY_EXPIRY)
        return trusted

    def _drop_draft(self) -> None:
        self._draft = None
        self._staged.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"the repository {self._repository} cannot be written ({error.strerror}); make it the control zone's"
        )


def _kept(trusted: Trusted) -> range:
    newest = trusted.targets.version
    return range(max(1, newest - CONFIGURATIONS_KEPT_MAX + 1), newest + 1)


def _orders(trusted: Trusted) -> Orders:
    return read_orders(trusted.orders_content, expires=trusted.orders.expires.timestamp())


def _delegations(online: OnlineKeys) -> Delegations:
    key = tuf_key(online.orders.public_bytes)
    role = DelegatedRole(ORDERS_ROLE, [key.keyid], 1, True, paths=[ORDERS])
    return Delegations({key.keyid: key}, {ORDERS_ROLE: role})
