"""Rules of Network Firewall as text (Suricata), as far as they decide which connections pass.

    pass tls $HOME_NET any -> $EXTERNAL_NET 443 (tls.sni; content:"example.com"; startswith; endswith; sid:1;)

Understood: action, protocol, addresses, ports, direction; of the options those that say nothing about which packets
match, and one name by `tls.sni` or `http.host` with `content`. What else is in a rule makes it misunderstood: a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from caisson.assurance.network.addresses import EVERYTHING, Block, block
from caisson.assurance.network.model import FirewallRule
from caisson.assurance.network.traffic import ALL, ICMP, ICMP6, PORT_MAX, TCP, UDP, Traffic
from caisson.assurance.templates import Place

Variables = Mapping[str, tuple[Block, ...]]

_RULE = re.compile(
    r"(?P<action>\w+)\s+(?P<protocol>[\w-]+)\s+(?P<source>\S+)\s+(?P<source_port>\S+)\s+(?P<arrow>->|<>)\s+"
    r"(?P<target>\S+)\s+(?P<target_port>\S+)\s*\((?P<options>.*)\)"
)
_LIST = re.compile(r"\s*,\s*")
_OPTION = re.compile(r'\s*([\w.-]+)(?::((?:"(?:\\.|[^"\\])*"|[^;"])*))?;')
_ASIDE = frozenset(
    {"sid", "msg", "rev", "metadata", "priority", "classtype", "reference", "gid", "nocase", "alert", "noalert"}
)
"""Options that say nothing about which packets match."""
_WHOLE = frozenset({"startswith", "endswith", "dotprefix"})
_OVER_TCP = frozenset({"tls", "http", "http2", "ssh", "smtp", "imap", "ftp", "smb", "dcerpc", "msn", "krb5"})
_OVER_BOTH = frozenset({"dns"})
_OVER_UDP = frozenset({"tftp", "ntp", "dhcp", "ikev2", "ike", "quic"})


class Misunderstood(Exception):  # noqa: N818  (becomes a doubt)
    """A rule that says more than is known here."""


def parsed(text: str) -> Iterator[tuple[int, str]]:
    """Line numbers from 1 and rules, without comments and empty lines."""
    held, start = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not held and (not line.strip() or line.lstrip().startswith("#")):
            continue
        start = start if held else number
        held += line.rstrip("\\").strip() + " "
        if not line.rstrip().endswith("\\"):
            yield start, held.strip()
            held = ""
    if held:
        yield start, held.strip()


def rule_of(text: str, variables: Variables, place: Place) -> FirewallRule | None:
    """A rule; None for one that only alerts.

    Raises:
        Misunderstood: it says more than is known here.
    """
    found = _RULE.fullmatch(text)
    if found is None:
        raise Misunderstood(f"{text[:80]!r} is no rule")
    action = found["action"].lower()
    if action == "alert":
        return None
    if action not in ("pass", "drop", "reject", "rejectsrc", "rejectdst", "rejectboth"):
        raise Misunderstood(f"the action {action!r}")
    domains, only_some = _options(found["options"])
    traffic, speaks = _traffic(found["protocol"].lower(), found["target_port"])
    if found["source_port"].lower() != "any":
        only_some = True
    names = frozenset({domains}) if domains else None
    if action != "pass" and only_some:
        names = None
    return FirewallRule(
        action="pass" if action == "pass" else "drop",
        sources=_blocks(found["source"], variables), targets=_blocks(found["target"], variables), traffic=traffic,
        domains=names, partial=(only_some or speaks) and names is None, both_ways=found["arrow"] == "<>", place=place,
    )  # fmt: skip


def _options(text: str) -> tuple[str, bool]:
    """A name that connections must be to, if any; and whether the rule matches only some of what its header says."""
    at, name, buffer, some = 0, "", "", False
    anchored: set[str] = set()
    while at < len(text.rstrip()):
        found = _OPTION.match(text, at)
        if found is None:
            raise Misunderstood(f"the options from {text[at : at + 40]!r}")
        at = found.end()
        keyword, value = found[1].lower(), (found[2] or "").strip()
        if keyword in _ASIDE:
            continue
        if keyword in ("tls.sni", "http.host"):
            buffer = keyword
        elif keyword == "content" and buffer and not name and not value.startswith("!"):
            name = value.strip('"').lower()
        elif (keyword in _WHOLE and name) or (keyword == "dotprefix" and buffer):
            anchored.add(keyword)
        elif keyword == "flow":
            some = some or any(one in value for one in ("established", "not_established", "from_server", "to_client"))
        else:
            raise Misunderstood(f"the option {keyword!r}")
    if name and "endswith" not in anchored:
        raise Misunderstood("a name without endswith, which others can hold")
    if name and "startswith" not in anchored:
        name = f".{name.lstrip('.')}"
    return name, some


def _traffic(protocol: str, port: str) -> tuple[Traffic, bool]:
    """What a protocol and a port may be, and whether packets must speak something that is not seen in their header."""
    if protocol in ("ip", "pkthdr"):
        return (ALL if port.lower() == "any" else ports(Traffic.of(TCP) | Traffic.of(UDP), _ranges(port))), False
    if protocol == "icmp":
        return Traffic.of(ICMP) | Traffic.of(ICMP6), False
    if protocol in ("tcp", "udp"):
        return ports(Traffic.of(protocol), _ranges(port)), False
    names = (
        [TCP] if protocol in _OVER_TCP else [TCP, UDP] if protocol in _OVER_BOTH
        else [UDP] if protocol in _OVER_UDP else []
    )  # fmt: skip
    if not names:
        raise Misunderstood(f"the protocol {protocol!r}")
    whole = Traffic()
    for name in names:
        whole |= Traffic.of(name)
    return ports(whole, _ranges(port)), True


def ports(traffic: Traffic, ranges: Sequence[tuple[int | None, int | None]]) -> Traffic:
    """Traffic of TCP and UDP cut to port ranges."""
    found = Traffic()
    for first, last in ranges:
        if first is not None and last is not None:
            found |= traffic & (Traffic.of(TCP, first, last) | Traffic.of(UDP, first, last))
    return found


def _ranges(text: str) -> list[tuple[int | None, int | None]]:
    if text.lower() == "any":
        return [(0, PORT_MAX)]
    found: list[tuple[int | None, int | None]] = []
    for one in _LIST.split(text.strip("[]")):
        first, colon, last = one.partition(":")
        try:
            low = int(first) if first else 0
            high = (int(last) if last else PORT_MAX) if colon else low
        except ValueError:
            raise Misunderstood(f"the ports {text!r}") from None
        found.append((low, high))
    return found


def _blocks(text: str, variables: Variables) -> tuple[Block, ...]:
    if text.lower() == "any":
        return EVERYTHING
    if text == "$EXTERNAL_NET" and "EXTERNAL_NET" not in variables:
        return _without(variables.get("HOME_NET", ()))
    if text.startswith("$"):
        if text[1:] not in variables:
            raise Misunderstood(f"the variable {text!r}")
        return variables[text[1:]]
    found: list[Block] = []
    for one in _LIST.split(text.strip("[]")):
        if one.startswith("$") and one[1:] in variables:
            found += variables[one[1:]]
            continue
        try:
            found.append(block(one))
        except ValueError:
            raise Misunderstood(f"the addresses {text!r}") from None
    return tuple(found)


def _without(home: tuple[Block, ...]) -> tuple[Block, ...]:
    """Everything but some blocks: what `EXTERNAL_NET` is where nobody sets it."""
    found: list[Block] = []
    for whole in EVERYTHING:
        at = whole.first
        for one in sorted(each for each in home if each.version == whole.version):
            if at < one.first:
                found.append(Block(whole.version, at, one.first - 1))
            at = max(at, one.last + 1)
        if at <= whole.last:
            found.append(Block(whole.version, at, whole.last))
    return tuple(found)
