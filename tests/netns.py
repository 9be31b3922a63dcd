"""Run a program in an empty network namespace: loopback alone, so that any other connection fails.

Support that is missing fails the test that asks; it never skips it. As a program, `python netns.py COMMAND …` is what
sets the namespace up and becomes the command: a change of namespace must not happen in the process of the tests.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 0x1
FAILED_STATUS = 125


def command(arguments: Sequence[str | Path]) -> list[str]:
    """The command that runs `arguments` in an empty network namespace."""
    return [sys.executable, str(Path(__file__).resolve()), *map(str, arguments)]


def run(arguments: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """`subprocess.run` in there, with its output as text.

    Raises:
        AssertionError: this machine gives no network namespaces.
    """
    done = subprocess.run(command(arguments), capture_output=True, text=True, check=False, **options)
    assert done.returncode != FAILED_STATUS, done.stderr
    return done


def enter() -> None:
    """Leave the network of this process for an empty one with loopback up. For good, and for one thread.

    Raises:
        OSError: not allowed here.
    """
    uid, gid = os.geteuid(), os.getegid()
    flags = CLONE_NEWNET if uid == 0 else CLONE_NEWNET | CLONE_NEWUSER
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (up,) = struct.unpack_from("h", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", up | IFF_UP))


if __name__ == "__main__":
    try:
        enter()
    except OSError as error:
        sys.stderr.write(
            f"expected to make an empty network namespace, found {error}; run the tests as root, "
            "or allow user namespaces (kernel.unprivileged_userns_clone, or AppArmor's restriction of them)\n"
        )
        sys.exit(FAILED_STATUS)
    os.execvp(sys.argv[1], sys.argv[1:])
