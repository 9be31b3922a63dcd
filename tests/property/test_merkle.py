"""The tree against the definitions of RFC 9162, written out naively, and against wrong proofs."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.policy import merkle

SIZES = st.integers(1, 70)


def naive_root(data: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, as it is written there."""
    if not data:
        return sha256(b"").digest()
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return sha256(b"\x01" + naive_root(data[:k]) + naive_root(data[k:])).digest()


def leaves_of(size: int) -> list[bytes]:
    return [merkle.leaf_hash(str(n).encode()) for n in range(size)]


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_roots_are_those_of_the_rfc(data: list[bytes]) -> None:
    assert merkle.tree_root([merkle.leaf_hash(item) for item in data]) == naive_root(data)


def test_known_roots_of_certificate_transparency() -> None:
    # Test vectors of google/certificate-transparency (merkletree tests): inputs and roots for 1 to 8 leaves.
    inputs = [
        bytes.fromhex(text)
        for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
    ]
    assert merkle.tree_root([merkle.leaf_hash(item) for item in inputs]).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )


@given(SIZES, st.data())
def test_a_copied_or_restored_frontier_goes_on_alike(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    cut = data.draw(st.integers(0, size))
    first = merkle.Frontier()
    first.extend(leaves[:cut])
    restored, copied = merkle.Frontier(first.size, first.peaks), first.copy()
    for frontier in (restored, copied):
        frontier.extend(leaves[cut:])
        assert frontier.root() == merkle.tree_root(leaves)
    assert first.size == cut


@given(SIZES, st.data())
def test_inclusion_holds_for_the_leaf_and_for_nothing_else(size: int, data: st.DataObject) -> None:
    leaves, index = leaves_of(size), data.draw(st.integers(0, size - 1))
    root, proof = merkle.tree_root(leaves), merkle.inclusion_proof(leaves, index)
    assert merkle.verify_inclusion(leaves[index], index, size, proof, root)
    other = data.draw(st.integers(0, size + 3).filter(lambda n: n != index))
    assert not merkle.verify_inclusion(leaves[index], other, size, proof, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], index, size, [*proof, b"\x00" * 32], root)
    if proof:
        assert not merkle.verify_inclusion(leaves[index], index, size, proof[:-1], root)
        step = data.draw(st.integers(0, len(proof) - 1))
        bent = [*proof[:step], sha256(proof[step]).digest(), *proof[step + 1 :]]
        assert not merkle.verify_inclusion(leaves[index], index, size, bent, root)


@given(SIZES, st.data())
def test_consistency_holds_for_a_prefix_and_for_nothing_else(size: int, data: st.DataObject) -> None:
    leaves, old = leaves_of(size), data.draw(st.integers(1, size))
    root, old_root, proof = (
        merkle.tree_root(leaves),
        merkle.tree_root(leaves[:old]),
        merkle.consistency_proof(leaves, old),
    )
    assert merkle.verify_consistency(old, old_root, size, root, proof)
    assert not merkle.verify_consistency(old, sha256(old_root).digest(), size, root, proof)
    assert not merkle.verify_consistency(old, old_root, size, sha256(root).digest(), proof)
    assert not merkle.verify_consistency(old, old_root, size, root, [*proof, b"\x00" * 32])
    rewritten = [merkle.leaf_hash(b"rewritten"), *leaves[1:]]
    forged = merkle.consistency_proof(rewritten, old)
    assert not merkle.verify_consistency(old, old_root, size, merkle.tree_root(rewritten), forged)


def test_what_is_out_of_range_is_refused() -> None:
    leaves = leaves_of(3)
    with pytest.raises(ValueError, match="leaf below 3"):
        merkle.inclusion_proof(leaves, 3)
    with pytest.raises(ValueError, match="old size"):
        merkle.consistency_proof(leaves, 0)
    with pytest.raises(ValueError, match="peaks"):
        merkle.Frontier(3, [b"\x00" * 32])
    assert not merkle.verify_consistency(4, b"", 3, b"", [])
    assert not merkle.verify_consistency(1, leaves[1], 3, merkle.tree_root(leaves), [])
