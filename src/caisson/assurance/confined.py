"""What a zone's process can reach, tried by a process that confined itself as that zone does: a program of its own.

    python -m caisson.assurance.confined DATA ZONE

prints one JSON object: what was tried and the name of the error that refused it, or `done`. It opens what exists and
creates one empty file where it must not, which it removes again; it deletes, truncates and writes nothing else.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from caisson.adapters.embedded.isolation import restrict
from caisson.adapters.embedded.isolation.users import User, UserPlan
from caisson.adapters.embedded.isolation.zones import zone_rules
from caisson.adapters.embedded.layout import PROCESSES, layout, private_folders, recorded_users, spools
from caisson.channels.table import CHANNELS, Zone

DONE = "done"
FILES_TRIED_MAX = 3
"""Of each folder: they are all of one owner and mode."""
PROBE_NAME = ".probe-of-isolation"
Tried = tuple[str, bool | None, Callable[[], object]]
"""Name of what is tried, whether it must be refused (None: worth knowing), and how."""


def attempts(data: Path, zone: Zone) -> Iterator[Tried]:
    """Everything that a zone's process must not do in the data folder, and some of what it must."""
    own = data / "zones" / zone.label
    for name in private_folders(zone):
        yield f"list {own.name}/{name}", False, _listing(own / name)
    for other in PROCESSES:
        if other is zone:
            continue
        for name in private_folders(other):
            yield from _folder(data / "zones" / other.label / name, f"{other.label}/{name}")
    yield from _folder(data / "zones" / "supervisor" / "keys", "supervisor/keys")
    yield from _folder(data / "client", "client")
    for channel, (writers, reader) in spools().items():
        if reader is not zone:
            folder = data / "spool" / channel
            yield f"list the spool of {channel}", True, _listing(folder)
            # Landlock gives a folder whole: a writer can open another writer's segment, which its chain would show
            yield from _files(folder, f"the spool of {channel}", written=None if zone in writers else True)
    configuration = data / "configuration"
    yield "list configuration/metadata", False, _listing(configuration / "metadata")
    if zone not in CHANNELS["configuration"].writers:
        yield "create in configuration/metadata", True, _creating(configuration / "metadata")
        timestamp = configuration / "metadata" / "timestamp.json"
        yield "open timestamp.json to write", True, _opening(timestamp, os.O_WRONLY)
        control = data / "sockets" / "control.sock"
        yield "connect to the control zone", True, lambda: _connect(control)


def _folder(folder: Path, name: str) -> Iterator[Tried]:
    yield f"list {name}", True, _listing(folder)
    yield f"create in {name}", True, _creating(folder)
    yield from _files(folder, name)


def _files(folder: Path, name: str, *, written: bool | None = True) -> Iterator[Tried]:
    """Files that are there, which somebody who knows their names would open."""
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file())[:FILES_TRIED_MAX]
    except OSError:
        return
    for path in found:
        yield f"read {name}/{path.name}", True, _opening(path, os.O_RDONLY)
        yield f"open {name}/{path.name} to write", written, _opening(path, os.O_WRONLY)


def _listing(path: Path) -> Callable[[], object]:
    return lambda: os.listdir(path)  # noqa: PTH208 - names alone


def _opening(path: Path, flags: int) -> Callable[[], object]:
    return lambda: os.close(os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK))


def _creating(folder: Path) -> Callable[[], object]:
    def create() -> None:
        path = folder / PROBE_NAME
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        path.unlink()

    return create


def _connect(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))


def _become(user: User | None) -> None:
    if user is not None:
        os.setgroups(user.groups)
        os.setgid(user.gid)
        os.setuid(user.uid)


def main(arguments: list[str]) -> int:
    """Confine, then try."""
    data, zone = Path(arguments[0]).resolve(), Zone[arguments[1].upper()]
    first = recorded_users(data) if os.geteuid() == 0 else None
    plan = UserPlan(first=first, reason="" if first is not None else "as recorded")
    tried = list(attempts(data, zone))  # names are learned before, as somebody who was told them
    _become(plan.user(zone))
    held = restrict(zone_rules(layout(data, plan), zone))
    found = []
    for what, must, act in tried:
        try:
            act()
            saw = DONE
        except OSError as error:
            saw = errno.errorcode.get(error.errno or 0, str(error))
        found.append({"what": what, "refuse": must, "saw": saw})
    uid = os.getuid()
    said = {"landlock_abi": held.landlock_abi, "filtered": held.filtered, "uid": uid, "tried": found}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
