"""Every writer's chain, checked against what the writer signed (LOG-07).

- Records of a run count from 0 without gaps; their digests give the chain value under the writer's next signed head.
- A run that was killed is vouched for by the next one, which says how far it came. A killed writer may have written one
  record more than it could remember, never two.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

import msgspec

from caisson.channels.chain import GENESIS, extend
from caisson.channels.messages import HeadEvent, KeyEvent
from caisson.ports.archive import Entry
from caisson.ports.channel import ChainHead
from caisson.zones.z6_logging.checkpoints import is_signed
from caisson.zones.z6_logging.order import Order
from caisson.zones.z6_logging.problems import Problems

UNREMEMBERED_MAX = 1
"""Records that a killed writer may have written beyond what it remembers."""


@dataclass(kw_only=True)
class _Run:
    """One incarnation of a writer."""

    order: Order = field(default_factory=Order)
    chain: bytes | None = GENESIS
    """Chain value after the newest record; None when a gap hides it."""
    chain_before: bytes | None = None
    """Chain value before the newest record."""
    signed_length: int = 0
    """Records under the newest valid head."""
    closed: bool = False


@dataclass(kw_only=True)
class WriterChains:
    """Takes the log's entries in order."""

    problems: Problems
    keys_lost: bool = False
    """Some entries are gone or unreadable, so a key that signed a head may be among them."""
    records: int = 0
    heads: int = 0
    _runs: dict[tuple[str, str], _Run] = field(default_factory=dict)
    _keys: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _previous: dict[tuple[str, str], ChainHead] = field(default_factory=dict)

    @property
    def writers(self) -> int:
        """Runs of writers seen."""
        return len(self._runs)

    @property
    def unsigned(self) -> int:
        """Records at the end of runs that no signed head covers yet: the writer is alive or was killed just now."""
        return sum(max(0, run.order.expected - run.signed_length) for run in self._runs.values())

    def take(self, entry: Entry) -> None:
        """Check one entry."""
        if entry.sequence >= 0:
            self._take_record(entry)
        elif entry.event.get("kind") == "head.v1":
            self._take_head(entry)
        elif entry.event.get("kind") == "key.v1":
            self._take_key(entry)

    def finish(self) -> None:
        """Nothing follows: check each run's end against what the next run remembers of it, and tell what is missing."""
        for (writer, incarnation), head in self._previous.items():
            self._check_end(writer, incarnation, head)
        for (writer, incarnation), run in self._runs.items():
            for first, last in run.order.gaps:
                where = f"{writer}/{incarnation} record"
                self.problems.add(
                    "missing", where, first, to=last, detail="the writer's chain has them, the log has not"
                )

    def _run(self, writer: str, incarnation: str) -> _Run:
        return self._runs.setdefault((writer, incarnation), _Run())

    def _take_record(self, entry: Entry) -> None:
        self.records += 1
        where = f"{entry.writer}/{entry.incarnation} record"
        run = self._run(entry.writer, entry.incarnation)
        verdict = run.order.take(entry.sequence)
        if verdict == "next":
            run.chain_before = run.chain
            run.chain = None if run.chain is None else extend(run.chain, _from_hex(entry.digest))
        elif verdict == "gap":
            run.chain_before = run.chain = None
        elif verdict == "late":
            self.problems.add("reordered", where, entry.sequence, detail="it stands behind later records")
        elif verdict == "again":
            self.problems.add("replayed", where, entry.sequence, detail="the log holds it twice")
        if run.closed and entry.sequence >= run.signed_length:
            self.problems.add("forged", where, entry.sequence, detail="the writer had closed this run before")

    def _take_head(self, entry: Entry) -> None:
        head = _head(entry)
        if head is None or not self._is_genuine(head):
            unknown = self.keys_lost and head is not None and _key_of(head) not in self._keys
            detail = "a chain head that no key of its writer signed"
            self.problems.add("missing" if unknown else "forged", "entry", entry.index, detail=detail)
            return
        self.heads += 1
        run = self._run(head.writer, head.incarnation)
        if head.length < run.order.expected:
            return  # delivered again after a newer one
        if head.length > run.order.expected:
            run.order.skip_to(head.length)
        elif run.chain is not None and run.chain.hex() != head.chain:
            where = f"{head.writer}/{head.incarnation} record"
            detail = "the digests in the log are not those under the writer's signature"
            self.problems.add("forged", where, run.signed_length, to=head.length - 1, detail=detail)
        run.chain = bytes.fromhex(head.chain)
        run.signed_length, run.closed = head.length, run.closed or head.closed
        if head.previous_incarnation:
            self._previous.setdefault((head.writer, head.previous_incarnation), head)

    def _take_key(self, entry: Entry) -> None:
        try:
            event = msgspec.convert(entry.event, KeyEvent)
            self._keys[event.zone, event.key_id] = base64.b64decode(event.public_key, validate=True)
        except (msgspec.ValidationError, binascii.Error):
            self.problems.add("edited", "entry", entry.index, detail="a key statement that cannot be read")

    def _is_genuine(self, head: ChainHead) -> bool:
        public = self._keys.get(_key_of(head))
        return public is not None and is_signed(head.signed_text, _from_hex(head.signature), public)

    def _check_end(self, writer: str, incarnation: str, head: ChainHead) -> None:
        run = self._runs.get((writer, incarnation))
        where = f"{writer}/{incarnation} record"
        if run is None:
            if head.previous_length:
                detail = "the writer's next run remembers them, the log has none of this run"
                self.problems.add("missing", where, 0, to=head.previous_length - 1, detail=detail)
            return
        beyond = run.order.expected - max(head.previous_length, run.signed_length)
        if beyond > UNREMEMBERED_MAX:
            detail = "more than the writer's next run remembers, and under no signature"
            self.problems.add("forged", where, run.order.expected - beyond, to=run.order.expected - 1, detail=detail)
        elif run.order.expected < head.previous_length:
            run.order.skip_to(head.previous_length)
        elif head.previous_length >= run.order.expected - 1:
            chain = run.chain if head.previous_length == run.order.expected else run.chain_before
            if chain is not None and chain.hex() != head.previous_chain:
                detail = "the digests in the log are not those that the writer's next run remembers"
                self.problems.add("forged", where, run.signed_length, to=run.order.expected - 1, detail=detail)


def _key_of(head: ChainHead) -> tuple[str, str]:
    """A writer is called `<zone>` or `<zone>-<worker>`."""
    return head.writer.partition("-")[0], head.key_id


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _head(entry: Entry) -> ChainHead | None:
    try:
        event = msgspec.convert(entry.event, HeadEvent)
    except msgspec.ValidationError:
        return None
    fields = {name: getattr(event, name) for name in ChainHead.__dataclass_fields__}
    return ChainHead(**fields) if len(_from_hex(event.chain)) == len(GENESIS) else None
