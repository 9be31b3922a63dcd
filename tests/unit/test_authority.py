"""The local authority vouches for this machine's loopback names and for nothing else."""

from __future__ import annotations

import os
import ssl
import stat
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from caisson.adapters.embedded import authority as module
from caisson.adapters.embedded.authority import RENEW_DAYS, VALIDITY_DAYS, Authority, ensure_authority
from caisson.adapters.embedded.clock import SystemClock
from caisson.errors import StartError
from caisson.ports.clock import Clock

DAY_S = 86_400.0


class HeldClock(Clock):
    def __init__(self) -> None:
        self.time = SystemClock().now()

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    public, private = tmp_path / "authority", tmp_path / "keys"
    public.mkdir()
    private.mkdir(mode=0o700)
    return public, private


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> str:
    """TLS in memory: empty when the client accepts the server under that name, else what OpenSSL says."""
    pipes = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = client.wrap_bio(pipes[0], pipes[1], server_hostname=name)
    answers = server.wrap_bio(pipes[1], pipes[0], server_side=True)
    for _ in range(10):
        try:
            asks.do_handshake()
            return ""
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        with suppress(ssl.SSLWantReadError):
            answers.do_handshake()
    raise AssertionError("the handshake does not end")


def contexts(made: Authority) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.certificate, made.key)
    return ssl.create_default_context(cafile=str(made.bundle)), server


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_clients_with_the_bundle_accept_the_gateway(folders: tuple[Path, Path], clock: HeldClock, name: str) -> None:
    made = ensure_authority(*folders, clock=clock)
    assert handshake(*contexts(made), name) == ""


def test_clients_without_it_do_not(folders: tuple[Path, Path], clock: HeldClock) -> None:
    _, server = contexts(ensure_authority(*folders, clock=clock))
    assert handshake(ssl.create_default_context(cafile=certifi.where()), server, "localhost") != ""


@pytest.mark.parametrize(
    "forged",
    [
        x509.DNSName("bedrock-runtime.eu-west-1.amazonaws.com"),
        x509.DNSName("localhost.example.com"),
        x509.IPAddress(ip_address("127.0.0.2")),
        x509.IPAddress(ip_address("10.0.0.1")),
        x509.IPAddress(ip_address("fd00::1")),
    ],
    ids=str,
)
def test_openssl_refuses_what_the_authority_would_sign_for_others(
    tmp_path: Path, clock: HeldClock, forged: x509.GeneralName
) -> None:
    """Even its key, had it survived, could not speak for another name."""
    now = datetime.fromtimestamp(clock.now(), UTC)
    names = module._loopback(["localhost"], ["127.0.0.1", "::1"])
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = module._authority_certificate(authority_key, names, now)
    leaf = module._leaf_certificate(ca, authority_key, key.public_key(), x509.SubjectAlternativeName([forged]), now)
    server = server_with(tmp_path, [leaf], key)
    client = ssl.create_default_context(cadata=_pem(ca))
    assert "permitted subtree violation" in handshake(client, server, str(forged.value))


def test_openssl_refuses_an_authority_beneath_it(tmp_path: Path, clock: HeldClock) -> None:
    now = datetime.fromtimestamp(clock.now(), UTC)
    names = module._loopback(["localhost"], [])
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    ca = module._authority_certificate(keys[0], names, now)
    beneath = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "beneath")]))
        .issuer_name(ca.subject)
        .public_key(keys[1].public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(keys[0], hashes.SHA256())
    )
    leaf = module._leaf_certificate(beneath, keys[1], keys[2].public_key(), names, now)
    server = server_with(tmp_path, [leaf, beneath], keys[2])
    assert "path length" in handshake(ssl.create_default_context(cadata=_pem(ca)), server, "localhost")


def server_with(folder: Path, chain: list[x509.Certificate], key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "chain.pem").write_text("".join(map(_pem, chain)) + private.decode())
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "chain.pem")
    return server


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def test_what_is_written(folders: tuple[Path, Path], clock: HeldClock) -> None:
    public, private = folders
    made = ensure_authority(public, private, clock=clock)
    assert made.renewed
    assert {path.name for path in public.iterdir()} == {"ca.pem", "bundle.pem"}
    assert {path.name for path in private.iterdir()} == {"tls.pem", "tls.key"}
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.bundle.stat().st_mode) == 0o644
    assert made.bundle.read_bytes().startswith(Path(certifi.where()).read_bytes().rstrip(b"\n"))
    assert made.bundle.read_bytes().endswith(made.ca.read_bytes())


def test_the_authoritys_key_reaches_no_file(folders: tuple[Path, Path], clock: HeldClock) -> None:
    made = ensure_authority(*folders, clock=clock)
    ca = x509.load_pem_x509_certificate(made.ca.read_bytes())
    private = [path for folder in folders for path in folder.iterdir() if b"PRIVATE" in path.read_bytes()]
    assert private == [made.key]
    key = serialization.load_pem_private_key(made.key.read_bytes(), None)
    assert key.public_key() != ca.public_key()


def test_the_certificates_say_what_they_should(folders: tuple[Path, Path], clock: HeldClock) -> None:
    made = ensure_authority(*folders, clock=clock)
    ca = x509.load_pem_x509_certificate(made.ca.read_bytes())
    leaf = x509.load_pem_x509_certificates(made.certificate.read_bytes())[0]
    constraints = ca.extensions.get_extension_for_class(x509.NameConstraints)
    basic = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert [str(subtree.value) for subtree in constraints.value.permitted_subtrees or ()] == [
        "localhost", "127.0.0.1/32", "::1/128",
    ]  # fmt: skip
    assert basic.critical
    assert (basic.value.ca, basic.value.path_length) == (True, 0)
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc + timedelta(seconds=1)
    assert life == timedelta(days=VALIDITY_DAYS)
    assert made.not_after == leaf.not_valid_after_utc.timestamp()


