"""Which ledger the gateway has: the file on this machine, or the table in DynamoDB that its settings name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from caisson.adapters.aws.api.calls import Calls
from caisson.adapters.aws.api.endpoint import service_endpoint
from caisson.adapters.aws.api.identity import Identities, OwnIdentity, SessionIdentities
from caisson.adapters.aws.bedrock.lease import Access
from caisson.adapters.aws.ledger import DynamoLedger
from caisson.adapters.embedded.layout import Layout
from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.errors import LedgerError, StartError
from caisson.ports.clock import Clock
from caisson.ports.ledger import Ledger
from caisson.wiring.leases import LeaseFeed
from caisson.wiring.settings import LEDGER_SOCKET, LedgerTable, Settings

HTTP_PORT, HTTPS_PORT = 80, 443


class Budgets:
    """The ledger, and what keeps its credentials in force."""

    def __init__(self, ledger: Ledger, feed: LeaseFeed | None = None) -> None:
        self.ledger = ledger
        self.feed = feed

    @classmethod
    async def open(cls, settings: Settings, where: Layout, clock: Clock, file: Path) -> Budgets:
        """The ledger that the settings name; without one, `file`.

        Raises:
            LedgerError: the file cannot be opened.
            StartError: there are no credentials for the table.
        """
        if settings.ledger is None:
            return cls(EmbeddedLedger(file))
        access = Access(clock, whose="ledger")
        feed = await LeaseFeed.connect(where.sockets / LEDGER_SOCKET, access, whose="ledger")
        return cls(_dynamo(settings.ledger, settings.region, access, clock), feed)

    async def check(self) -> None:
        """See that it answers. Once the process has confined itself, as looking a name up takes a thread.

        Raises:
            StartError: it does not.
        """
        if isinstance(self.ledger, DynamoLedger):
            try:
                await self.ledger.check()
            except LedgerError as error:
                raise StartError(f"--ledger dynamodb: {error}") from error

    async def stop(self) -> None:
        """Carry out what waits and release everything."""
        await self.ledger.stop()
        if self.feed is not None:
            self.feed.close()


def _dynamo(table: LedgerTable, region: str, access: Access, clock: Clock) -> Ledger:
    def calls(service: str) -> Calls:
        endpoint = service_endpoint(service, region, table.endpoint)
        return Calls(endpoint, service=service, region=region, clock=clock)

    identities: Identities = OwnIdentity(access.keys)
    if table.role:
        identities = SessionIdentities(access.keys, calls("sts"), role=table.role, clock=clock)
    return DynamoLedger(calls("dynamodb"), table=table.name, identities=identities, clock=clock)


def ports(table: LedgerTable | None) -> set[int]:
    """The TCP ports that the ledger is reached on."""
    if table is None:
        return set()
    parts = urlsplit(table.endpoint)
    return {parts.port or (HTTP_PORT if parts.scheme == "http" else HTTPS_PORT)}
