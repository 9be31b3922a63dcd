"""Requests without an answer on record: recorded later, so that every request's event has its response's (LOG-01).

A reservation that nobody settled by its deadline belonged to a dead worker, because a living one settles before
(steps/s04_budget.py), or to a request whose answer could not be recorded and was withheld. Recording comes before
forgetting: dying in between records twice, never not at all.
"""

from __future__ import annotations

from caisson.channels.messages import ResponseEvent
from caisson.errors import ChannelError, LedgerError
from caisson.ports.ledger import Reservation
from caisson.zones.z2_runtime.record import role_arn
from caisson.zones.z2_runtime.runtime import Runtime

SWEEP_EVERY_S = 2.0
SWEEP_GRACE_S = 5.0
"""A living worker may be late to settle by this much without being taken for dead."""


async def sweep(runtime: Runtime) -> int:
    """Record refusals that are not yet, and lapsed reservations as lost requests; returns how many of these."""
    try:
        while runtime.unrecorded:
            runtime.events.append(runtime.unrecorded[0])
            runtime.unrecorded.popleft()
        lapsed = await runtime.ledger.lapsed(before=runtime.clock.now() - SWEEP_GRACE_S)
        for reservation in lapsed:
            runtime.events.append(await _event(runtime, reservation))
        if lapsed:
            await runtime.events.acknowledged(fsync=False)  # a reservation goes once its event cannot be lost
        await runtime.ledger.forget(lapsed)
    except (ChannelError, LedgerError):
        return 0  # full, broken or locked: they stay on file and are tried again
    return len(lapsed)


async def _event(runtime: Runtime, reservation: Reservation) -> ResponseEvent:
    now, system = runtime.clock.now(), runtime.snapshot.system
    balance = await runtime.ledger.balance(reservation.session_id, now=now)
    account = balance.account if balance else None
    return ResponseEvent(
        timestamp=now,
        message_id=f"lost-{reservation.reservation_id}",
        request_id=reservation.reservation_id,
        user_identity=account.user if account else "",
        service_identity=role_arn(system.name, account.agent, account.task) if account else "",
        session_id=reservation.session_id,
        model_id="",
        system_prompt_hash="",
        risk_tier=system.tier,
        operation="",
        configuration_version=runtime.snapshot.version,
        outcome="lost",
        rule="worker.died",
        rationale="The worker that carried this request out stopped, or could not record its answer.",
    )
