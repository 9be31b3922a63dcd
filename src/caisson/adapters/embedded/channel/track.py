"""How far a reader is with one writer, and what the next thing on the channel means. Pure: values in, findings out.

Only what was authenticated comes here. Each function returns the new `Track` and the `Finding`s on the way. Faults:

- `missing`: records that a later record, head or header speaks of were not there; a segment was cut or vanished.
- `damaged`: bytes that the writer wrote whole cannot be read as frames.
- `reordered`: a record or head stands after something that was written later.
- `replayed`: a record, head or segment that was read before comes again.
- `forged`: signed by the right key and yet contradicts what that key signed before.

A torn write at the end of a killed writer's segment is none of these: the next header says where whole writes ended.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from caisson.adapters.embedded.channel.segment import Header, Record
from caisson.channels.chain import GENESIS, extend
from caisson.ports.channel import ChainHead

GAPS_MAX = 64
"""Gaps of one incarnation that are remembered, to tell late records from repeated ones. The oldest are forgotten first,
after they were reported."""
INCARNATIONS_MAX = 64
"""Earlier incarnations whose length the writer has not confirmed yet. More mean that it restarts without end."""

FaultKind = Literal["forged", "damaged", "missing", "replayed", "reordered"]


class Finding(NamedTuple):
    """A fault before it has a place."""

    kind: FaultKind
    detail: str


class Gap(msgspec.Struct, frozen=True, array_like=True):
    """Sequences from `start` up to `stop` that were not read."""

    start: int
    stop: int
    reported: bool


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """Where an incarnation's records ended, as far as they were read."""

    incarnation: str
    length: int
    chain: bytes
    chain_before: bytes
    """Chain value before the last record: a killed writer remembers one record less than it wrote."""


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """Position in one writer's chain."""

    segment: str = ""
    """Name of the segment that is read; empty before the first."""
    offset: int = 0
    """Bytes of it that were read."""
    incarnation: str = ""
    length: int = 0
    """Sequence of the next record."""
    chain: bytes = GENESIS
    chain_before: bytes = GENESIS
    head_length: int = -1
    """Length in the last head of this incarnation."""
    closed: bool = False
    """The writer said that nothing follows in this incarnation."""
    unreadable: int = 0
    """Frames since the last good record that may have been records: they explain as many missing sequences."""
    stuck: bool = False
    """Nothing after `offset` in this segment can be read; that was reported."""
    deleted: bool = False
    """The segment was read whole and deleted although no other follows yet."""
    gaps: tuple[Gap, ...] = ()
    earlier: tuple[Tail, ...] = ()

    @property
    def tail(self) -> Tail:
        """Where the current incarnation ends so far."""
        return Tail(incarnation=self.incarnation, length=self.length, chain=self.chain, chain_before=self.chain_before)


Step = tuple[Track, list[Finding]]


def enter(track: Track, header: Header, header_end: int) -> Step:
    """Begin the next segment of the same or of a later incarnation."""
    findings: list[Finding] = []
    if header.incarnation != track.incarnation:
        track, findings = _begin_incarnation(track, header)
    elif track.closed:
        findings = [Finding("forged", "a segment after the head that closed its incarnation")]
    track = replace(track, segment=str(header.name), offset=header_end, stuck=False, deleted=False)
    ahead = header.start_length - track.length
    if ahead > 0:
        track = _skip(track, header.start_length, header.start_chain)
    elif ahead < 0 or header.start_chain != track.chain:
        findings.append(Finding("forged", f"header starts at another record {header.start_length} than was read"))
    track, missing = _report_gaps(track)
    return track, findings + missing


def _begin_incarnation(track: Track, header: Header) -> Step:
    previous = header.previous_incarnation
    tails = [*track.earlier, track.tail] if track.length else list(track.earlier)
    findings = [
        Finding("missing", f"the writer remembers nothing of incarnation {tail.incarnation}: a cut after record"
                f" {tail.length - 1} could not be told")
        for tail in tails if tail.incarnation > previous and _forgotten(tail, header)
    ]  # fmt: skip
    if previous:
        findings += _check_previous(next((tail for tail in tails if tail.incarnation == previous), None), header)
    kept = tuple(tail for tail in tails if tail.incarnation >= previous)[-INCARNATIONS_MAX:]
    return Track(incarnation=header.incarnation, earlier=kept), findings


def _forgotten(tail: Tail, header: Header) -> bool:
    """Whether a header should have named this incarnation, as its previous one or by its last segment, and does not.

    One record can have been written and not been remembered; after a power cut of the machine even more, but then the
    last segment is still named.
    """
    return tail.length > 1 and f".{tail.incarnation}." not in header.last_segment


