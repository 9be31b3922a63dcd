"""The logging process: zone 6 (LOG-07)."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from caisson.adapters.embedded.archive import EmbeddedArchive
from caisson.adapters.embedded.channel import SealedWriter
from caisson.adapters.embedded.channel.lag import CaughtUp
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.compiled import CompiledPatterns
from caisson.adapters.embedded.isolation import restrict
from caisson.adapters.embedded.isolation.zones import zone_rules
from caisson.adapters.embedded.keys import FileKeys
from caisson.channels.table import SUPERVISOR, Zone
from caisson.detect.prefilter import keep_in
from caisson.detect.redaction import Redactor
from caisson.supervision.readiness import announce_ready
from caisson.wiring.events import Arrivals
from caisson.wiring.events import ports as queue_ports
from caisson.wiring.followers import followers
from caisson.wiring.followers import ports as followers_ports
from caisson.wiring.process import stop_on_signals
from caisson.wiring.settings import Settings, read
from caisson.zones.z6_logging.service import STORE_SECRET, serve

WRITERS = ("runtime", "control", SUPERVISOR)

NICENESS = 10
"""How far this process stands back. An event that is archived a second later harms nobody, a request that waits for the
processor does; the spool's bound keeps what waits finite."""


def run(settings_file: Path) -> int:
    """Archive until told to stop."""
    asyncio.run(_serve(read(settings_file)))
    return 0


async def _serve(settings: Settings) -> None:
    clock, where = SystemClock(), settings.layout()
    state = where.zone(Zone.LOGGING, "state")
    keys = FileKeys(where.zone(Zone.LOGGING, "keys"))
    writers = {zone: settings.publics_of(zone, "events") for zone in WRITERS}
    findings = SealedWriter(
        channel="findings",
        writer="logging-0",
        spool=where.spool("findings"),
        state=state,
        signing=keys.signing("findings"),
        reader_public=settings.public("control", "findings"),
        clock=clock,
    )
    arrivals = await Arrivals.open(settings, where, clock)
    following = await followers(settings, where, clock, keys.secret(STORE_SECRET))
    reached = queue_ports(settings.events, settings.region) | followers_ports(settings)
    held = restrict(zone_rules(where, Zone.LOGGING, connect_ports=tuple(sorted(reached))))
    keep_in(CompiledPatterns(state / "compiled", keys.secret(STORE_SECRET)))
    reader = await arrivals.reader(settings, where, clock, keys, writers)
    archive = EmbeddedArchive(
        where.zone(Zone.LOGGING, "archive"),
        where.zone(Zone.LOGGING, "tree"),
        keys.secret(STORE_SECRET),
        region=settings.region,
        clock=clock,
    )

    def ready() -> None:
        announce_ready({"landlock_abi": held.landlock_abi, "missing": list(held.missing)})
        os.nice(NICENESS)  # only now: a start that others wait for must be quick

    stop = stop_on_signals()
    lent = [arrivals.feed, *(each.feed for each in following)]
    feeds = [asyncio.create_task(feed.follow()) for feed in lent if feed is not None]
    for feed in feeds:
        feed.add_done_callback(lambda _: stop.set())  # archive what is there; its end is said below
    try:
        for each in following:
            await each.start()
        await serve(
            reader=reader,
            archive=archive,
            keys=keys,
            findings=findings,
            redactor=Redactor(),
            clock=clock,
            stop=stop,
            origin=f"caisson/{settings.system}",
            writer_keys=writers,
            ready=ready,
            caught_up=CaughtUp(state, "events").note,
        )
        for feed in feeds:
            if feed.done():
                feed.result()
    finally:
        for each in following:
            await each.finish()
        for feed in feeds:
            feed.cancel()
        arrivals.close()
        findings.close()
