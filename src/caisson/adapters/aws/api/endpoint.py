"""Where a service of AWS answers in a Region.

>>> service_endpoint("dynamodb", "eu-west-1").url
'https://dynamodb.eu-west-1.amazonaws.com'
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from caisson.errors import StartError

SUFFIXES = {"cn": "amazonaws.com.cn"}
"""DNS suffix by the first part of a Region's name where it is not the usual one (botocore: partitions)."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Scheme, host and port; nothing else of an address may be chosen."""

    url: str
    host: bytes
    """As the Host header says it, and as it is signed."""


def service_endpoint(service: str, region: str, override: str = "", *, expected: str = "") -> Endpoint:
    """The Region's endpoint of a service, or one on this machine for tests.

    Args:
        service: as its host name begins.
        region: Region.
        override: root of a server on a loopback address; empty for AWS's.
        expected: what the message expects instead of another override.

    Raises:
        StartError: the override is not an address of this machine.
    """
    if not override:
        host = f"{service}.{region}.{SUFFIXES.get(region.partition('-')[0], 'amazonaws.com')}"
        return Endpoint(url=f"https://{host}", host=host.encode())
    if not _is_local(override):
        wanted = expected or f"no endpoint for {service}, or http://127.0.0.1:PORT for tests"
        raise StartError(f"expected {wanted}, found another address")
    parts = urlsplit(override)
    return Endpoint(url=f"{parts.scheme}://{parts.netloc}", host=parts.netloc.encode())


def _is_local(override: str) -> bool:
    """Whether it is the root of a server on a loopback address; a name could lead anywhere."""
    try:
        parts = urlsplit(override)
        loopback, _ = ip_address(parts.hostname or "").is_loopback, parts.port
    except ValueError:
        return False
    bare = parts.username is None and parts.path in ("", "/") and not parts.query and not parts.fragment
    return loopback and bare and parts.scheme in ("http", "https")
