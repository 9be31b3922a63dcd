"""Step 3, session: the agent, task and model are in the session's scope (SESS-03, SUP-01)."""

from __future__ import annotations

from caisson.errors import Refusal, WireError
from caisson.policy.clearance import clearance_of
from caisson.ports.guardrail import InspectionContext
from caisson.zones.z2_runtime.exchange import Exchange
from caisson.zones.z2_runtime.operations import Operation


async def run(exchange: Exchange) -> Refusal | None:
    """Resolve the model and the guardrail from the system file, never from the request."""
    principal, system = exchange.principal, exchange.snapshot.system
    if principal is None:
        raise RuntimeError("the session step ran before the identity step")
    agent = system.agents.get(principal.agent)
    if agent is None or principal.task not in agent.tasks:
        return Refusal(
            error=WireError.ACCESS_DENIED,
            rule="session.scope",
            message=f"Agent {principal.agent!r} with task {principal.task!r} is no longer configured; sign in again.",
        )
    if exchange.operation is Operation.APPLY_GUARDRAIL:
        if exchange.target != agent.guardrail:
            return Refusal(
                error=WireError.NOT_FOUND,
                rule="session.guardrail",
                message=f"Agent {principal.agent!r} has the guardrail {agent.guardrail!r} and no other; name that one.",
            )
    else:
        alias = exchange.snapshot.aliases.get(exchange.target)
        if alias is None or alias != agent.model:
            return Refusal(
                error=WireError.ACCESS_DENIED,
                rule="session.model",
                message=f"Agent {principal.agent!r} may use the model {system.models[agent.model].id!r} and no other.",
            )
        exchange.alias = alias
    exchange.context = InspectionContext(
        session_id=principal.session_id,
        pseudonym_key=exchange.runtime.pseudonyms.of(principal.root_session_id),
        guardrail=agent.guardrail,
        clearance=clearance_of(principal.groups, system.identity.groups),
        model_follows=exchange.operation.calls_model and not _embeds(exchange),
    )
    return None


def _embeds(exchange: Exchange) -> bool:
    """No guardrail of the endpoint goes along with a call of an embedding model, so none is left to evaluate there."""
    return exchange.conversation is not None and exchange.conversation.embedding is not None
