"""Merkle trees as in RFC 9162 (Certificate Transparency 2.0), section 2.1. Pure.

- A leaf is hashed behind 0x00 and a node behind 0x01, so that neither passes for the other.
- `Frontier` grows a tree a leaf at a time in memory for its peaks only: one hash for each bit of its size.
- An inclusion proof shows that a leaf is in a tree; a consistency proof, that a tree only grew.

>>> leaves = [leaf_hash(bytes([n])) for n in range(5)]
>>> verify_inclusion(leaves[3], 3, 5, inclusion_proof(leaves, 3), tree_root(leaves))
True
>>> verify_consistency(3, tree_root(leaves[:3]), 5, tree_root(leaves), consistency_proof(leaves, 3))
True
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf's data."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """What must be remembered of a tree to go on growing it: the roots of its perfect subtrees, largest first."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(peaks)
        if len(self._peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in self._peaks):
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks of {HASH_BYTES} bytes")

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, largest first."""
        return tuple(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        peaks, node, carry = self._peaks, leaf, self.size
        while carry & 1:
            node = node_hash(peaks.pop(), node)
            carry >>= 1
        peaks.append(node)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaves by their hashes."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """The tree's head."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> Frontier:
        """A frontier that grows on its own."""
        return Frontier(self.size, self._peaks)


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Head of the tree over leaf hashes."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (the k of RFC 9162)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """PATH(m, D[n]) of section 2.1.3.1.

    Raises:
        ValueError: no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"expected a leaf below {len(leaves)}, found {index}")
    path: list[bytes] = []
    start, stop = 0, len(leaves)
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append(tree_root(leaves[middle:stop]))
            stop = middle
        else:
            path.append(tree_root(leaves[start:middle]))
            start = middle
    path.reverse()
    return path


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Section 2.1.3.2: whether `leaf` stands at `index` in the tree of `size` leaves under `root`."""
    if not 0 <= index < size:
        return False
    position, last, node = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = node_hash(step, node)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, step)
        position, last = position >> 1, last >> 1
    return last == 0 and node == root


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """PROOF(m, D[n]) of section 2.1.4.1.

    Raises:
        ValueError: the old size is not between 1 and the number of leaves.
    """
    if not 0 < old_size <= len(leaves):
        raise ValueError(f"expected an old size from 1 to {len(leaves)}, found {old_size}")
    proof: list[bytes] = []
    start, stop, known = 0, len(leaves), True
    while old_size != stop:
        middle = start + _split(stop - start)
        if old_size <= middle:
            proof.append(tree_root(leaves[middle:stop]))
            stop = middle
        else:
            proof.append(tree_root(leaves[start:middle]))
            start, known = middle, False
    if not known:
        proof.append(tree_root(leaves[start:stop]))
    proof.reverse()
    return proof


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Section 2.1.4.2: whether `proof` shows that the tree of `size` leaves extends the one of `old_size`."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_node = new_node = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old_node, new_node = node_hash(step, old_node), node_hash(step, new_node)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new_node = node_hash(new_node, step)
        position, last = position >> 1, last >> 1
    return last == 0 and old_node == old_root and new_node == root
