"""Step 6, inspect input: every string of every role, documents and tool results too (NET-02, DAT-03, SEC-04)."""

from __future__ import annotations

from caisson.errors import Refusal, UpstreamError, WireError
from caisson.zones.z2_runtime import media
from caisson.zones.z2_runtime.exchange import Exchange

TOOLS_DECLARED_FROM_TIER = 2


async def run(exchange: Exchange) -> Refusal | None:
    """Mask, block or pass; refuse when the guardrail cannot answer or did not see everything."""
    conversation, _, context = exchange.known()
    if conversation.tools and exchange.snapshot.system.tier >= TOOLS_DECLARED_FROM_TIER:
        return Refusal(
            error=WireError.ACCESS_DENIED,
            rule="tools.undeclared",
            message="The request brings tools that the system file does not declare; remove toolConfig.",
        )
    name, guardrails = context.guardrail, exchange.snapshot.system.guardrails
    seen = tuple(media.media(conversation.messages))
    if seen and (refused := media.refusal(seen, name, guardrails[name])) is not None:
        return refused
    exchange.actions.extend(media.actions(seen, name, str(exchange.snapshot.version)))
    parts = conversation.parts()
    guardrail = exchange.snapshot.guardrail
    inspect = guardrail.inspect_output if conversation.source == "OUTPUT" else guardrail.inspect_input
    try:
        inspection = await inspect(parts, context)
    except UpstreamError as error:
        return error.refusal
    exchange.inspection = inspection
    exchange.actions.extend(inspection.actions)
    if inspection.guarded_characters != inspection.total_characters:
        return Refusal(
            error=WireError.UNAVAILABLE,
            rule="guardrail.coverage",
            message="The guardrail did not inspect the whole request, so it was stopped; retry later.",
        )
    exchange.blocked = inspection.blocked
    if inspection.blocked is None:
        exchange.restorable = inspection.restorable
        exchange.conversation = conversation.with_texts(inspection.texts)
    return None
