"""What the next thing on a channel means: cases that only a lying zone, a race or a lost disk could bring about."""

from __future__ import annotations

from dataclasses import replace as with_fields
from pathlib import Path

import pytest
from msgspec.structs import replace

from caisson.adapters.embedded.channel import track as tracks
from caisson.adapters.embedded.channel.segment import FRAME_HEADER_BYTES as BEFORE_PAYLOAD
from caisson.adapters.embedded.channel.segment import HEAD_BYTES_MAX, Header, Record, by_key_id, head_frame, open_head
from caisson.adapters.embedded.channel.track import Finding, Track
from caisson.channels.chain import GENESIS, extend
from caisson.ports.channel import ChainHead
from caisson.ports.keys import SigningKey
from channel_world import zone_keys

FIRST, SECOND, THIRD = (f"{number:016x}" for number in (1, 2, 3))
HEADER = Header(
    channel="events",
    writer="runtime-0",
    incarnation=FIRST,
    number=0,
    previous_incarnation="",
    previous_length=0,
    previous_chain=GENESIS,
    last_segment="",
    last_end=0,
    start_length=0,
    start_chain=GENESIS,
    reader_key_id="",
    writer_key_id="",
    sealed_key=b"",
)
CLOSING = ChainHead(
    writer="runtime-0",
    incarnation=FIRST,
    previous_incarnation="",
    previous_length=0,
    previous_chain=GENESIS.hex(),
    length=0,
    chain=GENESIS.hex(),
    closed=True,
    key_id="",
    signature="",
)


def after(count: int, track: Track | None = None) -> Track:
    """The track after so many records."""
    if track is None:
        track, _ = tracks.enter(Track(), HEADER, 100)
    for _ in range(count):
        record = Record(sequence=track.length, chain=track.chain, plaintext=b"", digest=bytes([track.length]) * 32)
        track, new, findings = tracks.record(track, record)
        assert new
        assert findings == []
    return track


def kinds(findings: list[Finding]) -> list[str]:
    return [finding.kind for finding in findings]


def test_the_chain_is_the_ports_chain() -> None:
    chain = GENESIS
    for number in range(3):
        chain = extend(chain, bytes([number]) * 32)
    assert after(3).chain == chain


@pytest.mark.parametrize(("length", "same_chain"), [(2, False), (1, True), (1, False)])
def test_a_header_that_contradicts_what_was_read_is_forged(length: int, same_chain: bool) -> None:
    track = after(2)
    chain = track.chain if same_chain else b"x" * 32
    header = replace(HEADER, number=1, start_length=length, start_chain=chain)
    _, findings = tracks.enter(track, header, 100)
    assert kinds(findings) == ["forged"]


def test_a_record_that_continues_another_chain_is_forged() -> None:
    record = Record(sequence=2, chain=b"x" * 32, plaintext=b"", digest=bytes(32))
    _, new, findings = tracks.record(after(2), record)
    assert new
    assert kinds(findings) == ["forged"]


def test_a_head_that_names_another_chain_is_forged() -> None:
    _, new, findings = tracks.head(after(2), with_fields(CLOSING, length=2, chain="00" * 32))
    assert new
    assert kinds(findings) == ["forged"]


def test_nothing_follows_the_closing_head() -> None:
    track = after(2)
    track, _, findings = tracks.head(track, with_fields(CLOSING, length=2, chain=track.chain.hex()))
    assert findings == []
    _, findings = tracks.enter(track, replace(HEADER, number=1, start_length=2, start_chain=track.chain), 100)
    assert kinds(findings) == ["forged"]
    _, _, findings = tracks.record(track, Record(sequence=2, chain=track.chain, plaintext=b"", digest=bytes(32)))
    assert kinds(findings) == ["forged"]


@pytest.mark.parametrize(
    ("read", "remembered", "chain", "expected"),
    [
        (3, 3, "last", []),
        (3, 2, "before", []),  # killed between writing and remembering
        (3, 2, "last", ["forged"]),
        (3, 3, "before", ["forged"]),
        (9, 3, "any", []),  # the machine lost power: the records outlived the memory of them
        (3, 5, "any", ["missing"]),
        (0, 5, "any", ["missing"]),
    ],
)
def test_the_next_incarnation_says_how_far_this_one_went(
    read: int, remembered: int, chain: str, expected: list[str]
) -> None:
    track = after(read)
    value = {"last": track.chain, "before": track.chain_before, "any": b"x" * 32}[chain]
    header = replace(
        HEADER, incarnation=SECOND, previous_incarnation=FIRST, previous_length=remembered, previous_chain=value
    )
    entered, findings = tracks.enter(track, header, 100)
    assert kinds(findings) == expected
    assert (entered.incarnation, entered.length, entered.chain) == (SECOND, 0, GENESIS)


