"""Reads and conditional writes of the ledger's table. One attempt each; what a failure means is said by its class.

Conflict    somebody else changed an item first, or is about to: read again and decide again
Passing     throttled, unreachable or broken: the same may succeed in a moment
LedgerError anything else
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from caisson.adapters.aws.api.calls import PASSING, CallFailed, Calls, Passing
from caisson.adapters.aws.ledger import items
from caisson.adapters.aws.ledger.books import AccountState, Books
from caisson.adapters.aws.ledger.rate import CHUNK, RateState
from caisson.errors import LedgerError
from caisson.protocol.sigv4 import Keys

Json = dict[str, Any]

SERVICE = "dynamodb"
GET_MAX = 100
"""Keys of one BatchGetItem (API reference)."""
WRITES_MAX = 100
"""Actions of one TransactWriteItems (API reference)."""
KEPT_MAX = 10_000
"""Accounts and rates that are kept as last seen, a few hundred bytes each."""
CHUNKS_KEPT_MAX = 4
"""Full chunks kept of one rate: those that the next decisions need lie side by side."""

_CONFLICTS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_EXPIRED = frozenset({"ExpiredTokenException", "ExpiredToken"})


class Conflict(Exception):  # noqa: N818  (a state, which passes)
    """An item is not what it was when it was read. Nothing was written."""


class Expired(Exception):  # noqa: N818
    """The credentials have ended. Nothing was done."""


class Table:
    """One table, and its items as this process saw them last: whatever is written says what it was read as."""

    def __init__(self, calls: Calls, name: str) -> None:
        self._calls = calls
        self._name = name
        self._accounts: OrderedDict[str, AccountState] = OrderedDict()
        self._rates: OrderedDict[str, RateState] = OrderedDict()

    async def books(self, accounts: Iterable[str], rates: Iterable[str], keys: Keys, *, anew: bool) -> Books:
        """These accounts and rates as seen last; with `anew`, and where never seen, as they are now."""
        accounts, rates = list(accounts), list(rates)
        unread = [name for name in accounts if anew or name not in self._accounts]
        unread_rates = [name for name in rates if anew or name not in self._rates]
        gone: set[str] = set()
        if unread or unread_rates:
            wanted = [items.account_key(name) for name in unread] + [items.head_key(name) for name in unread_rates]
            found = await self._get(wanted, keys)
            for name, item in zip(unread, found, strict=False):
                if item is None:
                    self._accounts.pop(name, None)
                    gone.add(name)
                else:
                    self.seen(items.account_of(item))
            for name, item in zip(unread_rates, found[len(unread) :], strict=True):
                self._seen_rate(items.head_of(name, item) if item is not None else RateState(key=name))
        return Books(
            accounts={name: None if name in gone else self._accounts.get(name) for name in accounts},
            rates={name: self._rates[name] for name in rates},
        )

    async def with_chunk(self, state: RateState, number: int, keys: Keys) -> RateState:
        """A rate with a full chunk read."""
        (item,) = await self._get([items.chunk_key(state.key, number)], keys)
        known = state.knowing(number, items.chunk_of(item) if item is not None else ())
        self._seen_rate(known)
        return known

    async def read(self, sessions: Sequence[str], keys: Keys) -> list[AccountState]:
        """Accounts as they are now, without those that are none."""
        found = []
        for start in range(0, len(sessions), GET_MAX):
            part = [items.account_key(name) for name in sessions[start : start + GET_MAX]]
            found += [items.account_of(item) for item in await self._get(part, keys) if item is not None]
        return found

    def seen(self, state: AccountState) -> None:
        """This is how an account is now."""
        known = self._accounts.get(state.account.session_id)
        if known is None or known.version <= state.version:
            self._accounts[state.account.session_id] = state
            self._accounts.move_to_end(state.account.session_id)
        while len(self._accounts) > KEPT_MAX:
            self._accounts.popitem(last=False)

    async def write(self, before: Books, after: Books, keys: Keys) -> None:
        """Put what has changed, all or nothing, where it still is what it was.

        Raises:
            Conflict, Passing, Expired, LedgerError: see the module.
        """
        accounts = {
            name: replace(state, version=(old.version if old is not None else 0) + 1)
            for name, state in after.accounts.items()
            if state is not None and (old := before.accounts[name]) is not state
        }
        puts = [self._put_account(before.accounts[name], state) for name, state in accounts.items()]
        changed = {name: rate for name, rate in after.rates.items() if rate.newest != before.rates[name].newest}
        for name, rate in changed.items():
            puts += self._puts_rate(before.rates[name], rate)
        if len(puts) == 1:
            await self._call("PutItem", puts[0]["Put"], keys)
        elif puts:
            await self._call("TransactWriteItems", {"TransactItems": puts}, keys)
        for state in accounts.values():
            self.seen(state)
        for rate in changed.values():
            self._seen_rate(rate)

    async def query(self, index: str, asked: Json, keys: Keys) -> tuple[list[str], Json | None]:
        """A page of an index: session ids in its order, and where the next page begins."""
        answer = await self._call("Query", {"TableName": self._name, "IndexName": index, **asked}, keys)
        try:
            return [item["pk"]["S"] for item in answer["Items"]], answer.get("LastEvaluatedKey")
        except (KeyError, TypeError) as error:
            raise LedgerError(f"expected keys of the ledger's table, found something else: {error!r}") from error

    def _seen_rate(self, state: RateState) -> None:
        known = self._rates.get(state.key)
        chunks = {**(known.chunks if known is not None else {}), **state.chunks}
        while len(chunks) > CHUNKS_KEPT_MAX:
            del chunks[min(chunks)]
        self._rates[state.key] = replace(state, chunks=chunks)
        self._rates.move_to_end(state.key)
        while len(self._rates) > KEPT_MAX:
            self._rates.popitem(last=False)

    def _put_account(self, old: AccountState | None, new: AccountState) -> Json:
        put: Json = {"TableName": self._name, "Item": items.account_item(new)}
        return {"Put": put | _condition("version", old.version if old is not None else None)}

    def _puts_rate(self, old: RateState, new: RateState) -> list[Json]:
        put: Json = {"TableName": self._name, "Item": items.head_item(new)}
        puts = [{"Put": put | _condition("newest", old.newest or None)}]
        for number in range(old.newest // CHUNK, new.newest // CHUNK):
            chunk = items.chunk_item(new.key, number, new.chunks[number])
            puts.append({"Put": {"TableName": self._name, "Item": chunk} | _condition("", None)})
        return puts

    async def _get(self, wanted: list[Json], keys: Keys) -> list[Mapping[str, Any] | None]:
        """Items in the order of their keys, as they are now."""
        if len(wanted) == 1:
            asked = {"TableName": self._name, "Key": wanted[0], "ConsistentRead": True}
            return [(await self._call("GetItem", asked, keys)).get("Item")]
        asked = {"RequestItems": {self._name: {"Keys": wanted, "ConsistentRead": True}}}
        answer = await self._call("BatchGetItem", asked, keys)
        if answer.get("UnprocessedKeys"):
            raise Passing("the table gave a part of what was asked", perhaps_done=False)
        try:
            found = {(item["pk"]["S"], item["sk"]["S"]): item for item in answer["Responses"].get(self._name, [])}
        except (KeyError, TypeError, AttributeError) as error:
            raise LedgerError(f"expected items of the ledger's table, found something else: {error!r}") from error
        return [found.get((key["pk"]["S"], key["sk"]["S"])) for key in wanted]

    async def _call(self, operation: str, asked: Json, keys: Keys) -> Json:
        try:
            return await self._calls.json(f"DynamoDB_20120810.{operation}", asked, keys)
        except CallFailed as error:
            raise _meaning(error) from error


def _condition(attribute: str, value: int | None) -> Json:
    """The item must not exist, or hold this number."""
    if value is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "#v = :v",
        "ExpressionAttributeNames": {"#v": attribute},
        "ExpressionAttributeValues": {":v": {"N": str(value)}},
    }


def _meaning(error: CallFailed) -> Exception:
    code = error.code
    if code in ("ConditionalCheckFailedException", "TransactionConflictException"):
        return Conflict()
    if code == "TransactionCanceledException":
        reasons = error.body.get("CancellationReasons")
        codes = {str(reason.get("Code", "None")) for reason in reasons if isinstance(reason, dict)} if isinstance(
            reasons, list
        ) else set()  # fmt: skip
        codes.discard("None")
        if codes and codes <= _CONFLICTS:
            return Conflict()
        if codes and codes <= _CONFLICTS | PASSING:
            return Passing(", ".join(sorted(codes)), perhaps_done=False)
        return LedgerError(f"DynamoDB cancelled a change of the ledger: {', '.join(sorted(codes)) or error}")
    if code in _EXPIRED:
        return Expired(str(error))
    if error.passing:
        return Passing(str(error), perhaps_done=error.perhaps_done)
    return LedgerError(f"DynamoDB refused the ledger: {error}")
