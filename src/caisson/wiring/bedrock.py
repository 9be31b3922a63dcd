"""Amazon Bedrock as the gateway's upstream: lease, model, and guardrails beside our own (NET-02, SEC-07)."""

from __future__ import annotations

from pathlib import Path

from caisson.adapters.aws.api.endpoint import Endpoint
from caisson.adapters.aws.bedrock.calls import BedrockCalls
from caisson.adapters.aws.bedrock.endpoint import endpoint_of
from caisson.adapters.aws.bedrock.lease import Access
from caisson.adapters.aws.embedder import BedrockEmbedder
from caisson.adapters.aws.guardrail import ApplyGuardrail, BedrockGuardrail, BesideInline
from caisson.adapters.aws.model import BedrockModel
from caisson.errors import StartError
from caisson.ports.clock import Clock
from caisson.ports.embedder import Embedder
from caisson.ports.guardrail import Guardrail
from caisson.ports.model import Model, PinnedGuardrail
from caisson.system.schema import System
from caisson.wiring.leases import LeaseFeed


class Bedrock:
    """The upstream. Connected before the process confines itself: afterwards it makes no unix sockets."""

    def __init__(self, endpoint: Endpoint, *, region: str, clock: Clock, pseudonym_secret: bytes) -> None:
        self._endpoint = endpoint
        self._region = region
        self._clock = clock
        self._access = Access(clock)
        self._feed: LeaseFeed | None = None
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
        made._feed = await LeaseFeed.connect(socket, made._access, whose="upstream")
        return made

    async def follow(self) -> None:
        """Keep the newest lease in force; see `LeaseFeed.follow`."""
        if self._feed is None:
            raise StartError("expected to be connected before leases are followed")
        await self._feed.follow()

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
        if self._feed is not None:
            self._feed.close()
        await self._beside_calls.close()

    def _calls(self) -> BedrockCalls:
        return BedrockCalls(self._endpoint, region=self._region, access=self._access, clock=self._clock)
