"""The repository beside python-tuf's own client, and readers beside a publisher at work."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tuf.api.exceptions import RepositoryError
from tuf.ngclient import Updater

from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.configuration import TufConfigurationSource
from caisson.ports.configuration import Orders
from configuration_world import HeldClock, World

CHANGES = 16
SECONDS_MAX = 60
"""So that a child that never sees the end does not stay."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, clock=HeldClock(wall=time.time()))


@pytest.fixture
def served(world: World) -> Iterator[str]:
    world.publish(world.publisher(), name="first")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(world.repository)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def stock(world: World, served: str, name: str) -> Updater:
    folder = world.folder / name
    (folder / "targets").mkdir(parents=True, exist_ok=True)
    return Updater(
        metadata_dir=str(folder),
        metadata_base_url=f"{served}/metadata/",
        target_dir=str(folder / "targets"),
        target_base_url=f"{served}/targets/",
        bootstrap=(world.repository / "metadata/1.root.json").read_bytes(),
    )


def downloaded(updater: Updater, name: str) -> bytes:
    target = updater.get_targetinfo(name)
    assert target is not None
    return Path(updater.download_target(target)).read_bytes()


def test_a_stock_client_takes_the_repository_over_http(world: World, served: str) -> None:
    publisher = world.publisher()
    world.publish(publisher, signatures=2, both=True, name="second", tier=3)
    publisher.issue(Orders(number=1, stopped="drill"))
    configuration, _ = world.source().refresh()
    updater = stock(world, served, "stock")
    updater.refresh()
    content = downloaded(updater, "configuration.json")
    assert content == next(path for path in world.files() if configuration.sha256 in path.name).read_bytes()
    assert b'"stopped":"drill"' in downloaded(updater, "orders.json")
    assert updater.get_targetinfo("something.json") is None


def test_a_stock_client_refuses_what_ours_refuses(world: World, served: str) -> None:
    publisher = world.publisher()
    stock(world, served, "stock").refresh()
    older = (world.repository / "metadata/timestamp.json").read_bytes()
    publisher.issue(Orders(number=1, stopped="drill"))
    stock(world, served, "stock").refresh()
    (world.repository / "metadata/timestamp.json").write_bytes(older)
    with pytest.raises(RepositoryError):
        stock(world, served, "stock").refresh()


def test_readers_beside_a_publisher_never_see_half_a_state(world: World) -> None:
    """Another process changes everything as fast as it can; every refresh gives a whole state, none goes back."""
    clock = SystemClock()
    world.publish(world.publisher(), name="version 1")
    readers = [
        TufConfigurationSource(world.repository, world.folder / zone, clock)
        for zone in ("runtime", "logging")
        if world.source(zone)
    ]
    pid = os.fork()
    if pid == 0:
        try:
            world.clock = clock  # type: ignore[assignment]
            publisher = world.publisher()
            for number in range(2, CHANGES + 2):
                signatures = 2 if number % 10 < 5 else 1
                world.publish(publisher, name=f"version {number}", signatures=signatures, both=True)
                publisher.issue(Orders(number=1, stopped=f"version {number}"))
        except BaseException:
            os._exit(1)
        os._exit(0)
    last = [(0, 0), (0, 0)]
    finished, turns = False, 0
    while not finished:
        finished = os.waitpid(pid, os.WNOHANG) != (0, 0)
        for index, reader in enumerate(readers):
            configuration, orders = reader.refresh()
            assert configuration.bundle["system"]["name"] == f"version {configuration.version}"
            assert orders.stopped in ("", f"version {configuration.version}", f"version {configuration.version - 1}")
            assert (configuration.version, orders.number) >= last[index]
            last[index] = (configuration.version, orders.number)
            turns += 1
    for reader in readers:
        configuration, orders = reader.refresh()
        assert (configuration.version, orders.stopped) == (CHANGES + 1, f"version {CHANGES + 1}")
    assert turns > CHANGES


def test_processes_share_a_trust_folder_while_a_publisher_works(world: World) -> None:
    publisher = world.publisher()
    world.publish(publisher)
    world.source("runtime")
    children = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            try:
                source = TufConfigurationSource(world.repository, world.folder / "runtime", world.clock)
                deadline = time.monotonic() + SECONDS_MAX
                while source.refresh()[1].stopped != "last":
                    if time.monotonic() > deadline:
                        os._exit(2)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(pid)
    for number in range(CHANGES):
        publisher.issue(Orders(number=1, stopped=f"drill {number}"))
    publisher.issue(Orders(number=1, stopped="last"))
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0]
