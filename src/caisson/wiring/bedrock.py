"""Amazon Bedrock as the gateway's upstream: lease, model, and guardrails beside our own (NET-02, SEC-07)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from caisson.adapters.aws.api.endpoint import Endpoint
from caisson.adapters.aws.bedrock.calls import BedrockCalls
from caisson.adapters.aws.bedrock.endpoint import endpoint_of
from caisson.adapters.aws.bedrock.lease import LINE_BYTES_MAX, Access, decode
from caisson.adapters.aws.embedder import BedrockEmbedder
from caisson.adapters.aws.guardrail import ApplyGuardrail, BedrockGuardrail, BesideInline
from caisson.adapters.aws.model import BedrockModel
from caisson.errors import StartError
from caisson.ports.clock import Clock
from caisson.ports.embedder import Embedder
from caisson.ports.guardrail import Guardrail
from caisson.ports.model import Model, PinnedGuardrail
from caisson.system.schema import System

FIRST_LEASE_S = 5.0


class Bedrock:
    """The upstream. Connected before the process confines itself: afterwards it makes no unix sockets."""

    def __init__(self, endpoint: Endpoint, *, region: str, clock: Clock, pseudonym_secret: bytes) -> None:
        self._endpoint = endpoint
        self._region = region
        self._clock = clock
        self._access = Access(clock)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._beside_calls = self._calls()
        self.embedder: Embedder = BedrockEmbedder(self._beside_calls)
        self.model: Model = BedrockModel(self._calls(), clock, pseudonym_secret=pseudonym_secret)

    @classmethod
    async def connect(
        cls, socket: Path, *, region: str, override: str, clock: Clock, pseudonym_secret: bytes
    ) -> Bedrock:
        """The upstream with its first lease.

        Raises:
            StartError: there is no lease, or the endpoint is none that may be called.
        """
        made = cls(endpoint_of(region, override), region=region, clock=clock, pseudonym_secret=pseudonym_secret)
        try:
            async with asyncio.timeout(FIRST_LEASE_S):
                made._reader, made._writer = await asyncio.open_unix_connection(socket, limit=LINE_BYTES_MAX)
                await made._next()
        except (OSError, TimeoutError) as error:
            raise StartError(f"expected the upstream's credentials at {str(socket)!r}, found {error}") from error
        return made

    async def follow(self) -> None:
        """Keep the newest lease in force.

        Raises:
            StartError: no more will come; this process must be started again to get them.
            ConfigurationError: what came is no lease.
        """
        while True:
            await self._next()

    def beside(self, first: Guardrail, system: System) -> Guardrail:
        """`first`, and the guardrails on AWS that the system file names."""
        pins = {
            name: PinnedGuardrail(identifier=found.aws.id, version=str(found.aws.version))
            for name, found in system.guardrails.items()
            if found.aws is not None
        }
        messages = {name: first.messages(name) for name in pins}
        return BesideInline(first, BedrockGuardrail(pins, messages, ApplyGuardrail(self._beside_calls)))

    async def close(self) -> None:
        """Release connections, the model's apart."""
        if self._writer is not None:
            self._writer.close()
        await self._beside_calls.close()

    async def _next(self) -> None:
        if self._reader is None:
            raise StartError("expected to be connected before leases are followed")
        try:
            line = await self._reader.readline()
        except ValueError as error:  # longer than a line may be
            raise StartError("expected a lease of credentials, found something longer") from error
        if not line.endswith(b"\n"):
            raise StartError("expected the process that resolves the upstream's profile, found that it has ended")
        self._access.put(decode(line))

    def _calls(self) -> BedrockCalls:
        return BedrockCalls(self._endpoint, region=self._region, access=self._access, clock=self._clock)
