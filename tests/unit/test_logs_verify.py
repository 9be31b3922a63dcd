"""Every kind of problem, made on purpose, is named by `logs verify` and by the one-file verifier."""

from __future__ import annotations

import base64
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from caisson.adapters.embedded.archive import journal
from caisson.adapters.embedded.archive.journal import JournalWriter
from caisson.channels.messages import CheckpointFinding
from caisson.policy.merkle import HASH_BYTES, leaf_hash, tree_root
from caisson.ports.archive import Entry
from caisson.ports.channel import Item
from caisson.zones.z6_logging import bundle
from caisson.zones.z6_logging.checkpoints import Checkpoint, sign
from caisson.zones.z6_logging.verify import Anchor, Report, verify
from logging_zone import (
    LOG_KEY,
    ORIGIN,
    RUNTIME_KEY,
    START,
    STORE,
    ListReader,
    Run,
    Signer,
    Zone,
    fault,
    request_event,
    response_event,
)

VERIFIER = Path(__file__).parents[2] / "verifier" / "verify_logs.py"
LATER = START + 10_000

_spec = importlib.util.spec_from_file_location("verify_logs", VERIFIER)
assert _spec and _spec.loader
verify_logs = importlib.util.module_from_spec(_spec)
sys.modules["verify_logs"] = verify_logs
_spec.loader.exec_module(verify_logs)


def honest_items(exchanges: int = 6) -> list[Item]:
    run = Run()
    items = [item for number in range(exchanges) for item in run.exchange(number)]
    return [*items, run.head(closed=True)]


@pytest.fixture
def zone(tmp_path: Path) -> Zone:
    return Zone(tmp_path)


def check(zone: Zone, *, now: float = LATER, anchors: list[Anchor] | None = None) -> Report:
    return verify(zone.reader(), log_keys=[LOG_KEY], anchors=anchors or [], now=now)


def kinds(report: Report) -> set[str]:
    return {problem.kind for problem in report.problems}


def anchors_of(zone: Zone) -> list[Anchor]:
    """What the control zone was told."""
    found = [message for message in zone.findings.messages if isinstance(message, CheckpointFinding)]
    return [
        Anchor(
            checkpoint=Checkpoint(
                origin=ORIGIN, size=finding.size, root=bytes.fromhex(finding.root), timestamp=finding.timestamp
            ),
            signature=base64.b64decode(finding.signature),
        )
        for finding in found
    ]


def export(zone: Zone, *, since: float = 0.0) -> Path:
    reader = zone.reader()
    part = bundle.scope(reader, since)
    path = zone.data / "log.bundle"
    lines = bundle.lines(reader, part, log_keys=[LOG_KEY], anchors=anchors_of(zone), exported=LATER)
    path.write_bytes(b"".join(lines))
    return path


def offline(path: Path, capsys: pytest.CaptureFixture[str], *, key: bytes = LOG_KEY) -> tuple[int, set[str], str]:
    """The one-file verifier's exit code and the kinds that it names."""
    capsys.readouterr()
    code = verify_logs.main([str(path), "--key", base64.b64encode(key).decode()])
    out = capsys.readouterr().out
    return code, {line.split(":")[0] for line in out.splitlines()[:-1]}, out


# The honest log


