"""`caisson.aws.lock`: what AWS assigned, and how far a deployment has come. Written whole or not at all.

    {"caisson_lock": 1, "system": NAME, "organization": ID,
     "given": {PARAMETER: VALUE},                              values that no stack of ours puts out
     "stacks": {NAME: {"account", "region", "id",              id: the stack's ARN
                       "applied":  {"template", "parameters", "outputs"} or null,
                       "applying": {"template", "parameters"} or null}}}

`template` is the SHA-256 of the template in canonical JSON. `applying` is written before AWS is told to begin, and
becomes `applied` when it has ended well, so that a deployment that was cut off is known and goes on. It holds
no secrets: keep it in version control beside the system file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from caisson.errors import DeploymentError

FORMAT = 1
LOCK_BYTES_MAX = 4_194_304
"""Largest lock file that is read."""
DIGEST = re.compile("[0-9a-f]{64}")
ACCOUNT = re.compile("[0-9]{12}")


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What a stack was brought to."""

    template: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Applying:
    """What a stack is being brought to."""

    template: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One stack."""

    account: str
    region: str
    id: str
    applied: Applied | None = None
    applying: Applying | None = None


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The file's content."""

    system: str
    organization: str
    given: Mapping[str, str] = field(default_factory=dict)
    stacks: Mapping[str, Entry] = field(default_factory=dict)

    def with_stack(self, name: str, entry: Entry) -> Lock:
        """The same with one stack's entry."""
        return replace(self, stacks={**self.stacks, name: entry})


