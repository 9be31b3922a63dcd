"""The copy of the log in S3: the same log, whole from the buckets alone, and what is done to the buckets is told."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_gate import DEAF, LATE_FAILURE, LOST
from bucket_world import Buckets
from caisson.adapters.aws.api.objects import Objects
from caisson.adapters.aws.archive import ArchiveCopy, CopiedArchiveReader, copy, layout
from caisson.adapters.embedded.archive import EmbeddedArchiveReader
from caisson.channels.retention import DAYS, class_of, classes
from caisson.errors import OperatorError
from caisson.ports.archive import Entry, Query, Unreadable
from caisson.zones.z6_logging.checkpoints import parse_note
from caisson.zones.z6_logging.verify import Report, verify
from logging_zone import LOG_KEY, Run, Zone

DAY_S = 86_400


class Ends:
    """A log, a bucket for each class, and a copy between them."""

    def __init__(self, root: Path, buckets: Buckets) -> None:
        self.buckets, self.zone = buckets, Zone(root)
        self.names = {each: buckets.made(root / each) for each in classes()}
        self.run, self.number = Run(), 0

    def grow(self, exchanges: int = 3) -> None:
        """The log has that many exchanges more, signed."""
        items = [item for _ in range(exchanges) for item in self.run.exchange(self._next())]
        self.zone.take(items)

    def _next(self) -> int:
        self.number += 1
        return self.number

    def objects(self) -> dict[str, Objects]:
        return {each: self.buckets.objects(name) for each, name in self.names.items()}

    def copier(self) -> ArchiveCopy:
        reader = self.zone.reader()
        memory = self.zone.zone / "copy.json"
        return ArchiveCopy(
            reader, self.objects(), memory, self.zone.clock, signed_size=lambda note: parse_note(note)[0].size
        )

    def settle(self, *, force: bool = True, by: ArchiveCopy | None = None) -> int:
        async def run() -> int:
            copier = by or self.copier()
            try:
                return await copier.settle(force=force)
            finally:
                await copier.close()

        return asyncio.run(run())

    def local(self) -> EmbeddedArchiveReader:
        return self.zone.reader()

    def reading(self, act: Callable[[CopiedArchiveReader], Any]) -> Any:
        reader = CopiedArchiveReader(self.objects, self.zone.clock)
        try:
            return act(reader)
        finally:
            reader.close()

    def verified(self) -> Report:
        now = self.zone.clock.now()
        report: Report = self.reading(lambda reader: verify(reader, log_keys=[LOG_KEY], now=now))
        return report

    def kinds(self) -> set[str]:
        return {problem.kind for problem in self.verified().problems}

    def held(self, class_: str) -> list[str]:
        listed = self.buckets.client.list_objects_v2(Bucket=self.names[class_]).get("Contents", [])
        return [one["Key"] for one in listed]

    def put(self, class_: str, name: str, content: bytes) -> None:
        self.buckets.client.put_object(Bucket=self.names[class_], Key=name, Body=content)

    def content(self, class_: str, name: str) -> bytes:
        found: bytes = self.buckets.client.get_object(Bucket=self.names[class_], Key=name)["Body"].read()
        return found


@pytest.fixture
def ends(tmp_path: Path, buckets: Buckets) -> Iterator[Ends]:
    buckets.gate.calls.clear()
    yield Ends(tmp_path, buckets)
    buckets.gate.faults.clear()


def test_the_copy_is_the_same_log(ends: Ends) -> None:
    for _ in range(3):
        ends.grow()
        ends.settle()
    here = ends.local()
    entries = list(here.scan())
    assert ends.reading(lambda there: list(there.scan())) == entries
    assert ends.reading(lambda there: list(there.entries_from(4))) == entries[4:]
    assert ends.reading(lambda there: list(there.leaves(3))) == list(here.leaves(3))
    assert ends.reading(lambda there: there.size()) == here.size() == len(entries)
    assert ends.reading(lambda there: there.last_checkpoint()) == here.last_checkpoint()
    assert set(ends.reading(lambda there: list(there.checkpoints()))) <= set(here.checkpoints())
    report = ends.verified()
    assert report.whole and report.entries == report.signed_size == len(entries)


@pytest.mark.parametrize(
    "query",
    [
        Query(), Query(limit=2), Query(limit=0), Query(request_id="request-3"), Query(session_id="session-1"),
        Query(kind="model.response.v1", limit=1), Query(user="alice", start=6), Query(user="nobody"),
        Query(since=1_800_000_004.0, until=1_800_000_006.0), Query(without_kinds=("model.request.v1",)),
    ],
    ids=str,
)  # fmt: skip
def test_a_query_finds_the_same(ends: Ends, query: Query) -> None:
    for _ in range(2):
        ends.grow(4)
        ends.settle()
    assert ends.reading(lambda there: list(there.query(query))) == list(ends.local().query(query))


def test_each_class_is_in_its_bucket_and_nothing_of_another(ends: Ends) -> None:
    ends.grow()
    ends.settle()
    for class_ in classes():
        for name in (one for one in ends.held(class_) if one.startswith("entries/")):
            leaves = layout.unpacked(ends.content(class_, name))
            assert {class_of(Entry.from_leaf(leaf).event["kind"]) for leaf in leaves} == {class_}
    assert [name for name in ends.held("text") if name.startswith("entries/")]
    assert not [name for name in ends.held("text") if name.startswith("tree/")]


def test_every_put_asks_that_the_name_be_free_and_nothing_is_deleted(ends: Ends) -> None:
    """As the buckets' policies want it."""
    ends.buckets.gate.bodies.clear()
    ends.grow()
    ends.settle()
    asked = [body["if-none-match"] for body in ends.buckets.gate.bodies if body["method"] == "PUT"]
    assert asked and set(asked) == {"*"}
    assert {operation for operation, _ in ends.buckets.gate.calls} == {"PutObject", "ListObjectsV2"}


