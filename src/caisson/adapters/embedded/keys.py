"""Keys of one zone as files that only its user can read (DAT-05).

- A folder has mode 0700 and its files 0600; anything wider, a symbolic link or a file of a wrong size is refused.
- All keys are read at construction: after the zone has restricted itself, nothing is opened any more.
- Files appear whole or not at all, and an existing key is never replaced. `put_aside` renames it to `NAME-before`, and
  the next `create` makes its successor.

>>> keys = FileKeys.create(Path("zones/logging/keys"), sealing=("events",))  # doctest: +SKIP
>>> sealed = seal(keys.sealing("events").public_bytes, b"text", b"info")  # doctest: +SKIP
>>> keys.sealing("events").unseal(sealed, b"info")  # doctest: +SKIP
b'text'
"""

from __future__ import annotations

import os
import re
import secrets as random
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from caisson.errors import ChannelError, StartError
from caisson.ports.keys import Keys, SealingKey, SigningKey

ED25519_BYTES = 32
MLKEM_SEED_BYTES = 64
MLKEM_PUBLIC_BYTES = 1_184
X25519_BYTES = 32
SECRET_BYTES = 32
BEFORE = "-before"
"""What a key's name gets when its successor is made. What was written under it is still to be read."""
KEYS_MAX = 256
"""Key files in one folder; a zone has a handful, and session keys come one a day."""

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_SIZES = {"signing": ED25519_BYTES, "sealing": MLKEM_SEED_BYTES + X25519_BYTES, "secret": SECRET_BYTES}
_FILE = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)\.(signing|sealing|secret)\.key")
_Key = TypeVar("_Key")
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def key_id(public_bytes: bytes) -> str:
    """First 16 hex digits of SHA-256 over the public bytes."""
    return sha256(public_bytes).hexdigest()[:16]