def digest(template: Mapping[str, Any]) -> str:
    """SHA-256 of a template, whatever the order of its keys."""
    canonical = json.dumps(template, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def render(lock: Lock) -> str:
    """The file's text: the same content, the same bytes."""
    stacks = {
        name: {
            "account": entry.account,
            "region": entry.region,
            "id": entry.id,
            "applied": entry.applied
            and {
                "template": entry.applied.template,
                "parameters": dict(entry.applied.parameters),
                "outputs": dict(entry.applied.outputs),
            },
            "applying": entry.applying
            and {"template": entry.applying.template, "parameters": dict(entry.applying.parameters)},
        }
        for name, entry in lock.stacks.items()
    }
    value = {
        "caisson_lock": FORMAT,
        "system": lock.system,
        "organization": lock.organization,
        "given": dict(lock.given),
        "stacks": stacks,
    }
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def parse(text: str, *, name: str) -> Lock:
    """A lock file's content.

    Raises:
        DeploymentError: it is not one, with the key concerned.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except _Malformed as error:
        raise DeploymentError(f"{name}: {error}") from None
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "its text"
        raise DeploymentError(f"{name}: expected JSON as caisson deploy writes it, found an error at {where}") from None
    try:
        return _lock(value)
    except _Malformed as error:
        raise DeploymentError(f"{name}: {error}; restore the file from version control") from None


class _Malformed(Exception):  # noqa: N818
    """What is wrong; becomes a DeploymentError with the file's name."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Malformed(f"expected each key once, found {key!r} twice")
        found[key] = value
    return found


def _no_constant(text: str) -> Any:
    raise _Malformed(f"expected JSON, found {text}")


def _lock(value: Any) -> Lock:
    top = _object(value, "", ("caisson_lock", "system", "organization", "given", "stacks"))
    version = top["caisson_lock"]
    if version != FORMAT or isinstance(version, bool):
        raise _Malformed(f"expected caisson_lock {FORMAT}, found {version!r}; use the version of caisson that wrote it")
    stacks = _mapping(top["stacks"], "stacks")
    return Lock(
        system=_text(top["system"], "system"),
        organization=_text(top["organization"], "organization"),
        given=_texts(top["given"], "given"),
        stacks={name: _entry(one, f"stacks.{name}") for name, one in stacks.items()},
    )


def _entry(value: Any, where: str) -> Entry:
    found = _object(value, where, ("account", "region", "id", "applied", "applying"))
    account = _text(found["account"], f"{where}.account")
    if not ACCOUNT.fullmatch(account):
        raise _Malformed(f"{where}.account: expected 12 digits, found {account!r}")
    applied = applying = None
    if found["applied"] is not None:
        place = f"{where}.applied"
        inner = _object(found["applied"], place, ("template", "parameters", "outputs"))
        applied = Applied(
            template=_digest(inner["template"], f"{place}.template"),
            parameters=_texts(inner["parameters"], f"{place}.parameters"),
            outputs=_texts(inner["outputs"], f"{place}.outputs"),
        )
    if found["applying"] is not None:
        place = f"{where}.applying"
        inner = _object(found["applying"], place, ("template", "parameters"))
        applying = Applying(
            template=_digest(inner["template"], f"{place}.template"),
            parameters=_texts(inner["parameters"], f"{place}.parameters"),
        )
    return Entry(
        account=account,
        region=_text(found["region"], f"{where}.region"),
        id=_text(found["id"], f"{where}.id"),
        applied=applied,
        applying=applying,
    )


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Malformed(f"{where or 'the file'}: expected an object, found {type(value).__name__}")
    return value


def _object(value: Any, where: str, keys: tuple[str, ...]) -> dict[str, Any]:
    found = _mapping(value, where)
    prefix = f"{where}: " if where else ""
    for key in keys:
        if key not in found:
            raise _Malformed(f"{prefix}expected the key {key!r}, found none")
    for key in found:
        if key not in keys:
            raise _Malformed(f"{prefix}expected only {', '.join(keys)}, found {key!r}")
    return found


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise _Malformed(f"{where}: expected a text, found {value!r}"[:200])
    return value


def _texts(value: Any, where: str) -> dict[str, str]:
    return {key: _text(one, f"{where}.{key}") for key, one in _mapping(value, where).items()}


def _digest(value: Any, where: str) -> str:
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        raise _Malformed(f"{where}: expected a SHA-256 of 64 hexadecimal digits, found {value!r}"[:200])
    return value


def differences(before: Lock | None, after: Lock) -> Iterator[str]:
    """What changes in the file, a line each."""
    old, new = _flat(before), _flat(after)
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            yield f"{key}: {old.get(key, 'none')} -> {new.get(key, 'none')}"


def _flat(lock: Lock | None) -> dict[str, str]:
    def walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for key, one in value.items():
                yield from walk(one, f"{path}.{key}" if path else key)
        else:
            yield path, str(value)

    return dict(walk(json.loads(render(lock)), "")) if lock is not None else {}


class LockFile:
    """The file in its folder. It is replaced only while it is what this process last read or wrote."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: bytes | None = None

    def read(self, *, system: str, organization: str) -> Lock:
        """The lock of this system; an empty one when there is no file yet.

        Raises:
            DeploymentError: it cannot be read, is malformed, or belongs to something else.
        """
        if not self.path.parent.is_dir():
            raise DeploymentError(f"{self.path}: expected a folder for the lock file, found none at {self.path.parent}")
        self._known = self._bytes()
        if self._known is None:
            return Lock(system=system, organization=organization)
        try:
            text = self._known.decode("utf-8")
        except UnicodeDecodeError:
            raise DeploymentError(f"{self.path}: expected UTF-8, found other bytes") from None
        lock = parse(text, name=str(self.path))
        for what, wanted, found in (
            ("system", system, lock.system),
            ("organization", organization, lock.organization),
        ):
            if wanted != found:
                raise DeploymentError(
                    f"{self.path}: expected the lock of {what} {wanted!r}, found that of {found!r}; "
                    "say which file is meant with --lock"
                )
        return lock

    def write(self, lock: Lock) -> None:
        """Put the whole file in place, or leave the former one.

        Raises:
            DeploymentError: it cannot be written, or somebody else has changed it.
        """
        if self._bytes() != self._known:
            raise DeploymentError(
                f"{self.path}: expected the file as this run left it, found that it changed meanwhile; "
                "nobody else may deploy the system at the same time"
            )
        raw = render(lock).encode()
        try:
            descriptor, unfinished = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    os.fchmod(file.fileno(), 0o644)
                    file.write(raw)
                    file.flush()
                    os.fsync(file.fileno())
                Path(unfinished).replace(self.path)
            except BaseException:
                Path(unfinished).unlink(missing_ok=True)
                raise
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise DeploymentError(f"{self.path}: expected to write the lock file, found: {error.strerror}") from error
        self._known = raw

    def _bytes(self) -> bytes | None:
        try:
            status = self.path.lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DeploymentError(f"{self.path}: expected a lock file, found: {error.strerror}") from error
        if not stat.S_ISREG(status.st_mode) or status.st_size > LOCK_BYTES_MAX:
            raise DeploymentError(
                f"{self.path}: expected a file of at most {LOCK_BYTES_MAX} bytes, found another thing"
            )
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise DeploymentError(f"{self.path}: expected a lock file, found: {error.strerror}") from error
