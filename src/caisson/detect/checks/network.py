"""Shapes of addresses of the network and of mail.

>>> ipv4(Found("10.0.0.1", "host ", "")), ipv4(Found("1.2.3.4", "version ", ""))
(0.9, None)
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from caisson.detect.checks.identifiers import joined
from caisson.detect.rule import Found

_VERSION = re.compile(r"(?:\bv|version|release|chapter|section)\W{0,3}$", re.IGNORECASE)
_HEX_LETTERS = frozenset("abcdefABCDEF")
_MAPPED_OPEN = re.compile(r"ffff:\d{1,3}$", re.IGNORECASE)
"""An address of RFC 4291 section 2.5.5.2 that was cut short."""
_SPACES = ("", " ", "\n", "\t", "[", "(")
_HOST_CODE = re.compile(r"[.(\[_/@\\-]$")
"""What stands before a part of a name in code or of another address."""


def ipv4(found: Found) -> float | None:
    """IPv4 address (RFC 791), not part of a longer dotted number and no version."""
    if found.before.endswith((".", "-")) or _VERSION.search(found.before):
        return None
    try:
        IPv4Address(found.value.partition("/")[0])
    except AddressValueError:
        return None
    return 0.9


def ipv6(found: Found) -> float | None:
    """IPv6 address (RFC 4291, zone of RFC 4007) with something in it, so that `::` and times of day are none."""
    value, before = found.value.partition("/")[0].partition("%")[0], found.before
    hexadecimal = sum(character.isdigit() or character in _HEX_LETTERS for character in value)
    if joined(before[-1:]) or before.endswith(":") or found.after == ":" or joined(found.after):
        return None
    if hexadecimal < 2 and not (value == "::1" and before[-1:] in _SPACES):
        return None
    if found.after == "." and _MAPPED_OPEN.search(value):
        return None
    try:
        IPv6Address(value)
    except AddressValueError:
        return None
    return 0.9


def mac(found: Found) -> float | None:
    """MAC address (IEEE 802), not part of a longer chain such as a fingerprint."""
    chained = found.before.endswith((":", "-")) or found.after in (":", "-")
    return None if chained or len(set(found.value)) < 3 else 0.9


def email(found: Found) -> float | None:
    """E-mail address (RFC 5321), not the user part of a web address."""
    local, _, domain = found.value.rpartition("@")
    if ".." in local or "-." in domain or found.before.endswith("://"):
        return None
    return 1.0


def url(found: Found) -> float | None:
    """A web address (RFC 3986) with a host that has a dot, a colon or a bracket in it."""
    host = found.value.partition("://")[2] or found.value
    return 1.0 if "." in host or ":" in host or "[" in host else None


def domain(found: Found) -> float | None:
    """The name of a site without a scheme, not the part of a mail address or of a name in code."""
    return None if _HOST_CODE.search(found.before) or found.after in ("(", "@") else 0.7
