"""The two targets of the repository: `configuration.json` and `orders.json`, as canonical JSON (RFC 8785).

- One content has one form, so a hash means one thing.
- Read strictly: an unknown field or a number out of range is a damaged document, never a default.

>>> read_orders(orders_content(Orders(number=1)), expires=10.0).number
1
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Literal, TypeVar

import msgspec
import rfc8785

from caisson.errors import ConfigurationError
from caisson.ports.configuration import Configuration, Orders

CONFIGURATION = "configuration.json"
ORDERS = "orders.json"
FORMAT = 1
CONTENT_BYTES_MAX = 4 << 20
"""Of either document: a system file is a few KB, 10,000 revocations are under 1 MB."""
ORDERS_VALIDITY_MAX_S = 300
"""Longest that orders are ever signed for (tiers 1 and 2)."""
TIME_MAX_S = 253_402_300_799
"""9999-12-31T23:59:59Z, the last moment that TUF metadata can name."""

_Form = TypeVar("_Form")


class _Bundle(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    format: Literal[1]
    system: dict[str, Any]
    keys: dict[str, dict[str, str]]
    author: str
    reason: str


class _Orders(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    format: Literal[1]
    number: int
    revoked_sessions: dict[str, float]
    revoked_users: dict[str, float]
    stopped: str


def configuration_content(bundle: dict[str, Any], *, author: str, reason: str) -> bytes:
    """The target's bytes.

    Raises:
        ConfigurationError: the bundle is not of this format, or no canonical JSON can hold it.
    """
    content = _canonical({**bundle, "author": author, "reason": reason})
    _decoded(content, _Bundle, "bundle")
    return content


def read_configuration(content: bytes, *, version: int, expires: float) -> Configuration:
    """What verified bytes say.

    Raises:
        ConfigurationError: they are not a bundle of this format.
    """
    _decoded(content, _Bundle, CONFIGURATION)
    bundle: dict[str, Any] = msgspec.json.decode(content)
    return Configuration(version=version, sha256=sha256(content).hexdigest(), bundle=bundle, expires=expires)


def orders_content(orders: Orders) -> bytes:
    """The target's bytes; `expires` is not among them, it is the metadata's.

    Raises:
        ConfigurationError: no canonical JSON can hold them, or they are out of range.
    """
    content = _canonical(
        {
            "format": FORMAT,
            "number": orders.number,
            "revoked_sessions": orders.revoked_sessions,
            "revoked_users": orders.revoked_users,
            "stopped": orders.stopped,
        }
    )
    read_orders(content, expires=0.0)
    return content


def read_orders(content: bytes, *, expires: float) -> Orders:
    """What verified bytes say.

    Raises:
        ConfigurationError: they are not orders of this format.
    """
    document = _decoded(content, _Orders, ORDERS)
    times = (*document.revoked_sessions.values(), *document.revoked_users.values())
    if document.number < 1 or any(not 0 <= time <= TIME_MAX_S for time in times):
        raise ConfigurationError(f"damaged: {ORDERS} has a number or a time out of range; publish orders again")
    return Orders(
        number=document.number,
        revoked_sessions=document.revoked_sessions,
        revoked_users=document.revoked_users,
        stopped=document.stopped,
        expires=expires,
    )


def _canonical(value: dict[str, Any]) -> bytes:
    try:
        content = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeEncodeError) as error:
        raise ConfigurationError(f"expected values that canonical JSON can hold (RFC 8785): {error}") from error
    if len(content) > CONTENT_BYTES_MAX:
        raise ConfigurationError(f"expected at most {CONTENT_BYTES_MAX} bytes, found {len(content)}; make it smaller")
    return content


def _decoded(content: bytes, form: type[_Form], name: str) -> _Form:
    try:
        return msgspec.json.decode(content, type=form)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"damaged: {name} is not of format {FORMAT}: {error}") from error
