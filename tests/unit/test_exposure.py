"""What an interface asks of a system before it may listen there."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.policy.exposure import identity_objection, interface_objection, is_loopback

ADDRESSES = st.ip_addresses().map(str) | st.sampled_from(["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::"])
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def on_this_machine_only(address: str) -> bool:
    """RFC 6890, by its tables."""
    found = ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None) or found
    return any(mapped in network for network in LOOPBACK if network.version == mapped.version)


@given(ADDRESSES, st.booleans(), st.booleans())
def test_off_loopback_an_issuer_alone_lets_people_in(address: str, local_users: bool, issuer: bool) -> None:
    allowed = on_this_machine_only(address) or (issuer and not local_users)
    assert (identity_objection(address=address, local_users=local_users, issuer=issuer) == "") is allowed


@given(ADDRESSES, st.lists(st.just("ai.example.com"), max_size=2), st.booleans())
def test_off_loopback_needs_names_and_a_certificate(address: str, names: list[str], own: bool) -> None:
    allowed = address in ("127.0.0.1", "::1") and not (names or own)
    allowed = allowed if on_this_machine_only(address) else bool(names and own)
    assert (interface_objection(address=address, names=names, own_certificate=own) == "") is allowed


@pytest.mark.parametrize("address", ["", "localhost", "0", "127.1", "127.0.0.1:8443", "[::1]", "*", "eth0"])
def test_what_is_no_address_is_refused(address: str) -> None:
    assert interface_objection(address=address, names=("a.example.com",), own_certificate=True)
    with pytest.raises(ValueError, match="does not appear"):
        is_loopback(address)