def verify(public_bytes: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` is the key's over `data` (RFC 8032). Malformed keys and signatures verify nothing."""
    try:
        _public_key(public_bytes).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _public_key(public_bytes: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_bytes)


def seal(public_bytes: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Encrypt to the holder of a sealing key (RFC 9180, single shot); 1,136 bytes longer than `plaintext`.

    Raises:
        ChannelError: the bytes are no public sealing key.
    """
    try:
        public = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public_bytes[:MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(public_bytes[MLKEM_PUBLIC_BYTES:]),
        )
        return _SUITE.encrypt(plaintext, public, info)
    except ValueError as error:
        expected = MLKEM_PUBLIC_BYTES + X25519_BYTES
        raise ChannelError(
            f"expected a public sealing key of {expected} bytes, found {len(public_bytes)} bytes that are none;"
            " publish the reader's key again"
        ) from error


class _FileSigningKey(SigningKey):
    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public_bytes = self._private.public_key().public_bytes_raw()
        self._key_id = key_id(self._public_bytes)

    @property
    def key_id(self) -> str:
        return self._key_id

    @property
    def public_bytes(self) -> bytes:
        return self._public_bytes

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data)


class _FileSealingKey(SealingKey):
    def __init__(self, seeds: bytes) -> None:
        mlkem = MLKEM768PrivateKey.from_seed_bytes(seeds[:MLKEM_SEED_BYTES])
        x25519 = X25519PrivateKey.from_private_bytes(seeds[MLKEM_SEED_BYTES:])
        self._private = MLKEM768X25519PrivateKey(mlkem, x25519)
        self._public_bytes = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        self._key_id = key_id(self._public_bytes)

    @property
    def key_id(self) -> str:
        return self._key_id

    @property
    def public_bytes(self) -> bytes:
        return self._public_bytes

    def unseal(self, sealed: bytes, info: bytes) -> bytes:
        try:
            return _SUITE.decrypt(sealed, self._private, info)
        except (InvalidTag, ValueError) as error:
            raise ChannelError(f"what was sealed is not for key {self._key_id!r}, or was altered") from error


class FileKeys(Keys):
    """The keys in `folder`. See the module.

    Raises:
        StartError: the folder or a key in it is missing, malformed or open to other users.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._signing: dict[str, SigningKey] = {}
        self._sealing: dict[str, SealingKey] = {}
        self._secrets: dict[str, bytes] = {}
        for name, kind, content in _read(folder):
            if kind == "signing":
                self._signing[name] = _FileSigningKey(content)
            elif kind == "sealing":
                self._sealing[name] = _FileSealingKey(content)
            else:
                self._secrets[name] = content

    @classmethod
    def create(
        cls, folder: Path, *, signing: Iterable[str] = (), sealing: Iterable[str] = (), secrets: Iterable[str] = ()
    ) -> FileKeys:
        """Make the named keys that do not exist yet, then open the folder.

        Raises:
            StartError: as the constructor, or the folder cannot be written.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for kind, names in (("signing", signing), ("sealing", sealing), ("secret", secrets)):
                for name in names:
                    _make(folder, name, kind)
            _sync(folder)
        except OSError as error:
            raise StartError(
                f"key folder {folder}: cannot be written ({error.strerror}); make it this user's"
            ) from error
        return cls(folder)

    @classmethod
    def put_aside(cls, folder: Path, *, signing: Iterable[str] = (), sealing: Iterable[str] = ()) -> None:
        """Make the named keys those before, in place of the ones that were. A key that does not exist is passed over.

        Raises:
            StartError: the folder cannot be written.
        """
        try:
            for kind, names in (("signing", signing), ("sealing", sealing)):
                for name in names:
                    with suppress(FileNotFoundError):
                        (folder / f"{name}.{kind}.key").replace(folder / f"{name}{BEFORE}.{kind}.key")
            if folder.is_dir():
                _sync(folder)
        except OSError as error:
            raise StartError(
                f"key folder {folder}: cannot be written ({error.strerror}); make it this user's"
            ) from error

    def signing(self, name: str) -> SigningKey:
        return self._named(self._signing, name, "signing")

    def sealing(self, name: str) -> SealingKey:
        return self._named(self._sealing, name, "sealing")

    def secret(self, name: str) -> bytes:
        return self._named(self._secrets, name, "secret")

    def signing_publics(self, name: str) -> tuple[bytes, ...]:
        """Public bytes of the named signing key, and of the one before it when there is one."""
        before = self._signing.get(f"{name}{BEFORE}")
        return self.signing(name).public_bytes, *((before.public_bytes,) if before else ())

    def sealing_keys(self, name: str) -> tuple[SealingKey, ...]:
        """The named sealing key, and the one before it when there is one."""
        before = self._sealing.get(f"{name}{BEFORE}")
        return self.sealing(name), *((before,) if before else ())

    def _named(self, keys: dict[str, _Key], name: str, kind: str) -> _Key:
        if name not in keys:
            raise StartError(f"key folder {self._folder}: expected a {kind} key {name!r}, found {sorted(keys)}")
        return keys[name]


def _read(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """Name, kind and content of each key. Other files of the zone, TLS keys for one, are left alone."""
    try:
        _private(folder, folder.lstat(), stat.S_ISDIR)
        found = [match for path in folder.iterdir() if (match := _FILE.fullmatch(path.name))]
        if len(found) > KEYS_MAX:
            raise StartError(
                f"key folder {folder}: expected at most {KEYS_MAX} keys, found {len(found)}; remove old ones"
            )
        for match in found:
            try:
                content = _content(folder / match[0], _SIZES[match[2]])
            except FileNotFoundError:
                continue  # another worker has just deleted a session key that ran out
            yield match[1], match[2], content
    except OSError as error:
        raise StartError(f"key folder {folder}: cannot be read ({error.strerror}); `caisson up` makes it") from error


def _content(path: Path, size: int) -> bytes:
    descriptor = os.open(path, _OPEN)
    try:
        _private(path, os.fstat(descriptor), stat.S_ISREG)
        content = os.read(descriptor, size + 1)
    finally:
        os.close(descriptor)
    if len(content) != size:
        found = len(content) if len(content) < size else "more"
        raise StartError(f"key file {path}: expected {size} bytes, found {found}; restore it from a backup")
    return content


def _private(path: Path, status: os.stat_result, kind: Callable[[int], bool]) -> None:
    """Refuse what is of another kind, a link for one, or what other users may have read."""
    if not kind(status.st_mode) or status.st_mode & 0o077:
        expected = "a folder of mode 0700" if kind is stat.S_ISDIR else "a regular file of mode 0600"
        found = stat.filemode(status.st_mode)
        raise StartError(f"{path}: expected {expected}, found {found}; other users may have read it, so make new keys")


def _make(folder: Path, name: str, kind: str) -> None:
    file_name = f"{name}.{kind}.key"
    if _FILE.fullmatch(file_name) is None:
        raise StartError(f"expected a key name of lower-case letters, digits and single hyphens, found {name!r}")
    path = folder / file_name
    if os.path.lexists(path):
        return
    unfinished = folder / f".{random.token_hex(8)}.new"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(random.token_bytes(_SIZES[kind]))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)  # unlike a rename it never replaces the key that another process just made
        except FileExistsError:
            return
    finally:
        unfinished.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
