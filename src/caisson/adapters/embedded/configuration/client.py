"""A TUF client of a repository in a folder (TUF specification 1.0, section 5, by python-tuf).

- Roots are followed from a copy that the zone was given once; nothing of the repository is believed without it.
- The clock is handed in. A file of the repository is read as a plain file, by a name in TUF's form, within a bound.
- Several processes of a zone may share one trust folder: one at a time writes to it. A process that also keeps the time
  there has a folder of its own, which begins as a copy (`share_trust`).
- An error starts with what is wrong: missing, damaged, stale, frozen, rolled back, forged or expired.

>>> RepositoryClient(Path("configuration"), Path("trust")).load(at=0.0).targets.version  # doctest: +SKIP
1
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Root, Snapshot, Targets, Timestamp
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig
from tuf.ngclient.config import EnvelopeType

from caisson.adapters.embedded.configuration.documents import CONFIGURATION, CONTENT_BYTES_MAX, ORDERS
from caisson.adapters.embedded.configuration.folder import open_plain, read_plain, write_whole
from caisson.adapters.embedded.configuration.signing import ORDERS_ROLE, moment
from caisson.errors import ConfigurationError

METADATA = "metadata"
TARGETS = "targets"
ROOT_BYTES_MAX = 64 << 10
ROLE_BYTES_MAX = 1 << 20
"""Of `targets.json`, which carries the summary of a change, and of the other roles."""
TIMESTAMP_BYTES_MAX = 16 << 10
ROOT_ROTATIONS_MAX = 128
"""Roots that a client follows at once: one a change of the number of signatures, and one every few years."""
CHUNK_BYTES = 64 << 10

_SCHEME = "repository:/"
_NAME = re.compile(rf"{_SCHEME}({METADATA}|{TARGETS})/([0-9a-z]+(?:\.[0-9a-z]+)*\.json)")
_ROLE = re.compile(r"(?:[0-9a-f]+\.)?([a-z]+)\.json")
_ADVICE = {
    "missing": "restore the repository from a backup, or start the control zone, which publishes it",
    "damaged": "it is not what was signed; restore the repository from a backup",
    "stale": "the signed parts are not of one version; restore the repository from a backup",
    "frozen": "nobody has renewed it in time: start the control zone, and see that its files reach this zone",
    "rolled back": "it is older than what this zone has seen; restore the newest repository",
    "forged": "it is not signed by enough of the keys that this zone trusts; find out who wrote it",
    "expired": "publish it again",
}


@dataclass(frozen=True, kw_only=True)
class Trusted:
    """One verified state of the repository."""

    root: Root
    timestamp: Timestamp
    snapshot: Snapshot
    targets: Targets
    orders: Targets
    configuration_content: bytes
    orders_content: bytes


def establish_trust(repository: Path, trust: Path) -> None:
    """Give a zone the repository's first root, unless it has one.

    For whoever started the control zone and so knows whose root this is; what it writes must become the zone's.

    Raises:
        ConfigurationError: there is no repository yet, or the trust folder cannot be written.
    """
    bootstrap = _bootstrap(trust)
    if bootstrap.exists():
        return
    try:
        trust.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(bootstrap, read_plain(repository / METADATA / "1.root.json", bytes_max=ROOT_BYTES_MAX))
    except FileNotFoundError as error:
        raise _fault("missing", "1.root.json") from error
    except OSError as error:
        raise _unwritable(trust, error) from error


def share_trust(of: Path, trust: Path) -> None:
    """Give another process of a zone what one has verified so far, unless it has a folder already.

    So it starts from the same root, and is not shown what is older than what the zone has seen.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    if has_trust(trust):
        return
    unfinished = trust.with_name(f"{trust.name}.new")
    try:
        with alone(of):
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.rmtree(trust, ignore_errors=True)
            shutil.copytree(of, unfinished)
            unfinished.rename(trust)
    except OSError as error:
        raise _unwritable(trust, error) from error


def has_trust(trust: Path) -> bool:
    """Whether the zone has a root."""
    return _bootstrap(trust).exists()


def _bootstrap(trust: Path) -> Path:
    return trust / "bootstrap.json"


class RepositoryClient:
    """Reads and verifies. See the module."""

    def __init__(self, repository: Path, trust: Path) -> None:
        self._repository = repository
        self._trust = trust

    def load(self, *, at: float) -> Trusted:
        """The newest state, as valid at Unix time `at`.

        Raises:
            ConfigurationError: what is wrong comes first in the message.
        """
        fetcher = FolderFetcher(self._repository)
        updater: _Updater | None = None
        try:
            root = read_plain(_bootstrap(self._trust), bytes_max=ROOT_BYTES_MAX)
            for folder in (METADATA, TARGETS):
                (self._trust / folder).mkdir(mode=0o700, exist_ok=True)
            with alone(self._trust):
                updater = _Updater(self._trust, fetcher, root, at=at)
                return _load(updater)
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"missing: this zone has no root of the repository in {self._trust}; `caisson up` gives it one"
            ) from error
        except (RepositoryError, DownloadError) as error:
            if updater is not None and updater.trusted.root.is_expired(moment(at)):
                raise _fault("expired", f"{updater.trusted.root.version}.root.json") from error
            file = fetcher.last or "the root that this zone was given"
            raise _fault(_word(error, _role(file)), file) from error
        except OSError as error:
            raise _unwritable(self._trust, error) from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:  # metadata of a wrong form
            raise _fault("damaged", fetcher.last) from error


