"""Who signs which role: zone keys (`ports.keys`) as TUF signers, and what the root says about them.

- Operators sign configuration and the root; how many must is the role's threshold. Their names stand in the root.
- Online keys, one a role, stay in the control zone: orders, snapshot and timestamp are renewed without an operator.

>>> OnlineKeys(orders=keys.signing("orders"), snapshot=keys.signing("snapshot"),
...            timestamp=keys.signing("timestamp"))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer import Key, Signature, Signer, SSlibKey
from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

from caisson.errors import ConfigurationError
from caisson.ports.keys import SigningKey

ORDERS_ROLE = "orders"
OPERATOR_FIELD = "x-caisson-operator"
"""Field of a key in the root that names whose it is; TUF leaves fields of this form to applications."""


@dataclass(frozen=True, kw_only=True)
class OnlineKeys:
    """Keys that the control process holds."""

    orders: SigningKey
    snapshot: SigningKey
    timestamp: SigningKey


class RoleSigner(Signer):
    """A zone's signing key where TUF wants a signer."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self._public_key = tuf_key(key.public_bytes)

    @property
    def public_key(self) -> Key:
        return self._public_key

    @classmethod
    def from_priv_key_uri(
        cls,
        priv_key_uri: str,  # noqa: ARG003
        public_key: Key,  # noqa: ARG003
        secrets_handler: object = None,  # noqa: ARG003
    ) -> RoleSigner:
        raise ConfigurationError("keys are opened by the zone's key adapter, not by a URI")

    def sign(self, payload: bytes) -> Signature:
        return Signature(self._public_key.keyid, self._key.sign(payload).hex())


def tuf_key(public_bytes: bytes) -> SSlibKey:
    """An Ed25519 public key as TUF writes it."""
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(public_bytes))


def moment(unix_s: float) -> datetime:
    """Unix time in TUF's form."""
    return datetime.fromtimestamp(unix_s, tz=UTC)


def first_root(*, operators: Mapping[str, bytes], online: OnlineKeys, signatures: int, expires: float) -> Root:
    """The root of a new repository.

    Raises:
        ConfigurationError: fewer operators than signatures, or one key under two names.
    """
    if len(set(operators.values())) < max(signatures, len(operators)):
        raise ConfigurationError(
            f"expected at least {signatures} operators with a key each, found {sorted(operators)};"
            " make a key for each of them"
        )
    root = Root(expires=moment(expires), consistent_snapshot=True)
    for name, public_bytes in operators.items():
        key = tuf_key(public_bytes)
        key.unrecognized_fields[OPERATOR_FIELD] = name
        root.add_key(key, Root.type)
        root.add_key(key, Targets.type)
    root.add_key(tuf_key(online.snapshot.public_bytes), Snapshot.type)
    root.add_key(tuf_key(online.timestamp.public_bytes), Timestamp.type)
    return with_signatures(root, signatures)


def with_signatures(root: Root, signatures: int) -> Root:
    """The same object, asking for that many operators.

    Raises:
        ConfigurationError: there are not that many.
    """
    found = len(root.roles[Targets.type].keyids)
    if not 1 <= signatures <= found:
        raise ConfigurationError(
            f"expected 1 to {found} signatures, as many as there are operators, found {signatures}"
        )
    root.roles[Root.type].threshold = root.roles[Targets.type].threshold = signatures
    return root


def operator_key(root: Root, key_id: str) -> Key:
    """The operator key with that `SigningKey.key_id`.

    Raises:
        ConfigurationError: the root names no such operator.
    """
    for keyid in root.roles[Targets.type].keyids:
        key = root.keys[keyid]
        if sha256(bytes.fromhex(key.keyval["public"])).hexdigest()[:16] == key_id:
            return key
    raise ConfigurationError(f"forged: key {key_id!r} is not an operator's; operators are {sorted(names(root))}")


def names(root: Root) -> dict[str, str]:
    """Operator name to TUF key id."""
    keyids = root.roles[Targets.type].keyids
    return {str(root.keys[keyid].unrecognized_fields.get(OPERATOR_FIELD, keyid)): keyid for keyid in keyids}
