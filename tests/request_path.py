"""Fakes that implement the ports, for tests of the request path."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.adapters.embedded.metrics import PrometheusMetrics
from caisson.channels.messages import GuardrailAction, Message
from caisson.errors import ChannelError, Refusal
from caisson.policy.prices import Prices
from caisson.ports.channel import ChannelWriter
from caisson.ports.clock import Clock
from caisson.ports.credentials import Principal
from caisson.ports.guardrail import Guardrail, Inspection, InspectionContext, OutputInspection, Part
from caisson.ports.ledger import Account
from caisson.ports.model import Model, ModelAnswer, ModelRequest, Usage
from caisson.system.schema import System
from caisson.zones.z2_runtime.conversation import Conversation
from caisson.zones.z2_runtime.dialects import converse
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.operations import Operation
from caisson.zones.z2_runtime.pseudonyms import PseudonymKeys
from caisson.zones.z2_runtime.runtime import Runtime, Snapshot

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
PRINCIPAL = Principal(
    session_id="s-1",
    chain=(),
    user="alice",
    groups=(),
    agent="claims",
    task="answer",
    issued=0.0,
    expires=900.0,
    method="socket",
)


def made_system(tier: int, *, client_tools: Any = (), **guardrail: Any) -> System:
    """What a small file resolves to, with these keys of its guardrail and these tools of its clients."""
    return System.from_bundle(
        {
            "caisson": 1,
            "name": "claims-assistant",
            "tier": tier,
            "identity": {"local": {"users": {"alice": {"uid": "owner", "groups": ["staff"]}}}, "groups": {"staff": {}}},
            "models": {
                "assistant": {"id": MODEL, "output_tokens_max": 100},
                "other": {"id": "amazon.nova-lite-v1:0", "output_tokens_max": 100},
            },
            "guardrails": {"main": {"prompt_attack": "high", "credentials": "redact", **guardrail}},
            "agents": {
                "claims": {
                    "model": "assistant",
                    "guardrail": "main",
                    "client_tools": dict(client_tools),
                    "tasks": {"answer": {}},
                }
            },
            "sessions": {"duration": "15m", "tokens": 500_000, "actions": 200},
            "limits": {
                "body_bytes_max": 10_485_760,
                "requests_per_user": "60/minute",
                "requests_total": "600/minute",
                "concurrency_max": 64,
                "request_timeout": "1m",
            },
        }
    )


class HeldClock(Clock):
    """Time that moves when told to."""

    def __init__(self, at: float = 1.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class ListWriter(ChannelWriter):
    """Keeps messages; refuses from the moment `broken` is set."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.synced = 0
        self.broken = self.disk_broken = False

    def append(self, message: Message) -> str:
        if self.broken:
            raise ChannelError("full")
        self.messages.append(message)
        return str(len(self.messages))

    async def durable(self) -> None:
        if self.disk_broken:
            raise ChannelError("disk")
        self.synced = len(self.messages)

    def close(self) -> None:
        pass


def _action(stage: Any, decision: Any, rule: str = "") -> GuardrailAction:
    return GuardrailAction(guardrail_id="main", guardrail_version="1", stage=stage, decision=decision, rule=rule)


class _FakeOutput(OutputInspection):
    """Masks SECRET and a card number, blocks at BLOCK; holds back five characters."""

    SPAN = 6

    def __init__(self) -> None:
        self._held: dict[int, str] = {}
        self._blocked: GuardrailAction | None = None
        self._actions: list[GuardrailAction] = []

    def _release(self, block: int, *, final: bool) -> str:
        text = self._held[block]
        out, at = [], 0
        for match in re.finditer("SECRET|BLOCK", text):
            if not final and match.start() > len(text) - self.SPAN:
                break
            out.append(text[at : match.start()])
            at = match.end()
            if match.group() == "BLOCK":
                self._blocked = _action("output", "blocked", "fake.block")
                self._actions.append(self._blocked)
                return "".join(out)
            out.append("[X]")
            self._actions.append(_action("output", "masked", "fake.secret"))
        end = len(text) if final else max(at, len(text) - self.SPAN + 1)
        out.append(text[at:end])
        self._held[block] = text[end:]
        return "".join(out)

    async def feed(self, block: int, text: str) -> str:
        if self._blocked:
            return ""
        self._held[block] = self._held.get(block, "") + text
        return self._release(block, final=False)

    async def finish(self, block: int) -> str:
        if self._blocked:
            return ""
        self._held.setdefault(block, "")
        return self._release(block, final=True)

    async def whole(self, text: str, path: str) -> str:
        if "BLOCK" in text:
            self._blocked = _action("output", "blocked", "fake.block")
        return text.replace("SECRET", "[X]").replace("4111111111111111", "[X]")

    @property
    def blocked(self) -> GuardrailAction | None:
        return self._blocked

    @property
    def actions(self) -> tuple[GuardrailAction, ...]:
        return tuple(self._actions) or (_action("output", "pass"),)


