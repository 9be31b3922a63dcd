"""What a zone process gives up besides its view of files: dumps, capabilities, later privileges, life without parent.

- `leave_with_parent` runs between fork and exec: the kernel kills the child when the supervisor dies, however it dies.
- `give_up_privileges` runs in the zone process before it reads input.

>>> give_up_privileges()  # doctest: +SKIP
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal

from caisson.adapters.embedded.isolation import libc

_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522
_CAPABILITIES_MAX = 64
"""Version 3 of the capability system calls has 64 bits (capabilities(7))."""
ORPHANED_STATUS = 125
"""Exit status of a child whose parent was gone before the kernel could be told to kill it with the parent."""


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def leave_with_parent(parent_pid: int) -> None:
    """Have this process killed when its parent dies. For the moment between fork and exec, after the user was changed.

    A change of user clears the setting (prctl(2)), so it must come after it. The parent may die before the call: then
    nobody would ever send the signal, and the child leaves by itself.
    """
    libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.getppid() != parent_pid:
        os._exit(ORPHANED_STATUS)


def give_up_privileges() -> None:
    """No dump of memory, no tracing by the same user, no capability, no privilege from any later exec.

    Raises:
        OSError: the kernel refused; the process must not go on.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc.prctl(libc.PR_SET_DUMPABLE, 0)
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    _drop_capabilities()


def _drop_capabilities() -> None:
    """Root without capabilities is a user like any other, who happens to own root's files."""
    if os.geteuid() == 0:
        for capability in range(_CAPABILITIES_MAX):
            if _in_bounding_set(capability):
                libc.prctl(libc.PR_CAPBSET_DROP, capability)
    number = _CAPSET.get(os.uname().machine)
    if number is None:
        return
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    libc.syscall(number, ctypes.byref(header), ctypes.byref((_CapabilityData * 2)()))


def _in_bounding_set(capability: int) -> bool:
    try:
        return libc.prctl(libc.PR_CAPBSET_READ, capability) == 1
    except OSError:  # EINVAL: past the last capability that this kernel knows
        return False