def test_a_copy_waits_until_it_is_due(ends: Ends) -> None:
    ends.grow()

    async def run() -> None:
        copier = ends.copier()
        assert await copier.settle() == 0
        ends.zone.clock.advance(copy.COPY_EVERY_S - 1)
        assert await copier.settle() == 0
        ends.zone.clock.advance(2)
        assert await copier.settle() == ends.local().size()
        ends.buckets.gate.calls.clear()
        ends.zone.clock.advance(1_000)
        await copier.settle()
        await copier.close()

    asyncio.run(run())
    assert ends.buckets.gate.calls == []  # nothing new costs nothing


@pytest.mark.parametrize("fault", [("SlowDown", 503), LOST, DEAF, LATE_FAILURE], ids=str)
def test_what_passes_is_tried_again(ends: Ends, fault: Any) -> None:
    ends.grow()
    ends.buckets.gate.fail("PutObject", *[fault] * 3)
    ends.settle()
    assert ends.verified().whole


@pytest.mark.parametrize("after", range(6))
@pytest.mark.parametrize("remembers", [True, False])
def test_killed_anywhere_it_goes_on_and_nothing_is_there_twice(ends: Ends, after: int, remembers: bool) -> None:
    """Also when the log grew meanwhile, and when the folder is gone with what it remembered."""
    ends.grow()
    ends.settle()
    ends.grow()
    ends.buckets.gate.fail("PutObject", *[None] * after, *[("AccessDenied", 403)] * 50)
    try:
        ends.settle()
    except OperatorError as error:
        assert "AccessDenied" in str(error)
    ends.buckets.gate.faults.clear()
    if remembers:
        ends.grow()
    else:
        (ends.zone.zone / "copy.json").unlink()
    ends.settle()
    report = ends.verified()
    assert report.whole and report.entries == ends.local().size()
    if remembers:  # else what the run before had put may lie beside
        named = {name.partition("/")[2].partition(".")[0] for name in _of_tree(ends)}
        assert {name.partition("/")[2].partition(".")[0] for name in ends.held("text")} == named


