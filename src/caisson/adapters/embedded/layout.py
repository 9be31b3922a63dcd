"""The data folder: which zone owns which folder, with which mode, as one table made from the channel table (NET-01).

- A spool belongs to its channel's reader. Writers may create files in it, not list it; what they create belongs to the
  reader's group. Configuration belongs to the control zone; all zones read it. Keys and state are a zone's own.
- Without own users everything belongs to whoever starts `up`, closed to all others.
- A folder that is not ours, another user's, another system's or of another layout version is refused.
- Preparing again is safe at any point, also after a crash or when own users become possible later.

>>> [folder.path for folder in table() if folder.owner is Zone.LOGGING and folder.path.startswith("spool/")]
['spool/events']
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from caisson.adapters.embedded.isolation.users import UserPlan
from caisson.adapters.embedded.ownership import Ownership, create_folder, hand_over
from caisson.channels.table import CHANNELS, Zone
from caisson.errors import StartError

VERSION = 1
VERSION_FILE = "layout.json"
VERSION_BYTES_MAX = 4_096
PROCESSES = (Zone.RUNTIME, Zone.CONTROL, Zone.LOGGING)
"""Zones that run as a process of their own. Ingress is the first layer of the runtime's."""
_SEALED = "sealed segments"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """One row: a folder beneath the data folder."""

    path: str
    owner: Zone | None
    """The zone it belongs to; None: whoever starts `up`."""
    group: Zone | None
    """The zone whose group it has; None: the group that all zones share."""
    mode: int
    """With own users."""
    mode_alone: int
    """When all zones run as whoever starts `up`."""


def process_of(zone: Zone) -> Zone:
    """The zone whose process does a zone's work."""
    return Zone.RUNTIME if zone is Zone.INGRESS else zone


def spools() -> dict[str, tuple[frozenset[Zone], Zone]]:
    """Channels that have a spool here: name to writing processes and reading process."""
    found = {}
    for channel in CHANNELS.values():
        if channel.embedded == _SEALED and process_of(channel.reader) in PROCESSES:
            writers = frozenset(process_of(zone) for zone in channel.writers) & frozenset(PROCESSES)
            if writers:
                found[channel.name] = (writers, process_of(channel.reader))
    return found


def table() -> tuple[Folder, ...]:
    """Every folder, parents first."""
    rows = [
        _shared("authority", 0o755, 0o755),
        _shared("client", 0o700, 0o700),
        Folder(path="configuration", owner=Zone.CONTROL, group=None, mode=0o2750, mode_alone=0o700),
        _shared("sockets", 0o1771, 0o711),  # both zones bind here; sticky, so that neither takes the other's name
        _shared("run", 0o755, 0o755),
        _shared("spool", 0o710, 0o700),
    ]
    for name, (_, reader) in spools().items():
        rows.append(Folder(path=f"spool/{name}", owner=reader, group=reader, mode=0o3733, mode_alone=0o700))
    rows.append(_shared("zones", 0o710, 0o700))
    rows.append(_shared("zones/supervisor", 0o700, 0o700))
    rows += [_shared(f"zones/supervisor/{name}", 0o700, 0o700) for name in ("keys", "state")]
    for zone in PROCESSES:
        # The zone's folder itself is not the zone's, so that it cannot put a link where `up` writes as root.
        rows.append(Folder(path=f"zones/{zone.label}", owner=None, group=zone, mode=0o710, mode_alone=0o700))
        rows += [
            Folder(path=f"zones/{zone.label}/{name}", owner=zone, group=zone, mode=0o700, mode_alone=0o700)
            for name in private_folders(zone)
        ]
    return tuple(rows)


def private_folders(zone: Zone) -> tuple[str, ...]:
    """Folders beneath `zones/<label>` that only this zone reads and writes."""
    more = {Zone.CONTROL: ("operators",), Zone.LOGGING: ("archive", "tree")}
    return ("keys", "state", *more.get(zone, ()))


def _shared(path: str, mode: int, mode_alone: int) -> Folder:
    return Folder(path=path, owner=None, group=None, mode=mode, mode_alone=mode_alone)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things are."""

    data: Path
    """Absolute, links resolved."""
    users: UserPlan

    @property
    def authority(self) -> Path:
        """The local authority's public files."""
        return self.data / "authority"

    @property
    def client(self) -> Path:
        """The owner's AWS profile."""
        return self.data / "client"

    @property
    def configuration(self) -> Path:
        """The TUF repository."""
        return self.data / "configuration"

    @property
    def sockets(self) -> Path:
        """Unix sockets for the owner."""
        return self.data / "sockets"

    @property
    def run(self) -> Path:
        """State of the supervisor, process logs, the endpoint."""
        return self.data / "run"

    def spool(self, channel: str) -> Path:
        """A sealed channel's spool."""
        return self.data / "spool" / channel

    def zone(self, zone: Zone, name: str) -> Path:
        """A private folder of a zone: `keys`, `state`, `operators`, `archive`, `tree`."""
        return self.data / "zones" / process_of(zone).label / name

    @property
    def supervisor_state(self) -> Path:
        """What only the supervisor reads."""
        return self.data / "zones" / "supervisor" / "state"

    def hand_over(self) -> None:
        """Give every zone what whoever started `up` has written into its folders. Call it before zones start.

        Raises:
            StartError: something in a zone's folder is neither a file nor a folder of its own.
        """
        if self.users.first is not None or os.geteuid() == 0:
            for folder in table():
                if folder.owner is not None:
                    hand_over(self.data, folder.path, _ownership(folder, self.users), keep=_members(self.users))


