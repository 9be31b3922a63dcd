"""The ledger in DynamoDB when AWS throttles, conflicts, breaks or denies: nothing is charged twice or lost, and what
cannot be known stops the request. And its credentials: a session's reach that session (SESS-03)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from aws_gate import DEAF, LATE_FAILURE, LOST, SILENT, Gate, gate
from aws_services import OWN, REGION, Moto, ledger_at, table_of
from caisson.adapters.aws.api.calls import Bounds, Calls, _failed
from caisson.adapters.aws.api.endpoint import service_endpoint
from caisson.adapters.aws.api.identity import SessionIdentities
from caisson.adapters.aws.ledger import DynamoLedger
from caisson.adapters.aws.ledger.books import AccountState, Books
from caisson.adapters.aws.ledger.items import chunk_item
from caisson.adapters.aws.ledger.rate import CHUNK, RateState
from caisson.adapters.aws.ledger.table import Conflict
from caisson.adapters.embedded.clock import SystemClock
from caisson.errors import LedgerError, Refusal
from caisson.ports.clock import Clock
from caisson.ports.ledger import Account, Balance, Ledger, Rate, Reservation

ACCOUNT = Account(
    session_id="s-1", user="alice", agent="claims", task="answer", opened=0.0, expires=1e6, tokens_max=1000,
    actions_max=100,
)  # fmt: skip
RATES = (Rate(key="user:alice", count=50, window_s=60.0), Rate(key="system", count=50, window_s=60.0))
THROTTLED = ("ThrottlingException", 400)


class HeldClock(Clock):
    """Time that moves when it is told to."""

    def __init__(self) -> None:
        self.at = SystemClock().now()

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
async def between(moto: Moto) -> AsyncIterator[Gate]:
    async with gate(moto.url) as made:
        yield made


@pytest.fixture
async def ledger(between: Gate, moto: Moto, tmp_path: Path) -> AsyncIterator[DynamoLedger]:
    made = ledger_at(between.url, table_of(moto, tmp_path))
    await made.open(ACCOUNT)
    between.calls.clear()
    yield made
    await made.stop()


async def reserve(ledger: Ledger, name: str, tokens: int = 10, session: str = "s-1") -> Reservation | Refusal:
    return await ledger.reserve(
        reservation_id=name, session_id=session, tokens=tokens, actions=1, rates=RATES, now=1.0, deadline=61.0
    )


async def balance_of(ledger: Ledger, session: str = "s-1") -> Balance:
    found = await ledger.balance(session, now=2.0)
    assert found is not None
    return found


async def test_one_write_a_request(ledger: DynamoLedger, between: Gate) -> None:
    """Once the rates are known, a reserve is one call, and a settle is one."""
    assert isinstance(await reserve(ledger, "r1"), Reservation)
    between.calls.clear()
    assert isinstance(await reserve(ledger, "r2"), Reservation)
    await ledger.settle("r2", tokens=3, cost_micro_usd=1)
    assert [operation for operation, _ in between.calls] == ["TransactWriteItems", "PutItem"]


async def test_what_comes_at_once_is_one_write(ledger: DynamoLedger, between: Gate) -> None:
    await reserve(ledger, "first")
    between.calls.clear()
    granted = await asyncio.gather(*(reserve(ledger, f"r{number}") for number in range(30)))
    assert all(isinstance(one, Reservation) for one in granted)
    assert [operation for operation, _ in between.calls] == ["TransactWriteItems"]


@pytest.mark.parametrize(
    "faults",
    [
        [THROTTLED, THROTTLED],
        [("ProvisionedThroughputExceededException", 400)],
        [("InternalServerError", 500)],
        [("", 503)],
        [DEAF, DEAF],
        [LOST],
        [LATE_FAILURE],
        [THROTTLED, LOST],
        ["conflict", "conflict"],
        ["throttled in a transaction"],
    ],
    ids=str,
)
async def test_what_passes_is_tried_again_and_counted_once(
    ledger: DynamoLedger, between: Gate, faults: list[object]
) -> None:
    """Also when the answer to a write that was carried out is lost."""
    played = {
        "conflict": {"CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}]},
        "throttled in a transaction": {"CancellationReasons": [{"Code": "ThrottlingError"}]},
    }
    for fault in faults:
        if isinstance(fault, str) and fault in played:
            between.faults["TransactWriteItems"].append(_with(played[fault]))
        else:
            between.fail("TransactWriteItems", fault)
    assert isinstance(await reserve(ledger, "r1", 100), Reservation)
    assert not between.faults["TransactWriteItems"]
    found = await balance_of(ledger)
    assert (found.tokens_reserved, found.actions_used) == (100, 1)
    between.fail("PutItem", *(fault for fault in faults if fault not in played))
    await ledger.settle("r1", tokens=40, cost_micro_usd=7)
    found = await balance_of(ledger)
    assert (found.tokens_used, found.tokens_reserved, found.cost_micro_usd) == (40, 0, 7)
    # each rate has counted one request: 49 are left
    granted = [await reserve(ledger, f"n{number}", 1) for number in range(50)]
    assert sum(isinstance(one, Reservation) for one in granted) == 49


def _with(more: dict[str, object]) -> object:
    return ("TransactionCanceledException", 400, more)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "AccessDenied"),
        ("ResourceNotFoundException", "ResourceNotFound"),
        ("ValidationException", "Validation"),
        ("UnheardOfException", "UnheardOf"),
    ],
)
async def test_what_does_not_pass_stops_the_request_at_once(
    ledger: DynamoLedger, between: Gate, code: str, said: str
) -> None:
    await reserve(ledger, "first")
    between.fail("TransactWriteItems", (code, 400))
    refused = await reserve(ledger, "r1")
    assert isinstance(refused, Refusal)
    assert refused.rule == "ledger.unavailable"
    assert said in refused.rationale
    assert said not in refused.message
    between.fail("PutItem", (code, 400))
    with pytest.raises(LedgerError, match=said):
        await ledger.settle("first", tokens=1, cost_micro_usd=0)
    found = await balance_of(ledger)
    assert (found.tokens_used, found.tokens_reserved, found.actions_used) == (0, 10, 1)
    between.fail("GetItem", (code, 400))
    with pytest.raises(LedgerError, match=said):
        await ledger.ended("s-1")


async def test_what_never_passes_ends_in_time_and_gives_back(between: Gate, moto: Moto, tmp_path: Path) -> None:
    """Every answer is lost: the request stops, and what was granted to nobody is settled as unused afterwards."""
    ledger = ledger_at(between.url, table_of(moto, tmp_path), bounds=Bounds(total_s=5.0), busy_s=0.3)
    await ledger.open(ACCOUNT)
    await reserve(ledger, "warm", 1)
    between.fail("TransactWriteItems", LOST)
    between.fail("BatchGetItem", *[THROTTLED] * 200)
    refused = await reserve(ledger, "r1", 100)
    assert isinstance(refused, Refusal)
    assert refused.rule == "ledger.unavailable"
    between.faults.clear()
    await ledger.stop()
    other = ledger_at(moto.url, table_of(moto, tmp_path))
    found = await balance_of(other)
    assert (found.tokens_reserved, found.actions_used) == (1, 2)
    await other.stop()


async def test_a_silent_service_is_left(between: Gate, moto: Moto, tmp_path: Path) -> None:
    ledger = ledger_at(between.url, table_of(moto, tmp_path), bounds=Bounds(total_s=0.2), busy_s=0.1)
    between.fail("GetItem", *[SILENT] * 20)
    with pytest.raises(LedgerError, match="no answer in time"):
        await ledger.ended("s-1")
    await ledger.stop()


async def test_one_item_that_is_refused_takes_nobody_with_it(ledger: DynamoLedger, between: Gate, moto: Moto) -> None:
    await ledger.open(replace(ACCOUNT, session_id="s-2"))
    await reserve(ledger, "w1")
    await reserve(ledger, "w2", session="s-2")
    between.fail("TransactWriteItems", ("ValidationException", 400), ("ValidationException", 400))
    one, two = await asyncio.gather(reserve(ledger, "r1"), reserve(ledger, "r2", session="s-2"))
    assert isinstance(one, Refusal)
    assert isinstance(two, Reservation)


async def test_a_part_of_a_read_is_no_answer(ledger: DynamoLedger, between: Gate, moto: Moto, tmp_path: Path) -> None:
    """UnprocessedKeys would look like accounts that do not exist."""
    table = table_of(moto, tmp_path)
    key = {"pk": {"S": "s-1"}, "sk": {"S": "account"}}
    part = {"Responses": {table: []}, "UnprocessedKeys": {table: {"Keys": [key]}}}
    between.fail("BatchGetItem", ("", 200, part), ("", 200, part))
    other = ledger_at(between.url, table)
    assert isinstance(await reserve(other, "r1"), Reservation)
    await other.stop()


@pytest.mark.parametrize("what", ["account", "first grant", "chunk"])
async def test_what_must_be_new_is_written_once(moto: Moto, tmp_path: Path, what: str) -> None:
    """Two processes that saw none: the second is told, and nothing of the first's is lost."""
    ledger = ledger_at(moto.url, table_of(moto, tmp_path))
    table, old = ledger._table, AccountState(account=ACCOUNT)
    full = RateState(key="system", newest=CHUNK - 1, recent=(1.0,) * (CHUNK - 1))
    if what == "chunk":  # the head is as both saw it, its chunk is there already
        before = Books(accounts={}, rates={"system": RateState(key="system")})
        await table.write(before, Books(accounts={}, rates={"system": full}), OWN)
        item = chunk_item("system", 0, (9.0,) * CHUNK)
        await ledger._calls.json("DynamoDB_20120810.PutItem", {"TableName": table._name, "Item": item}, OWN)
        before = Books(accounts={}, rates={"system": full})
        after = Books(accounts={}, rates={"system": full.granted(2.0)})
    elif what == "account":
        before, after = Books(accounts={"s-1": None}, rates={}), Books(accounts={"s-1": old}, rates={})
        await table.write(before, after, OWN)
        after = Books(accounts={"s-1": replace(old, tokens_used=7)}, rates={})
    else:
        before = Books(accounts={}, rates={"system": RateState(key="system")})
        after = Books(accounts={}, rates={"system": before.rates["system"].granted(1.0)})
        await table.write(before, after, OWN)
    with pytest.raises(Conflict):
        await table.write(before, after, OWN)
    await ledger.stop()


