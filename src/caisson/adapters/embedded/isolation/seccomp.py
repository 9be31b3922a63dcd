"""What Landlock cannot refuse yet: sockets of other families, and on old kernels cutting files by name.

- Landlock governs abstract unix sockets but not those with a path. Without own users every zone runs as the owner, and
  a hostile runtime could sign in at the control zone's socket as if it were the owner.
- Landlock governs TCP but neither UDP nor vsock. A zone that connects nowhere makes no sockets at all any more.
- So a zone binds first and then gives up the families that it does not need: listening and accepting go on, and
  socketpair(2) too.
- Before ABI 3 Landlock does not govern truncate(2), with which a zone could cut the log of another of the same user.
  There the call is refused; ftruncate(2) on an open file stays.

The filter is classic BPF over `struct seccomp_data` (seccomp(2)): nr at 0, arch at 4, arguments from 16. io_uring can
make sockets without the system call and is refused with ENOSYS, as if the kernel had none. Foreign call conventions
(32 bit, x32) are killed, as their numbers mean something else.

>>> refuse_calls(families=INTERNET, truncate=False)  # doctest: +SKIP
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
    truncate: int
    computing: tuple[int, ...]
    """What a program needs that only computes, reads and writes open files, and ends (`allow_computing`)."""
    io_uring_setup: int = 425


_COMPUTING = {
    # name: (x86_64, aarch64), as in `asm/unistd.h`
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "lseek": (8, 62),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216),
    "madvise": (28, 233), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132), "sched_yield": (24, 124), "getpid": (39, 172), "gettid": (186, 178),
    "gettimeofday": (96, 169), "clock_gettime": (228, 113), "futex": (202, 98), "getrandom": (318, 278),
    "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
_MACHINES = {
    "x86_64": _Machine(
        audit=0xC000003E, seccomp=317, socket=41, truncate=76, computing=tuple(x for x, _ in _COMPUTING.values())
    ),
    "aarch64": _Machine(
        audit=0xC00000B7, seccomp=277, socket=198, truncate=45, computing=tuple(a for _, a in _COMPUTING.values())
    ),
}
_Test = tuple[int, int, str, str]
"""Operation, operand, where to go on yes, where to go on no."""

INTERNET = (int(socket.AF_INET), int(socket.AF_INET6), int(socket.AF_NETLINK))
"""What connecting by name needs: netlink tells the resolver which addresses this machine has (getaddrinfo(3))."""


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def available() -> bool:
    """Whether this machine can filter calls."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return os.uname().machine in _MACHINES and "\nSeccomp_filters:" in status


def refuse_calls(*, families: tuple[int, ...], truncate: bool) -> None:
    """From now on socket(2) of any other family fails with EACCES, and truncate(2) too when asked for.

    Here and in all children, for good. Needs no_new_privs.

    Raises:
        OSError: the kernel refused.
    """
    _install(_instructions(_MACHINES[os.uname().machine], families, truncate))


def allow_computing() -> None:
    """From now on only what computing on open files needs; every other call fails with EPERM.

    No file is opened, no socket made, no program or process started, no other process touched. For a process that
    parses something hostile and has nothing left to load. Needs no_new_privs.

    Raises:
        OSError: the kernel refused.
    """
    machine = _MACHINES[os.uname().machine]
    allowed = [(_IF_EQUAL, number, "allow", "next") for number in machine.computing]
    tests = [*_of_this_machine(machine), *allowed]
    returns = {"refuse": _ERRNO | errno.EPERM, "allow": _ALLOW, "kill": _KILL_PROCESS}
    _install(_assembled(tests, returns))


def _install(instructions: list[_Instruction]) -> None:
    program = _Program(len(instructions), (_Instruction * len(instructions))(*instructions))
    number = _MACHINES[os.uname().machine].seccomp
    libc.syscall(number, ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(0), ctypes.byref(program))


def _of_this_machine(machine: _Machine) -> list[_Test]:
    """Foreign call conventions are killed; what follows sees the call's number."""
    return [
        (_LOAD, _ARCH, "next", "next"),
        (_IF_EQUAL, machine.audit, "next", "kill"),
        (_LOAD, _NR, "next", "next"),
        (_IF_AT_LEAST, _X32_BIT, "kill", "next"),
    ]


def _instructions(machine: _Machine, families: tuple[int, ...], truncate: bool) -> list[_Instruction]:
    refused = (machine.truncate,) if truncate else ()
    tests = [
        *_of_this_machine(machine),
        (_IF_EQUAL, machine.io_uring_setup, "unknown", "next"),
        *((_IF_EQUAL, number, "refuse", "next") for number in refused),
        (_IF_EQUAL, machine.socket, "next", "allow"),
        # The kernel takes the family as an int, so only the low half of the argument counts; it stands first.
        (_LOAD, _FIRST_ARGUMENT, "next", "next"),
        *((_IF_EQUAL, family, "allow", "next") for family in families),
    ]
    returns = {
        "refuse": _ERRNO | errno.EACCES,
        "allow": _ALLOW,
        "unknown": _ERRNO | errno.ENOSYS,
        "kill": _KILL_PROCESS,
    }
    return _assembled(tests, returns)


def _assembled(tests: list[_Test], returns: dict[str, int]) -> list[_Instruction]:
    """Tests fall through to the next one or jump to one of the returns at the end, whose first is the default."""
    places = {name: len(tests) + index for index, name in enumerate(returns)}

    def skips(here: int, target: str) -> int:
        return 0 if target == "next" else places[target] - here - 1

    return [
        *(_Instruction(code, skips(i, yes), skips(i, no), value) for i, (code, value, yes, no) in enumerate(tests)),
        *(_Instruction(_RETURN, 0, 0, value) for value in returns.values()),
    ]