def test_a_part_is_bounded_and_its_end_is_signed_where_it_can_be(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy, "PART_ENTRIES_MAX", 4)
    ends.grow(5)
    ends.settle()
    assert len([name for name in ends.held("access") if name.startswith("tree/")]) == -(-ends.local().size() // 4)
    report = ends.verified()
    assert report.whole and report.checkpoints == 1
    monkeypatch.setattr(copy, "PART_ENTRIES_MAX", 100)
    monkeypatch.setattr(copy, "PART_BYTES_MAX", 1)
    ends.grow(2)
    ends.settle()
    assert ends.verified().whole


def test_buckets_of_another_log_are_refused(ends: Ends, tmp_path: Path, buckets: Buckets) -> None:
    ends.grow()
    ends.settle()
    other = Ends(tmp_path / "other", buckets)
    other.names = ends.names
    other.run = Run(incarnation=7)
    other.grow()
    with pytest.raises(OperatorError, match="another log"):
        other.settle()


def test_what_cannot_be_read_here_is_not_passed_over(ends: Ends) -> None:
    ends.grow()
    (journal,) = (ends.zone.archive_folder / "journal").iterdir()
    journal.write_bytes(journal.read_bytes()[:-20] + b"x" * 20)
    with pytest.raises(OperatorError, match="cannot be read"):
        ends.settle()


# -- done to the buckets


def _of_text(ends: Ends) -> str:
    return next(name for name in ends.held("text") if name.startswith("entries/"))


def _of_tree(ends: Ends) -> list[str]:
    return [name for name in ends.held("access") if name.startswith("tree/")]


def _changed(ends: Ends) -> None:
    name = _of_text(ends)
    leaves = gzip.decompress(ends.content("text", name)).replace(b"alice", b"mallo")
    ends.put("text", name, gzip.compress(leaves, mtime=0))


def _changed_with_its_digest(ends: Ends) -> None:
    _changed(ends)
    from hashlib import sha256

    name = _of_tree(ends)[0]
    part = json.loads(ends.content("access", name))
    part["classes"]["text"] = sha256(ends.content("text", _of_text(ends))).hexdigest()
    ends.put("access", name, json.dumps(part).encode())


def _gone(ends: Ends) -> None:
    ends.buckets.client.delete_object(Bucket=ends.names["text"], Key=_of_text(ends))


def _no_archive(ends: Ends) -> None:
    ends.put("text", _of_text(ends), b"x" * 100)


def _bomb(ends: Ends) -> None:
    ends.put("text", _of_text(ends), gzip.compress(b"\0" * (layout.UNPACKED_BYTES_MAX + 1), mtime=0))


def _first_part_gone(ends: Ends) -> None:
    ends.buckets.client.delete_object(Bucket=ends.names["access"], Key=_of_tree(ends)[0])


def _last_part_gone(ends: Ends) -> None:
    ends.buckets.client.delete_object(Bucket=ends.names["access"], Key=_of_tree(ends)[-1])


def _part_that_is_none(ends: Ends) -> None:
    ends.put("access", _of_tree(ends)[0], b"{}")


def _part_under_another_name(ends: Ends) -> None:
    first, second = _of_tree(ends)[:2]
    ends.put("access", second, ends.content("access", first))


def _made_up_part(ends: Ends) -> None:
    size = ends.local().size()
    part = layout.Part(first=size, leaves=b"x" * 32, classes={}, at=0.0)
    import msgspec

    ends.put("access", layout.tree_name(size, size), msgspec.json.encode(part))


HOSTILE: dict[str, tuple[Callable[[Ends], None], set[str]]] = {
    "an entry was changed": (_changed, {"edited", "missing"}),
    "an entry was changed and its digest too": (_changed_with_its_digest, {"edited"}),
    "an object is gone": (_gone, {"edited", "missing"}),
    "an object is something else": (_no_archive, {"edited", "missing"}),
    "an object unpacks without end": (_bomb, {"edited", "missing"}),
    "the first part is gone": (_first_part_gone, {"truncated", "edited", "missing"}),
    "a part is none": (_part_that_is_none, {"truncated", "edited", "missing"}),
    "a part has another's name": (_part_under_another_name, {"truncated", "edited", "missing"}),
}


@pytest.mark.parametrize(("act", "told"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_done_to_the_buckets_is_told(ends: Ends, act: Callable[[Ends], None], told: set[str]) -> None:
    for _ in range(2):
        ends.grow()
        ends.settle()
    assert ends.verified().whole
    act(ends)
    found = ends.kinds()
    assert found and found <= told | {"forged"}


def test_an_object_that_was_changed_is_named(ends: Ends) -> None:
    ends.grow()
    ends.settle()
    _changed(ends)
    (wrong,) = ends.reading(lambda there: [item for item in there.scan() if isinstance(item, Unreadable)])
    assert _of_text(ends) in wrong.where and "not what was copied" in wrong.detail


def test_a_part_that_nobody_signed_does_not_count(ends: Ends) -> None:
    ends.grow()
    ends.settle()
    _made_up_part(ends)
    report = ends.verified()
    assert report.size == report.signed_size + 1 and not report.whole  # its entry is not there


def test_a_copy_whose_end_was_cut_is_shorter_and_the_anchors_say_so(ends: Ends) -> None:
    for _ in range(2):
        ends.grow()
        ends.settle()
    whole = ends.verified().signed_size
    _last_part_gone(ends)
    assert ends.verified().signed_size < whole


def test_what_expired_with_its_class_is_passed_over(ends: Ends) -> None:
    """The tree goes on to be whole, and what is missing before its time is told."""
    ends.grow()
    ends.settle()
    _gone(ends)
    assert "edited" in ends.kinds()
    ends.zone.clock.advance(DAYS["text"] * DAY_S + 1)
    found = ends.verified()
    assert "edited" not in {problem.kind for problem in found.problems}
    assert found.size == found.signed_size == ends.local().size()
