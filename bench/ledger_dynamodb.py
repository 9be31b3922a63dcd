"""The ledger in DynamoDB: what a request asks of it, the processor time of our side, and the time that it waits.

A request looks whether its session lives, reserves, and settles, at 1 and at 32 callers at once, with the process's own
credentials and with a role for each session. The server is moto's, one request at a time, in a process of its own: its
time is not DynamoDB's, so what counts here is calls a request and our processor time; the wait is moto's for the most
part and is printed to be compared with a bare read of one item from it. That read is also done by boto3 in a thread.

Run: PYTHONPATH=tests python -m bench.ledger_dynamodb
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time
from uuid import uuid4

import uvloop

from aws_services import OWN, REGION, Moto, ledger_at, table_of
from caisson.adapters.aws.api.calls import Bounds, Calls
from caisson.adapters.aws.api.endpoint import service_endpoint
from caisson.adapters.aws.api.identity import Identities, OwnIdentity, SessionIdentities
from caisson.adapters.aws.ledger import DynamoLedger
from caisson.adapters.embedded.clock import SystemClock
from caisson.ports.ledger import Account, Rate, Reservation
from caisson.protocol.sigv4 import Keys

CALLERS = (1, 32)
REQUESTS = 320
READS = 300
RATES = (Rate(key="user:alice", count=20_000, window_s=1.0), Rate(key="system", count=20_000, window_s=1.0))
Json = dict[str, object]


class CountedCalls(Calls):
    """Calls, counted."""

    made = 0

    async def json(self, target: str, value: Json, keys: Keys) -> Json:
        self.made += 1
        return await super().json(target, value, keys)


def _calls(url: str, service: str) -> CountedCalls:
    return CountedCalls(
        service_endpoint(service, REGION, url), service=service, region=REGION, clock=SystemClock(),
        bounds=Bounds(total_s=30.0),
    )  # fmt: skip


async def _request(ledger: DynamoLedger, session_id: str, waits: dict[str, list[float]]) -> None:
    reservation_id, now = str(uuid4()), SystemClock().now()
    at = [perf_counter()]
    await ledger.ended(session_id)
    at.append(perf_counter())
    granted = await ledger.reserve(
        reservation_id=reservation_id, session_id=session_id, tokens=3_000, actions=1, rates=RATES, now=now,
        deadline=now + 300,
    )  # fmt: skip
    at.append(perf_counter())
    if not isinstance(granted, Reservation):
        raise RuntimeError(f"{granted.message} {granted.rationale}")
    await ledger.settle(reservation_id, tokens=1_000, cost_micro_usd=5)
    at.append(perf_counter())
    for name, start, end in zip(("ended", "reserve", "settle"), at, at[1:], strict=False):
        waits[name].append((end - start) * 1e3)


async def _measure(moto: Moto, callers: int, *, per_session: bool) -> None:
    table = table_of(moto, Path(f"/bench-{callers}-{per_session}"))
    calls, clock = _calls(moto.url, "dynamodb"), SystemClock()
    identities: Identities = OwnIdentity(lambda: OWN)
    if per_session:
        role = "arn:aws:iam::123456789012:role/ledger"
        identities = SessionIdentities(lambda: OWN, _calls(moto.url, "sts"), role=role, clock=clock)
    ledger = DynamoLedger(calls, table=table, identities=identities, clock=clock, busy_s=30.0)
    for number in range(callers):
        await ledger.open(
            Account(
                session_id=f"s-{number:032x}", user="alice", agent="claims", task="answer", opened=clock.now(),
                expires=clock.now() + 3_600, tokens_max=10**9, actions_max=10**9,
            )
        )  # fmt: skip
    waits: dict[str, list[float]] = {"ended": [], "reserve": [], "settle": []}

    async def caller(number: int) -> None:
        for _ in range(REQUESTS // callers):
            await _request(ledger, f"s-{number:032x}", waits)

    before, wall, processor = calls.made, perf_counter(), process_time()
    await asyncio.gather(*(caller(number) for number in range(callers)))
    wall, processor = perf_counter() - wall, process_time() - processor
    who = "a role for each session" if per_session else "own credentials"
    print(
        f"{callers:>3} at once, {who}: {(calls.made - before) / REQUESTS:.2f} calls and "
        f"{processor / REQUESTS * 1e6:.0f} µs of our processor time a request, {REQUESTS / wall:.0f} requests a second"
    )
    for name, found in waits.items():
        cuts = quantiles(found, n=100)
        print(f"      {name:<8} p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms")
    await ledger.stop()


async def _compare(moto: Moto) -> None:
    """Reading one item: by our own client on the loop, and by boto3 in a thread."""
    table = table_of(moto, Path("/bench-bare"))
    own, client = ledger_at(moto.url, table), moto.client("dynamodb")
    key = {"pk": {"S": "s-none"}, "sk": {"S": "account"}}

    async def by_boto3() -> None:
        await asyncio.to_thread(client.get_item, TableName=table, Key=key, ConsistentRead=True)

    async def by_us() -> None:
        await own.ended("s-none")

    for name, read in (("our own client", by_us), ("boto3 in a thread", by_boto3)):
        await read()
        found, processor = [], process_time()
        for _ in range(READS):
            start = perf_counter()
            await read()
            found.append((perf_counter() - start) * 1e3)
        processor = process_time() - processor
        cuts = quantiles(found, n=100)
        print(f"one read by {name}: p50 {cuts[49]:.1f} ms, {processor / READS * 1e6:.0f} µs of our processor time")
    await own.stop()


async def main() -> None:
    """Measure and print."""
    moto = Moto()
    try:
        await _compare(moto)
        for per_session in (False, True):
            for callers in CALLERS:
                await _measure(moto, callers, per_session=per_session)
    finally:
        moto.stop()


if __name__ == "__main__":
    uvloop.run(main())