def layout(data: Path, users: UserPlan) -> Layout:
    """Names alone, nothing is touched: for commands that look into a data folder that `up` has prepared."""
    return Layout(data=data.resolve(), users=users)


def claim(data: Path, *, system: str) -> Path:
    """Make sure that the data folder is this system's, and return its `run` folder, where the lock is taken.

    Raises:
        StartError: it is not ours to use; says why and what to do.
    """
    data = data.resolve()
    _claim(data, system)
    run = data / "run"
    if not run.is_dir():
        create_folder(data, "run", Ownership(uid=os.geteuid(), gid=os.getegid()), 0o755)
    return run


def prepare(data: Path, *, system: str, users: UserPlan) -> Layout:
    """Make or complete the data folder of a system. Only while no zone runs in it: take the lock in `claim`'s folder.

    Raises:
        StartError: it is not ours to use; says why and what to do.
    """
    data = claim(data, system=system).parent
    data.chmod(0o711)
    _clear_sockets(data / "sockets")
    for folder in table():
        mode = folder.mode_alone if users.first is None else folder.mode
        create_folder(data, folder.path, _ownership(folder, users), mode)
    prepared = Layout(data=data, users=users)
    prepared.hand_over()
    _record(data, system, users.first)
    return prepared


def recorded_users(data: Path) -> int | None:
    """The block of users that a data folder has, for `plan_users`; None when it has none yet.

    Raises:
        StartError: the version file is not one of ours.
    """
    record = _read(data.resolve())
    return None if record is None else record.first


@dataclass(frozen=True, kw_only=True)
class _Record:
    system: str
    first: int | None


def _claim(data: Path, system: str) -> None:
    if not data.parent.is_dir():
        raise StartError(
            f"expected the folder {str(data.parent)!r} to hold the data folder, found none; create it first"
        )
    try:
        data.mkdir(mode=0o711)
    except FileExistsError:
        if not data.is_dir():
            raise StartError(
                f"expected a data folder, found a file: {str(data)!r}; choose another with --data"
            ) from None
    except OSError as error:
        raise StartError(f"expected to make the data folder {str(data)!r}, found {error.strerror!r}") from error
    owner = data.stat().st_uid
    if owner != os.geteuid():
        raise StartError(
            f"expected the data folder {str(data)!r} to belong to user {os.geteuid()}, found user {owner}; "
            "run as that user or choose another with --data"
        )
    record = _read(data)
    if record is None:
        if any(data.iterdir()):
            raise StartError(
                f"expected an empty folder or a data folder of Caisson, found other files in {str(data)!r}; "
                "choose another with --data"
            )
        _record(data, system, None)
    elif record.system != system:
        raise StartError(
            f"expected the data folder of system {system!r}, found that of {record.system!r} in {str(data)!r}; "
            "choose another with --data"
        )


def _read(data: Path) -> _Record | None:
    path = data / VERSION_FILE
    try:
        with path.open("rb") as file:
            content = file.read(VERSION_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StartError(f"expected to read {str(path)!r}, found {error.strerror!r}") from error
    try:
        found = json.loads(content)
        version, system, first = found["caisson_layout"], found["system"], found["users"]
    except (ValueError, KeyError, TypeError):
        version = system = first = None
    if version != VERSION:
        raise StartError(
            f"expected layout version {VERSION} in {str(path)!r}, found {version!r}; "
            "use the version of Caisson that made the folder, or choose another folder with --data"
        )
    if not isinstance(system, str) or isinstance(first, bool) or not isinstance(first, int | None):
        raise StartError(f"expected a system's name and its users in {str(path)!r}, found something else; restore it")
    return _Record(system=system, first=first)


def _record(data: Path, system: str, first: int | None) -> None:
    """Last, so that an interrupted change of users is taken up again."""
    content = json.dumps({"caisson_layout": VERSION, "system": system, "users": first}) + "\n"
    unfinished = data / f"{VERSION_FILE}.new"
    unfinished.write_text(content)
    unfinished.chmod(0o644)
    unfinished.replace(data / VERSION_FILE)


def _clear_sockets(sockets: Path) -> None:
    """Sockets of processes that are gone. No zone runs while the folder is prepared."""
    if sockets.is_dir() and not sockets.is_symlink():
        for path in sockets.iterdir():
            if path.is_socket():
                path.unlink()


def _ownership(folder: Folder, users: UserPlan) -> Ownership:
    if users.members is None:
        return Ownership(uid=os.geteuid(), gid=os.getegid())
    owner = None if folder.owner is None else users.user(folder.owner)
    group = None if folder.group is None else users.user(folder.group)
    return Ownership(
        uid=os.geteuid() if owner is None else owner.uid, gid=users.members if group is None else group.gid
    )


def _members(users: UserPlan) -> frozenset[int]:
    """Users whose files stay theirs: a spool holds those of its writers."""
    found = (users.user(zone) for zone in PROCESSES)
    return frozenset(user.uid for user in found if user is not None)
