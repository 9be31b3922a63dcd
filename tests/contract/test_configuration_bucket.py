"""Configuration through a bucket that refuses, answers late, is cut in the middle, or is written to by others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_gate import DEAF, LATE_FAILURE, LOST
from bucket_world import Buckets
from caisson.adapters.aws.api.objects import BucketRefused, Objects, Taken, bucket_at
from caisson.adapters.aws.configuration import Download, Upload
from caisson.adapters.embedded.configuration import TufConfigurationSource, establish_trust
from caisson.errors import ConfigurationError, StartError
from caisson.ports.configuration import Orders, Published
from configuration_world import World

SLOW = ("SlowDown", 503)


class Ends:
    """A control zone's folder, the bucket, and a zone that reads it."""

    def __init__(self, root: Path, buckets: Buckets) -> None:
        self.world, self.buckets = World(root), buckets
        self.bucket = buckets.made(root)
        self.copy = root / "copy"
        self.publisher = self.world.publisher()
        self.world.publish(self.publisher)

    def objects(self, **more: Any) -> Objects:
        return self.buckets.objects(self.bucket, **more)

    def held(self) -> set[str]:
        listed = self.buckets.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {one["Key"] for one in listed}

    def here(self) -> set[str]:
        return {str(path.relative_to(self.world.repository)) for path in self.world.files()}

    def with_objects(self, act: Callable[[Objects], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            objects = self.objects()
            try:
                return await act(objects)
            finally:
                await objects.close()

        return asyncio.run(run())

    def settle(self) -> None:
        self.with_objects(lambda objects: Upload(self.world.repository, objects).settle())

    def look(self) -> bool:
        return bool(self.with_objects(lambda objects: Download(self.copy, objects).look()))

    def version(self) -> int:
        """What the zone has in force."""
        establish_trust(self.world.repository, self.world.folder / "runtime")
        return TufConfigurationSource(self.copy, self.world.folder / "runtime", self.world.clock).refresh()[0].version


@pytest.fixture
def ends(tmp_path: Path, buckets: Buckets) -> Iterator[Ends]:
    buckets.gate.calls.clear()
    yield Ends(tmp_path, buckets)
    buckets.gate.faults.clear()


# -- objects


@pytest.mark.parametrize(
    "fault", [SLOW, ("InternalError", 500), ("RequestTimeout", 400), LOST, DEAF, LATE_FAILURE], ids=str
)
async def test_what_passes_is_tried_again(ends: Ends, fault: Any) -> None:
    objects = ends.objects(busy_s=10)
    for operation in ("PutObject", "GetObject", "DeleteObject"):
        ends.buckets.gate.fail(operation, fault, fault)
    await objects.put_new("a/b", b"content")
    found = await objects.get("a/b", bytes_max=100)
    assert found is not None and found.content == b"content"
    await objects.delete("a/b")
    assert await objects.get("a/b", bytes_max=100) is None
    await objects.close()


@pytest.mark.parametrize("fault", [("AccessDenied", 403), ("NoSuchBucket", 404), ("ExpiredToken", 400)], ids=str)
async def test_what_does_not_pass_is_said(ends: Ends, fault: Any) -> None:
    objects = ends.objects()
    for operation, act in (
        ("PutObject", objects.put("a", b"")), ("PutObject", objects.put_new("a", b"")),
        ("GetObject", objects.get("a", bytes_max=9)), ("DeleteObject", objects.delete("a")),
    ):  # fmt: skip
        ends.buckets.gate.fail(operation, fault)
        with pytest.raises(BucketRefused, match=fault[0]):
            await act
    ends.buckets.gate.fail("ListObjectsV2", fault)
    with pytest.raises(BucketRefused, match=fault[0]):
        _ = [name async for name in objects.names("")]
    await objects.close()


async def test_nothing_is_replaced_by_what_is_new(ends: Ends) -> None:
    objects = ends.objects()
    await objects.put_new("a", b"first")
    await objects.put_new("a", b"first")
    for other in (b"second", b"firs", b""):
        with pytest.raises(Taken):
            await objects.put_new("a", other)
    found = await objects.get("a", bytes_max=100)
    assert found is not None and found.content == b"first"
    assert await objects.get("a", bytes_max=100, unless=found.etag) is None
    with pytest.raises(BucketRefused, match="at most 4 bytes"):
        await objects.get("a", bytes_max=4)
    await objects.close()


async def test_names_come_in_their_order_and_in_pages(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caisson.adapters.aws.api.objects.LISTED_MAX", 3)
    objects = ends.objects()
    wanted = [f"n/{number:02d}" for number in range(8)]
    for name in (*reversed(wanted), "m", "o"):
        await objects.put(name, b"x")
    assert [name async for name in objects.names("n/")] == wanted
    assert [name async for name in objects.names("n/", after="n/04")] == wanted[5:]
    assert [name async for name in objects.names("q")] == []
    await objects.close()


@pytest.mark.parametrize("name", ["", "../x", "a b", "a?b", "ä", "a" * 513, "/a", "a%2f"])
async def test_only_names_of_ours_are_asked_for(ends: Ends, name: str) -> None:
    objects = ends.objects()
    ends.buckets.gate.calls.clear()
    for act in (objects.put(name, b"x"), objects.delete(name)):
        with pytest.raises(BucketRefused, match="name of an object"):
            await act
    assert ends.buckets.gate.calls == []
    await objects.close()


@pytest.mark.parametrize("name", ["", "A", "a.b", "-a", "a-", "a/b", "x" * 64, "ab@c", "a_b"])
def test_a_bucket_has_a_name(name: str) -> None:
    with pytest.raises(StartError):
        bucket_at(name, "eu-west-1")


# -- into the bucket


def test_the_bucket_holds_what_the_folder_does(ends: Ends) -> None:
    ends.settle()
    assert ends.held() == ends.here()
    order = [name for operation, name in ends.buckets.gate.calls if operation == "PutObject"]
    assert order[-1] == "metadata/timestamp.json"
    assert order == sorted(order, key=lambda name: not name.startswith("targets/"))
    for number in range(20):
        ends.publisher.issue(Orders(number=1, stopped=f"drill {number}"))
    ends.settle()
    assert ends.held() == ends.here()


@pytest.mark.parametrize("after", range(9))
def test_a_reader_finds_a_whole_state_wherever_a_run_was_cut(ends: Ends, after: int) -> None:
    ends.settle()
    assert ends.look() and ends.version() == 1
    ends.world.publish(ends.publisher, name="second", signatures=1)
    ends.publisher.issue(Orders(number=1, stopped="drill"))
    ends.buckets.gate.fail("PutObject", *[None] * after, *[("AccessDenied", 403)] * 100)
    try:
        ends.settle()
    except ConfigurationError as error:
        assert "not in the bucket yet" in str(error)
    ends.look()
    assert ends.version() in (1, 2)
    ends.buckets.gate.faults.clear()
    ends.settle()
    assert ends.held() == ends.here()
    assert ends.look() and ends.version() == 2


def test_one_upload_goes_on_after_a_refusal(ends: Ends) -> None:
    async def act(objects: Objects) -> None:
        upload = Upload(ends.world.repository, objects)
        ends.buckets.gate.fail("PutObject", None, ("AccessDenied", 403))
        with pytest.raises(ConfigurationError):
            await upload.settle()
        await upload.settle()
        ends.buckets.gate.calls.clear()
        await upload.settle()  # nothing is new

    ends.with_objects(act)
    assert ends.buckets.gate.calls == []
    assert ends.held() == ends.here()


# -- out of it


def test_what_is_unchanged_costs_one_call(ends: Ends) -> None:
    ends.settle()

    async def act(objects: Objects) -> None:
        download = Download(ends.copy, objects)
        assert await download.look()
        ends.buckets.gate.calls.clear()
        assert not await download.look()

    ends.with_objects(act)
    assert ends.buckets.gate.calls == [("GetObject", "metadata/timestamp.json")]


def test_only_what_is_new_is_fetched_and_what_is_old_goes(ends: Ends) -> None:
    ends.settle()
    assert ends.look()
    for number in range(12):
        ends.publisher.issue(Orders(number=1, stopped=f"drill {number}"))
        ends.settle()
        ends.buckets.gate.calls.clear()
        assert ends.look()
        assert ("GetObject", "metadata/1.targets.json") not in ends.buckets.gate.calls
        assert ends.version() == 1
    assert len(list(ends.copy.rglob("*.json"))) < 12


def test_roots_are_followed(ends: Ends) -> None:
    ends.settle()
    assert ends.look() and ends.version() == 1
    done = ends.world.publish(ends.publisher, signatures=2, both=True, tier=3, name="second")
    assert isinstance(done, Published)
    ends.settle()
    assert ends.look() and ends.version() == 2
    assert (ends.copy / "metadata/2.root.json").exists()


def test_a_copy_that_was_damaged_is_fetched_again(ends: Ends) -> None:
    ends.settle()
    assert ends.look()
    for path in ends.copy.rglob("*.json"):
        if "root" not in path.name:
            path.write_bytes(b"damaged")
    assert ends.look() and ends.version() == 1


def _signed(**fields: Any) -> bytes:
    return json.dumps({"signed": fields}).encode()


HOSTILE = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "deep": b"[" * 16_000,
    "no meta": _signed(),
    "a path for a version": _signed(meta={"snapshot.json": {"version": "../../x"}}),
    "a huge version": _signed(meta={"snapshot.json": {"version": 10**40}}),
    "true for a version": _signed(meta={"snapshot.json": {"version": True}}),
    "no bytes of text": b"\xff\xfe\x00",
    "hashes that are none": _signed(meta={"snapshot.json": {"version": 1, "hashes": {"sha256": "../" * 20}}}),
}


@pytest.mark.parametrize("timestamp", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_timestamp_leads_nowhere(ends: Ends, timestamp: bytes) -> None:
    """Nothing outside of the folder is touched, and the client of the repository refuses it."""
    ends.settle()
    assert ends.look() and ends.version() == 1
    ends.buckets.client.put_object(Bucket=ends.bucket, Key="metadata/timestamp.json", Body=timestamp)
    ends.look()
    with pytest.raises(ConfigurationError):
        ends.version()
    assert {path.name for path in ends.copy.iterdir()} == {"metadata", "targets"}


def test_something_too_long_is_not_taken(ends: Ends) -> None:
    ends.settle()
    assert ends.look()
    ends.buckets.client.put_object(Bucket=ends.bucket, Key="metadata/timestamp.json", Body=b"x" * 100_000)
    with pytest.raises(ConfigurationError, match="at most"):
        ends.look()
    assert ends.version() == 1


def test_a_bucket_that_does_not_answer_leaves_what_was_there(ends: Ends) -> None:
    ends.settle()
    assert ends.look()
    ends.buckets.gate.fail("GetObject", *[("AccessDenied", 403)] * 5)
    with pytest.raises(ConfigurationError, match="AccessDenied"):
        ends.look()
    assert ends.version() == 1