# -- credentials of sessions


def of_sessions(between: Gate, table: str, clock: Clock | None = None) -> DynamoLedger:
    own = clock or SystemClock()
    sts = Calls(
        service_endpoint("sts", REGION, between.url), service="sts", region=REGION, clock=own, bounds=Bounds(total_s=9)
    )
    role = "arn:aws:iam::123456789012:role/ledger"
    return ledger_at(between.url, table, SessionIdentities(lambda: OWN, sts, role=role, clock=own))


async def test_each_session_has_credentials_of_its_own(between: Gate, moto: Moto, tmp_path: Path) -> None:
    ledger = of_sessions(between, table_of(moto, tmp_path))
    for session in ("s-1", "s-2"):
        await ledger.open(replace(ACCOUNT, session_id=session))
    await asyncio.gather(*(reserve(ledger, f"{session}-{n}", 1, session) for session in ("s-1", "s-2") for n in "abc"))
    await ledger.settle("s-1-a", tokens=1, cost_micro_usd=0)
    assert [await ledger.ended(session) for session in ("s-1", "s-2")] == ["", ""]
    assert between.denied == []
    assumed = [operation for operation, _ in between.calls].count("AssumeRole")
    assert assumed == 2
    who = {(operation, session) for operation, session in between.calls}
    assert ("TransactWriteItems", "s-1") in who
    assert ("TransactWriteItems", "s-2") in who
    assert {session for operation, session in who if operation in ("PutItem", "TransactWriteItems")} == {"s-1", "s-2"}
    assert len(await ledger.sessions(now=2.0, live_only=True)) == 2
    assert len(await ledger.lapsed(before=100.0)) == 5
    assert {session for operation, session in between.calls if operation == "Query"} == {""}
    await ledger.stop()


