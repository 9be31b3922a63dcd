"""Step 6, inspect input: every string of every role, documents and tool results too (NET-02, DAT-03, SEC-04)."""

from __future__ import annotations

from caisson.errors import Refusal, UpstreamError, WireError
from caisson.policy import cache_points, client_tools
from caisson.zones.z2_runtime import media
from caisson.zones.z2_runtime.exchange import Exchange


async def run(exchange: Exchange) -> Refusal | None:
    """Mask, block or pass; refuse when the guardrail cannot answer or did not see everything."""
    conversation, principal, context = exchange.known()
    name, system = context.guardrail, exchange.snapshot.system
    declared = system.agents[principal.agent].client_tools
    if conversation.tools is not None:
        refused = client_tools.refusal(conversation.tools, principal.agent, declared, system.tier)
        if refused is not None:
            return refused
    refused = cache_points.refusal(
        conversation.system, conversation.messages, conversation.tools, declared, system.tier
    )
    if refused is not None:
        return refused
    seen = tuple(media.media(conversation.messages))
    if seen and (refused := media.refusal(seen, name, system.guardrails[name])) is not None:
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
        if exchange.conversation.tools is not None:
            return client_tools.unusable(exchange.conversation.tools)
    return None
