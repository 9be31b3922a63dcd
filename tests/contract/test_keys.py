"""One behavioural suite for every key store: what was signed verifies, what was sealed opens, and only there."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from caisson.adapters.embedded.keys import FileKeys, key_id, seal, verify
from caisson.errors import ChannelError, StartError
from caisson.ports.keys import Keys

Make = Callable[[Path], Keys]


def embedded(folder: Path) -> Keys:
    return FileKeys.create(folder, signing=("channel", "session-1"), sealing=("events",), secrets=("store",))


@pytest.fixture(params=[embedded], ids=["embedded"])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param


@pytest.fixture
def keys(make: Make, tmp_path: Path) -> Keys:
    return make(tmp_path / "keys")


def test_a_signature_verifies_for_its_key_and_its_bytes_only(keys: Keys) -> None:
    key, other = keys.signing("channel"), keys.signing("session-1")
    signature = key.sign(b"text")
    assert len(signature) == 64
    assert verify(key.public_bytes, signature, b"text")
    assert not verify(key.public_bytes, signature, b"texT")
    assert not verify(other.public_bytes, signature, b"text")
    assert not verify(key.public_bytes, signature[:-1], b"text")
    assert not verify(key.public_bytes, b"", b"text")


@pytest.mark.parametrize("public", [b"", b"x" * 31, b"x" * 33, b"\xff" * 32])
def test_a_malformed_public_key_verifies_nothing(keys: Keys, public: bytes) -> None:
    assert not verify(public, keys.signing("channel").sign(b"text"), b"text")


def test_key_ids_are_those_of_the_public_bytes(keys: Keys) -> None:
    for key in (keys.signing("channel"), keys.sealing("events")):
        assert key.key_id == key_id(key.public_bytes) == sha256(key.public_bytes).hexdigest()[:16]
    assert len(keys.signing("channel").public_bytes) == 32
    assert len(keys.sealing("events").public_bytes) == 1_184 + 32


def test_what_is_sealed_opens_for_its_key_and_its_purpose_only(keys: Keys, make: Make, tmp_path: Path) -> None:
    key = keys.sealing("events")
    sealed = seal(key.public_bytes, b"s" * 32, b"purpose")
    assert len(sealed) == 1_168
    assert key.unseal(sealed, b"purpose") == b"s" * 32
    assert seal(key.public_bytes, b"s" * 32, b"purpose") != sealed
    for wrong, info in [(sealed, b"other"), (sealed[:-1], b"purpose"), (b"", b"purpose"), (sealed + b"x", b"purpose")]:
        with pytest.raises(ChannelError, match="not for key"):
            key.unseal(wrong, info)
    with pytest.raises(ChannelError, match="not for key"):
        make(tmp_path / "other").sealing("events").unseal(sealed, b"purpose")


@pytest.mark.parametrize("at", [0, 500, 1_087, 1_088, 1_119, 1_120, 1_167])
def test_sealed_bytes_that_were_altered_do_not_open(keys: Keys, at: int) -> None:
    """In the ML-KEM part, in the X25519 part and in the ciphertext."""
    key = keys.sealing("events")
    sealed = bytearray(seal(key.public_bytes, b"s" * 32, b"purpose"))
    sealed[at] ^= 1
    with pytest.raises(ChannelError, match="altered"):
        key.unseal(bytes(sealed), b"purpose")


@pytest.mark.parametrize("public", [b"", b"x" * 100, b"\xff" * 1_216])
def test_sealing_to_what_is_no_key_is_refused(public: bytes) -> None:
    with pytest.raises(ChannelError, match="publish the reader's key again"):
        seal(public, b"text", b"")


def test_secrets_are_32_bytes_of_their_own(keys: Keys, make: Make, tmp_path: Path) -> None:
    assert len(keys.secret("store")) == 32
    assert make(tmp_path / "other").secret("store") != keys.secret("store")


def test_keys_stay_the_same(keys: Keys, make: Make, tmp_path: Path) -> None:
    again = make(tmp_path / "keys")
    assert again.signing("channel").public_bytes == keys.signing("channel").public_bytes
    assert again.sealing("events").public_bytes == keys.sealing("events").public_bytes
    assert again.secret("store") == keys.secret("store")


def test_a_key_that_does_not_exist_is_named_with_those_that_do(keys: Keys) -> None:
    with pytest.raises(StartError, match=r"'nonsense', found \['channel', 'session-1'\]"):
        keys.signing("nonsense")
    with pytest.raises(StartError, match="sealing key 'channel'"):
        keys.sealing("channel")
    with pytest.raises(StartError, match="secret key 'channel'"):
        keys.secret("channel")


def test_private_material_is_in_no_text(keys: Keys) -> None:
    shown = "".join(repr(each) + str(vars(each)) for each in (keys.signing("channel"), keys.sealing("events")))
    secret = keys.secret("store")
    assert repr(secret)[2:-1] not in repr(keys) + shown
