"""What may be asked of the control zone: one JSON object a line, strict, bounded.

    {"op": "status"}    {"op": "versions"}    {"op": "staged"}
    {"op": "revoke_session", "session": "s-…", "until": 1800000000.0, "reason": "…"}
    {"op": "revoke_user", "user": "alice", "reason": "…"}
    {"op": "stop", "reason": "…"}    {"op": "resume", "reason": "…"}
    {"op": "publish", "bundle": {…}, "reason": "…"}    {"op": "rollback", "version": 3, "reason": "…"}
    {"op": "sign", "key_id": "…", "signatures": ["…"]}

Who asks is the peer's uid, as the kernel tells it; nobody names another.

>>> decode(b'{"op": "stop", "reason": "drill"}').reason
'drill'
"""

from __future__ import annotations

from typing import Any

import msgspec

from caisson.errors import ConfigurationError

LINE_BYTES_MAX = 8 << 20
"""A bundle of 4 MiB with its quotes escaped."""


class Request(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="op"):
    """One request."""


class Status(Request, tag="status", kw_only=True, frozen=True):
    """What is in force and how the zone is."""


class Versions(Request, tag="versions", kw_only=True, frozen=True):
    """Configuration versions that are kept."""


class Staged(Request, tag="staged", kw_only=True, frozen=True):
    """What waits for signatures, and the bytes to sign."""


class RevokeSession(Request, tag="revoke_session", kw_only=True, frozen=True):
    """End a session and what it handed on."""

    session: str
    reason: str
    until: float | None = None
    user: str = ""
    """Whose session it is, for the record."""


class RevokeUser(Request, tag="revoke_user", kw_only=True, frozen=True):
    """End all sessions that a user has now."""

    user: str
    reason: str
    since: float | None = None


class Stop(Request, tag="stop", kw_only=True, frozen=True):
    """Stop every request."""

    reason: str


class Resume(Request, tag="resume", kw_only=True, frozen=True):
    """Let requests through again."""

    reason: str


class Publish(Request, tag="publish", kw_only=True, frozen=True):
    """Put a new bundle in force."""

    bundle: dict[str, Any]
    reason: str


class Rollback(Request, tag="rollback", kw_only=True, frozen=True):
    """Put the content of an earlier version in force again, as a new version."""

    version: int
    reason: str


class Sign(Request, tag="sign", kw_only=True, frozen=True):
    """Add an operator's signatures to what is staged."""

    key_id: str
    signatures: list[str]
    """Hex, in the order of the payloads."""


AnyRequest = (
    Status | Versions | Staged | RevokeSession | RevokeUser | Stop | Resume | Publish | Rollback | Sign
)  # fmt: skip

_decoder: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)


def decode(line: bytes) -> AnyRequest:
    """The request in a line.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"expected a request of this version: {str(error)[:200]}") from error
