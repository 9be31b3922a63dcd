"""Sets of protocols and ports.

A port of ICMP is its type. `REST` stands for every protocol that is none of the named ones.

>>> str(Traffic.of("tcp", 443, 443) | Traffic.of("tcp", 80, 80))
'tcp 80, 443'
"""

from __future__ import annotations

from dataclasses import dataclass

TCP, UDP, ICMP, ICMP6, REST = "tcp", "udp", "icmp", "icmpv6", "other protocols"
PROTOCOLS = (TCP, UDP, ICMP, ICMP6, REST)
NUMBERS = {"1": ICMP, "6": TCP, "17": UDP, "58": ICMP6}
"""IANA protocol numbers."""
PORT_MAX = 65535

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Protocols with port ranges, sorted and apart from each other."""

    held: tuple[tuple[str, Ranges], ...] = ()

    @classmethod
    def of(cls, protocol: str, first: int = 0, last: int = PORT_MAX) -> Traffic:
        """One range of one protocol."""
        return cls(((protocol, ((first, last),)),)) if first <= last else cls()

    def __bool__(self) -> bool:
        return bool(self.held)

    def __and__(self, other: Traffic) -> Traffic:
        theirs = dict(other.held)
        return _made({name: _both(ranges, theirs[name]) for name, ranges in self.held if name in theirs})

    def __or__(self, other: Traffic) -> Traffic:
        ours, theirs = dict(self.held), dict(other.held)
        return _made({name: _either(ours.get(name, ()), theirs.get(name, ())) for name in {*ours, *theirs}})

    def __sub__(self, other: Traffic) -> Traffic:
        theirs = dict(other.held)
        return _made({name: _both(ranges, _not(theirs.get(name, ()))) for name, ranges in self.held})

    def __le__(self, other: Traffic) -> bool:
        return not self - other

    def __str__(self) -> str:
        if self == ALL:
            return "any traffic"
        words = []
        for name, ranges in self.held:
            whole = ranges == ((0, PORT_MAX),)
            ports = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
            words.append(name if whole else f"{name} {ports}")
        return "; ".join(words) or "nothing"


def _made(held: dict[str, Ranges]) -> Traffic:
    return Traffic(tuple((name, held[name]) for name in PROTOCOLS if held.get(name)))


def _both(left: Ranges, right: Ranges) -> Ranges:
    found = ((max(a, c), min(b, d)) for a, b in left for c, d in right)
    return tuple(sorted((first, last) for first, last in found if first <= last))


def _either(left: Ranges, right: Ranges) -> Ranges:
    found: list[tuple[int, int]] = []
    for first, last in sorted((*left, *right)):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def _not(ranges: Ranges) -> Ranges:
    found, at = [], 0
    for first, last in ranges:
        if at < first:
            found.append((at, first - 1))
        at = last + 1
    if at <= PORT_MAX:
        found.append((at, PORT_MAX))
    return tuple(found)


NOTHING = Traffic()
ALL = Traffic(tuple((name, ((0, PORT_MAX),)) for name in PROTOCOLS))
EPHEMERAL = Traffic.of(TCP, 1024) | Traffic.of(UDP, 1024)
"""Ports that answers go to (VPC user guide, nacl-ephemeral-ports)."""
