"""Granian on a socket that other processes accept from as well (docs/decisions/0012).

- The socket is the supervisor's: nothing is bound here, and connections that wait in it are never lost.
- `stop_accepting` leaves them to the other processes. Granian itself can only stop accepting and end idle connections
  at the same moment, and then a connection that was just accepted dies before its first request.

>>> server = SharedServer(gateway, bound=inherited("public"), …)  # doctest: +SKIP
>>> serving = asyncio.create_task(server.serve())  # doctest: +SKIP
>>> server.stop_accepting(); server.stop()  # doctest: +SKIP
"""

from __future__ import annotations

import os
import socket
from typing import Any

from granian._granian import SocketHolder
from granian.server.embed import Server

LISTEN_BACKLOG = 1_024
"""Connections that may wait for a worker; the kernel's own bound is net.core.somaxconn."""


class SharedServer(Server):
    """See the module. Make it before the process confines itself.

    Args:
        application: the ASGI application.
        bound: a TCP socket; it listens from `serve` on.
        settings: Granian's.
    """

    def __init__(self, application: Any, *, bound: socket.socket, **settings: Any) -> None:
        super().__init__(application, **settings)
        self._shd: Any
        self._sfd: Any
        self._bound = bound
        self._accepted_from = os.dup(bound.fileno())
        self._dead_end = socket.socket()
        self._dead_end.bind(("127.0.0.1", 0))
        self._dead_end.setblocking(False)

    def _init_shared_socket(self) -> None:
        """Granian's own would bind. It listens on the descriptor by its number and closes it in the end."""
        os.set_blocking(self._accepted_from, False)
        make: Any = SocketHolder  # its stub leaves the arguments out
        self._shd = make(self._accepted_from, False, LISTEN_BACKLOG)
        self._sfd, self._ssp = self._accepted_from, None

    @property
    def serves(self) -> bool:
        """Whether it accepts: the socket listens, and Granian's worker runs."""
        listens = bool(self._bound.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        return listens and any(worker.is_alive() for worker in self.wrks)  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        """Accept nothing more, end idle connections, let what is under way finish; `serve` returns then."""
        super().stop()  # type: ignore[no-untyped-call]

    def stop_accepting(self) -> None:
        """Take no new connection. Those that are open go on as before.

        The descriptor that Granian accepts from becomes another socket's, to which nobody connects; the shared one can
        not be told to stop without stopping for everybody.
        """
        self._dead_end.listen(1)
        os.dup2(self._dead_end.fileno(), self._accepted_from, inheritable=False)
        self._dead_end.close()
        self._bound.close()
