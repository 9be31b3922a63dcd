"""Where Bedrock Runtime answers in a Region.

>>> endpoint_of("eu-west-1").url
'https://bedrock-runtime.eu-west-1.amazonaws.com'
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from caisson.errors import StartError

SUFFIXES = {"cn": "amazonaws.com.cn"}
"""DNS suffix by the first part of a Region's name where it is not the usual one (botocore: partitions)."""
SERVICE = "bedrock"
"""Signing name."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Scheme, host and port; nothing else of an address may be chosen."""

    url: str
    host: bytes
    """As the Host header says it, and as it is signed."""


def endpoint_of(region: str, override: str = "") -> Endpoint:
    """The Region's endpoint, or one on this machine for tests.

    Raises:
        StartError: the override is not an address of this machine.
    """
    if not override:
        host = f"bedrock-runtime.{region}.{SUFFIXES.get(region.partition('-')[0], 'amazonaws.com')}"
        return Endpoint(url=f"https://{host}", host=host.encode())
    if not is_local(override):
        raise StartError(
            "expected --upstream bedrock alone, found an endpoint; one is for tests: bedrock=http://127.0.0.1:PORT"
        )
    parts = urlsplit(override)
    return Endpoint(url=f"{parts.scheme}://{parts.netloc}", host=parts.netloc.encode())


def is_local(override: str) -> bool:
    """Whether it is the root of a server on a loopback address; a name could lead anywhere."""
    try:
        parts = urlsplit(override)
        loopback, _ = ip_address(parts.hostname or "").is_loopback, parts.port
    except ValueError:
        return False
    bare = parts.username is None and parts.path in ("", "/") and not parts.query and not parts.fragment
    return loopback and bare and parts.scheme in ("http", "https")
