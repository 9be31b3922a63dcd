"""The operator's certificate: what fits is put in force, what does not leaves everything as it was."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import certifi
import pytest
from cryptography.hazmat.primitives import serialization

from caisson.adapters.embedded.authority import ensure_authority
from caisson.adapters.embedded.own_certificate import install
from caisson.errors import StartError
from certificates import OwnAuthority, own_authority
from identity_world import HeldClock

NAMES = ("ai.example.com", "10.1.2.3")


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def authority(clock: HeldClock) -> OwnAuthority:
    return own_authority(clock.time)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    made = tmp_path / "authority", tmp_path / "keys"
    for folder in made:
        folder.mkdir()
    return made


Put = Callable[..., Path]


@pytest.fixture
def put(folders: tuple[Path, Path], clock: HeldClock) -> Put:
    def call(files: tuple[Path, Path], names: tuple[str, ...] = NAMES) -> Path:
        return install(*files, names=names, folder=folders[0], zone_key_folder=folders[1], clock=clock)

    return call


def held(folders: tuple[Path, Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for folder in folders for path in folder.iterdir()}


def test_it_serves_and_its_root_is_in_the_bundle(
    authority: OwnAuthority, put: Put, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    bundle = put(authority.issue(tmp_path / "tls", *NAMES))
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(folders[1] / "tls.pem", folders[1] / "tls.key")
    assert authority.certificate.public_bytes(serialization.Encoding.PEM) in bundle.read_bytes()
    assert (folders[1] / "tls.key").stat().st_mode & 0o777 == 0o600
    assert b"BEGIN PRIVATE KEY" in (folders[1] / "tls.key").read_bytes()


def test_no_root_in_the_file_none_in_the_bundle(authority: OwnAuthority, put: Put, tmp_path: Path) -> None:
    bundle = put(authority.issue(tmp_path / "tls", *NAMES, root=False))
    assert bundle.read_bytes() == Path(certifi.where()).read_bytes()


def test_a_wildcard_stands_for_one_label(authority: OwnAuthority, put: Put, tmp_path: Path) -> None:
    files = authority.issue(tmp_path / "tls", "*.example.com")
    put(files, ("ai.example.com",))
    put(files, ("AI.Example.com.",))
    for name in ("example.com", "a.b.example.com", "ai.example.org", "10.1.2.3"):
        with pytest.raises(StartError, match="expected a certificate for"):
            put(files, (name,))


def test_back_on_loopback_the_local_authority_is_made_anew(
    authority: OwnAuthority, put: Put, folders: tuple[Path, Path], clock: HeldClock, tmp_path: Path
) -> None:
    ensure_authority(*folders, clock=clock)
    bundle = put(authority.issue(tmp_path / "tls", *NAMES))
    assert not (folders[0] / "ca.pem").exists()
    assert ensure_authority(*folders, clock=clock).renewed
    assert authority.certificate.public_bytes(serialization.Encoding.PEM) not in bundle.read_bytes()


Files = tuple[Path, Path]


def expired(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    clock.time += 91 * 86_400
    return files


def not_begun(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    clock.time -= 7_200
    return files


def anothers_key(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    return files[0], authority.issue(files[0].parent / "other", *NAMES)[1]


def open_key(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    files[1].chmod(0o604)
    return files


def encrypted_key(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    key = serialization.load_pem_private_key(files[1].read_bytes(), None)
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"word"),
        )
    )
    return files


def wrong_order(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    leaf, mark, root = files[0].read_bytes().rpartition(b"-----BEGIN CERTIFICATE-----")
    files[0].write_bytes(mark + root + leaf)
    return files


def another_issuer(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    other = own_authority(clock.time).certificate.public_bytes(serialization.Encoding.PEM)
    leaf, _, _ = files[0].read_bytes().rpartition(b"-----BEGIN CERTIFICATE-----")
    files[0].write_bytes(leaf + other)
    return files


def other_names(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    return authority.issue(files[0].parent / "other", "other.example.com")


def missing(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    files[1].unlink()
    return files


def nonsense(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    files[0].write_bytes(b"nonsense")
    return files


def too_long(authority: OwnAuthority, files: Files, clock: HeldClock) -> Files:
    root = authority.certificate.public_bytes(serialization.Encoding.PEM)  # which issued itself, over and over
    files[0].write_bytes(files[0].read_bytes() + root * 8)
    return files


WRONG = [
    expired, not_begun, anothers_key, open_key, encrypted_key, wrong_order, another_issuer, other_names, missing,
    nonsense, too_long,
]  # fmt: skip


@pytest.mark.parametrize("spoil", WRONG, ids=lambda found: found.__name__)
def test_what_does_not_fit_replaces_nothing(
    spoil: Callable[[OwnAuthority, Files, HeldClock], Files],
    authority: OwnAuthority, put: Put, folders: tuple[Path, Path], clock: HeldClock, tmp_path: Path,
) -> None:  # fmt: skip
    put(authority.issue(tmp_path / "good", *NAMES))
    before = held(folders)
    files = spoil(authority, authority.issue(tmp_path / "tls", *NAMES), clock)
    with pytest.raises(StartError, match="expected"):
        put(files)
    assert held(folders) == before
