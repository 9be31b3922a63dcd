"""What the publisher refuses, keeps and finishes (IAM-03, IAM-08)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata, Root, Targets

from caisson.adapters.embedded.configuration import OnlineKeys, TufConfigurationPublisher, publisher, writer
from caisson.errors import ConfigurationError
from caisson.ports.configuration import Change, Orders, Published, Staged
from configuration_world import MemoryKey, World, bundle


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def staged_payloads(world: World, publisher: TufConfigurationPublisher, key: MemoryKey) -> list[bytes]:
    staged = publisher.staged()
    assert staged is not None
    return [key.sign(payload) for payload in staged.payloads]


def put(world: World, publisher: TufConfigurationPublisher, **changes: Any) -> Published | Staged:
    change: dict[str, Any] = {"author": "uid:1000", "reason": "because", "origin": "publish", "at": 1.5}
    return publisher.publish(
        changes.pop("bundle", bundle()),
        Change(**{**change, **changes}),
        signatures=1,
        orders_validity_s=300,
        signers=[world.author],
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "line\nfeed"}, "reason"),
        ({"author": ""}, "author"),
        ({"differences": ("x",) * 201}, "lines"),
        ({"bundle": {"format": 2, "system": {}, "keys": {}}}, "format"),
        ({"bundle": {"format": 1, "system": {}}}, "keys"),
        ({"bundle": {"format": 1, "system": {}, "keys": {}, "more": 1}}, "more"),
        ({"bundle": {"format": 1, "system": {"number": 2**60}, "keys": {}}}, "canonical"),
        ({"bundle": {"format": 1, "system": {"number": float("nan")}, "keys": {}}}, "canonical"),
        ({"bundle": {"format": 1, "system": {"text": "\ud800"}, "keys": {}}}, "canonical"),
        ({"bundle": {"format": 1, "system": {"text": "x" * (4 << 20)}, "keys": {}}}, "bytes"),
    ],
)
def test_what_cannot_be_signed_is_refused_and_changes_nothing(world: World, change: dict[str, Any], says: str) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    before = world.files()
    with pytest.raises(ConfigurationError, match=says):
        put(world, publisher, **change)
    assert world.files() == before
    assert publisher.staged() is None


@pytest.mark.parametrize("seconds", [0, 9, 301])
def test_orders_hold_within_what_readers_accept(world: World, seconds: int) -> None:
    change = Change(author="uid:1000", reason="because", origin="publish", at=1.0)
    with pytest.raises(ConfigurationError, match="10 to 300 s"):
        world.publisher().publish(bundle(), change, signatures=1, orders_validity_s=seconds, signers=[world.author])


def test_a_version_says_why_it_exists(world: World) -> None:
    publisher = world.publisher()
    change = Change(
        author="uid:1000",
        reason="ünïcode reason",
        origin="rollback",
        at=1.25,
        differences=("system.tier: 1 → 2",),
        affected_agents=("claims",),
        restores=7,
    )
    publisher.publish(bundle(), change, signatures=1, orders_validity_s=300, signers=[world.author])
    (version,) = world.publisher().versions()
    assert version.change == change
    assert version.approvers == ("author",)


def test_a_foreign_key_signs_nothing(world: World) -> None:
    publisher = world.publisher()
    foreign = MemoryKey("foreign")
    change = Change(author="uid:1000", reason="because", origin="publish", at=1.0)
    with pytest.raises(ConfigurationError, match=r"^forged"):
        publisher.publish(bundle(), change, signatures=1, orders_validity_s=300, signers=[foreign])
    world.publish(publisher, signatures=2, tier=3)
    with pytest.raises(ConfigurationError, match=r"^forged"):
        publisher.sign(foreign.key_id, staged_payloads(world, publisher, foreign))
    with pytest.raises(ConfigurationError, match=r"^forged"):
        publisher.sign(world.approver.key_id, staged_payloads(world, publisher, foreign))
    with pytest.raises(ConfigurationError, match="signatures"):
        publisher.sign(world.approver.key_id, [])
    assert publisher.current() is None


def test_one_operator_cannot_sign_twice(world: World) -> None:
    publisher = world.publisher()
    staged = world.publish(publisher, signatures=2, tier=3)
    again = publisher.sign(world.author.key_id, staged_payloads(world, publisher, world.author))
    assert isinstance(staged, Staged)
    assert isinstance(again, Staged)
    assert again.missing == 1


def test_a_signature_is_for_what_is_staged_now(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher, signatures=2, tier=3, name="harmless")
    seen = staged_payloads(world, publisher, world.approver)
    world.publish(publisher, signatures=2, tier=3, name="harmful")
    with pytest.raises(ConfigurationError, match=r"^forged"):
        publisher.sign(world.approver.key_id, seen)


def test_what_is_staged_survives_a_restart(world: World) -> None:
    world.publish(world.publisher(), signatures=2, tier=3, name="second")
    publisher = world.publisher()
    done = publisher.sign(world.approver.key_id, staged_payloads(world, publisher, world.approver))
    assert isinstance(done, Published)
    assert world.source().refresh()[0].bundle["system"]["name"] == "second"
    with pytest.raises(ConfigurationError, match=r"^missing"):
        publisher.sign(world.approver.key_id, [b""])


def test_raising_and_lowering_the_number_of_signatures_takes_the_larger_number(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    raised = world.publish(publisher, signatures=2, tier=3)
    assert isinstance(raised, Staged)
    assert raised.missing == 1
    publisher.sign(world.approver.key_id, staged_payloads(world, publisher, world.approver))
    assert source.refresh()[0].version == 2
    assert root(world).roles[Targets.type].threshold == 2
    lowered = world.publish(publisher, signatures=1, tier=1)
    assert isinstance(lowered, Staged)
    assert lowered.missing == 1
    publisher.sign(world.approver.key_id, staged_payloads(world, publisher, world.approver))
    assert source.refresh()[0].version == 3
    assert isinstance(world.publish(publisher, tier=1, name="alone again"), Published)
    assert source.refresh()[0].version == 4
    assert world.source("late").refresh()[0].version == 4


def test_a_reader_between_the_version_and_its_root_looks_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world.publisher()
    world.publish(made)
    source = world.source()
    source.refresh()
    write_root = writer.RepositoryWriter.root

    def read_first(self: writer.RepositoryWriter, root: Metadata[Root]) -> None:
        assert source.refresh()[0].version == 2
        write_root(self, root)

    monkeypatch.setattr(writer.RepositoryWriter, "root", read_first)
    world.publish(made, signatures=2, both=True, tier=3)
    assert source.changed()
    source.refresh()
    assert (world.folder / "runtime/metadata/root_history/2.root.json").exists()


def root(world: World) -> Root:
    newest = max(world.repository.glob("metadata/*.root.json"), key=lambda path: int(path.name.split(".")[0]))
    return Metadata[Root].from_file(str(newest)).signed


def test_readers_refuse_one_signature_where_two_are_asked_for(world: World) -> None:
    """Even when the online keys vouch for it: they cannot stand in for an operator."""
    publisher = world.publisher()
    world.publish(publisher, signatures=2, both=True, tier=3)
    source = world.source()
    source.refresh()
    publisher._draft = None
    world.publish(publisher, signatures=2, tier=3, name="alone")
    draft = publisher._draft
    assert draft is not None
    with pytest.raises(ConfigurationError, match=r"^forged"):
        publisher._commit(draft)
    with pytest.raises(ConfigurationError, match=r"^forged"):
        source.refresh()
    with pytest.raises(ConfigurationError, match=r"^forged"):
        world.source("late").refresh()


def test_operators_have_a_key_each(world: World) -> None:
    alone = TufConfigurationPublisher(
        repository=world.repository,
        state=world.state,
        online=world.online,
        operators={"author": world.author.public_bytes, "approver": world.author.public_bytes},
        clock=world.clock,
    )
    with pytest.raises(ConfigurationError, match="a key each"):
        world.publish(alone)


def test_more_signatures_than_operators_are_refused(world: World) -> None:
    made = world.publisher()
    with pytest.raises(ConfigurationError, match="at least 3"):
        world.publish(made, signatures=3)
    world.publish(made)
    with pytest.raises(ConfigurationError, match="1 to 2 signatures"):
        world.publish(made, signatures=3)


def test_the_publisher_does_not_go_on_from_an_older_repository(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    older = {path: path.read_bytes() for path in world.files()}
    publisher.issue(Orders(number=1, stopped="drill"))
    for path, content in older.items():
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^rolled back"):
        world.publisher()


def test_the_publisher_does_not_go_on_from_a_foreign_or_missing_repository(world: World, tmp_path: Path) -> None:
    theirs = World(tmp_path / "theirs", owner="theirs")
    theirs.publish(theirs.publisher())
    world.repository.parent.mkdir(exist_ok=True)
    theirs.repository.rename(world.repository)
    with pytest.raises(ConfigurationError, match=r"^forged"):
        world.publisher()
    world.repository.rename(theirs.repository)
    world.publish(world.publisher())
    (world.repository / "metadata/timestamp.json").unlink()
    with pytest.raises(ConfigurationError, match=r"^missing"):
        world.publisher()


def test_other_online_keys_publish_nothing(world: World) -> None:
    world.publish(world.publisher())
    before = {path: path.read_bytes() for path in world.files()}
    for role in ("orders", "snapshot", "timestamp"):
        keys = {name: getattr(world.online, name) for name in ("orders", "snapshot", "timestamp")}
        other = World(world.folder, clock=world.clock)
        other.online = OnlineKeys(**{**keys, role: MemoryKey("other")})
        with pytest.raises(ConfigurationError, match=f"^forged: the online key for {role}"):
            other.publisher().issue(Orders(number=1))
        assert {path: path.read_bytes() for path in world.files()} == before


def test_a_publisher_goes_on_after_everything_expired(world: World) -> None:
    world.publish(world.publisher())
    world.clock.advance(3 * 365 * 86_400)
    publisher = world.publisher()
    publisher.issue(Orders(number=1))
    world.publish(publisher)
    assert world.source().refresh()[0].version == 2


def test_the_root_is_renewed_with_a_configuration(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    first = root(world).expires
    world.clock.advance(3 * 365 * 86_400)
    world.publish(publisher)
    assert root(world).version == 2
    assert root(world).expires > first
    assert source.refresh()[0].version == 2


def test_an_expired_root_is_said_to_be(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    world.clock.advance(6 * 365 * 86_400)
    publisher.issue(Orders(number=1))
    with pytest.raises(ConfigurationError, match=r"^expired: 1\.root\.json"):
        source.refresh()


def test_what_is_kept_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "CONFIGURATIONS_KEPT_MAX", 3)
    monkeypatch.setattr(writer, "GENERATIONS_KEPT_MAX", 2)
    made = world.publisher()
    for number in range(6):
        world.publish(made, name=f"version {number + 1}")
        made.issue(Orders(number=1, stopped=f"drill {number}"))
    (world.repository / "metadata/.0123456789abcdef.unfinished").write_bytes(b"left by a crash")
    made.issue(Orders(number=1))
    assert [version.version for version in made.versions()] == [4, 5, 6]
    names = [path.name for path in world.files()]
    assert len([name for name in names if name.endswith(".configuration.json")]) == 3
    assert len([name for name in names if name.endswith(".targets.json")]) == 3
    assert len([name for name in names if name.endswith((".snapshot.json", "s.json")) and name[0].isdigit()]) <= 12
    assert not [name for name in names if name.endswith(".unfinished")]
    assert len(names) <= 15
    with pytest.raises(ConfigurationError, match=r"\[4, 5, 6\]"):
        made.bundle(3)
    assert world.source().refresh()[0].version == 6


def test_damaged_history_is_not_offered(world: World) -> None:
    made = world.publisher()
    for name in ("first", "second", "third"):
        world.publish(made, name=name)
    first, second, _ = made.versions()
    contents = [world.repository / f"targets/{version.sha256}.configuration.json" for version in (first, second)]
    contents[0].write_bytes(contents[1].read_bytes())
    path = world.repository / "metadata/2.targets.json"
    path.write_bytes(path.read_bytes().replace(b"because", b"becouse"))
    assert [version.version for version in made.versions()] == [1, 3]
    with pytest.raises(ConfigurationError, match=r"^damaged"):
        made.bundle(first.version)
    with pytest.raises(ConfigurationError, match=r"^missing"):
        made.bundle(second.version)


def test_a_damaged_draft_is_named(world: World) -> None:
    world.publish(world.publisher(), signatures=2, tier=3)
    (world.state / "staged.json").write_bytes(b"{}")
    with pytest.raises(ConfigurationError, match=r"^damaged: what is staged"):
        world.publisher()


def test_a_disk_that_refuses_is_an_error_that_says_where(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world.publisher()
    world.publish(made)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(writer, "write_whole", full)
        with pytest.raises(ConfigurationError, match="No space left on device"):
            made.issue(Orders(number=1, stopped="drill"))
    assert made.issue(Orders(number=1, stopped="drill")).number == 2
    assert world.source().refresh()[1].stopped == "drill"


def test_what_a_full_disk_cut_short_is_known_before_the_next_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timestamp was in place already: the next one must be newer, or readers would not take it."""
    made = world.publisher()
    world.publish(made)
    source = world.source()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(made._client, "load", full)
        with pytest.raises(ConfigurationError, match="No space left on device"):
            made.issue(Orders(number=1, stopped="first"))
    assert source.refresh()[1].stopped == "first"
    assert made.issue(Orders(number=1, stopped="second")).number == 3
    assert source.refresh()[1].stopped == "second"


def test_files_are_readable_for_other_users_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        world = World(tmp_path)
        world.publish(world.publisher())
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in world.files()} == {0o644}
    assert {(world.repository / name).stat().st_mode & 0o777 for name in ("metadata", "targets")} == {0o755}
    assert {path.stat().st_mode & 0o077 for path in (world.state / "trust", world.state)} == {0}
