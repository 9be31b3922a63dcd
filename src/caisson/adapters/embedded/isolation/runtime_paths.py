"""What Python and its libraries read after a zone has restricted itself: one table, with the reason of each row.

- Folders of installed code come from the interpreter's own configuration, never from `sys.path`, whose first entry is
  whatever folder the process was started in.
- A row that does not exist here is left out. A row that contains the data folder is refused: it would open every zone.

>>> Path("/dev/urandom") in {row.path for row in table()}
True
"""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path

import caisson
from caisson.errors import StartError


@dataclass(frozen=True, kw_only=True)
class Needed:
    """One row."""

    path: Path
    because: str
    connecting: bool = False
    """Only needed by a zone that connects to names."""


_SYSTEM = (
    Needed(path=Path("/usr/lib"), because="shared libraries, the system's Python, character sets"),
    Needed(path=Path("/usr/lib64"), because="the same on some distributions"),
    Needed(path=Path("/lib"), because="the same where /lib is no link"),
    Needed(path=Path("/lib64"), because="the dynamic loader"),
    Needed(path=Path("/usr/local/lib"), because="shared libraries of a Python built from source"),
    Needed(path=Path("/etc/ld.so.cache"), because="where the dynamic loader finds libraries that are loaded late"),
    Needed(path=Path("/etc/ssl"), because="OpenSSL's configuration"),
    Needed(path=Path("/etc/localtime"), because="local time in messages"),
    Needed(path=Path("/usr/share/zoneinfo"), because="time zones; /etc/localtime is a link into it"),
    Needed(path=Path("/dev/null"), because="closed standard streams"),
    Needed(path=Path("/dev/urandom"), because="random numbers where getrandom(2) is not used"),
    Needed(path=Path("/proc/self"), because="own memory and descriptors: metrics, /dev/fd of anonymous files"),
    Needed(path=Path("/proc/sys/vm/overcommit_memory"), because="how the memory allocator behaves"),
    Needed(path=Path("/sys/devices/system/cpu"), because="how many processors there are"),
    Needed(path=Path("/sys/fs/cgroup"), because="how many of them are ours; DuckDB aborts when it cannot ask"),
    Needed(path=Path("/etc/resolv.conf"), because="name servers", connecting=True),
    Needed(path=Path("/run/systemd/resolve"), because="/etc/resolv.conf is a link into it", connecting=True),
    Needed(path=Path("/etc/hosts"), because="names, localhost among them", connecting=True),
    Needed(path=Path("/etc/host.conf"), because="resolver options", connecting=True),
    Needed(path=Path("/etc/nsswitch.conf"), because="which resolvers there are", connecting=True),
    Needed(path=Path("/etc/gai.conf"), because="order of addresses", connecting=True),
)


def table() -> tuple[Needed, ...]:
    """Every row for this interpreter, whether it exists here or not."""
    paths = sysconfig.get_paths()
    return (
        Needed(path=Path(paths["stdlib"]), because="Python's standard library"),
        Needed(path=Path(paths["platstdlib"]), because="its compiled part"),
        Needed(path=Path(paths["purelib"]), because="installed packages"),
        Needed(path=Path(paths["platlib"]), because="installed packages with compiled parts"),
        Needed(path=Path(caisson.__file__).parent, because="this package, also when installed as editable"),
        *_SYSTEM,
    )


def needed(data: Path, *, connecting: bool) -> tuple[Path, ...]:
    """The rows that exist here, for the read rules of a zone.

    Raises:
        StartError: one of them contains the data folder.
    """
    data = data.resolve()
    paths = []
    for row in table():
        if not row.path.exists() or (row.connecting and not connecting):
            continue
        if data.is_relative_to(row.path.resolve()):
            raise StartError(
                f"expected a data folder outside {str(row.path)!r}, which every zone reads ({row.because}), "
                f"found {str(data)!r}; choose another with --data"
            )
        paths.append(row.path)
    return tuple(dict.fromkeys(paths))
