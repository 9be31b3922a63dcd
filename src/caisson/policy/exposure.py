"""Where a system may be reached from, and what that asks of it (NET-01, IAM-01, DAT-05).

- On loopback: the local authority's certificate, and local users.
- On any other interface: a certificate and key of the operator's for the names that clients call, and identities of an
  issuer alone. A local user is a user of this machine, which a caller from elsewhere is not.

>>> interface_objection(address="0.0.0.0", names=("ai.example.com",), own_certificate=True)
''
>>> identity_objection(address="127.0.0.1", local_users=True, issuer=False)
''
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

LOOPBACK = "127.0.0.1"
LOCALHOST = frozenset({LOOPBACK, "::1"})
"""What `localhost`, the name of an endpoint on loopback, means (RFC 6761, 6.3)."""


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an IP address (RFC 6890).

    Raises:
        ValueError: it is none.
    """
    return ip_address(address).is_loopback


def interface_objection(*, address: str, names: Sequence[str], own_certificate: bool) -> str:
    """Why a system may not listen there; empty when it may.

    Args:
        address: of the interface; the unspecified address is every interface.
        names: under which clients call it.
        own_certificate: whether the operator gives certificate and key.
    """
    try:
        loopback = is_loopback(address)
    except ValueError:
        return f"expected the IP address of an interface, found {address!r}"
    if loopback:
        if str(ip_address(address)) not in LOCALHOST:
            return f"expected 127.0.0.1 or ::1, which 'localhost' means, found {address!r}"
        given = "names" if names else "a certificate" if own_certificate else ""
        return f"expected neither name nor certificate on loopback, found {given}; leave it out" if given else ""
    if not names or not own_certificate:
        return (
            f"expected your certificate and the name that clients call for {address!r}, which is not loopback; "
            "give --certificate, --key and --name"
        )
    return ""


def identity_objection(*, address: str, local_users: bool, issuer: bool) -> str:
    """Why nobody may sign in to a system that listens there; empty when they may."""
    if is_loopback(address):
        return ""
    if local_users:
        return (
            f"expected no local users on {address!r}, which is not loopback, found some; "
            "remove identity.local and name an identity.issuer"
        )
    return "" if issuer else f"expected an identity.issuer on {address!r}, which is not loopback, found none"
