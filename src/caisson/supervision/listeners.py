"""Listening sockets that outlive the processes which accept from them.

- The supervisor binds, so a taken port is said at once, and holds the socket: connections that wait in its queue wait
  for the next process when one ends. It never listens itself: the first process that does opens the port.
- A process finds its sockets by the numbers in its environment, one variable a name.

>>> bound = bind_tcp("127.0.0.1", 0)
>>> bound.getsockname()[0], variable("public")
('127.0.0.1', 'CAISSON_LISTEN_PUBLIC')
>>> bound.close()
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from caisson.errors import StartError


def variable(name: str) -> str:
    """Where a process finds the number of its socket `name`."""
    return f"CAISSON_LISTEN_{name.upper()}"


def bind_tcp(host: str, port: int) -> socket.socket:
    """A socket with that address, which does not listen yet.

    Raises:
        StartError: another program has the address.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the run before may linger
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted connections inherit it (tcp(7))
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise StartError(
            f"expected port {port} of {host} to be free, found: {error.strerror}; choose another with --port"
        ) from error
    return bound


def bind_unix(path: Path, mode: int) -> socket.socket:
    """A socket at `path`, which does not listen yet; what a run before left there is replaced.

    Raises:
        StartError: the folder cannot be written, or the path is too long.
    """
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        bound.bind(str(path))
        path.chmod(mode)
    except OSError as error:
        bound.close()
        raise StartError(f"expected to make the socket {str(path)!r}, found: {error}; choose another --data") from error
    return bound


def inherited(name: str) -> socket.socket:
    """In a process: the socket that the supervisor gave it.

    Raises:
        StartError: it gave none.
    """
    number = os.environ.pop(variable(name), "")
    try:
        given = socket.socket(fileno=int(number))
    except (OSError, ValueError) as error:
        raise StartError(
            f"expected the supervisor's socket {name!r}, found none; start it with `caisson up`"
        ) from error
    given.set_inheritable(False)
    return given
