"""The few system calls that Python does not offer, with errno turned into OSError.

Numbers and structures are those of the kernel's UAPI headers (`linux/prctl.h`, `linux/capability.h`).

>>> prctl(PR_GET_DUMPABLE) in (0, 1)
True
"""

from __future__ import annotations

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
_libc.prctl.restype = ctypes.c_int
_libc.syscall.restype = ctypes.c_long


def prctl(option: int, argument: int = 0) -> int:
    """prctl(2) with one argument.

    Raises:
        OSError: the kernel refused.
    """
    return _checked(_libc.prctl(option, argument, 0, 0, 0), f"prctl {option}")


def syscall(number: int, *arguments: object) -> int:
    """A system call by number; arguments are ctypes values, so that their width is never guessed.

    Raises:
        OSError: the kernel refused.
    """
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), f"system call {number}")


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result
