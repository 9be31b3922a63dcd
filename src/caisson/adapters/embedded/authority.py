"""The local TLS authority: it can vouch for this machine's loopback names and for nothing else (DAT-05).

- Its certificate carries critical name constraints for exactly the leaf's names (RFC 5280, 4.2.1.10), path length 0 and
  the server purpose. Its key signs one leaf and is gone: it never reaches a disk.
- The leaf lives as long as browsers accept (397 days) and is replaced, with the authority, when 30 days are left.
- What is found is checked as a whole; anything that does not fit together is replaced as a whole.

>>> made = ensure_authority(Path("authority"), Path("zones/runtime/keys"), clock=SystemClock())  # doctest: +SKIP
>>> made.bundle  # for clients: public roots and this authority  # doctest: +SKIP
PosixPath('authority/bundle.pem')
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from caisson.errors import StartError
from caisson.ports.clock import Clock

VALIDITY_DAYS = 397
"""CA/Browser Forum Baseline Requirements 6.3.2, which clients enforce."""
RENEW_DAYS = 30
BACKDATED = timedelta(minutes=5)
"""So that a client whose clock is a little behind accepts a new certificate."""
PEM_BYTES_MAX = 65_536


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Where the files are."""

    ca: Path
    """The authority's certificate alone."""
    bundle: Path
    """certifi's roots and the authority: what a client verifies with, so that its other connections keep working."""
    certificate: Path
    """The leaf and the authority, as a server presents them."""
    key: Path
    """The leaf's key, PKCS#8, mode 0600."""
    not_after: float
    """Unix time at which the leaf expires."""
    renewed: bool
    """Whether this call issued it."""


@dataclass(frozen=True, kw_only=True)
class _Issued:
    ca: x509.Certificate
    leaf: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ensure_authority(
    folder: Path,
    zone_key_folder: Path,
    *,
    names: Sequence[str] = ("localhost",),
    addresses: Sequence[str] = ("127.0.0.1", "::1"),
    clock: Clock,
) -> Authority:
    """The authority and the gateway's certificate, issued anew when they are missing, damaged or near their end.

    Raises:
        StartError: a name or address is not this machine's own, or a folder cannot be written.
    """
    alternative_names = _loopback(names, addresses)
    now = datetime.fromtimestamp(clock.now(), UTC)
    files = Authority(
        ca=folder / "ca.pem",
        bundle=folder / "bundle.pem",
        certificate=zone_key_folder / "tls.pem",
        key=zone_key_folder / "tls.key",
        not_after=0.0,
        renewed=False,
    )
    found = _read(files)
    renew = found is None or not _usable(found, alternative_names, now)
    issued = _issue(alternative_names, now) if renew or found is None else found
    try:
        if renew:
            _write(files, issued)
        bundle = _pem(issued.ca, Path(certifi.where()).read_bytes())
        if not files.bundle.is_file() or files.bundle.read_bytes() != bundle:
            put_file(files.bundle, bundle, 0o644)
    except OSError as error:
        raise StartError(
            f"expected to write the certificates to {str(folder)!r} and {str(zone_key_folder)!r}, "
            f"found {error.strerror!r}; make the folders this user's"
        ) from error
    return Authority(
        ca=files.ca,
        bundle=files.bundle,
        certificate=files.certificate,
        key=files.key,
        not_after=issued.leaf.not_valid_after_utc.timestamp(),
        renewed=renew,
    )


def _loopback(names: Sequence[str], addresses: Sequence[str]) -> x509.SubjectAlternativeName:
    """RFC 6761, 6.3: `localhost` and what ends in `.localhost` is this machine; RFC 6890 for the addresses."""
    for name in names:
        if name != "localhost" and not name.endswith(".localhost"):
            raise StartError(
                f"expected 'localhost' or a name beneath it, found {name!r}; use a certificate of your own"
            )
    parsed = []
    for address in addresses:
        try:
            parsed.append(ip_address(address))
        except ValueError as error:
            raise StartError(f"expected an IP address, found {address!r}") from error
        if not parsed[-1].is_loopback:
            raise StartError(f"expected a loopback address, found {address!r}; use a certificate of your own")
    return x509.SubjectAlternativeName([*(x509.DNSName(name) for name in names), *(x509.IPAddress(a) for a in parsed)])