def test_an_honest_log_is_whole(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    zone.take(honest_items())
    report = check(zone, anchors=anchors_of(zone))
    assert report.whole
    assert (report.requests, report.responses, report.open_requests) == (6, 6, 0)
    assert report.signed_size == report.size == report.entries
    assert report.anchors == 1
    assert report.unsigned_records == 0
    code, named, out = offline(export(zone), capsys)
    assert (code, named) == (0, set())
    assert "6 requests, 6 responses" in out


def test_an_honest_log_of_killed_and_restarted_writers_is_whole(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    first = Run(1)
    items = [*first.exchange(0), *first.exchange(1)[:2]]  # killed: its last two records are under no head
    second = Run(2, previous=first)
    zone.take(items)
    zone.clock.advance(5)
    zone.take([*second.exchange(2), second.head(closed=True)])
    assert check(zone).whole
    assert offline(export(zone), capsys)[0] == 0


def test_a_killed_writer_may_have_written_one_record_that_it_does_not_remember(zone: Zone) -> None:
    first = Run(1)
    items: list[Item] = list(first.exchange(0))
    forgotten = [first.record(request_event(7, deadline=LATER * 2)), first.record(request_event(8, deadline=LATER * 2))]
    remembered = Run(1)
    remembered.exchange(0)
    second = Run(2, previous=remembered)
    zone.take([*items, forgotten[0], *second.exchange(2)])
    assert check(zone).whole


def test_more_than_one_unremembered_record_is_forged(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    first = Run(1)
    items: list[Item] = list(first.exchange(0))
    extra = [first.record(request_event(n, deadline=LATER * 2)) for n in (7, 8)]
    remembered = Run(1)
    remembered.exchange(0)
    zone.take([*items, *extra, *Run(2, previous=remembered).exchange(2)])
    assert kinds(check(zone)) == {"forged"}
    assert offline(export(zone), capsys)[:2] == (1, {"forged"})


def test_the_partial_bundle_is_proved_by_the_same_checkpoint(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    zone.take(honest_items(20))
    path = export(zone, since=START + 12)
    header = json.loads(path.read_bytes().splitlines()[0])
    assert header["first"] > 10
    assert header["frontier"]
    code, named, _ = offline(path, capsys)
    assert (code, named) == (0, set())


def test_the_verifier_needs_nothing_of_caisson(zone: Zone) -> None:
    zone.take(honest_items())
    path = export(zone)
    blocked = (
        "import runpy, sys; sys.modules['caisson'] = None; sys.argv = sys.argv[1:];"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    key = base64.b64encode(LOG_KEY).decode()
    done = subprocess.run(
        [sys.executable, "-I", "-c", blocked, str(VERIFIER), str(path), "--key", key], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("whole")


# Requests and responses


def test_a_request_without_response_is_open_until_its_deadline_and_then_incomplete(
    zone: Zone, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run()
    zone.take([run.record(request_event(0)), run.head()])
    early, late = check(zone, now=START + 59), check(zone, now=START + 61)
    assert early.whole
    assert early.open_requests == 1
    assert kinds(late) == {"incomplete"}
    assert offline(export(zone), capsys)[0] == 0  # at the checkpoint's time it was open
    zone.clock.advance(100)
    zone.take(Run(1, writer="runtime-1").exchange(5))
    assert offline(export(zone), capsys)[:2] == (1, {"incomplete"})


def test_a_response_without_request_is_incomplete(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run()
    request, response, _ = run.exchange(0)
    other = Run(1, writer="runtime-1")
    zone.take([request, response, run.head(), *other.exchange(1), other.record(response.message), other.head()])  # type: ignore[union-attr]
    report = check(zone)
    assert kinds(report) == {"incomplete"}
    assert "request-0" in report.problems[0].detail
    assert offline(export(zone), capsys)[:2] == (1, {"incomplete"})


def test_a_survivor_that_takes_an_answered_request_for_lost_is_no_second_response(
    zone: Zone, capsys: pytest.CaptureFixture[str]
) -> None:
    survivor = Run(1, writer="runtime-1")
    lost = response_event(0, message_id="lost-request-0", outcome="lost")
    zone.take([*Run().exchange(0), survivor.record(lost), survivor.head()])
    report = check(zone)
    assert report.whole
    assert report.responses == 1
    assert offline(export(zone), capsys)[0] == 0


# What a hand with the zone's own keys does to the archive


@dataclass
class Stored:
    """The archive's entries as an attacker with the store key rewrites them."""

    zone: Zone

    def entries(self) -> list[Entry]:
        return [item for item in self.zone.reader().scan() if isinstance(item, Entry)]

    def replace(self, entries: list[Entry]) -> None:
        folder = self.zone.archive_folder / "journal"
        for path in folder.iterdir():
            path.unlink()
        writer = JournalWriter(folder, STORE, first=0, day="20270115", now=START, positions={})
        writer.append([entry.leaf for entry in entries])
        writer.close()


def edit(entries: list[Entry]) -> list[Entry]:
    at = next(n for n, entry in enumerate(entries) if entry.event["kind"] == "model.response.v1")
    changed = replace(entries[at], event={**entries[at].event, "output_text": "nothing to see"})
    return [*entries[:at], changed, *entries[at + 1 :]]


def delete(entries: list[Entry]) -> list[Entry]:
    return [*entries[:4], *entries[5:]]


def reorder(entries: list[Entry]) -> list[Entry]:
    return [*entries[:4], entries[5], entries[4], *entries[6:]]


def truncate(entries: list[Entry]) -> list[Entry]:
    return entries[:-3]


def replay(entries: list[Entry]) -> list[Entry]:
    return [*entries, entries[3]]


TAMPERING: list[tuple[str, Callable[[list[Entry]], list[Entry]]]] = [
    ("edited", edit), ("missing", delete), ("reordered", reorder), ("truncated", truncate), ("replayed", replay),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "tamper"), TAMPERING)
def test_tampering_with_entries_is_named(
    zone: Zone, capsys: pytest.CaptureFixture[str], kind: str, tamper: Callable[[list[Entry]], list[Entry]]
) -> None:
    zone.take(honest_items())
    stored = Stored(zone)
    before = stored.entries()
    stored.replace(tamper(before))
    report = check(zone)
    assert not report.whole
    assert report.problems[0].kind == kind
    assert offline(export(zone), capsys)[0] == 1
    assert kind in offline(export(zone), capsys)[1]


def test_a_problem_says_where(zone: Zone) -> None:
    zone.take(honest_items())
    stored = Stored(zone)
    entries = stored.entries()
    stored.replace([*entries[:4], *entries[7:]])
    report = check(zone)
    assert [(p.kind, p.place) for p in report.problems if p.kind == "missing" and p.where == "entry"] == [
        ("missing", "entry 4 to 6")
    ]


def test_flipping_any_byte_of_the_journal_is_noticed(zone: Zone) -> None:
    zone.take(honest_items(2))
    (path,) = (zone.archive_folder / "journal").iterdir()
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        report = check(zone)
        assert not report.whole, at
        assert kinds(report) <= {"edited", "missing", "truncated"}


def test_cutting_the_journal_anywhere_is_noticed(zone: Zone) -> None:
    zone.take(honest_items(2))
    (path,) = (zone.archive_folder / "journal").iterdir()
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:at])
        assert "truncated" in kinds(check(zone)) or "edited" in kinds(check(zone)), at


def test_entries_and_leaves_rewritten_together_still_miss_the_signed_root(
    zone: Zone, capsys: pytest.CaptureFixture[str]
) -> None:
    zone.take(honest_items())
    stored = Stored(zone)
    entries = edit(stored.entries())
    stored.replace(entries)
    (zone.tree / "leaves").write_bytes(b"".join(entry.leaf_hash for entry in entries))
    report = check(zone)
    assert kinds(report) == {"edited"}
    assert report.problems[0].where == "checkpoint"
    assert offline(export(zone), capsys)[:2] == (1, {"edited"})


def forged_log(zone: Zone, entries: list[Entry], signer: Signer) -> None:
    """Everything in the logging zone rewritten consistently, signed with the given key."""
    Stored(zone).replace(entries)
    hashes = [entry.leaf_hash for entry in entries]
    (zone.tree / "leaves").write_bytes(b"".join(hashes))
    point = Checkpoint(origin=ORIGIN, size=len(hashes), root=tree_root(hashes), timestamp=START)
    (zone.tree / "checkpoints").write_text(sign(point, signer)[0])


def test_a_checkpoint_under_another_key_is_forged(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    zone.take(honest_items())
    forged_log(zone, edit(Stored(zone).entries()), Signer("somebody else"))
    assert "forged" in kinds(check(zone))
    assert "forged" in offline(export(zone), capsys)[1]


def test_a_log_rewritten_with_its_own_keys_is_caught_by_the_writers_and_by_the_anchors(
    zone: Zone, capsys: pytest.CaptureFixture[str]
) -> None:
    zone.take(honest_items())
    entries = Stored(zone).entries()
    at = next(n for n, entry in enumerate(entries) if entry.sequence == 3)
    swapped = replace(entries[at], digest="00" * 32, event={**entries[at].event, "output_text": "invented"})
    forged_log(zone, [*entries[:at], swapped, *entries[at + 1 :]], Signer("logging checkpoints"))
    assert kinds(check(zone)) == {"forged"}  # the writer never signed that digest
    assert kinds(check(zone, anchors=anchors_of(zone))) == {"forged", "edited"}  # and another zone knows another root
    assert offline(export(zone), capsys)[:2] == (1, {"forged", "edited"})


def test_an_invented_event_that_no_record_stands_behind_is_forged(
    zone: Zone, capsys: pytest.CaptureFixture[str]
) -> None:
    zone.take(honest_items())
    entries = Stored(zone).entries()
    invented = replace(entries[1], index=len(entries), sequence=-1, digest="")
    forged_log(zone, [*entries, invented], Signer("logging checkpoints"))
    assert "forged" in kinds(check(zone))
    assert "forged" in offline(export(zone), capsys)[1]


def test_a_log_cut_off_with_its_checkpoints_is_caught_by_the_anchors(zone: Zone) -> None:
    run = Run()
    zone.take([item for number in range(3) for item in run.exchange(number)])
    saved = {path: path.read_bytes() for path in zone.zone.rglob("*") if path.is_file()}
    zone.clock.advance(5)
    zone.take([item for number in range(3, 6) for item in run.exchange(number)])
    for path in zone.zone.rglob("*"):
        if path.is_file() and path not in saved:
            path.unlink()
    for path, content in saved.items():
        path.write_bytes(content)
    assert check(zone).whole  # consistent in itself
    report = check(zone, anchors=anchors_of(zone))
    assert kinds(report) == {"truncated"}


def test_missing_checkpoints_are_caught_by_the_anchors(zone: Zone) -> None:
    zone.take(honest_items())
    (zone.tree / "checkpoints").write_bytes(b"")
    assert kinds(check(zone, anchors=anchors_of(zone))) == {"truncated"}


def test_a_leaf_file_cut_short_is_truncated(zone: Zone) -> None:
    zone.take(honest_items())
    path = zone.tree / "leaves"
    path.write_bytes(path.read_bytes()[: -2 * HASH_BYTES])
    assert kinds(check(zone)) == {"truncated"}


def test_checkpoints_repeated_swapped_or_scribbled_on_are_named(zone: Zone) -> None:
    run = Run()
    for number in range(3):
        zone.take(run.exchange(number))
        zone.clock.advance(5)
    path = zone.tree / "checkpoints"
    notes = path.read_text().split("\n\n\u2014")
    notes = list(zone.reader().checkpoints())
    assert len(notes) == 3
    path.write_text("".join([*notes, notes[-1]]))
    assert kinds(check(zone)) == {"replayed"}
    path.write_text("".join([notes[0], notes[2], notes[1]]))
    assert kinds(check(zone)) == {"reordered"}
    path.write_text("".join([notes[0], notes[1].replace("timestamp", "stamp"), notes[2]]))
    assert kinds(check(zone)) == {"edited"}
    path.write_text("".join([notes[0], notes[1].replace("timestamp 1", "timestamp 2"), notes[2]]))
    assert kinds(check(zone)) == {"forged"}


def test_a_forged_anchor_is_named(zone: Zone) -> None:
    zone.take(honest_items())
    (anchor,) = anchors_of(zone)
    assert kinds(check(zone, anchors=[replace(anchor, signature=bytes(64))])) == {"forged"}


# What a writer or the channel did


def test_a_gap_in_a_writers_chain_is_missing(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    items = honest_items()
    zone.take([item for n, item in enumerate(items) if n not in (3, 4)])
    report = check(zone)
    assert kinds(report) == {"missing"}
    assert report.problems[0].place == "runtime-0/0000000000000000 record 2 to 3"
    assert offline(export(zone), capsys)[:2] == (1, {"missing"})


def test_a_tail_that_the_next_run_remembers_is_missing(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    first = Run(1)
    items = [*first.exchange(0), *first.exchange(1)]
    zone.take([*items[:3], *Run(2, previous=first).exchange(2)])
    assert kinds(check(zone)) == {"missing"}
    assert offline(export(zone), capsys)[:2] == (1, {"missing"})


def test_a_run_that_vanished_whole_is_missing(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    first = Run(1)
    first.exchange(0)
    zone.take(Run(2, previous=first).exchange(2))
    assert kinds(check(zone)) == {"missing"}
    assert offline(export(zone), capsys)[:2] == (1, {"missing"})


def test_heads_under_another_key_or_with_another_chain_are_forged(
    zone: Zone, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run()
    zone.take([*run.exchange(0), run.head(closed=True, key=Signer("somebody else"))])
    assert kinds(check(zone)) == {"forged"}
    assert offline(export(zone), capsys)[:2] == (1, {"forged"})


def test_a_record_behind_a_closed_head_is_forged(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run()
    items: list[Item] = [*run.exchange(0), run.head(closed=True)]
    zone.take([*items, *run.exchange(1)])
    assert "forged" in kinds(check(zone))
    assert "forged" in offline(export(zone), capsys)[1]


@pytest.mark.parametrize("kind", ["forged", "damaged", "missing", "replayed", "reordered"])
def test_faults_of_the_channel_are_archived_and_reported(
    zone: Zone, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    zone.take([*honest_items(), fault(kind)])
    report = check(zone)
    assert kinds(report) == {kind}
    assert "segment 3" in report.problems[0].place
    assert offline(export(zone), capsys)[:2] == (1, {kind})


# Bundles changed on their way


def bundle_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def write_bundle(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("edited", lambda e: [*e[:5], {"entry": e[5]["entry"].replace("alice", "mallory")}, *e[6:]]),
        ("edited", lambda e: [*e[:5], {"entry": "{}"}, *e[6:]]),
        ("missing", lambda e: [*e[:5], *e[6:]]),
        ("reordered", lambda e: [*e[:5], e[6], e[5], *e[7:]]),
        ("truncated", lambda e: e[:-2]),
        ("replayed", lambda e: [*e, e[5]]),
    ],
)
def test_a_bundle_changed_on_its_way_is_broken(
    zone: Zone, capsys: pytest.CaptureFixture[str], kind: str, change: Callable[[list[Any]], list[Any]]
) -> None:
    zone.take(honest_items())
    path = export(zone)
    lines = bundle_lines(path)
    entries = [line for line in lines if "entry" in line]
    write_bundle(path, [*(line for line in lines if "entry" not in line), *change(entries)])
    code, named, _ = offline(path, capsys)
    assert code == 1
    assert kind in named


def test_a_bundle_under_another_key_is_forged(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    zone.take(honest_items())
    assert "forged" in offline(export(zone), capsys, key=Signer("expected").public_bytes)[1]


def test_leaves_and_entries_added_to_a_bundle_are_forged(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    zone.take(honest_items())
    path = export(zone)
    lines = bundle_lines(path)
    extra = json.loads(lines[-1]["entry"]) | {"index": json.loads(lines[-1]["entry"])["index"] + 1}
    text = json.dumps(extra, separators=(",", ":"), sort_keys=True)
    lines.insert(2, {"leaves": base64.b64encode(leaf_hash(text.encode())).decode()})
    write_bundle(path, [*lines, {"entry": text}])
    assert "forged" in offline(path, capsys)[1]


@pytest.mark.parametrize("content", ["", "{}\n", "[]\n", "not json\n", '{"format":"other"}\n', "[" * 100_000 + "\n"])
def test_what_is_no_bundle_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    path = tmp_path / "x.bundle"
    path.write_text(content)
    assert verify_logs.main([str(path)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_verifier_says_when_it_had_to_trust_the_bundles_own_key(
    zone: Zone, capsys: pytest.CaptureFixture[str]
) -> None:
    zone.take(honest_items())
    assert verify_logs.main([str(export(zone))]) == 0
    assert base64.b64encode(LOG_KEY).decode() in capsys.readouterr().err


def test_verification_may_run_while_the_log_grows(zone: Zone) -> None:
    zone.take(honest_items(2))
    reader = zone.reader()
    grown = Run(9, writer="runtime-1")

    def grow(_done: int, _total: int) -> None:
        if grown.sequence == 0:
            zone.clock.advance(5)
            zone.take([], ListReader(grown.exchange(50)))

    scan = reader.scan

    def scan_while_growing() -> Any:
        grow(0, 0)
        yield from scan()

    reader.scan = scan_while_growing  # type: ignore[method-assign]
    assert verify(reader, log_keys=[LOG_KEY], now=LATER).whole


def test_the_journal_holds_no_plaintext(zone: Zone) -> None:
    run = Run()
    zone.take([run.record(request_event(0, input_text="canary-7f3a9c41")), run.head()])
    for path in zone.data.rglob("*"):
        if path.is_file():
            assert b"canary-7f3a9c41" not in path.read_bytes()
            assert b"alice" not in path.read_bytes()
    (path,) = (zone.archive_folder / "journal").iterdir()
    assert any(b"canary-7f3a9c41" in leaf for _, leaves in journal.read_frames(path, STORE) for leaf in leaves)  # type: ignore[misc]
    assert RUNTIME_KEY.key_id


def test_nothing_from_a_bundle_reaches_the_terminal_raw(zone: Zone, capsys: pytest.CaptureFixture[str]) -> None:
    zone.take([*honest_items(), replace(fault(), detail="\x1b[2J\u202e")])
    out = offline(export(zone), capsys)[2]
    assert "damaged" in out
    assert "\x1b" not in out
    assert "\u202e" not in out
