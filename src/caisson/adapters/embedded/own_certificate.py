"""The operator's certificate, for a system that is reached from other machines (DAT-05).

- The files are the operator's; each start checks them and copies them to where the gateway reads, so a restart renews.
- Checked before anything is replaced: the key is the leaf's and closed to other users, the leaf is in force and covers
  every name, and each certificate of the chain is issued by the next.
- What clients verify with are public roots, and the chain's own root when it ends in one.

>>> install(Path("tls/chain.pem"), Path("tls/key.pem"), names=("ai.example.com",), …)  # doctest: +SKIP
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from caisson.adapters.embedded.authority import PEM_BYTES_MAX, put_file
from caisson.errors import StartError
from caisson.ports.clock import Clock

CERTIFICATES_MAX = 8
"""In one chain."""


def install(
    certificate: Path, key: Path, *, names: Sequence[str], folder: Path, zone_key_folder: Path, clock: Clock
) -> Path:
    """Put the operator's certificate in force; returns the CA bundle for clients.

    Args:
        certificate: PEM, the leaf first, then who issued it, and so on.
        key: PEM, not encrypted.
        folder: of the local authority, whose certificate is removed.

    Raises:
        StartError: a file is missing, open to others, or does not fit; nothing was replaced.
    """
    chain, private = _chain(certificate), _key(key)
    leaf, last = chain[0], chain[-1]
    public = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if private.public_key().public_bytes(*public) != leaf.public_key().public_bytes(*public):
        raise StartError(f"expected in {str(key)!r} the key of the first certificate in {str(certificate)!r}")
    now = datetime.fromtimestamp(clock.now(), UTC)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        begins, ends = leaf.not_valid_before_utc.isoformat(), leaf.not_valid_after_utc.isoformat()
        raise StartError(f"expected a certificate in force, found {str(certificate)!r} from {begins} to {ends}")
    for name in names:
        if not _covers(leaf, name):
            raise StartError(f"expected a certificate for {name!r}, found {_names(leaf)} in {str(certificate)!r}")
    roots = Path(certifi.where()).read_bytes()
    if last.subject == last.issuer and last is not leaf:
        roots = roots.rstrip(b"\n") + b"\n" + last.public_bytes(serialization.Encoding.PEM)
    bundle = folder / "bundle.pem"
    try:
        put_file(
            zone_key_folder / "tls.pem",
            b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain),
            0o644,
        )
        put_file(
            zone_key_folder / "tls.key",
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            0o600,
        )
        put_file(bundle, roots, 0o644)
        (folder / "ca.pem").unlink(missing_ok=True)
    except OSError as error:
        raise StartError(f"expected to write the certificate to {str(zone_key_folder)!r}, found {error}") from error
    return bundle


def _chain(path: Path) -> list[x509.Certificate]:
    try:
        chain = x509.load_pem_x509_certificates(_content(path))
    except ValueError as error:
        raise StartError(f"expected certificates in PEM, found something else in {str(path)!r}") from error
    if len(chain) > CERTIFICATES_MAX:
        raise StartError(f"expected at most {CERTIFICATES_MAX} certificates in {str(path)!r}, found {len(chain)}")
    for each, issuer in pairwise(chain):
        try:
            each.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise StartError(
                f"expected each certificate in {str(path)!r} to be issued by the next, found "
                f"{each.subject.rfc4514_string()!r} before {issuer.subject.rfc4514_string()!r}"
            ) from error
    return chain


def _key(path: Path) -> PrivateKeyTypes:
    content = _content(path, private=True)
    try:
        return serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:  # TypeError: it is encrypted
        raise StartError(
            f"expected a private key in PEM, not encrypted, found something else in {str(path)!r}"
        ) from error


def _content(path: Path, *, private: bool = False) -> bytes:
    """Links are followed: that is how certificates are renewed."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if private and mode & stat.S_IRWXO:
                raise StartError(f"expected a key closed to other users, found mode {mode & 0o777:o}: {str(path)!r}")
            return file.read(PEM_BYTES_MAX)
    except OSError as error:
        raise StartError(f"expected to read {str(path)!r}, found {error.strerror!r}") from error


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]


def _covers(leaf: x509.Certificate, name: str) -> bool:
    """RFC 9525, section 6.3: a wildcard is the whole first label and stands for one label."""
    name = name.lower().rstrip(".")
    try:
        name, rest = str(ip_address(name)), ""
    except ValueError:
        rest = name.partition(".")[2]
    found = {each.lower() for each in _names(leaf)}
    return name in found or (rest != "" and f"*.{rest}" in found)
