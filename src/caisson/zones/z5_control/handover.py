"""What whoever starts the system hands to the control zone: the configuration that the system file says.

A file in the zone's own folder, written before the zone starts. Handing the same content over again changes nothing, so
that a restart never undoes a rollback.

>>> digest({"format": 1, "system": {}, "keys": {}}) == digest({"keys": {}, "system": {}, "format": 1, "author": "a"})
True
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import rfc8785

from caisson.errors import ConfigurationError
from caisson.zones.z5_control.difference import content
from caisson.zones.z5_control.requests import LINE_BYTES_MAX
from caisson.zones.z5_control.state_file import write_whole


class Handover(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One configuration, and who wants it."""

    bundle: dict[str, Any]
    """`{"format": 1, "system": <resolved system>, "keys": {zone: {name: base64 public key}}}`."""
    author: str
    """Who started the system, as the kernel tells it: `uid:1000`."""
    reason: str


def write_handover(path: Path, handover: Handover) -> None:
    """For whoever starts the zone.

    Raises:
        OSError: the disk refused.
    """
    write_whole(path, msgspec.json.encode(handover))


def read_handover(path: Path) -> Handover:
    """For the zone.

    Raises:
        ConfigurationError: there is none, or it is damaged.
    """
    try:
        with path.open("rb") as file:
            found = file.read(LINE_BYTES_MAX + 1)
        return msgspec.json.decode(found, type=Handover)
    except FileNotFoundError as error:
        raise ConfigurationError(f"missing: {path}; `caisson up` writes it") from error
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"damaged: {path}; `caisson up` writes it again") from error


def canonical(bundle: dict[str, Any]) -> dict[str, Any]:
    """The bundle as it comes back from canonical JSON (RFC 8785), so that `1.0` and `1` are one value everywhere.

    Raises:
        ConfigurationError: canonical JSON cannot hold it.
    """
    try:
        found: dict[str, Any] = json.loads(rfc8785.dumps(bundle))
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"expected a bundle that canonical JSON can hold (RFC 8785): {error}") from error
    return found


def digest(bundle: dict[str, Any]) -> str:
    """SHA-256 hex of what a bundle decides, whoever published it.

    Raises:
        ConfigurationError: canonical JSON cannot hold it.
    """
    return sha256(json.dumps(canonical(content(bundle)), sort_keys=True).encode()).hexdigest()
