"""What the runtime zone holds while it lives: ports, and the configuration in force.

A configuration version is compiled into a `Snapshot` once; requests keep the snapshot they began with, and a new
version replaces it whole, so that no request ever sees half of a change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from caisson.channels.messages import ResponseEvent
from caisson.policy.prices import Prices
from caisson.ports.channel import ChannelWriter
from caisson.ports.clock import Clock
from caisson.ports.embedder import Embedder, NoEmbedder
from caisson.ports.extractor import Extractor, NoExtractor
from caisson.ports.guardrail import Guardrail
from caisson.ports.ledger import Ledger, Rate
from caisson.ports.metrics import Metrics
from caisson.ports.model import Model
from caisson.system.schema import System
from caisson.zones.z2_runtime.deadlines import Deadlines
from caisson.zones.z2_runtime.pseudonyms import PseudonymKeys

UNRECORDED_MAX = 10_000
"""Refusals kept while the channel is full, about 2 KB each; the channel refuses the requests themselves soon after."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One configuration version, ready to decide."""

    version: int
    system: System
    guardrail: Guardrail
    aliases: Mapping[str, str]
    """Model id of the system file to its alias."""
    total_rate: Rate

    @classmethod
    def of(cls, *, version: int, system: System, guardrail: Guardrail) -> Snapshot:
        """Compile a system."""
        total = system.limits.requests_total
        return cls(
            version=version,
            system=system,
            guardrail=guardrail,
            aliases={model.id: alias for alias, model in system.models.items()},
            total_rate=Rate(key="system", count=total.count, window_s=total.window_s),
        )

    def rates(self, user: str) -> tuple[Rate, ...]:
        """The rates that a request of `user` counts against."""
        own = self.system.limits.requests_per_user
        return (Rate(key=f"user:{user}", count=own.count, window_s=own.window_s), self.total_rate)


@dataclass(kw_only=True)
class Runtime:
    """Ports of the zone and the snapshot in force."""

    snapshot: Snapshot
    model: Model
    ledger: Ledger
    events: ChannelWriter
    clock: Clock
    metrics: Metrics
    prices: Prices
    pseudonyms: PseudonymKeys
    deadlines: Deadlines = field(default_factory=Deadlines)
    """Time limits of the requests under way."""
    unrecorded: deque[ResponseEvent] = field(default_factory=lambda: deque(maxlen=UNRECORDED_MAX))
    """Refusals that the channel did not take after it had taken their requests; recorded when it takes events again."""
    extractor: Extractor = field(default_factory=NoExtractor)
    """Reads documents that are not text."""
    embedder: Embedder = field(default_factory=NoEmbedder)
    """Answers embedding models."""
