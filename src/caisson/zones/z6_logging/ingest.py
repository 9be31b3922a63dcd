"""Channel items become archived entries: each record once, in its writer's order (LOG-01, LOG-07, LOG-09).

- A record is known by writer, incarnation and sequence; one that is archived already is passed over, because delivery
  is at least once.
- Signed heads and faults become statements of the logging zone between the records. Of several open heads in one
  batch only a writer's newest is kept: heads are cumulative.
- Nothing is committed to the reader before it is on stable storage.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from caisson.channels.messages import FaultEvent, HeadEvent, KeyEvent, Message, to_dict
from caisson.ports.archive import Archive, Entry, Query
from caisson.ports.channel import ChainHead, ChannelReader, Fault, Item, Received
from caisson.ports.clock import Clock
from caisson.zones.z6_logging.redaction import EventRedactor

STATED = ("head.v1", "fault.v1", "key.v1")
"""Kinds of what this zone states itself."""
ITEMS_POLLED = 1_024
BATCH_ENTRIES = 256
BATCH_CHARACTERS = 4 * 2**20
"""Text in one append; a single larger event goes alone."""
STATEMENTS_REMEMBERED = 4 * ITEMS_POLLED
"""Statements whose repetition is noticed: more than a reader can deliver again."""


class _Draft(NamedTuple):
    """An entry without its index."""

    event: dict[str, Any]
    writer: str
    incarnation: str
    sequence: int
    digest: str


class Ingest:
    """Takes what the events channel delivers; `appended` is told the leaf hashes of what was archived."""

    def __init__(
        self,
        *,
        reader: ChannelReader,
        archive: Archive,
        redactor: EventRedactor,
        clock: Clock,
        appended: Callable[[Sequence[bytes]], None],
    ) -> None:
        self._reader, self._archive, self._redactor, self._clock = reader, archive, redactor, clock
        self._appended = appended
        self._pending: list[_Draft | None] = []
        self._pending_heads: dict[tuple[str, str], int] = {}
        self._pending_characters = 0
        self._pending_sequences: dict[tuple[str, str], int] = {}
        self._statements: OrderedDict[str, None] = OrderedDict()
        self._statements.update(dict.fromkeys(_statements(archive)))

    def record_keys(self, writer_keys: Mapping[str, Sequence[bytes]]) -> None:
        """State the zones' public signing keys, unless the newest entries do: looking further takes ever longer."""
        for zone, keys in sorted(writer_keys.items()):
            for public in keys:
                key_id = sha256(public).hexdigest()[:16]
                statement = KeyEvent(
                    timestamp=self._clock.now(),
                    message_id=f"key-{zone}-{key_id}",
                    zone=zone,
                    key_id=key_id,
                    public_key=base64.b64encode(public).decode(),
                )
                self._state(statement, writer=zone, incarnation="")
        self._store()

    def step(self) -> int:
        """Archive what the channel holds, up to `ITEMS_POLLED` items; how many there were."""
        count = 0
        for item in self._reader.poll(ITEMS_POLLED):
            count += 1
            self._take(item)
            if len(self._pending) >= BATCH_ENTRIES or self._pending_characters >= BATCH_CHARACTERS:
                self._store()
        if count:
            self._store()
            self._reader.commit()
        return count

    def _take(self, item: Item) -> None:
        if isinstance(item, Received):
            self._take_record(item)
        elif isinstance(item, ChainHead):
            self._take_head(item)
        else:
            self._take_fault(item)

    def _last_sequence(self, run: tuple[str, str]) -> int:
        return self._pending_sequences.get(run, self._archive.last_sequence(*run))

    def _take_record(self, record: Received) -> None:
        run = (record.writer, record.incarnation)
        if record.sequence <= self._last_sequence(run):
            return
        self._pending_sequences[run] = record.sequence
        event = to_dict(record.message)
        event["message_id"] = event["message_id"] or f"{record.writer}-{record.incarnation}-{record.sequence}"
        self._add(
            _Draft(
                event=self._redactor.redact(event),
                writer=record.writer,
                incarnation=record.incarnation,
                sequence=record.sequence,
                digest=record.digest,
            )
        )

    def _take_head(self, head: ChainHead) -> None:
        state = "closed" if head.closed else "open"
        message = HeadEvent(
            timestamp=self._clock.now(),
            message_id=f"head-{head.writer}-{head.incarnation}-{head.length}-{state}",
            **vars(head),
        )
        run = (head.writer, head.incarnation)
        again = head.length <= self._last_sequence(run) and not head.closed
        if again or message.message_id in self._statements:
            return
        if run in self._pending_heads:
            self._pending[self._pending_heads[run]] = None
        if not head.closed:
            self._pending_heads[run] = len(self._pending)
        self._state(message, writer=head.writer, incarnation=head.incarnation)

    def _take_fault(self, fault: Fault) -> None:
        writer, where, detail = (_encodable(text) for text in (fault.writer, fault.where, fault.detail))
        message = FaultEvent(
            timestamp=self._clock.now(),
            message_id=f"fault-{writer}-{where}-{fault.kind}",
            fault=fault.kind,
            writer=writer,
            where=where,
            detail=detail,
        )
        self._state(message, writer=writer, incarnation="")

    def _state(self, message: Message, *, writer: str, incarnation: str) -> None:
        """Add a statement, unless it was made already: a reader that was killed delivers again."""
        if message.message_id in self._statements:
            return
        self._statements[message.message_id] = None
        if len(self._statements) > STATEMENTS_REMEMBERED:
            self._statements.popitem(last=False)
        event = to_dict(message)
        self._add(_Draft(event=event, writer=writer, incarnation=incarnation, sequence=-1, digest=""))

    def _add(self, draft: _Draft) -> None:
        self._pending.append(draft)
        self._pending_characters += len(draft.event.get("input_text", "")) + len(draft.event.get("output_text", ""))

    def _store(self) -> None:
        first = self._archive.size()
        drafts = [draft for draft in self._pending if draft is not None]
        entries = [Entry(index=first + n, **draft._asdict()) for n, draft in enumerate(drafts)]
        self._archive.append(entries)
        self._appended([entry.leaf_hash for entry in entries])
        self._pending.clear()
        self._pending_heads.clear()
        self._pending_sequences.clear()
        self._pending_characters = 0


def _statements(archive: Archive) -> list[str]:
    """Message ids of the statements among the newest entries, in order. Takes no longer for a long log."""
    start = max(0, archive.size() - STATEMENTS_REMEMBERED)
    found = [
        (entry.index, entry.event["message_id"])
        for kind in STATED
        for entry in archive.query(Query(kind=kind, start=start, limit=STATEMENTS_REMEMBERED))
        if entry.sequence < 0
    ]
    return [message_id for _, message_id in sorted(found)]


def _encodable(text: str) -> str:
    """File names may hold bytes that are no UTF-8; canonical JSON cannot."""
    return text.encode("utf-8", "backslashreplace").decode()