@pytest.mark.parametrize(
    ("read", "last_segment", "expected"),
    [
        (1, "", []),  # the very first record can be written and not remembered
        (2, "", ["missing"]),
        (2, f"runtime-0.{FIRST}.00000000.segment", []),
        (2, f"runtime-0.{SECOND}.00000000.segment", ["missing"]),
    ],
)
def test_an_incarnation_that_the_writer_forgot_is_missing(read: int, last_segment: str, expected: list[str]) -> None:
    header = replace(HEADER, incarnation=THIRD, last_segment=last_segment)
    _, findings = tracks.enter(after(read), header, 100)
    assert kinds(findings) == expected


def test_an_incarnation_is_remembered_until_a_later_one_confirms_it() -> None:
    """Two lives of one record each, killed before they could remember it: the third still speaks of the first."""
    first = after(3)
    says = {"previous_incarnation": FIRST, "previous_length": 3, "previous_chain": first.chain}
    second, findings = tracks.enter(first, replace(HEADER, incarnation=SECOND, **says), 100)
    assert findings == []
    _, findings = tracks.enter(after(1, second), replace(HEADER, incarnation=THIRD, **says), 100)
    assert findings == []
    says["previous_length"] = 4
    _, findings = tracks.enter(after(1, second), replace(HEADER, incarnation=THIRD, **says), 100)
    assert kinds(findings) == ["missing"]


def test_more_gaps_than_are_remembered_are_all_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracks, "GAPS_MAX", 2)
    track, reported = after(0), []
    for sequence in (1, 3, 5, 7, 9):
        track, _, findings = tracks.record(
            track, Record(sequence=sequence, chain=bytes(32), plaintext=b"", digest=bytes(32))
        )
        reported += findings
        assert len(track.gaps) <= 3
    _, findings = tracks.leave(track, replace(HEADER, number=1), 100)
    assert sorted(finding.detail for finding in reported + findings) == [f"record {n}" for n in (0, 2, 4, 6, 8)]


def test_a_record_in_a_gap_is_late_once_and_then_repeated() -> None:
    track = after(1)
    track, _, _ = tracks.record(track, Record(sequence=4, chain=bytes(32), plaintext=b"", digest=bytes(32)))
    late = Record(sequence=2, chain=bytes(32), plaintext=b"", digest=bytes(32))
    track, new, findings = tracks.record(track, late)
    assert new
    assert kinds(findings) == ["reordered"]
    track, new, findings = tracks.record(track, late)
    assert not new
    assert kinds(findings) == ["replayed"]
    _, findings = tracks.leave(track, replace(HEADER, number=1), 100)
    assert [finding.detail for finding in findings] == ["record 1", "record 3"]


# Heads, byte for byte


@pytest.fixture
def signing(tmp_path: Path) -> SigningKey:
    return zone_keys(tmp_path, "runtime").signing("channel")


def payload(signing: SigningKey, head: ChainHead, text: bytes | None = None) -> bytes:
    text = text or head.signed_text
    return signing.sign(text) + text


def test_a_head_is_read_as_it_was_signed(signing: SigningKey) -> None:
    head = with_fields(CLOSING, key_id=signing.key_id)
    head = with_fields(head, signature=signing.sign(head.signed_text).hex())
    assert open_head(head_frame(head)[BEFORE_PAYLOAD:], by_key_id((signing.public_bytes,))) == head


def test_a_head_of_an_unknown_key_is_none(signing: SigningKey) -> None:
    head = with_fields(CLOSING, key_id=signing.key_id)
    assert open_head(payload(signing, head), {}) is None
    assert (
        open_head(payload(signing, with_fields(CLOSING, key_id="0" * 16)), by_key_id((signing.public_bytes,))) is None
    )


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (b"\n0\n", b"\n00\n"),
        (b"\n0\n", b"\n+0\n"),
        (b"closed", b"Closed"),
        (b"head v1", b"head v2"),
        (b"\n0\n", b"\nx\n"),
    ],
)
def test_a_head_that_says_it_in_another_way_is_none_although_it_is_signed(
    signing: SigningKey, part: bytes, other: bytes
) -> None:
    """One meaning, one text: what an auditor recomputes is what the key signed."""
    head = with_fields(CLOSING, key_id=signing.key_id)
    text = head.signed_text.replace(part, other, 1)
    assert text != head.signed_text
    publics = by_key_id((signing.public_bytes,))
    assert open_head(payload(signing, head), publics) is not None
    assert open_head(payload(signing, head, text), publics) is None
    assert open_head(payload(signing, head, head.signed_text + b"\nmore"), publics) is None


def test_a_head_is_short(signing: SigningKey) -> None:
    head = with_fields(CLOSING, key_id=signing.key_id, writer="x" * HEAD_BYTES_MAX)
    assert open_head(payload(signing, head), by_key_id((signing.public_bytes,))) is None
