"""What a configuration version says about itself, signed by its operators, as TUF carries it (IAM-08).

The change stands in the target's `custom` field. TUF's canonical JSON has no fractions: times are whole milliseconds.

>>> record = custom(Change(author="uid:1000", reason="first", origin="start", at=1.5), orders_validity_s=300)
>>> record["at_ms"], record["orders_validity_s"]
(1500, 300)
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from tuf.api.metadata import Metadata, Root, Targets

from caisson.adapters.embedded.configuration.documents import CONFIGURATION
from caisson.adapters.embedded.configuration.signing import names
from caisson.errors import ConfigurationError
from caisson.ports.configuration import Change, Published

TEXT_CHARACTERS_MAX = 500
LINES_MAX = 200


class _Custom(msgspec.Struct, kw_only=True, frozen=True):
    author: str
    reason: str
    origin: Literal["start", "publish", "rollback", "renewal"]
    at_ms: int
    orders_validity_s: int
    differences: tuple[str, ...] = ()
    affected_agents: tuple[str, ...] = ()
    restores: int = 0


def custom(change: Change, *, orders_validity_s: int) -> dict[str, Any]:
    """The record that is signed with the version.

    Raises:
        ConfigurationError: no author, no reason, or text that is too long or not printable.
    """
    for name, text in (("author", change.author), ("reason", change.reason)):
        if not text.strip() or len(text) > TEXT_CHARACTERS_MAX or not text.isprintable():
            raise ConfigurationError(
                f"expected the change's {name} in 1 to {TEXT_CHARACTERS_MAX} printable characters, found {len(text)};"
                f" say {'who makes it' if name == 'author' else 'why it is made'}"
            )
    lines = (*change.differences, *change.affected_agents)
    if len(lines) > LINES_MAX or any(len(line) > TEXT_CHARACTERS_MAX or not line.isprintable() for line in lines):
        raise ConfigurationError(f"expected at most {LINES_MAX} printable lines about the change, found {len(lines)}")
    record = _Custom(
        author=change.author,
        reason=change.reason,
        origin=change.origin,
        at_ms=int(change.at * 1000),
        orders_validity_s=orders_validity_s,
        differences=change.differences,
        affected_agents=change.affected_agents,
        restores=change.restores,
    )
    builtins: dict[str, Any] = msgspec.to_builtins(record)
    return {**builtins, "differences": list(record.differences), "affected_agents": list(record.affected_agents)}


def change_of(targets: Targets) -> Change:
    """Why the version exists.

    Raises:
        ConfigurationError: it does not say.
    """
    record = _record(targets)
    return Change(
        author=record.author,
        reason=record.reason,
        origin=record.origin,
        at=record.at_ms / 1000,
        differences=record.differences,
        affected_agents=record.affected_agents,
        restores=record.restores,
    )


def orders_validity_s(targets: Targets) -> int:
    """How long orders hold under this version."""
    return _record(targets).orders_validity_s


def content_hash(targets: Targets) -> str:
    """SHA-256 hex of the configuration's bytes."""
    return targets.targets[CONFIGURATION].hashes["sha256"]


def published(metadata: Metadata[Targets], root: Root) -> Published | None:
    """The version in `metadata`, or None when no operator of `root` signed it, or it does not say why it exists."""
    result = root.get_verification_result(Targets.type, metadata.signed_bytes, metadata.signatures)
    if not result.signed or CONFIGURATION not in metadata.signed.targets:
        return None
    try:
        change = change_of(metadata.signed)
    except ConfigurationError:
        return None
    return Published(
        version=metadata.signed.version,
        sha256=content_hash(metadata.signed),
        change=change,
        expires=metadata.signed.expires.timestamp(),
        approvers=signed_by(root, set(result.signed)),
    )


def signed_by(root: Root, keyids: set[str]) -> tuple[str, ...]:
    """Names of the operators behind the keys."""
    return tuple(sorted(name for name, keyid in names(root).items() if keyid in keyids))


def _record(targets: Targets) -> _Custom:
    try:
        return msgspec.convert(targets.targets[CONFIGURATION].custom, _Custom)
    except (KeyError, msgspec.MsgspecError) as error:
        raise ConfigurationError(f"damaged: version {targets.version} does not say why it exists") from error
