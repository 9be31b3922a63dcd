"""A process that resolves an AWS profile and lends its credentials to zones (SEC-07).

It runs as whoever started `up` and is not confined: the profile's files, its programs and its sign-in belong to that
user. It has a socket for each zone that it lends to, on which that zone alone is answered, and the zone sees leases and
nothing else.

- The first lease must be good, or nothing starts. Afterwards the profile is asked again every half minute; what it
  gives, credentials or the reason for having none, goes to the zone as a line.
- Leases exist in memory only.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from caisson.adapters.aws.bedrock.lease import Lease, encode
from caisson.adapters.aws.bedrock.profile import ProfileCredentials
from caisson.errors import StartError
from caisson.supervision.listeners import bind_unix
from caisson.supervision.readiness import announce_ready
from caisson.wiring.process import every, stop_on_signals
from caisson.wiring.settings import Lending, read_lending
from caisson.zones.z1_ingress.signin import peer_uid

REFRESH_S = 30.0
"""How often the profile is asked; botocore calls AWS or a program only when credentials are due."""
SOCKET_MODE = 0o666
"""Anybody may knock; the kernel says who it is."""
CONNECTIONS_OF_WORKER_MAX = 4
"""A worker of a zone, and those before it until their end is seen."""


def run(settings_file: Path) -> int:
    """Lend until told to stop."""
    asyncio.run(_lend(read_lending(settings_file)))
    return 0


async def _lend(settings: Lending) -> None:
    """Raises StartError: the profile gives no credentials."""
    where = settings.layout()
    source = ProfileCredentials(settings.profile, region=settings.region)
    first = await asyncio.to_thread(source.lease)
    if first.problem:
        raise StartError(f"{settings.option}: {first.problem}")
    lent, servers = [], []
    for door in settings.doors:
        user = where.users.user(door.zone)
        leases = Leases(
            first,
            uid=user.uid if user is not None else os.geteuid(),
            connections_max=CONNECTIONS_OF_WORKER_MAX * settings.workers,
        )
        bound = bind_unix(where.sockets / door.socket, SOCKET_MODE)
        servers.append(await asyncio.start_unix_server(leases.connected, sock=bound))
        lent.append(leases)
    stop = stop_on_signals()

    async def refresh() -> None:
        lease = await asyncio.to_thread(source.lease)
        for leases in lent:
            leases.put(lease)

    announce_ready()
    await every(REFRESH_S, stop, refresh)
    for server in servers:
        server.close()


class Leases:
    """The lease in force on one socket, and who is to be told of the next."""

    def __init__(self, first: Lease, *, uid: int, connections_max: int) -> None:
        self._lease = first
        self._uid = uid
        self._connections_max = connections_max
        self._told: set[asyncio.StreamWriter] = set()

    def put(self, lease: Lease) -> None:
        """Put a lease in force and tell the zone when it differs."""
        if lease == self._lease:
            return
        self._lease = lease
        for writer in self._told:
            writer.write(encode(lease))

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell a connection of this lease and of those to come, until it leaves."""
        try:
            if peer_uid(writer.get_extra_info("socket")) != self._uid or len(self._told) >= self._connections_max:
                return
            self._told.add(writer)
            writer.write(encode(self._lease))
            await reader.read(1)  # the zone says nothing: this returns when it is gone
        except OSError:
            pass
        finally:
            self._told.discard(writer)
            writer.close()
