"""Landlock: a process takes away its own view of files, ports and other processes, and cannot get it back.

- What is not declared is refused. A path that does not exist is an error, because a rule that silently vanishes would
  turn into a failure under load, or into a folder that somebody else makes.
- An older kernel enforces what it can; what it cannot is named, never assumed. Nothing here executes a program.
- Source: the kernel's `userspace-api/landlock.rst` and `linux/landlock.h`; ABI numbers are the table there.

>>> handled(3).net, bool(handled(4).net)
(0, True)
>>> missing(5, Rules(), filtered=True)
('signals to other zones (Landlock ABI 6)', 'abstract unix sockets (Landlock ABI 6)')
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

from caisson.adapters.embedded.isolation import libc
from caisson.errors import StartError

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""The same numbers on every architecture, as all system calls since 5.1 have."""
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH, _RULE_NET_PORT = 1, 2

ABI_MIN = 2
"""ABI 1 refuses every move of a file to another folder, also within the own ones, and python-tuf makes such moves."""
ABI_KNOWN_MAX = 7
"""The newest ABI whose meaning this module knows. A newer kernel is asked for no more than that."""
_REFER_ABI, TRUNCATE_ABI, _NET_ABI, _IOCTL_ABI, _SCOPE_ABI = 2, 3, 4, 5, 6


class Fs(IntFlag):
    """LANDLOCK_ACCESS_FS_*."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


_FS_ABI_1 = Fs(0x1FFF)
_OF_FILES = Fs.WRITE_FILE | Fs.READ_FILE | Fs.TRUNCATE
"""Rights that a rule on a single file may carry; the kernel refuses the others there."""

READ = Fs.READ_FILE | Fs.READ_DIR
WRITE_ONLY = Fs.WRITE_FILE | Fs.MAKE_REG | Fs.TRUNCATE
"""Create and write, never read, list or remove. Truncating is how a torn write is taken back; it adds nothing to the
harm that overwriting can do, and the reader sees either."""
WRITE = READ | WRITE_ONLY | Fs.MAKE_DIR | Fs.REMOVE_FILE | Fs.REMOVE_DIR | Fs.REFER | Fs.MAKE_SYM
"""Moves between own folders and links are what python-tuf keeps its roots with. A link widens nothing for the process
itself: what counts is where it leads. Whoever else writes into a zone's folder must not follow links."""

_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_SCOPE_ABSTRACT_UNIX, _SCOPE_SIGNAL = 1 << 0, 1 << 1


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All that a process keeps. Everything else is refused."""

    read: tuple[Path, ...] = ()
    """Files, and folders with all beneath."""
    write: tuple[Path, ...] = ()
    """Read, create, change and remove beneath."""
    write_only: tuple[Path, ...] = ()
    """Create and write beneath, but not read, list or remove."""
    connect_ports: tuple[int, ...] | None = ()
    """TCP ports that may be connected to, on any address; None leaves them open. UDP is not governed (the resolver)."""
    bind_ports: tuple[int, ...] | None = ()
    """TCP ports that may be bound from now on; sockets bound before stay. None leaves them open."""


@dataclass(frozen=True, kw_only=True)
class Handled:
    """What a kernel of some ABI can refuse. Zero everywhere: no Landlock."""

    fs: Fs
    net: int
    scoped: int


def abi() -> int:
    """The kernel's Landlock ABI; 0 when it has none or it is switched off at boot."""
    try:
        return libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_CREATE_RULESET_VERSION))
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):  # EPERM: a container's seccomp filter
            return 0
        raise


def handled(abi: int) -> Handled:
    """What that ABI can refuse, and so must."""
    if abi < 1:
        return Handled(fs=Fs(0), net=0, scoped=0)
    fs = _FS_ABI_1
    for since, right in ((_REFER_ABI, Fs.REFER), (TRUNCATE_ABI, Fs.TRUNCATE), (_IOCTL_ABI, Fs.IOCTL_DEV)):
        if abi >= since:
            fs |= right
    return Handled(
        fs=fs,
        net=_BIND_TCP | _CONNECT_TCP if abi >= _NET_ABI else 0,
        scoped=_SCOPE_ABSTRACT_UNIX | _SCOPE_SIGNAL if abi >= _SCOPE_ABI else 0,
    )


def missing(abi: int, rules: Rules, *, filtered: bool) -> tuple[str, ...]:
    """What the rules ask for that this ABI, with the call filter or without it, cannot refuse, in words."""
    if abi < 1:
        return ("files, ports and signals of other zones (Landlock)",)
    names = []
    if not filtered:
        names.append("unix sockets of other zones (seccomp on x86_64 or aarch64)")
    if abi < TRUNCATE_ABI and not filtered:
        names.append(f"cutting other zones' files (Landlock ABI {TRUNCATE_ABI})")
    if abi < _NET_ABI and (rules.connect_ports is not None or rules.bind_ports is not None):
        names.append(f"TCP ports (Landlock ABI {_NET_ABI})")
    if abi < _IOCTL_ABI:
        names.append(f"device controls (Landlock ABI {_IOCTL_ABI})")
    if abi < _SCOPE_ABI:
        names.append(f"signals to other zones (Landlock ABI {_SCOPE_ABI})")
        names.append(f"abstract unix sockets (Landlock ABI {_SCOPE_ABI})")
    return tuple(names)


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def apply(rules: Rules, abi: int) -> None:
    """Restrict the calling thread and all that it starts, for good. Needs no_new_privs.

    Raises:
        StartError: a path does not exist.
        OSError: the kernel refused.
    """
    can = handled(abi)
    net = (0 if rules.bind_ports is None else _BIND_TCP) | (0 if rules.connect_ports is None else _CONNECT_TCP)
    net &= can.net
    # Fields that the kernel does not know are zero, which it accepts at any structure size (copy_struct_from_user).
    attributes = _Ruleset(can.fs, net, can.scoped)
    ruleset = libc.syscall(
        _CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(ctypes.sizeof(attributes)), ctypes.c_uint32(0)
    )
    try:
        for paths, rights in ((rules.read, READ), (rules.write, WRITE), (rules.write_only, WRITE_ONLY)):
            for path in paths:
                _allow_path(ruleset, path, rights & can.fs)
        for ports, right in ((rules.bind_ports, net & _BIND_TCP), (rules.connect_ports, net & _CONNECT_TCP)):
            for port in (ports or ()) if right else ():
                _add(ruleset, _RULE_NET_PORT, _NetPort(right, port))
        libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _allow_path(ruleset: int, path: Path, rights: Fs) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise StartError(
            f"expected {str(path)!r} to exist, found {error.strerror!r}; "
            "a zone cannot start without the paths it declares"
        ) from error
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= _OF_FILES
        _add(ruleset, _RULE_PATH_BENEATH, _PathBeneath(rights, parent))
    finally:
        os.close(parent)


def _add(ruleset: int, kind: int, rule: ctypes.Structure) -> None:
    libc.syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(kind), ctypes.byref(rule), ctypes.c_uint32(0))
