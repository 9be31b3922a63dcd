"""The interface that a system listens on, as the command line names it, and the certificate that it shows there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from caisson.adapters.embedded.authority import ensure_authority
from caisson.adapters.embedded.layout import Layout
from caisson.adapters.embedded.own_certificate import install
from caisson.channels.table import Zone
from caisson.errors import StartError
from caisson.policy.exposure import LOOPBACK, identity_objection, interface_objection
from caisson.ports.clock import Clock
from caisson.system.schema import System


@dataclass(frozen=True, kw_only=True)
class Interface:
    """Where it listens."""

    address: str = LOOPBACK
    """IP address of the interface; `0.0.0.0` and `::` are all of them."""
    names: tuple[str, ...] = ()
    """Host names that clients call; the first one is shown. None on loopback: `localhost`."""
    certificate: Path | None = None
    """PEM chain of the operator's, the leaf first."""
    key: Path | None = None
    """PEM key of the leaf."""

    @property
    def name(self) -> str:
        """The host of the endpoint's URL."""
        return self.names[0] if self.names else "localhost"

    def require(self, system: System) -> None:
        """Refuse what may not listen there.

        Raises:
            StartError: says why and what to do.
        """
        if (self.certificate is None) != (self.key is None):
            raise StartError("expected both --certificate and --key, found one of them")
        objection = interface_objection(
            address=self.address, names=self.names, own_certificate=self.certificate is not None
        )
        if objection:
            raise StartError(objection)
        require_identities(system, self.address)


def require_identities(system: System, address: str) -> None:
    """Refuse identities that an interface may not have.

    Raises:
        StartError: says why and what to do.
    """
    objection = identity_objection(
        address=address, local_users=bool(system.identity.local.users), issuer=system.identity.issuer is not None
    )
    if objection:
        raise StartError(objection)


def certificates(where: Layout, interface: Interface, clock: Clock) -> Path:
    """Put the gateway's certificate in place; returns the CA bundle for clients.

    Raises:
        StartError: the operator's files do not fit, or a folder cannot be written.
    """
    keys = where.zone(Zone.RUNTIME, "keys")
    if interface.certificate is None or interface.key is None:
        return ensure_authority(where.authority, keys, clock=clock).bundle
    return install(
        interface.certificate, interface.key,
        names=interface.names, folder=where.authority, zone_key_folder=keys, clock=clock,
    )  # fmt: skip
