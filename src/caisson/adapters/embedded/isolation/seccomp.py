"""No new sockets of other families: what Landlock cannot refuse yet.

- Landlock governs abstract unix sockets but not those with a path. Without own users every zone runs as the owner, and
  a hostile runtime could sign in at the control zone's socket as if it were the owner.
- Landlock governs TCP but neither UDP nor vsock. A zone that connects nowhere makes no sockets at all any more.
- So a zone binds first and then gives up the families that it does not need: listening and accepting go on, and
  socketpair(2) too.

The filter is classic BPF over `struct seccomp_data` (seccomp(2)): nr at 0, arch at 4, arguments from 16. io_uring can
make sockets without the system call and is refused with ENOSYS, as if the kernel had none. Foreign call conventions
(32 bit, x32) are killed, as their numbers mean something else.

>>> allow_sockets_only(INTERNET)  # doctest: +SKIP
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from caisson.adapters.embedded.isolation import libc

_SET_MODE_FILTER = 1
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL_PROCESS = 0x80000000
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_NR, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_X32_BIT = 0x40000000


@dataclass(frozen=True, kw_only=True)
class _Machine:
    """Numbers of one architecture, little-endian both."""

    audit: int
    """AUDIT_ARCH_* of `linux/audit.h`."""
    seccomp: int
    socket: int
    io_uring_setup: int = 425


_MACHINES = {
    "x86_64": _Machine(audit=0xC000003E, seccomp=317, socket=41),
    "aarch64": _Machine(audit=0xC00000B7, seccomp=277, socket=198),
}

MISSING = "unix sockets of other zones (seccomp on x86_64 or aarch64)"
INTERNET = (int(socket.AF_INET), int(socket.AF_INET6), int(socket.AF_NETLINK))
"""What connecting by name needs: netlink tells the resolver which addresses this machine has (getaddrinfo(3))."""


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def available() -> bool:
    """Whether this machine can refuse new unix sockets."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return os.uname().machine in _MACHINES and "\nSeccomp_filters:" in status


def allow_sockets_only(families: tuple[int, ...]) -> None:
    """From now on socket(2) of any other family fails with EACCES, here and in all children. Needs no_new_privs.

    Raises:
        OSError: the kernel refused.
    """
    machine = _MACHINES[os.uname().machine]
    instructions = _instructions(machine, families)
    program = _Program(len(instructions), (_Instruction * len(instructions))(*instructions))
    libc.syscall(machine.seccomp, ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(0), ctypes.byref(program))


def _instructions(machine: _Machine, families: tuple[int, ...]) -> list[_Instruction]:
    """A jump says how many instructions to skip. The four returns stand last, so offsets to them count the families."""
    count = len(families)
    return [
        _Instruction(_LOAD, 0, 0, _ARCH),
        _Instruction(_IF_EQUAL, 0, 8 + count, machine.audit),  # else kill
        _Instruction(_LOAD, 0, 0, _NR),
        _Instruction(_IF_AT_LEAST, 6 + count, 0, _X32_BIT),  # kill
        _Instruction(_IF_EQUAL, 4 + count, 0, machine.io_uring_setup),  # ENOSYS
        _Instruction(_IF_EQUAL, 0, 2 + count, machine.socket),  # else allow
        # The kernel takes the family as an int, so only the low half of the argument counts; it stands first.
        _Instruction(_LOAD, 0, 0, _FIRST_ARGUMENT),
        *(_Instruction(_IF_EQUAL, count - index, 0, family) for index, family in enumerate(families)),  # allow
        _Instruction(_RETURN, 0, 0, _ERRNO | errno.EACCES),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        _Instruction(_RETURN, 0, 0, _KILL_PROCESS),
    ]