class FakeGuardrail(Guardrail):
    """Masks SECRET and blocks BLOCK in both directions; `lazy` leaves characters unseen."""

    lazy = False

    async def inspect_input(self, parts: Sequence[Part], context: InspectionContext) -> Inspection:
        total = sum(len(part.text) for part in parts)
        blocked = _action("input", "blocked", "fake.block") if any("BLOCK" in part.text for part in parts) else None
        return Inspection(
            texts=tuple(part.text.replace("SECRET", "[X]") for part in parts),
            blocked=blocked,
            actions=(blocked or _action("input", "pass"),),
            guarded_characters=total - self.lazy,
            total_characters=total,
        )

    def open_output(self, context: InspectionContext, restorable: Mapping[str, str]) -> OutputInspection:
        return _FakeOutput()

    def messages(self, guardrail: str) -> tuple[str, str]:
        return "input blocked", "output blocked"


class FakeModel(Model):
    """Says what it is told to, as a whole or cut into given events."""

    name = "fake"

    def __init__(
        self, content: Sequence[dict[str, Any]] = ({"text": "hello"},), events: Sequence[Any] | None = None
    ) -> None:
        self.content = tuple(content)
        self.events = events
        self.requests: list[ModelRequest] = []
        self.closed_early = False
        self.error: Exception | None = None
        self.stop_reason = "end_turn"

    async def converse(self, request: ModelRequest) -> ModelAnswer:
        self.requests.append(request)
        if self.error:
            raise self.error
        return ModelAnswer(
            content=self.content,
            stop_reason=self.stop_reason,
            usage=Usage(input_tokens=10, output_tokens=5),
            latency_ms=1,
        )

    async def converse_stream(self, request: ModelRequest) -> AsyncGenerator[dict[str, Any], None]:
        self.requests.append(request)
        try:
            for event in self.events or ():
                if isinstance(event, Exception):
                    raise event
                yield event
        except GeneratorExit:
            self.closed_early = True
            raise

    async def close(self) -> None:
        pass


def text_events(pieces: Sequence[str]) -> list[dict[str, Any]]:
    """One text block in pieces."""
    return [
        {"messageStart": {"role": "assistant"}},
        *({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": piece}}} for piece in pieces),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, "metrics": {"latencyMs": 1}}},
    ]


async def made_runtime(folder: Path, system: System, model: Model) -> Runtime:
    """A runtime over fakes, with alice's account open."""
    ledger = EmbeddedLedger(folder / "ledger.db")
    await ledger.open(
        Account(
            session_id="s-1", user="alice", agent="claims", task="answer", opened=0.0, expires=900.0,
            tokens_max=system.sessions.tokens, actions_max=system.sessions.actions,
        )
    )  # fmt: skip
    return Runtime(
        snapshot=Snapshot.of(version=1, system=system, guardrail=FakeGuardrail()),
        model=model,
        ledger=ledger,
        events=ListWriter(),
        clock=HeldClock(),
        metrics=PrometheusMetrics(),
        prices=Prices.load("eu-west-1"),
        pseudonyms=PseudonymKeys(b"k" * 32),
    )


def _parsed(body: bytes, target: str, operation: Operation) -> Conversation | Refusal:
    parsed = converse.parse(body, target, operation.streams)
    return parsed if isinstance(parsed, Refusal) else replace(parsed, operation=operation)


def made_exchange(
    runtime: Runtime,
    body: bytes = b'{"messages":[{"role":"user","content":[{"text":"hi"}]}]}',
    *,
    operation: Operation = Operation.CONVERSE,
    principal: Principal | Refusal = PRINCIPAL,
    target: str = MODEL,
    request_id: str = "r-1",
) -> Exchange:
    """One request."""

    async def authenticate() -> Principal | Refusal:
        return principal

    return Exchange(
        runtime=runtime,
        snapshot=runtime.snapshot,
        operation=operation,
        request_id=request_id,
        started=runtime.clock.monotonic(),
        target=target,
        parse=lambda: _parsed(body, target, operation),
        authenticate=authenticate,
    )
