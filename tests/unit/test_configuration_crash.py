"""The publisher is killed at each rename: readers see what was or what came; the next publisher finishes (IAM-03)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from caisson.adapters.embedded.configuration import TufConfigurationPublisher
from caisson.ports.configuration import Orders, Published, Staged
from configuration_world import World

KILLED = 9
RENAMES_MAX = 60


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process loses nothing that it gave the system, so syncing only costs time here."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def first(world: World, publisher: TufConfigurationPublisher) -> None:
    world.publish(publisher, name="after")


def second(world: World, publisher: TufConfigurationPublisher) -> None:
    world.publish(publisher, name="after")


def raise_signatures(world: World, publisher: TufConfigurationPublisher) -> None:
    world.publish(publisher, signatures=2, both=True, name="after", tier=3)


def order(_: World, publisher: TufConfigurationPublisher) -> None:
    publisher.issue(Orders(number=1, stopped="after"))


def killed_at(world: World, act: Callable[[World, TufConfigurationPublisher], None], rename: int, late: bool) -> bool:
    """Run `act` in a child that dies at that rename, just before it or just after. False: it came to its end."""
    pid = os.fork()
    if pid == 0:
        done, replace = 0, os.replace

        def dying(*arguments: object, **options: object) -> None:
            nonlocal done
            done += 1
            if done == rename and not late:
                os._exit(KILLED)
            replace(*arguments, **options)  # type: ignore[arg-type]
            if done == rename:
                os._exit(KILLED)

        os.replace = dying  # type: ignore[assignment]
        try:
            act(world, world.publisher())
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, KILLED)
    return status == KILLED


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", [second, raise_signatures, order])
def test_readers_see_before_or_after(
    tmp_path: Path, act: Callable[[World, TufConfigurationPublisher], None], late: bool
) -> None:
    for rename in range(1, RENAMES_MAX):
        world = World(tmp_path / str(rename))
        world.publish(world.publisher(), name="before")
        source = world.source()
        source.refresh()
        died = killed_at(world, act, rename, late)
        seen = _state(source.refresh())
        assert seen in (("before", ""), *_after(act))
        assert _state(world.source("new zone").refresh()) == seen
        publisher = world.publisher()
        settled = publisher.current()
        assert settled is not None
        assert _state(source.refresh()) == _state(settled)
        if seen != ("before", ""):
            assert _state(settled) == seen  # nothing that was in force is taken back
        assert publisher.issue(Orders(number=1, stopped="later")).stopped == "later"
        assert source.refresh()[1].stopped == "later"
        one_more = world.publish(publisher, name="one more", both=True, signatures=2)
        assert isinstance(one_more, Published)
        assert source.refresh()[0].bundle["system"]["name"] == "one more"
        assert not died or rename < RENAMES_MAX - 1
        if not died:
            break


def _after(act: Callable[..., None]) -> list[tuple[str, str]]:
    return [("before", "after")] if act is order else [("after", "")]


def _state(pair: tuple[object, Orders]) -> tuple[str, str]:
    configuration, orders = pair
    return configuration.bundle["system"]["name"], orders.stopped  # type: ignore[attr-defined]


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_the_first_publication_is_there_or_not(tmp_path: Path, late: bool) -> None:
    for rename in range(1, RENAMES_MAX):
        world = World(tmp_path / str(rename))
        died = killed_at(world, first, rename, late)
        publisher = world.publisher()
        if publisher.current() is None:
            world.publish(publisher, name="after")
        assert _state(world.source().refresh()) == ("after", "")
        assert publisher.staged() is None
        world.publish(publisher, name="one more")
        assert _state(world.source().refresh()) == ("one more", "")
        if not died:
            return
    pytest.fail(f"more than {RENAMES_MAX} renames")


def test_two_signatures_are_asked_for_once_a_version_of_that_tier_is_in_force(tmp_path: Path) -> None:
    """The new root follows the version; killed between the two, the next publisher brings it."""
    for rename in range(1, RENAMES_MAX):
        world = World(tmp_path / str(rename))
        world.publish(world.publisher(), name="before")
        died = killed_at(world, raise_signatures, rename, late=True)
        publisher = world.publisher()
        current = publisher.current()
        assert current is not None
        alone = world.publish(publisher, name="alone")
        assert isinstance(alone, Staged if _state(current) == ("after", "") else Published)
        if not died:
            return