@contextmanager
def alone(trust: Path) -> Iterator[None]:
    """Nobody else writes to the trust folder."""
    descriptor = os.open(trust / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class _Updater(Updater):
    """python-tuf's client workflow with a clock that is handed in; python-tuf reads the machine's."""

    def __init__(self, trust: Path, fetcher: FolderFetcher, root: bytes, *, at: float) -> None:
        super().__init__(
            metadata_dir=str(trust / METADATA),
            metadata_base_url=f"{_SCHEME}{METADATA}/",
            target_dir=str(trust / TARGETS),
            target_base_url=f"{_SCHEME}{TARGETS}/",
            fetcher=fetcher,
            config=UpdaterConfig(
                max_root_rotations=ROOT_ROTATIONS_MAX,
                max_delegations=2,
                root_max_length=ROOT_BYTES_MAX,
                timestamp_max_length=TIMESTAMP_BYTES_MAX,
                snapshot_max_length=ROLE_BYTES_MAX,
                targets_max_length=ROLE_BYTES_MAX,
                envelope_type=EnvelopeType.METADATA,
            ),
            bootstrap=root,
        )
        self.trusted = self._trusted_set
        self.trusted.reference_time = moment(at)


def _load(updater: _Updater) -> Trusted:
    updater.refresh()
    configuration = _content(updater, CONFIGURATION)
    orders = _content(updater, ORDERS)
    if ORDERS in updater.trusted.targets.targets:
        raise RepositoryError(f"{ORDERS} is not the orders role's")
    role = updater.trusted[ORDERS_ROLE]
    if not isinstance(role, Targets):
        raise RepositoryError("the orders role holds no targets")
    return Trusted(
        root=updater.trusted.root,
        timestamp=updater.trusted.timestamp,
        snapshot=updater.trusted.snapshot,
        targets=updater.trusted.targets,
        orders=role,
        configuration_content=configuration,
        orders_content=orders,
    )


def _content(updater: _Updater, path: str) -> bytes:
    target = updater.get_targetinfo(path)
    if target is None:
        raise RepositoryError(f"no role vouches for {path}")
    if target.length > CONTENT_BYTES_MAX:
        raise DownloadLengthMismatchError(f"{path} is longer than {CONTENT_BYTES_MAX} bytes")
    found = updater.find_cached_target(target) or updater.download_target(target)
    content = read_plain(Path(found), bytes_max=CONTENT_BYTES_MAX)
    target.verify_length_and_hashes(content)
    return content


class FolderFetcher(FetcherInterface):
    """Where python-tuf would ask a server: files of the repository."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self.last = ""
        """Name of the file that was asked for last; an error is about it."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        match = _NAME.fullmatch(url)
        self.last = url.rpartition("/")[2]
        if match is None:
            raise DownloadError(f"expected a name in TUF's form, found {self.last!r}")
        try:
            descriptor = open_plain(self._repository / match[1] / match[2])
        except FileNotFoundError as error:
            raise DownloadHTTPError(f"{self.last} is not there", 404) from error  # python-tuf's word for missing
        except (OSError, ConfigurationError) as error:
            raise DownloadError(f"{self.last} cannot be read") from error
        return _chunks(descriptor)

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """As the base class, in memory: a confined zone has no folder for temporary files."""
        content = BytesIO()
        for chunk in self.fetch(url):
            if content.tell() + len(chunk) > max_length:
                raise DownloadLengthMismatchError(f"{self.last} is longer than {max_length} bytes")
            content.write(chunk)
        content.seek(0)
        yield content


def _chunks(descriptor: int) -> Iterator[bytes]:
    with os.fdopen(descriptor, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _role(file: str) -> str:
    match = _ROLE.fullmatch(file)
    return match[1] if match else file


def _word(error: Exception, role: str) -> str:
    """What is wrong, from the kind of error and the role whose file was read."""
    match error:
        case DownloadHTTPError():
            return "missing"
        case UnsignedMetadataError():
            return "forged"
        case ExpiredMetadataError():
            return "frozen" if role in (Timestamp.type, Snapshot.type) else "expired"
        case BadVersionNumberError():
            # a root, or a role that the snapshot names, carries another number than its place says
            return "rolled back" if role in (Timestamp.type, Snapshot.type) else "stale"
        case _:  # cannot be read or parsed, or is not the bytes that the role above it names
            return "damaged"


def _fault(word: str, file: str) -> ConfigurationError:
    return ConfigurationError(f"{word}: {file}; {_ADVICE[word]}")


def _unwritable(trust: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"the folder {trust} cannot be used ({error.strerror}); make it this zone's")
