"""What zones store, sign and queue with goes on working under Landlock, and under own users.

Each alone: a Python that lies in somebody's home, as on many machines of developers, is closed to own users, so there
the modules are loaded before. `tests/e2e/test_own_users.py` runs both together.
"""

from __future__ import annotations

import asyncio
import codecs
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from caisson.adapters.embedded.archive import EmbeddedArchive
from caisson.adapters.embedded.channel import SealedReader, SealedWriter
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.configuration import (
    OnlineKeys,
    TufConfigurationPublisher,
    TufConfigurationSource,
    establish_trust,
)
from caisson.adapters.embedded.isolation import UserPlan, restrict
from caisson.adapters.embedded.isolation.zones import zone_rules
from caisson.adapters.embedded.keys import FileKeys
from caisson.adapters.embedded.layout import Layout, prepare
from caisson.adapters.embedded.ledger import EmbeddedLedger
from caisson.channels.messages import ProcessEvent
from caisson.channels.table import Zone
from caisson.ports.archive import Entry
from caisson.ports.channel import Received
from caisson.ports.configuration import Change
from caisson.ports.ledger import Account
from forked import in_child

CLOCK = SystemClock()
ALONE = UserPlan(first=None, reason="not asked for")
OWN = UserPlan(first=65_496, reason="")
ONLINE = ("orders", "snapshot", "timestamp")


@pytest.fixture(
    params=[
        pytest.param(ALONE, id="as the owner"),
        pytest.param(OWN, id="as own users", marks=pytest.mark.skipif(os.geteuid() != 0, reason="own users need root")),
    ]
)
def layout(request: pytest.FixtureRequest, reachable: Path) -> Layout:
    codecs.lookup("ascii")
    importlib.import_module("duckdb")
    where = prepare(reachable / "data", system="claims", users=request.param)
    FileKeys.create(where.zone(Zone.RUNTIME, "keys"), signing=("events",))
    FileKeys.create(where.zone(Zone.LOGGING, "keys"), sealing=("events",), secrets=("store",))
    FileKeys.create(where.zone(Zone.CONTROL, "keys"), signing=ONLINE)
    FileKeys.create(where.zone(Zone.CONTROL, "operators"), signing=("author",))
    where.hand_over()
    return where


def in_zone(layout: Layout, zone: Zone, act: Callable[[], Any]) -> Any:
    """What `act` gives in a process of the zone."""

    def child() -> Any:
        user = layout.users.user(zone)
        os.umask(0o027)
        if user is None:
            restrict(zone_rules(layout, zone))
        else:
            os.setgroups(user.groups)
            os.setresgid(user.gid, user.gid, user.gid)
            os.setresuid(user.uid, user.uid, user.uid)
        return act()

    return in_child(child)


def publish(layout: Layout, version: int) -> None:
    keys = FileKeys(layout.zone(Zone.CONTROL, "keys"))
    author = FileKeys(layout.zone(Zone.CONTROL, "operators")).signing("author")
    publisher = TufConfigurationPublisher(
        repository=layout.configuration,
        state=layout.zone(Zone.CONTROL, "state") / "publisher",
        online=OnlineKeys(**{role: keys.signing(role) for role in ONLINE}),
        operators={"author": author.public_bytes},
        clock=CLOCK,
    )
    change = Change(author="author", reason=f"version {version}", origin="publish", at=CLOCK.now())
    bundle = {"format": 1, "system": {"tier": 1, "name": f"claims-{version}"}, "keys": {}}
    publisher.publish(bundle, change, signatures=1, orders_validity_s=60, signers=[author])


def test_configuration_is_published_by_control_and_read_by_the_runtime(layout: Layout) -> None:
    trust = layout.zone(Zone.RUNTIME, "state") / "trust"
    publish(layout, 1)  # `up` does the first one
    establish_trust(layout.configuration, trust)
    layout.hand_over()
    in_zone(layout, Zone.CONTROL, lambda: publish(layout, 2))

    def read() -> str:
        configuration, _ = TufConfigurationSource(layout.configuration, trust, CLOCK).refresh()
        return str(configuration.bundle["system"]["name"])

    assert in_zone(layout, Zone.RUNTIME, read) == "claims-2"


def test_events_go_from_the_runtime_to_logging(layout: Layout) -> None:
    runtime_public = FileKeys(layout.zone(Zone.RUNTIME, "keys")).signing("events").public_bytes
    logging_public = FileKeys(layout.zone(Zone.LOGGING, "keys")).sealing("events").public_bytes

    def write() -> None:
        writer = SealedWriter(
            channel="events",
            writer="runtime-0",
            spool=layout.spool("events"),
            state=layout.zone(Zone.RUNTIME, "state"),
            signing=FileKeys(layout.zone(Zone.RUNTIME, "keys")).signing("events"),
            reader_public=logging_public,
            clock=CLOCK,
        )
        writer.append(ProcessEvent(zone="runtime", change="started", timestamp=CLOCK.now()))
        asyncio.run(writer.durable())
        writer.close()

    def read() -> list[str]:
        reader = SealedReader(
            channel="events",
            spool=layout.spool("events"),
            state=layout.zone(Zone.LOGGING, "state"),
            keys=[FileKeys(layout.zone(Zone.LOGGING, "keys")).sealing("events")],
            writers={"runtime": (runtime_public,)},
        )
        found = [item.message.zone for item in reader.poll(100) if isinstance(item, Received)]
        reader.commit()
        return [*found, str(len(list(layout.spool("events").iterdir())))]

    for _ in range(2):
        in_zone(layout, Zone.RUNTIME, write)
        assert in_zone(layout, Zone.LOGGING, read) == ["runtime", "0"]


def test_the_ledger_keeps_its_accounts(layout: Layout) -> None:
    async def spend() -> str:
        ledger = EmbeddedLedger(layout.zone(Zone.RUNTIME, "state") / "ledger.db")
        now = CLOCK.now()
        account = Account(
            session_id="s", user="alice", agent="claims", task="answer", opened=now, expires=now + 60,
            tokens_max=10, actions_max=10,
        )  # fmt: skip
        await ledger.open(account)
        balance = await ledger.balance("s", now=now)
        ledger.close()
        return "" if balance is None else balance.account.user

    for _ in range(2):
        assert in_zone(layout, Zone.RUNTIME, lambda: asyncio.run(spend())) == "alice"


def test_the_archive_stores_and_compacts(layout: Layout) -> None:
    def archive() -> list[int]:
        store = EmbeddedArchive(
            layout.zone(Zone.LOGGING, "archive"),
            layout.zone(Zone.LOGGING, "tree"),
            FileKeys(layout.zone(Zone.LOGGING, "keys")).secret("store"),
            region="eu-west-1",
            clock=CLOCK,
        )
        first = store.size()
        event = {"kind": "process.v1", "message_id": "m", "timestamp": CLOCK.now()}
        store.append(
            [
                Entry(
                    index=index,
                    event=event,
                    writer="runtime-0",
                    incarnation=f"{first:016x}",
                    sequence=index,
                    digest="0" * 64,
                )
                for index in range(first, first + 10)
            ]
        )
        store.compact()
        found = len(list(store.scan()))
        store.close()
        return [first, found]

    assert in_zone(layout, Zone.LOGGING, archive) == [0, 10]
    assert in_zone(layout, Zone.LOGGING, archive) == [10, 20]
