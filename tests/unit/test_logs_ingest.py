"""From the channel into the archive: once each, redacted, signed, whatever is killed when."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caisson.adapters.embedded.archive import EmbeddedArchiveReader, journal
from caisson.adapters.embedded.archive import writer as writer_module
from caisson.channels.messages import CheckpointFinding, ProcessEvent, RefusalEvent, SessionEvent, to_dict
from caisson.errors import OperatorError
from caisson.policy.merkle import HASH_BYTES, tree_root
from caisson.ports.archive import Entry, Query
from caisson.ports.channel import Item
from caisson.zones.z6_logging import ingest as ingest_module
from caisson.zones.z6_logging import notary as notary_module
from caisson.zones.z6_logging import service
from caisson.zones.z6_logging.checkpoints import Checkpoint, is_signed, parse_note, sign
from caisson.zones.z6_logging.notary import Notary
from caisson.zones.z6_logging.redaction import INTEGER_MAX, EventRedactor
from caisson.zones.z6_logging.verify import verify
from logging_zone import (
    LOG_KEY,
    ORIGIN,
    START,
    WRITER_KEYS,
    HeldClock,
    ListReader,
    ListWriter,
    MarkingRedactor,
    NamedKeys,
    Run,
    Zone,
    fault,
    request_event,
    response_event,
)  # fmt: skip


@pytest.fixture
def zone(tmp_path: Path) -> Zone:
    return Zone(tmp_path)


def events(zone: Zone) -> list[dict[str, Any]]:
    return [item.event for item in zone.reader().scan() if isinstance(item, Entry)]


def kinds(zone: Zone) -> list[str]:
    return [event["kind"] for event in events(zone)]


def whole(zone: Zone) -> bool:
    return verify(zone.reader(), log_keys=[LOG_KEY], now=START).whole


class KilledError(Exception):
    """Stands for SIGKILL: nothing after it runs."""


class KillingReader(ListReader):
    """Is killed when it should commit."""

    def commit(self) -> None:
        raise KilledError


# Once each


def test_records_heads_and_faults_become_entries_in_order(zone: Zone) -> None:
    run = Run()
    zone.take([*run.exchange(0), fault(), run.record(ProcessEvent(timestamp=START, zone="runtime", change="started"))])
    assert kinds(zone) == ["key.v1", "model.request.v1", "model.response.v1", "head.v1", "fault.v1", "process.v1"]
    stored = list(zone.reader().scan())
    assert isinstance(stored[1], Entry)
    assert (stored[1].writer, stored[1].sequence, stored[1].event["message_id"]) == (
        "runtime-0", 0, "runtime-0-0000000000000000-0",
    )  # fmt: skip


def test_n_requests_give_n_request_and_n_response_events(zone: Zone) -> None:
    run = Run()
    zone.take([item for number in range(700) for item in run.exchange(number)])
    found = kinds(zone)
    assert found.count("model.request.v1") == found.count("model.response.v1") == 700


def test_what_is_delivered_again_is_archived_once(zone: Zone) -> None:
    run = Run()
    items: list[Item] = [*run.exchange(0), fault(), *run.exchange(1)]
    zone.take(list(items))
    before = kinds(zone)
    zone.take(list(items))
    assert kinds(zone) == before
    assert len(list(zone.reader().query(Query(kind="head.v1")))) == 1  # the older head of the batch said less


def test_a_kill_between_sync_and_commit_neither_loses_nor_repeats(zone: Zone) -> None:
    run = Run()
    items: list[Item] = [item for number in range(5) for item in run.exchange(number)]
    with pytest.raises(KilledError):
        zone.take([], KillingReader(list(items)))
    before = kinds(zone)
    zone.take(list(items))
    assert kinds(zone).count("model.request.v1") == 5
    assert kinds(zone)[: len(before)] == before
    assert [event["request_id"] for event in events(zone) if event["kind"] == "model.request.v1"] == [
        f"request-{number}" for number in range(5)
    ]


@pytest.mark.parametrize("step", range(1, 9))
def test_a_kill_at_any_append_or_checkpoint_neither_loses_nor_repeats(
    zone: Zone, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(ingest_module, "BATCH_ENTRIES", 3)
    run = Run()
    items: list[Item] = [item for number in range(5) for item in run.exchange(number)]

    class DyingArchive:
        """Dies in the `step`-th call that writes, before or after it took effect."""

        def __init__(self, archive: Any) -> None:
            self._archive, self._calls = archive, 0

        def __getattr__(self, name: str) -> Any:
            value = getattr(self._archive, name)
            if name not in ("append", "append_checkpoint", "save_frontier"):
                return value

            def call(*arguments: Any) -> Any:
                self._calls += 1
                if self._calls == step and step % 2:
                    raise KilledError
                result = value(*arguments)
                if self._calls == step:
                    raise KilledError
                return result

            return call

    real = zone.archive
    monkeypatch.setattr(zone, "archive", lambda: DyingArchive(real()))
    with suppress(KilledError):
        zone.take([], ListReader(list(items)))
    monkeypatch.setattr(zone, "archive", real)
    zone.take(list(items))
    found = [event["request_id"] for event in events(zone) if event["kind"] == "model.request.v1"]
    assert found == [f"request-{number}" for number in range(5)]
    assert whole(zone)


def test_memory_is_bounded_by_batches(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "ITEMS_POLLED", 40)
    monkeypatch.setattr(ingest_module, "BATCH_ENTRIES", 16)
    monkeypatch.setattr(ingest_module, "BATCH_CHARACTERS", 1_000)
    sizes: list[int] = []
    real = zone.archive

    def watched() -> Any:
        archive = real()
        append = archive.append

        def counting(entries: list[Entry]) -> None:
            sizes.append(len(entries))
            append(entries)

        archive.append = counting  # type: ignore[method-assign,assignment]
        return archive

    monkeypatch.setattr(zone, "archive", watched)
    run = Run()
    zone.take([run.record(request_event(n, input_text="x" * (600 if n < 10 else 1))) for n in range(200)])
    assert max(sizes) <= 16
    assert 2 in sizes  # two long texts fill a batch
    assert kinds(zone).count("model.request.v1") == 200


# Redaction


def redacted(event: Any) -> dict[str, Any]:
    return EventRedactor(MarkingRedactor(), b"p" * 32).redact(to_dict(event))


def test_free_text_is_redacted_and_identifiers_stay() -> None:
    event = redacted(response_event(1, rationale="hunter2", user_identity="hunter2", metadata={"a hunter2": "hunter2"}))
    assert "hunter2" not in event["output_text"] + event["rationale"] + str(event["guardrail_actions"])
    assert "hunter2" not in str(event["metadata"])
    assert event["user_identity"] == "hunter2"
    assert event["redactions"] == 5
    assert event["outcome"] == "answered"


def test_pseudonyms_are_consistent_in_a_session_and_tell_nothing_across() -> None:
    one, two, other = (redacted(request_event(number, input_text="hunter2"))["input_text"] for number in (1, 3, 2))
    assert one == two != other


def test_a_field_that_nobody_decided_about_is_redacted() -> None:
    event = EventRedactor(MarkingRedactor(), b"p" * 32).redact({"kind": "x", "later": {"deep": ["hunter2"]}})
    assert "hunter2" not in str(event)


@pytest.mark.parametrize(
    "event",
    [
        ProcessEvent(timestamp=1.0, zone="runtime", change="failed", detail={"hunter2": "hunter2"}),
        SessionEvent(timestamp=1.0, change="revoked", session_id="s", user_identity="u", reason="hunter2"),
    ],
)
def test_reasons_and_details_are_redacted(event: Any) -> None:
    assert "hunter2" not in str(redacted(event))


def test_source_addresses_stay_for_the_investigation() -> None:
    event = RefusalEvent(
        timestamp=1.0, count=1, error="e", rule="r", window_s=10.0, sources={"hunter2": 1},
        sample_request_ids=("hunter2",),
    )  # fmt: skip
    assert redacted(event)["sources"] == {"hunter2": 1}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["metadata", "detail", "input_text", "count", "x", "kind"]), json_values))
def test_every_event_that_a_writer_can_send_can_be_archived(event: dict[str, Any]) -> None:
    cleaned = EventRedactor(MarkingRedactor(), b"p" * 32).redact(event)
    entry = Entry(index=0, event=cleaned, writer="w", incarnation="i", sequence=0, digest="")
    assert Entry.from_leaf(entry.leaf).leaf_hash == entry.leaf_hash


def test_a_number_beyond_what_canonical_json_can_hold_becomes_text(zone: Zone) -> None:
    run = Run()
    zone.take([run.record(request_event(0, input_tokens=INTEGER_MAX + 1)), run.head()])
    assert events(zone)[1]["input_tokens"] == str(INTEGER_MAX + 1)


def test_a_file_name_that_is_no_utf8_is_archived(zone: Zone) -> None:
    from caisson.ports.channel import Fault

    zone.take([Fault(kind="damaged", writer="runtime-0", where="x\udc80", detail="d")])
    assert events(zone)[1]["where"] == "x\\udc80"


# Checkpoints


def test_checkpoints_come_a_second_apart_or_after_many_entries(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, findings, clock = zone.archive(), ListWriter(), HeldClock()
    notary = Notary(
        archive=archive, key=NamedKeys().signing("checkpoints"), origin=ORIGIN, findings=findings, clock=clock
    )

    def grow() -> None:
        index = archive.size()
        entry = Entry(index=index, event={"timestamp": 1.0}, writer="w", incarnation="i", sequence=index, digest="")
        archive.append([entry])
        notary.grown([entry.leaf_hash])

    assert not notary.tick()
    assert not notary.tick(force=True)
    grow()
    assert notary.tick()
    grow()
    assert not notary.tick()
    clock.advance(notary_module.CHECKPOINT_EVERY_S)
    assert notary.tick()
    clock.advance(notary_module.CHECKPOINT_EVERY_S)
    assert not notary.tick()
    monkeypatch.setattr(notary_module, "CHECKPOINT_ENTRIES", 2)
    grow()
    grow()
    clock.advance(-1)
    assert notary.tick()
    assert [parse_note(note)[0].size for note in archive.checkpoints()] == [1, 2, 4]


def test_a_checkpoint_says_what_it_signs(zone: Zone) -> None:
    zone.take(Run().exchange(0))
    note = zone.reader().last_checkpoint()
    checkpoint, signature = parse_note(note)
    leaves = list(zone.reader().leaves())
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, len(leaves), tree_root(leaves))
    assert is_signed(checkpoint.text.encode(), signature, LOG_KEY)
    (finding,) = [message for message in zone.findings.messages if isinstance(message, CheckpointFinding)]
    assert (finding.size, finding.root) == (checkpoint.size, checkpoint.root.hex())
    assert base64.b64decode(finding.signature) == signature
    assert f"timestamp {finding.timestamp:.3f}\n" in note


def test_a_full_findings_channel_delays_the_anchor_and_nothing_else(zone: Zone) -> None:
    archive, clock = zone.archive(), zone.clock
    zone.findings.full = True
    notary = Notary(
        archive=archive, key=NamedKeys().signing("checkpoints"), origin=ORIGIN, findings=zone.findings, clock=clock
    )
    entry = Entry(index=0, event={"timestamp": 1.0}, writer="w", incarnation="i", sequence=0, digest="")
    archive.append([entry])
    notary.grown([entry.leaf_hash])
    assert notary.tick()
    assert zone.findings.messages == []
    zone.findings.full = False
    notary.tick()
    notary.tick()
    assert len(zone.findings.messages) == 1


def test_nothing_is_signed_over_leaves_that_changed_on_disk(zone: Zone) -> None:
    zone.take(Run().exchange(0))
    archive = zone.archive()
    notary = Notary(
        archive=archive, key=NamedKeys().signing("checkpoints"), origin=ORIGIN, findings=zone.findings, clock=zone.clock
    )
    index = archive.size()
    entry = Entry(index=index, event={"timestamp": 1.0}, writer="w", incarnation="i", sequence=9, digest="")
    archive.append([entry])
    notary.grown([entry.leaf_hash])
    path = zone.tree / "leaves"
    path.write_bytes(path.read_bytes()[:-HASH_BYTES] + bytes(HASH_BYTES))
    with pytest.raises(OperatorError, match="changed on disk"):
        notary.tick(force=True)


@pytest.mark.parametrize("harm", ["leaves", "checkpoint", "truncated"])
def test_a_log_that_no_longer_gives_its_signed_root_does_not_start(zone: Zone, harm: str) -> None:
    zone.take(Run().exchange(0))
    (zone.tree / "frontier").unlink()
    leaves, checkpoints = zone.tree / "leaves", zone.tree / "checkpoints"
    if harm == "leaves":
        leaves.write_bytes(bytes(HASH_BYTES) + leaves.read_bytes()[HASH_BYTES:])
    elif harm == "checkpoint":
        checkpoints.write_text(checkpoints.read_text().replace("timestamp 1", "timestamp 2"))
    else:
        for path in (zone.archive_folder / "journal").iterdir():
            path.unlink()
        leaves.write_bytes(leaves.read_bytes()[:HASH_BYTES])
    with pytest.raises(OperatorError, match="caisson logs verify"):
        zone.take([])


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x00" * 8 + b"x" * 32, b"\xff" * 100])
def test_a_damaged_frontier_is_only_a_cache(zone: Zone, content: bytes) -> None:
    run = Run()
    zone.take(run.exchange(0))
    (zone.tree / "frontier").write_bytes(content)
    zone.clock.advance(5)
    zone.take(run.exchange(1))
    assert whole(zone)


def test_an_old_frontier_is_not_believed(zone: Zone) -> None:
    run = Run()
    zone.take(run.exchange(0))
    old = (zone.tree / "frontier").read_bytes()
    zone.clock.advance(5)
    zone.take(run.exchange(1))
    (zone.tree / "frontier").write_bytes(old)
    zone.clock.advance(5)
    zone.take(run.exchange(2))
    assert whole(zone)


@pytest.mark.parametrize("note", ["", "x", "o\n1\nAA==\ntimestamp 1.000\n\n\u2014 o AA==\n"])
def test_what_is_no_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_note(note)


@given(st.integers(0, 10**15), st.binary(min_size=32, max_size=32), st.integers(0, 10**12))
def test_a_note_reads_back(size: int, root: bytes, milliseconds: int) -> None:
    point = Checkpoint(origin="caisson/x", size=size, root=root, timestamp=milliseconds / 1_000)
    note, signature = sign(point, NamedKeys().signing("checkpoints"))
    assert parse_note(note) == (point, signature)
    assert is_signed(point.text.encode(), signature, LOG_KEY)
    assert not is_signed(point.text.encode() + b"x", signature, LOG_KEY)


# The process


def test_keys_are_recorded_once_and_again_when_they_change(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    zone.take([])
    zone.take([])
    assert kinds(zone) == ["key.v1"]
    monkeypatch.setitem(WRITER_KEYS, "runtime", [b"k" * 32, *WRITER_KEYS["runtime"]])
    zone.take([])
    assert kinds(zone) == ["key.v1", "key.v1"]


@pytest.mark.parametrize(("taken_at_once", "looks"), [(1, 10), (2, 1)])
async def test_events_come_together_unless_more_waits(
    zone: Zone, monkeypatch: pytest.MonkeyPatch, taken_at_once: int, looks: int
) -> None:
    monkeypatch.setattr(ingest_module, "ITEMS_POLLED", taken_at_once)
    monkeypatch.setattr(service, "ITEMS_POLLED", taken_at_once)
    monkeypatch.setattr(service, "POLL_S", 60.0)
    run, stop, ready = Run(), asyncio.Event(), asyncio.Event()
    polled: list[int] = []

    class Trickle(ListReader):
        def poll(self, limit: int) -> Iterator[Item]:
            polled.append(limit)
            if not stop.is_set():
                self.items.append(run.record(request_event(len(polled))))
            return super().poll(limit)

    task = asyncio.create_task(
        service.serve(
            reader=Trickle(), archive=zone.archive(), keys=NamedKeys(), findings=zone.findings,
            redactor=MarkingRedactor(), clock=zone.clock, stop=stop, origin=ORIGIN, writer_keys=WRITER_KEYS,
            ready=ready.set,
        )
    )  # fmt: skip
    await ready.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(polled) >= looks if taken_at_once == 1 else len(polled) == looks
    stop.set()
    await task


async def test_it_serves_until_told_to_stop_and_drains(zone: Zone) -> None:
    reader, stop, ready = ListReader(), asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(
        service.serve(
            reader=reader,
            archive=zone.archive(),
            keys=NamedKeys(),
            findings=zone.findings,
            redactor=MarkingRedactor(),
            clock=zone.clock,
            stop=stop,
            origin=ORIGIN,
            writer_keys=WRITER_KEYS,
            ready=ready.set,
        )
    )
    await ready.wait()
    run = Run()
    reader.items.extend(run.exchange(0))
    while reader.items:
        await asyncio.sleep(0.001)
    assert [entry.event["kind"] for entry in zone.reader().query(Query(request_id="request-0"))] == [
        "model.request.v1", "model.response.v1",
    ]  # fmt: skip
    reader.items.extend(item for number in range(1, 2_000) for item in run.exchange(number))
    stop.set()
    await task
    assert kinds(zone).count("model.response.v1") == 2_000
    assert parse_note(zone.reader().last_checkpoint())[0].size == zone.reader().size()


async def test_compaction_runs_beside_it(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caisson.adapters.embedded.archive.writer.JOURNAL_BYTES_MAX", 1)
    monkeypatch.setattr("caisson.adapters.embedded.archive.compaction.COMPACT_BYTES", 1)
    monkeypatch.setattr(service, "COMPACT_EVERY_S", 0.0)
    reader, stop = ListReader(), asyncio.Event()
    task = asyncio.create_task(
        service.serve(
            reader=reader,
            archive=zone.archive(),
            keys=NamedKeys(),
            findings=zone.findings,
            redactor=MarkingRedactor(),
            clock=zone.clock,
            stop=stop,
            origin=ORIGIN,
            writer_keys=WRITER_KEYS,
        )
    )
    run = Run()
    for number in range(4):
        reader.items.extend(run.exchange(number))
        while reader.items:
            await asyncio.sleep(0.001)
    while not list(zone.archive_folder.rglob("*.parquet.enc")):
        await asyncio.sleep(0.01)
    stop.set()
    await task
    assert whole(zone)
    assert kinds(zone).count("model.response.v1") == 4


async def test_a_failing_archive_ends_the_process(zone: Zone) -> None:
    class Failing(ListReader):
        def poll(self, limit: int) -> Iterator[Item]:
            raise OperatorError("no")

    with pytest.raises(OperatorError, match="no"):
        await service.serve(
            reader=Failing(), archive=zone.archive(), keys=NamedKeys(), findings=zone.findings,
            redactor=MarkingRedactor(), clock=zone.clock, stop=asyncio.Event(), origin=ORIGIN, writer_keys={},
        )  # fmt: skip


# Restart


@pytest.mark.parametrize("requests", [30, 90])
def test_a_restart_reads_the_newest_files_alone(zone: Zone, monkeypatch: pytest.MonkeyPatch, requests: int) -> None:
    monkeypatch.setattr(writer_module, "JOURNAL_BYTES_MAX", 1)
    monkeypatch.setattr(ingest_module, "BATCH_ENTRIES", 3)
    monkeypatch.setattr(ingest_module, "STATEMENTS_REMEMBERED", 6)
    run = Run()
    zone.take([item for number in range(requests) for item in run.exchange(number)])
    assert len(list((zone.archive_folder / "journal").iterdir())) >= requests
    read: list[str] = []
    frames = journal.read_frames

    def read_frames(path: Path, secret: bytes) -> Any:
        read.append(path.name)
        return frames(path, secret)

    monkeypatch.setattr(journal, "read_frames", read_frames)
    zone.take([])
    assert len(set(read)) <= 4


def test_a_frontier_that_a_kill_left_behind_grows_on_from_there(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run()
    zone.take(run.exchange(0))
    frontier = zone.tree / "frontier"
    behind, size = frontier.read_bytes(), zone.reader().size()
    zone.take(run.exchange(1))
    frontier.write_bytes(behind)  # killed between the checkpoint and its frontier
    starts: list[int] = []
    leaves = EmbeddedArchiveReader.leaves

    def recorded(archive: EmbeddedArchiveReader, start: int = 0) -> Iterator[bytes]:
        starts.append(start)
        return leaves(archive, start)

    monkeypatch.setattr(EmbeddedArchiveReader, "leaves", recorded)
    zone.take(run.exchange(2))
    assert min(starts) == size
    assert whole(zone)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 8, (1).to_bytes(8, "big") + b"x" * 32, (99).to_bytes(8, "big") + b"x" * 128]
)
def test_a_frontier_that_is_none_is_made_anew(zone: Zone, content: bytes) -> None:
    run = Run()
    zone.take(run.exchange(0))
    (zone.tree / "frontier").write_bytes(content)
    zone.take(run.exchange(1))
    assert whole(zone)


def test_keys_are_stated_again_once_the_newest_entries_do_not(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "STATEMENTS_REMEMBERED", 5)
    run = Run()
    zone.take(run.exchange(0))
    zone.take(run.exchange(1))
    assert kinds(zone).count("key.v1") == 1
    zone.take(run.exchange(2))
    zone.take([])
    assert kinds(zone).count("key.v1") == 2
    assert whole(zone)