async def test_a_sessions_credentials_do_not_reach_another(between: Gate, moto: Moto, tmp_path: Path) -> None:
    """The gate refuses as the role's policy does; without this, the test above would show nothing."""
    table = table_of(moto, tmp_path)
    ledger = of_sessions(between, table)
    await ledger.open(ACCOUNT)
    identities = ledger._identities
    keys = await identities.of("s-1")
    identities._held["s-2"] = (keys, float("inf"))  # type: ignore[attr-defined]
    with pytest.raises(LedgerError, match="AccessDenied"):
        await ledger.ended("s-2")
    assert len(between.denied) == 1
    await ledger.stop()


async def test_sessions_at_once_keep_a_shared_rate(between: Gate, moto: Moto, tmp_path: Path) -> None:
    ledger = of_sessions(between, table_of(moto, tmp_path))
    names = [f"s-{number}" for number in range(4)]
    for name in names:
        await ledger.open(replace(ACCOUNT, session_id=name))
    found = await asyncio.gather(*(reserve(ledger, f"{name}-{n}", 1, name) for n in range(20) for name in names))
    assert sum(isinstance(one, Reservation) for one in found) == 50
    assert between.denied == []
    await ledger.stop()


async def test_credentials_are_renewed_before_they_end_and_when_aws_says_so(
    between: Gate, moto: Moto, tmp_path: Path
) -> None:
    clock = HeldClock()
    ledger = of_sessions(between, table_of(moto, tmp_path), clock)
    await ledger.open(ACCOUNT)
    await ledger.ended("s-1")

    def assumed() -> int:
        return [operation for operation, _ in between.calls].count("AssumeRole")

    assert assumed() == 1
    between.fail("GetItem", ("ExpiredTokenException", 400))
    assert await ledger.ended("s-1") == ""
    assert assumed() == 2
    clock.at += 850  # of 900 s
    assert await ledger.ended("s-1") == ""
    assert assumed() == 3
    await ledger.stop()