def _issue(names: x509.SubjectAlternativeName, now: datetime) -> _Issued:
    """The only place where the authority's key exists."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    ca = _authority_certificate(authority_key, names, now)
    key = ec.generate_private_key(ec.SECP256R1())
    return _Issued(ca=ca, leaf=_leaf_certificate(ca, authority_key, key.public_key(), names, now), key=key)


def _authority_certificate(
    key: ec.EllipticCurvePrivateKey, names: x509.SubjectAlternativeName, now: datetime
) -> x509.Certificate:
    # The serial number in the name keeps apart authorities of several data folders in one trust store.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Caisson local authority {secrets.token_hex(4)}")])
    return (
        _builder(subject, subject, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(permitted_subtrees=_subtrees(names), excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf_certificate(
    ca: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    public_key: ec.EllipticCurvePublicKey,
    names: x509.SubjectAlternativeName,
    now: datetime,
) -> x509.Certificate:
    # No common name: names belong into the alternative names (RFC 9525), critical then (RFC 5280, 4.2.1.6).
    return (
        _builder(x509.Name([]), ca.subject, public_key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(names, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    begins = now - BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        # Both ends count (RFC 5280, 4.1.2.5), so a second less.
        .not_valid_after(begins + timedelta(days=VALIDITY_DAYS) - timedelta(seconds=1))
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _subtrees(names: x509.SubjectAlternativeName) -> list[x509.GeneralName]:
    """Exactly the names; a DNS name also permits what is beneath it, which RFC 6761 keeps on this machine."""
    dns = names.get_values_for_type(x509.DNSName)
    return [
        *(x509.DNSName(name) for name in dns),
        *(x509.IPAddress(ip_network(address)) for address in names.get_values_for_type(x509.IPAddress)),
    ]


def _read(files: Authority) -> _Issued | None:
    """What is there, when it is whole and fits together."""
    try:
        ca = x509.load_pem_x509_certificate(_content(files.ca))
        leaf, *_ = x509.load_pem_x509_certificates(_content(files.certificate))
        key = serialization.load_pem_private_key(_content(files.key), password=None)
        leaf.verify_directly_issued_by(ca)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != leaf.public_key():
        return None
    return _Issued(ca=ca, leaf=leaf, key=key)


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(PEM_BYTES_MAX)


def _usable(issued: _Issued, names: x509.SubjectAlternativeName, now: datetime) -> bool:
    try:
        present = issued.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        constraints = issued.ca.extensions.get_extension_for_class(x509.NameConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return (
        present == names
        and constraints.critical
        and constraints.value.permitted_subtrees == _subtrees(names)
        and issued.leaf.not_valid_before_utc <= now < issued.leaf.not_valid_after_utc - timedelta(days=RENEW_DAYS)
    )


def _write(files: Authority, issued: _Issued) -> None:
    """The key last of the server's files: whatever a crash leaves behind does not fit together and is replaced."""
    key = issued.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    put_file(files.ca, _pem(issued.ca), 0o644)
    put_file(files.certificate, _pem(issued.leaf) + _pem(issued.ca), 0o644)
    put_file(files.key, key, 0o600)


def _pem(certificate: x509.Certificate, before: bytes = b"") -> bytes:
    text = certificate.public_bytes(serialization.Encoding.PEM)
    return text if not before else before.rstrip(b"\n") + b"\n" + text


def put_file(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, never through a link, and the property of whoever owns the folder."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            owner = path.parent.stat()
            if os.geteuid() == 0 and (owner.st_uid, owner.st_gid) != (0, 0):
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