def _check_previous(tail: Tail | None, header: Header) -> list[Finding]:
    length, read = header.previous_length, tail.length if tail else 0
    if read < length:
        return [Finding("missing", f"records {read} to {length - 1} of incarnation {header.previous_incarnation}")]
    expected = {0: tail.chain, 1: tail.chain_before}.get(read - length) if tail else None
    if expected is not None and expected != header.previous_chain:
        return [Finding("forged", f"header names another chain value for incarnation {header.previous_incarnation}")]
    return []


def record(track: Track, found: Record) -> tuple[Track, bool, list[Finding]]:
    """An authentic record; the flag says whether it is new and goes on to the consumer."""
    sequence = found.sequence
    if sequence < track.length:
        return _late(track, sequence)
    findings: list[Finding] = []
    if track.closed:
        findings.append(Finding("forged", "a record after the head that closed its incarnation"))
    if sequence > track.length:
        track = _skip(track, sequence, found.chain)
        if len(track.gaps) > GAPS_MAX:
            track, missing = _report_gaps(track)
            findings += missing
    elif found.chain != track.chain:
        findings.append(Finding("forged", f"record {sequence} continues another chain than the one that was read"))
    return (
        replace(
            track,
            length=sequence + 1,
            chain=extend(found.chain, found.digest),
            chain_before=found.chain,
            unreadable=0,
        ),
        True,
        findings,
    )


def _late(track: Track, sequence: int) -> tuple[Track, bool, list[Finding]]:
    for index, gap in enumerate(track.gaps):
        if gap.start <= sequence < gap.stop:
            parts = (Gap(gap.start, sequence, gap.reported), Gap(sequence + 1, gap.stop, gap.reported))
            kept = tuple(part for part in parts if part.start < part.stop)
            track = replace(track, gaps=track.gaps[:index] + kept + track.gaps[index + 1 :])
            return track, True, [Finding("reordered", f"record {sequence} stands after record {track.length - 1}")]
    return track, False, [Finding("replayed", f"record {sequence} was read before")]


def head(track: Track, found: ChainHead) -> tuple[Track, bool, list[Finding]]:
    """An authentic head of this incarnation; the flag says whether it is new and goes on to the consumer."""
    news = found.length > track.head_length or (found.closed and not track.closed)
    if not news:
        return track, False, [Finding("replayed", f"the head of length {found.length} was read before")]
    findings: list[Finding] = []
    if found.length < track.length:
        findings.append(
            Finding("reordered", f"the head of length {found.length} stands after record {track.length - 1}")
        )
    elif found.length > track.length:
        track = _skip(track, found.length, bytes.fromhex(found.chain))
    elif found.chain != track.chain.hex():
        findings.append(Finding("forged", f"the head of length {found.length} names another chain value than was read"))
    track, missing = _report_gaps(track)
    track = replace(
        track, head_length=max(found.length, track.head_length), closed=track.closed or found.closed, unreadable=0
    )
    return track, True, findings + missing


def unreadable(track: Track) -> Track:
    """A frame that may have been a record failed."""
    return replace(track, unreadable=track.unreadable + 1)


def leave(track: Track, successor: Header, size: int | None) -> Step:
    """The writer moved on: nothing more comes in this segment, of which `size` bytes are there (None: it vanished)."""
    findings: list[Finding] = []
    end = successor.last_end if successor.last_segment == track.segment else 0
    if not (track.stuck or track.deleted) and track.offset < end:
        if size is None:
            findings.append(Finding("missing", f"the segment vanished after byte {track.offset} of {end}"))
        elif size < end:
            findings.append(Finding("missing", f"the segment was cut at byte {size} of {end}"))
        else:
            findings.append(Finding("damaged", f"no frame can be read in {end - track.offset} bytes"))
    track, missing = _report_gaps(track)
    return track, findings + missing


def _skip(track: Track, to: int, chain: bytes) -> Track:
    """Go on at sequence `to` without the records before it."""
    explained = track.unreadable >= to - track.length
    gaps = (*track.gaps, Gap(track.length, to, explained))
    return replace(track, length=to, chain=chain, chain_before=GENESIS, gaps=gaps, unreadable=0)


def _report_gaps(track: Track) -> Step:
    findings = [
        Finding(
            "missing", f"records {gap.start} to {gap.stop - 1}" if gap.stop - gap.start > 1 else f"record {gap.start}"
        )
        for gap in track.gaps
        if not gap.reported
    ]
    if not findings:
        return track, findings
    return replace(track, gaps=tuple(Gap(gap.start, gap.stop, True) for gap in track.gaps[-GAPS_MAX:])), findings
