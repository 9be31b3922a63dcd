"""The control process: zone 5 (IAM-03)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from caisson.adapters.embedded.channel import SealedReader, SealedWriter
from caisson.adapters.embedded.clock import SystemClock
from caisson.adapters.embedded.configuration import OnlineKeys, TufConfigurationPublisher
from caisson.adapters.embedded.isolation import restrict
from caisson.adapters.embedded.isolation.zones import zone_rules
from caisson.adapters.embedded.keys import FileKeys
from caisson.channels.table import Zone
from caisson.errors import StartError
from caisson.ports.keys import SigningKey
from caisson.supervision.readiness import announce_ready
from caisson.wiring.configuration import Publication, ports
from caisson.wiring.process import stop_on_signals
from caisson.wiring.provision import HANDOVER, ONLINE_ROLES, OPERATORS
from caisson.wiring.settings import Settings, read
from caisson.zones.z5_control.anchors import Anchors
from caisson.zones.z5_control.control import Control
from caisson.zones.z5_control.findings import Findings
from caisson.zones.z5_control.handover import read_handover
from caisson.zones.z5_control.record import Recorder
from caisson.zones.z5_control.service import bound, serve


def run(settings_file: Path) -> int:
    """Sign and answer operators until told to stop."""
    asyncio.run(_serve(read(settings_file)))
    return 0


async def _serve(settings: Settings) -> None:
    clock, where = SystemClock(), settings.layout()
    state = where.zone(Zone.CONTROL, "state")
    keys = FileKeys(where.zone(Zone.CONTROL, "keys"))
    operators = FileKeys(where.zone(Zone.CONTROL, "operators"))
    author, approver = (_held(operators, name) for name in OPERATORS)
    if author is None:
        raise StartError("expected the author's key among the operators' keys, found none; restore it from a backup")
    events = SealedWriter(
        channel="events",
        writer="control-0",
        spool=where.spool("events"),
        state=state,
        signing=keys.signing("events"),
        reader_public=settings.public("logging", "events"),
        clock=clock,
    )
    reader = SealedReader(
        channel="findings",
        spool=where.spool("findings"),
        state=state,
        keys=keys.sealing_keys("findings"),
        writers={"logging": settings.publics_of("logging", "findings")},
    )
    publication = await Publication.open(settings, where, clock)
    control = Control(
        publisher=TufConfigurationPublisher(
            repository=where.configuration,
            state=state,
            online=OnlineKeys(**{role: keys.signing(role) for role in ONLINE_ROLES}),
            operators={
                name: key.public_bytes
                for name, key in zip(OPERATORS, (author, approver), strict=True)
                if key is not None
            },
            clock=clock,
            distribute=publication.distribute,
        ),
        recorder=Recorder(events, state / "record.json"),
        findings=Findings(reader, Anchors(state / "anchors.jsonl"), clock),
        clock=clock,
        author=author,
        approver=approver,
    )

    handover = read_handover(state / HANDOVER)
    path = where.sockets / "control.sock"
    listener = bound(path, settings.owner_uid)
    held = restrict(
        zone_rules(where, Zone.CONTROL, connect_ports=tuple(ports(settings.configuration, settings.region)))
    )
    stop = stop_on_signals()
    following = asyncio.create_task(publication.feed.follow()) if publication.feed is not None else None
    if following is not None:
        following.add_done_callback(lambda _: stop.set())
    try:
        await serve(
            control,
            handover,
            path,
            listener=listener,
            owner_uid=settings.owner_uid,
            stop=stop,
            ready=lambda: announce_ready({"landlock_abi": held.landlock_abi, "missing": list(held.missing)}),
        )
        if following is not None and following.done():
            following.result()
    finally:
        if following is not None:
            following.cancel()
        await publication.close()
        events.close()


def _held(operators: FileKeys, name: str) -> SigningKey | None:
    """An operator's key, when it lies on this machine."""
    with suppress(StartError):
        return operators.signing(name)
    return None
