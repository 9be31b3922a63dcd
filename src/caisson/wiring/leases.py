"""The gateway's end of the socket on which leases of AWS credentials come (SEC-07).

Connected before the process confines itself: afterwards it makes no unix sockets.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from caisson.adapters.aws.bedrock.lease import LINE_BYTES_MAX, Access, decode
from caisson.errors import StartError

FIRST_LEASE_S = 5.0


class LeaseFeed:
    """Keeps `access` on the newest lease."""

    def __init__(self, access: Access, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._access = access
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, socket: Path, access: Access, *, whose: str) -> LeaseFeed:
        """With the first lease in force. `whose`: what the credentials are for, in messages.

        Raises:
            StartError: there is no lease.
        """
        try:
            async with asyncio.timeout(FIRST_LEASE_S):
                made = cls(access, *await asyncio.open_unix_connection(socket, limit=LINE_BYTES_MAX))
                await made._next()
        except (OSError, TimeoutError) as error:
            raise StartError(f"expected the credentials of the {whose} at {str(socket)!r}, found {error}") from error
        return made

    async def follow(self) -> None:
        """Keep the newest lease in force.

        Raises:
            StartError: no more will come; this process must be started again to get them.
            ConfigurationError: what came is no lease.
        """
        while True:
            await self._next()

    def close(self) -> None:
        """Leave."""
        self._writer.close()

    async def _next(self) -> None:
        try:
            line = await self._reader.readline()
        except ValueError as error:  # longer than a line may be
            raise StartError("expected a lease of credentials, found something longer") from error
        if not line.endswith(b"\n"):
            raise StartError("expected the process that resolves the AWS profile, found that it has ended")
        self._access.put(decode(line))
