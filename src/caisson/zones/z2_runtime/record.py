"""An exchange as events with the field names of LOG-01 and LOG-02, and as metrics."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal

import msgspec
import rfc8785

from caisson.channels.messages import Message, RequestEvent, ResponseEvent
from caisson.errors import ChannelError, Refusal
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.steps.s04_budget import RESERVATION_GRACE_S

RECORD_GRACE_S = 20.0
"""After a reservation lapses, how long a survivor has to record the request as lost (lost.py)."""

SYSTEM_PROMPTS_CACHED_MAX = 256
SYSTEM_PROMPT_BYTES_CACHED_MAX = 65_536
"""Longer prompts are hashed each time, so that what is remembered stays under 16 MiB."""

Outcome = Literal["answered", "blocked", "refused", "failed", "cancelled", "lost"]


def append(exchange: Exchange, event: Message) -> bool:
    """Hand an event to the channel; False when it cannot carry it."""
    try:
        exchange.runtime.events.append(event)
    except ChannelError:
        return False
    return True


def role_arn(system: str, agent: str, task: str) -> str:
    """The service identity, in the form that clients name it to STS."""
    return f"arn:aws:iam::000000000000:role/{system}/{agent}/{task}"


def transcript(exchange: Exchange) -> str:
    """Every string of the request, one after the other, each headed by whose words it is."""
    if exchange.conversation is None:
        return ""
    return "\n".join(f"[{part.role}] {part.text}" for part in exchange.conversation.parts())


def _common(exchange: Exchange) -> dict[str, Any]:
    """Fields of both events but the time; made for the first, since masking may change the system prompt later."""
    if exchange.identity:
        return exchange.identity
    principal, conversation = exchange.principal, exchange.conversation
    if principal is None:
        raise RuntimeError("an event needs a verified principal")
    system = conversation.system if conversation else ()
    exchange.identity = {
        "request_id": exchange.request_id,
        "user_identity": principal.user,
        "service_identity": role_arn(exchange.snapshot.system.name, principal.agent, principal.task),
        "session_id": principal.session_id,
        "model_id": exchange.target if exchange.alias else "",
        "system_prompt_hash": _system_prompt_hash(msgspec.json.encode(system)) if system else "",
        "risk_tier": exchange.snapshot.system.tier,
        "operation": exchange.operation.label,
        "configuration_version": exchange.snapshot.version,
    }
    return exchange.identity


@lru_cache(maxsize=SYSTEM_PROMPTS_CACHED_MAX)
def _short_prompt_hash(encoded: bytes) -> str:
    return sha256(rfc8785.dumps(msgspec.json.decode(encoded))).hexdigest()


def _system_prompt_hash(encoded: bytes) -> str:
    """SHA-256 of the canonical form (RFC 8785) of system blocks. Applications send the same ones again and again."""
    short = len(encoded) <= SYSTEM_PROMPT_BYTES_CACHED_MAX
    return _short_prompt_hash(encoded) if short else _short_prompt_hash.__wrapped__(encoded)


def request_event(exchange: Exchange, *, admitted: bool = True) -> RequestEvent:
    """The request before any guardrail; without its text when it was refused before it counted."""
    metadata = dict(exchange.conversation.request_metadata) if exchange.conversation and admitted else {}
    if not admitted:
        metadata["admitted"] = "no"
    timeout_s = exchange.snapshot.system.limits.request_timeout_s
    now = exchange.runtime.clock.now()
    return RequestEvent(
        **_common(exchange),
        timestamp=now,
        input_text=transcript(exchange) if admitted else "",
        deadline=now + timeout_s + RESERVATION_GRACE_S + RECORD_GRACE_S,
        metadata=metadata,
    )


def response_event(exchange: Exchange, *, refusal: Refusal | None, step: str, cancelled: bool) -> ResponseEvent:
    """How the request ended, with what ran and what it cost."""
    usage, blocked = exchange.settled_usage, exchange.blocked
    cost = exchange.cost_micro_usd
    metadata = {"upstream": exchange.upstream, "stop_reason": exchange.stop_reason}
    if exchange.upstream and exchange.usage is None:
        metadata["usage"] = "upper bound"
    return ResponseEvent(
        **_common(exchange),
        timestamp=exchange.runtime.clock.now(),
        output_text="".join(exchange.raw_output),
        input_tokens=usage.input_tokens if usage else 0,
        output_tokens=usage.output_tokens if usage else 0,
        latency_ms=(exchange.runtime.clock.monotonic() - exchange.started) * 1000,
        guardrail_actions=tuple(exchange.actions),
        metadata={key: value for key, value in metadata.items() if value},
        outcome=_outcome(exchange, refusal, cancelled),
        error=refusal.error.code if refusal else "",
        rule=refusal.rule if refusal else blocked.rule if blocked else "",
        step=step or (("6 inspect input" if blocked.stage == "input" else "9 inspect output") if blocked else ""),
        rationale=(refusal.rationale or refusal.message) if refusal else blocked.rationale if blocked else "",
        cost_usd=None if cost is None else cost / 1_000_000,
    )


def observe(exchange: Exchange, *, refusal: Refusal | None, cancelled: bool) -> None:
    """Count a finished request of a verified caller."""
    if exchange.principal is None:
        return
    metrics, usage, cost = exchange.runtime.metrics, exchange.settled_usage, exchange.cost_micro_usd
    spent = exchange.runtime.clock.monotonic() - exchange.started
    metrics.request(
        operation=exchange.operation.label,
        model_id=exchange.target if exchange.alias else "",
        outcome=_outcome(exchange, refusal, cancelled),
        error=refusal.error.code if refusal else "",
        seconds=spent,
        overhead_seconds=spent - exchange.upstream_seconds,
        input_tokens=usage.input_tokens if usage else 0,
        output_tokens=usage.output_tokens if usage else 0,
        cost_usd=None if cost is None and exchange.upstream else (cost or 0) / 1_000_000,
    )
    for action in exchange.actions:
        metrics.guardrail(guardrail=action.guardrail_id, stage=action.stage, decision=action.decision, rule=action.rule)


def _outcome(exchange: Exchange, refusal: Refusal | None, cancelled: bool) -> Outcome:
    if refusal is not None:
        return "failed" if exchange.upstream else "refused"
    if cancelled:
        return "cancelled"
    return "blocked" if exchange.blocked is not None else "answered"