def test_it_stays_until_thirty_days_are_left(folders: tuple[Path, Path], clock: HeldClock) -> None:
    first = ensure_authority(*folders, clock=clock)
    before = [path.read_bytes() for path in (first.ca, first.certificate, first.key, first.bundle)]
    clock.time = first.not_after - RENEW_DAYS * DAY_S - 1
    again = ensure_authority(*folders, clock=clock)
    assert not again.renewed
    assert [path.read_bytes() for path in (again.ca, again.certificate, again.key, again.bundle)] == before
    clock.time += 1
    renewed = ensure_authority(*folders, clock=clock)
    assert renewed.renewed
    assert renewed.not_after > first.not_after
    assert renewed.ca.read_bytes() != before[0]


def test_a_clock_that_stepped_back_renews(folders: tuple[Path, Path], clock: HeldClock) -> None:
    ensure_authority(*folders, clock=clock)
    clock.time -= 10 * DAY_S
    assert ensure_authority(*folders, clock=clock).renewed


def test_other_names_renew(folders: tuple[Path, Path], clock: HeldClock) -> None:
    ensure_authority(*folders, clock=clock)
    made = ensure_authority(*folders, names=("localhost", "claims.localhost"), clock=clock)
    assert made.renewed
    assert handshake(*contexts(made), "claims.localhost") == ""


@pytest.mark.parametrize("damaged", ["ca", "certificate", "key"])
@pytest.mark.parametrize("content", [None, b"", b"nonsense", "foreign"])
def test_whatever_is_damaged_is_replaced_as_a_whole(
    tmp_path: Path, folders: tuple[Path, Path], clock: HeldClock, damaged: str, content: bytes | str | None
) -> None:
    made = ensure_authority(*folders, clock=clock)
    path: Path = getattr(made, damaged)
    if content is None:
        path.unlink()
    elif content == "foreign":
        for name in ("foreign", "foreign-keys"):
            (tmp_path / name).mkdir()
        foreign = ensure_authority(tmp_path / "foreign", tmp_path / "foreign-keys", clock=clock)
        path.write_bytes(getattr(foreign, damaged).read_bytes())
    else:
        path.write_bytes(content)  # type: ignore[arg-type]
    again = ensure_authority(*folders, clock=clock)
    assert again.renewed
    assert handshake(*contexts(again), "localhost") == ""


def test_a_damaged_bundle_is_written_again_without_a_new_authority(
    folders: tuple[Path, Path], clock: HeldClock
) -> None:
    made = ensure_authority(*folders, clock=clock)
    made.bundle.write_text("")
    again = ensure_authority(*folders, clock=clock)
    assert not again.renewed
    assert handshake(*contexts(again), "localhost") == ""


@pytest.mark.parametrize("broken_at", range(4))
def test_a_crash_between_files_leaves_something_that_repairs_itself(
    folders: tuple[Path, Path], clock: HeldClock, broken_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_authority(*folders, clock=clock)
    clock.time += 380 * DAY_S
    calls = 0
    replace = module.put_file

    def breaks(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls > broken_at:
            raise KeyboardInterrupt
        replace(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "put_file", breaks)
    with pytest.raises(KeyboardInterrupt):
        ensure_authority(*folders, clock=clock)
    monkeypatch.setattr(module, "put_file", replace)
    clock.time -= 380 * DAY_S  # so that what is valid now can be shaken hands with
    assert handshake(*contexts(ensure_authority(*folders, clock=clock)), "localhost") == ""


@pytest.mark.parametrize("name", ["example.com", "localhost.example.com", "", "notlocalhost", "*"])
def test_other_names_are_refused(folders: tuple[Path, Path], clock: HeldClock, name: str) -> None:
    with pytest.raises(StartError, match="expected 'localhost'"):
        ensure_authority(*folders, names=(name,), clock=clock)


@pytest.mark.parametrize("address", ["10.0.0.1", "0.0.0.0", "::", "localhost", "169.254.169.254"])
def test_other_addresses_are_refused(folders: tuple[Path, Path], clock: HeldClock, address: str) -> None:
    with pytest.raises(StartError, match="address"):
        ensure_authority(*folders, addresses=(address,), clock=clock)


def test_a_folder_that_is_missing_is_said(tmp_path: Path, clock: HeldClock) -> None:
    with pytest.raises(StartError, match="expected to write the certificates"):
        ensure_authority(tmp_path / "missing", tmp_path, clock=clock)


def test_it_does_not_write_through_a_link(folders: tuple[Path, Path], tmp_path: Path, clock: HeldClock) -> None:
    (tmp_path / "victim").write_text("untouched")
    (folders[1] / "tls.key").symlink_to(tmp_path / "victim")
    made = ensure_authority(*folders, clock=clock)
    assert (tmp_path / "victim").read_text() == "untouched"
    assert not made.key.is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="own users need root")
def test_the_key_belongs_to_the_folders_owner(folders: tuple[Path, Path], clock: HeldClock) -> None:
    os.chown(folders[1], 65_500, 65_501)
    made = ensure_authority(*folders, clock=clock)
    assert (made.key.stat().st_uid, made.key.stat().st_gid) == (65_500, 65_501)
