"""Addresses as whole numbers, and one for every way that some blocks can tell them apart.

Blocks only ever ask whether an address is inside of them. So the blocks that occur anywhere cut all addresses into
finitely many pieces that nothing tells apart, and one address of each piece is enough.

>>> [written(one) for one in atoms(block("10.0.0.0/30"), [block("10.0.0.2/31")])]
['10.0.0.0', '10.0.0.2']
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """An IPv4 or IPv6 address."""

    version: int
    number: int


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """A CIDR block."""

    version: int
    first: int
    last: int

    def __contains__(self, address: Address) -> bool:
        return address.version == self.version and self.first <= address.number <= self.last

    def overlaps(self, other: Block) -> bool:
        """Whether some address is in both."""
        return self.version == other.version and self.first <= other.last and other.first <= self.last

    @property
    def size(self) -> int:
        """Number of addresses."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        bits = (32 if self.version == 4 else 128) - (self.size - 1).bit_length()
        return f"{written(Address(self.version, self.first))}/{bits}"


def block(text: str) -> Block:
    """A block from text; host bits may be set, as EC2 takes them away.

    Raises:
        ValueError: it is none.
    """
    network = ipaddress.ip_network(text.strip(), strict=False)
    return Block(network.version, int(network.network_address), int(network.broadcast_address))


def written(address: Address) -> str:
    """An address as text."""
    kind = ipaddress.IPv4Address if address.version == 4 else ipaddress.IPv6Address
    return str(kind(address.number))


EVERYTHING = (block("0.0.0.0/0"), block("::/0"))
_NOT_PUBLIC = tuple(
    map(
        block,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
        ),
    )
)  # fmt: skip
"""IANA special-purpose address registry (RFC 6890), without those of documentation, which examples use."""
GLOBAL_V6 = block("2000::/3")
"""Global unicast (RFC 4291, section 2.4)."""


def public(address: Address) -> bool:
    """Whether an address is of the internet."""
    if address.version == 6:
        return address in GLOBAL_V6
    return not any(address in one for one in _NOT_PUBLIC)


def atoms(within: Block, blocks: Iterable[Block]) -> Iterator[Address]:
    """One address, the lowest, of every piece of a block that others cut it into."""
    cuts = {within.first}
    for one in blocks:
        if one.overlaps(within):
            cuts |= {cut for cut in (one.first, one.last + 1) if within.first <= cut <= within.last}
    seen: set[tuple[bool, ...]] = set()
    relevant = [one for one in blocks if one.overlaps(within)]
    for cut in sorted(cuts):
        address = Address(within.version, cut)
        kind = tuple(address in one for one in relevant)
        if kind not in seen:
            seen.add(kind)
            yield address


def internet(blocks: Iterable[Block]) -> list[Address]:
    """One public address of every piece that blocks cut the internet into."""
    held = list(blocks)
    found = [one for one in atoms(EVERYTHING[0], [*held, *_NOT_PUBLIC]) if public(one)]
    return found + [one for one in atoms(GLOBAL_V6, held) if public(one)]
