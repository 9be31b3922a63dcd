"""One suite for every configuration repository: what a publisher puts there, a source takes, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from caisson.errors import ConfigurationError
from caisson.ports.configuration import ConfigurationSource, Orders, Published, Staged
from configuration_world import BucketWorld, World

Make = Callable[[Path], World]


@pytest.fixture(params=["embedded", "s3"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "embedded":
        yield World(tmp_path)
        return
    made = BucketWorld(tmp_path)
    buckets = request.getfixturevalue("buckets")
    name = buckets.made(tmp_path)
    made.objects, made.make, made.sources = (buckets.client, name), lambda: buckets.objects(name), []
    yield made
    made.close()


def refused(source: ConfigurationSource) -> str:
    """The word that the error starts with."""
    with pytest.raises(ConfigurationError) as caught:
        source.refresh()
    return str(caught.value).partition(":")[0]


def test_a_source_takes_what_was_published(world: World) -> None:
    publisher = world.publisher()
    version = world.publish(publisher, name="first")
    assert isinstance(version, Published)
    configuration, orders = world.source().refresh()
    assert (configuration.version, configuration.sha256) == (1, version.sha256)
    assert configuration.bundle["system"]["name"] == "first"
    assert (configuration.bundle["author"], configuration.bundle["reason"]) == ("uid:1000", "because")
    assert configuration.bundle["keys"] == {"runtime": {"channel": "AAAA"}}
    assert configuration.expires > world.clock.now() + 300 * 86_400
    assert orders == Orders(number=1, expires=world.clock.now() + 300)


def test_nothing_is_in_force_before_the_first_publication(world: World) -> None:
    assert world.publisher().current() is None
    with pytest.raises(ConfigurationError, match=r"^missing"):
        world.source()
    with pytest.raises(ConfigurationError, match=r"^missing"):
        world.publisher().issue(Orders(number=1))


def test_changed_says_when_to_look_again(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    assert source.changed()
    source.refresh()
    assert not source.changed()
    world.clock.advance(10)
    assert not source.changed()
    publisher.issue(Orders(number=1))
    assert source.changed()
    source.refresh()
    assert not source.changed()


def test_after_an_error_it_asks_to_look_again(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    source.refresh()
    world.clock.advance(301)
    assert refused(source) == "frozen"
    assert not source.changed()
    world.clock.advance(1)
    assert source.changed()


def test_orders_reach_every_zone_with_their_number(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    zones = [world.source(zone) for zone in ("runtime", "logging")]
    wanted = Orders(
        number=1, revoked_sessions={"s-1": world.clock.now() + 60.5}, revoked_users={"alice": 17.25}, stopped="drill"
    )
    issued = publisher.issue(wanted)
    assert issued == replace(wanted, number=2, expires=world.clock.now() + 300)
    for zone in zones:
        assert zone.refresh()[1] == issued


def test_renewing_orders_keeps_their_number_and_moves_their_end(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    source.refresh()
    for _ in range(4):
        world.clock.advance(100)
        publisher.issue(source.refresh()[1])
        configuration, orders = source.refresh()
        assert (configuration.version, orders.number, orders.expires) == (1, 1, world.clock.now() + 300)


def test_a_change_of_configuration_keeps_the_orders(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    publisher.issue(Orders(number=1, stopped="drill"))
    world.publish(publisher, name="second")
    configuration, orders = world.source().refresh()
    assert (configuration.version, configuration.bundle["system"]["name"]) == (2, "second")
    assert (orders.number, orders.stopped) == (2, "drill")


def test_what_is_staged_is_not_in_force(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher, signatures=2, both=True, tier=3)
    source = world.source()
    source.refresh()
    staged = world.publish(publisher, signatures=2, tier=3, name="second")
    assert isinstance(staged, Staged)
    assert (staged.version, staged.missing, staged.approvers) == (2, 1, ("author",))
    assert not source.changed()
    assert source.refresh()[0].version == 1
    publisher.issue(Orders(number=1, stopped="drill"))
    assert source.refresh()[0].version == 1
    done = publisher.sign(world.approver.key_id, [world.approver.sign(payload) for payload in staged.payloads])
    assert isinstance(done, Published)
    assert done.approvers == ("approver", "author")
    configuration, orders = source.refresh()
    assert (configuration.version, configuration.bundle["system"]["name"], orders.stopped) == (2, "second", "drill")
    assert publisher.staged() is None


def test_old_content_can_be_published_again(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher, name="first")
    world.publish(publisher, name="second")
    assert [version.version for version in publisher.versions()] == [1, 2]
    assert publisher.bundle(1)["system"]["name"] == "first"
    world.publish(publisher, **publisher.bundle(1)["system"])
    configuration, _ = world.source().refresh()
    assert (configuration.version, configuration.bundle["system"]["name"]) == (3, "first")


def test_expired_orders_are_frozen_until_somebody_renews_them(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    held = source.refresh()[1]
    world.clock.advance(299)
    assert source.refresh()[1] == held
    world.clock.advance(1)
    assert held.expires <= world.clock.now()
    assert refused(source) == "frozen"
    assert refused(world.source("logging")) == "frozen"
    publisher.issue(held)
    assert source.refresh()[1].expires == world.clock.now() + 300


def test_an_expired_configuration_is_refused(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    source.refresh()
    world.clock.advance(366 * 86_400)
    publisher.issue(Orders(number=1))
    assert refused(source) == "expired"
    world.publish(publisher)
    assert source.refresh()[0].version == 2


def test_a_repository_that_goes_back_is_refused_also_after_a_restart(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    publisher.issue(Orders(number=1, revoked_sessions={"s-1": world.clock.now() + 60}))
    older = {path: path.read_bytes() for path in world.files()}
    source = world.source()
    publisher.issue(Orders(number=1, stopped="drill"))
    assert source.refresh()[1].stopped == "drill"
    for path in world.files():
        path.unlink()
    for path, content in older.items():
        path.write_bytes(content)
    assert refused(source) == "rolled back"
    assert refused(source) == "rolled back"
    assert refused(world.source()) == "rolled back"


def test_what_was_seen_in_an_error_counts(world: World) -> None:
    """A newer state that cannot be read is no reason to be content with the one before."""
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    source.refresh()
    timestamp = world.repository / "metadata/timestamp.json"
    before = timestamp.read_bytes()
    publisher.issue(Orders(number=1, stopped="drill"))
    snapshot = max(world.repository.glob("metadata/*.snapshot.json"))
    newer = {path: path.read_bytes() for path in (timestamp, snapshot)}
    snapshot.unlink()
    assert refused(source) == "missing"
    timestamp.write_bytes(before)
    assert refused(source) == "rolled back"
    for path, content in newer.items():
        path.write_bytes(content)
    assert source.refresh()[1].stopped == "drill"


def test_expired_stays_expired_when_the_clock_goes_back(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    source.refresh()
    world.clock.advance(301)
    assert refused(source) == "frozen"
    world.clock.step(-200)
    assert refused(source) == "clock"
    assert refused(world.source()) == "clock"
    world.clock.advance(100)
    assert refused(source) == "clock"
    world.clock.step(200)
    publisher.issue(Orders(number=1))
    assert source.refresh()[1].number == 1


def test_a_small_step_back_neither_stops_nor_prolongs(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    world.clock.advance(298)
    source.refresh()
    world.clock.step(-4)
    source.refresh()
    world.clock.advance(2)
    assert refused(source) == "frozen"


def test_orders_from_a_clock_that_was_ahead_are_refused(world: World) -> None:
    """Whoever holds them back could keep a revoked session alive until that time."""
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    source.refresh()
    world.clock.step(3600)
    publisher.issue(Orders(number=1))
    world.clock.step(-3600)
    assert refused(source) == "clock"
    publisher.issue(Orders(number=1))
    assert source.refresh()[1].expires == world.clock.now() + 300


def test_a_step_forward_stops_at_once(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    source = world.source()
    source.refresh()
    world.clock.step(3600)
    assert refused(source) == "frozen"
    publisher.issue(Orders(number=1))
    assert source.refresh()[1].expires == world.clock.now() + 300


def test_processes_of_a_zone_share_what_it_trusts(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    first, second = world.source(), world.source()
    for number in range(2, 6):
        publisher.issue(Orders(number=1, stopped=f"drill {number}"))
        assert first.refresh()[1].number == second.refresh()[1].number == number
