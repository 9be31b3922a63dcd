"""Where a system goes on the internet: hosts of its tools and its issuer, each with its reason (NET-04, S50). Pure.

Nothing else is let through. A host is a name that DNS and a TLS handshake carry as it stands: an address has no name
that a firewall could compare, and is refused by `synth`.

>>> destinations(load(Path("examples/aws/caisson.yaml")))[-1]
Destination(host='idp.example.com', port=443, reason='issuer', of_tool=False)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from caisson.deploy.landscape import Landscape
from caisson.system.carriers import Path
from caisson.system.schema import System

HTTPS = 443
HOSTS_MAX = 40
"""Most hosts of one file: the rules of more would not fit into a template that is sent whole (51,200 bytes)."""
_LABEL = "(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}$)({_LABEL}\.)+(?!\d+$){_LABEL}")
"""A name with a dot whose last label is no number (RFC 1123, 2.1)."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A host that something of ours calls."""

    host: str
    """In small letters."""
    port: int
    """TCP."""
    reason: str
    """Who asks for it: `issuer`, or `tool NAME`; several are joined."""
    of_tool: bool
    """Whether a tool is there, so that what runs in the tool VPC may call it, too."""


def destinations(system: System) -> tuple[Destination, ...]:
    """Each host and port once, tools first, in the order of the file."""
    reasons: dict[tuple[str, int], list[str]] = {}
    tools: set[tuple[str, int]] = set()
    for name, tool in system.tools.items():
        reasons.setdefault(_at(tool.url), []).append(f"tool {name}")
        tools.add(_at(tool.url))
    if system.identity.issuer is not None:
        reasons.setdefault(_at(system.identity.issuer.url), []).append("issuer")
    return tuple(
        Destination(host=host, port=port, reason=", ".join(said), of_tool=(host, port) in tools)
        for (host, port), said in reasons.items()
    )


def _at(url: str) -> tuple[str, int]:
    found = urlsplit(url)
    return (found.hostname or "").lower(), found.port if found.port is not None else HTTPS


def attaches_runtime(land: Landscape) -> bool:
    """Whether the runtime has a way to the firewall."""
    return bool(destinations(land.system)) and "runtime" in land.invoking


def leaves(land: Landscape) -> bool:
    """Whether anything has a way to the internet: the runtime, or tools."""
    return attaches_runtime(land) or bool(land.system.tools)


def unreachable(system: System) -> list[tuple[Path, str]]:
    """Addresses that no firewall can let through by name, with their keys and what was expected."""
    urls: list[tuple[Path, str]] = [(("tools", name, "url"), tool.url) for name, tool in system.tools.items()]
    if system.identity.issuer is not None:
        urls.append((("identity", "issuer", "url"), system.identity.issuer.url))
    found: list[tuple[Path, str]] = []
    for path, url in urls:
        wanted = _wanted(url)
        if wanted:
            found.append((path, f"expected {wanted}, found {url!r}"))
    if not found and len(destinations(system)) > HOSTS_MAX:
        found.append((("tools",), f"expected at most {HOSTS_MAX} hosts, found {len(destinations(system))}"))
    return found


def _wanted(url: str) -> str:
    try:
        host, port = _at(url)
    except ValueError:
        return "a port from 1 to 65535"
    if not url.startswith("https://"):
        return "an https:// address: nothing leaves the deployment in the clear"
    if not _NAME.fullmatch(host):
        return "the name of a host, which the firewall compares with what TLS names"
    return "" if port > 0 else "a port from 1 to 65535"