@pytest.mark.parametrize("fault", [("Throttling", 400), ("ServiceUnavailable", 503), ("InternalFailure", 500), DEAF])
async def test_sts_that_fails_for_a_moment_is_asked_again(
    between: Gate, moto: Moto, tmp_path: Path, fault: object
) -> None:
    ledger = of_sessions(between, table_of(moto, tmp_path))
    between.fail("AssumeRole", fault, fault)
    await ledger.open(ACCOUNT)
    assert await ledger.ended("s-1") == ""
    assert [operation for operation, _ in between.calls].count("AssumeRole") == 3
    await ledger.stop()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (
            b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
            "AccessDenied",
        ),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><ErrorResponse><Error><Code>&b;</Code></Error></ErrorResponse>", "Status403"),
        (b"<ErrorResponse>", "Status403"),
        (b"<html><body>Forbidden</body></html>", "Status403"),
        (b"", "Status403"),
    ],
)
def test_what_a_query_service_says(raw: bytes, code: str) -> None:
    assert _failed(403, raw).code == code


async def test_a_role_that_cannot_be_assumed_stops_the_request(between: Gate, moto: Moto, tmp_path: Path) -> None:
    ledger = of_sessions(between, table_of(moto, tmp_path))
    between.fail("AssumeRole", *[("AccessDenied", 403)] * 4)
    with pytest.raises(LedgerError, match=r"role of the ledger .* AccessDenied: of the gate"):
        await ledger.open(ACCOUNT)
    with pytest.raises(LedgerError, match="role of the ledger"):
        await ledger.ended("s-1")
    refused = await reserve(ledger, "r1")
    assert isinstance(refused, Refusal)
    assert refused.rule == "ledger.unavailable"
    assert not any(operation == "PutItem" for operation, _ in between.calls)
    await ledger.stop()
