"""One request and its answer on their way through the request path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from caisson.channels.messages import GuardrailAction
from caisson.errors import Refusal
from caisson.ports.credentials import Principal
from caisson.ports.embedder import Embedding
from caisson.ports.guardrail import Inspection, InspectionContext
from caisson.ports.ledger import Reservation
from caisson.ports.model import ModelAnswer, Usage
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.operations import Operation
from caisson.zones.z2_runtime.runtime import Runtime, Snapshot

Authenticate = Callable[[], Awaitable[Principal | Refusal]]
Parse = Callable[[], Conversation | Refusal]


class Exchange(msgspec.Struct, kw_only=True):
    """Steps read and fill it in their order; a field is set by the step named beside it."""

    runtime: Runtime
    snapshot: Snapshot
    """The configuration that this request runs under, from its first step to its last."""
    operation: Operation
    """From the path; 1 frame, where the body says more."""
    request_id: str
    started: float
    """Monotonic seconds at arrival."""
    target: str
    """Model id, or guardrail name for ApplyGuardrail, from the path; 1 frame, where the body has it."""
    parse: Parse
    authenticate: Authenticate

    conversation: Conversation | None = None
    """1 frame; 6 replaces the texts."""
    principal: Principal | None = None
    """2 identity."""
    alias: str = ""
    """3 session: the model's name in the system file."""
    context: InspectionContext | None = None
    """3 session."""
    worst_case_input_tokens: int = 0
    """4 budget."""
    output_tokens_max: int = 0
    """4 budget."""
    reservation: Reservation | None = None
    """4 budget."""
    identity: dict[str, Any] = {}
    """5 record: the fields that both events share."""
    recorded: bool = False
    """5 record: the request's event is out, so the response's must follow."""
    answered: bool = False
    """11 record: and so is the response's."""
    inspection: Inspection | None = None
    """6 inspect input."""
    restorable: Mapping[str, str] = {}
    """6 inspect input."""
    actions: list[GuardrailAction] = []
    """6 and 9: every evaluation that ran."""
    blocked: GuardrailAction | None = None
    """6 or 9: what stopped the request or the answer."""
    upstream: str = ""
    """8 model: which endpoint answered."""
    upstream_seconds: float = 0.0
    """8 model: time spent waiting for it."""
    output_bytes: int = 0
    """8 model: bytes of text the model produced so far."""
    raw_output: list[str] = []
    """8 model: what the model said, before inspection, for the sealed record."""
    stop_reason: str = ""
    """8 or 9."""
    usage: Usage | None = None
    """8 model: as the model counted, None until it said so."""
    answer: ModelAnswer | None = None
    """9 inspect output: what the client may have."""
    embedding: Embedding | None = None
    """8 embed: what the client of an embedding model may have."""
    cost_micro_usd: int | None = None
    """10 settle: None is unknown."""
    settled_usage: Usage | None = None
    """10 settle: what was charged."""

    def known(self) -> tuple[Conversation, Principal, InspectionContext]:
        """What steps after the third may rely on."""
        if self.conversation is None or self.principal is None or self.context is None:
            raise RuntimeError("a step of the request path ran before the session step")
        return self.conversation, self.principal, self.context
