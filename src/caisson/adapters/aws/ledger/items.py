"""How the ledger lies in its table: key attributes `pk` and `sk`, and what else an item holds (DynamoDB JSON).

    pk                sk                 item
    <session id>      account            an account with its open reservations
    rate#<key>        head               how many grants of a rate there were, and the last of them
    rate#<key>        grants#<number>    a full chunk of grants, written once

An account's `pk` is the session id and nothing else, so that a policy with `dynamodb:LeadingKeys` and a session tag
holds one session's credentials to one session's account. Two indexes have the keys only: `opened` lists accounts,
newest first; `due` lists, by shard, those with reservations, earliest deadline first. `ttl` is when DynamoDB may drop
an item: long after it stopped deciding anything.

Numbers are written as Python prints them, which DynamoDB keeps to 38 digits, so that a float comes back as it went.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from caisson.adapters.aws.ledger.books import AccountState
from caisson.adapters.aws.ledger.rate import CHUNK, RateState
from caisson.errors import LedgerError
from caisson.ports.ledger import Account

Json = dict[str, Any]
Item = Mapping[str, Any]

OPENED_INDEX, DUE_INDEX = "opened", "due"
ACCOUNT_SK, HEAD_SK = "account", "head"
ACCOUNT_KIND = "account"
"""Partition of the index `opened`."""
DUE_SHARDS = 4
"""Partitions of the index `due`: each takes about 1,000 changes a second (DynamoDB developer guide, partitions)."""
ACCOUNT_KEPT_S = 30 * 86_400
"""From a session's end to its account's: whoever looks into it has a month."""
GRANTS_KEPT_S = 2 * 86_400
"""From a grant to its chunk's end: twice the longest window of a rate, which is a day (system/values.py)."""


def account_key(session_id: str) -> Json:
    """Key of an account."""
    return {"pk": {"S": session_id}, "sk": {"S": ACCOUNT_SK}}


def head_key(rate: str) -> Json:
    """Key of a rate's head."""
    return {"pk": {"S": f"rate#{rate}"}, "sk": {"S": HEAD_SK}}


def chunk_key(rate: str, number: int) -> Json:
    """Key of a chunk of a rate's grants."""
    return {"pk": {"S": f"rate#{rate}"}, "sk": {"S": f"grants#{number:012d}"}}


def due_shard(session_id: str) -> str:
    """Partition of the index `due` that lists this session."""
    return str(crc32(session_id.encode()) % DUE_SHARDS)


def account_item(state: AccountState) -> Json:
    """The item of an account."""
    account = state.account
    item: Json = {
        **account_key(account.session_id),
        "kind": {"S": ACCOUNT_KIND},
        "user": {"S": account.user},
        "agent": {"S": account.agent},
        "task": {"S": account.task},
        "opened": _number(account.opened),
        "expires": _number(account.expires),
        "tokens_max": _number(account.tokens_max),
        "actions_max": _number(account.actions_max),
        "tokens_used": _number(state.tokens_used),
        "actions_used": _number(state.actions_used),
        "cost_micro_usd": _number(state.cost_micro_usd),
        "cost_unknown_requests": _number(state.cost_unknown_requests),
        "closed": {"S": state.closed},
        "version": _number(state.version),
        "open": {
            "M": {name: {"L": [_number(tokens), _number(deadline)]} for name, (tokens, deadline) in state.open.items()}
        },
        "ttl": _number(int(account.expires) + ACCOUNT_KEPT_S),
    }
    if state.open:
        item["due_shard"] = {"S": due_shard(account.session_id)}
        item["due"] = _number(min(deadline for _, deadline in state.open.values()))
    return item


def account_of(item: Item) -> AccountState:
    """The account in an item.

    Raises:
        LedgerError: it has not the shape.
    """
    try:
        return AccountState(
            account=Account(
                session_id=item["pk"]["S"],
                user=item["user"]["S"],
                agent=item["agent"]["S"],
                task=item["task"]["S"],
                opened=float(item["opened"]["N"]),
                expires=float(item["expires"]["N"]),
                tokens_max=int(item["tokens_max"]["N"]),
                actions_max=int(item["actions_max"]["N"]),
            ),
            version=int(item["version"]["N"]),
            tokens_used=int(item["tokens_used"]["N"]),
            actions_used=int(item["actions_used"]["N"]),
            cost_micro_usd=int(item["cost_micro_usd"]["N"]),
            cost_unknown_requests=int(item["cost_unknown_requests"]["N"]),
            closed=item["closed"]["S"],
            open={name: (int(pair["L"][0]["N"]), float(pair["L"][1]["N"])) for name, pair in item["open"]["M"].items()},
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise LedgerError(f"expected an account in the ledger's table, found something else: {error!r}") from error


def head_item(state: RateState) -> Json:
    """The item of a rate's head. A head has no end: without it, numbers would begin anew."""
    return {**head_key(state.key), "newest": _number(state.newest), "recent": _grants(state.recent)}


def head_of(rate: str, item: Item) -> RateState:
    """The rate in a head, without chunks.

    Raises:
        LedgerError: it has not the shape.
    """
    try:
        state = RateState(key=rate, newest=int(item["newest"]["N"]), recent=_grants_of(item["recent"]))
        if len(state.recent) != state.newest % CHUNK:
            raise ValueError(f"{len(state.recent)} grants at number {state.newest}")
        return state
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise LedgerError(f"expected a rate in the ledger's table, found something else: {error!r}") from error


def chunk_item(rate: str, number: int, grants: tuple[float, ...]) -> Json:
    """The item of a full chunk."""
    return {
        **chunk_key(rate, number),
        "grants": _grants(grants),
        "ttl": _number(int(max(grants)) + GRANTS_KEPT_S),
    }


def chunk_of(item: Item) -> tuple[float, ...]:
    """The grants of a chunk.

    Raises:
        LedgerError: it has not the shape.
    """
    try:
        grants = _grants_of(item["grants"])
        if len(grants) != CHUNK:
            raise ValueError(f"{len(grants)} grants")
        return grants
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise LedgerError(f"expected a rate's grants in the ledger's table, found something else: {error!r}") from error


def _number(value: float) -> Json:
    return {"N": repr(value)}


def _grants(grants: tuple[float, ...]) -> Json:
    return {"B": b64encode(struct.pack(f">{len(grants)}d", *grants)).decode()}


def _grants_of(value: Item) -> tuple[float, ...]:
    raw = b64decode(value["B"], validate=True)
    return struct.unpack(f">{len(raw) // 8}d", raw)
