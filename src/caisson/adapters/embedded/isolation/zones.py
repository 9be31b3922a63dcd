"""What each zone process may touch, worked out from the channel table (NET-01).

A zone reads and writes its own folders, reads and deletes in the spools it is the reader of, only writes into the
spools of channels it writes to, and reads what the control zone publishes. Nothing else of the data folder exists.

>>> zone_rules(layout, Zone.LOGGING).write_only  # doctest: +SKIP
(PosixPath('/srv/data/spool/findings'),)
"""

from __future__ import annotations

from pathlib import Path

from caisson.adapters.embedded.isolation import runtime_paths
from caisson.adapters.embedded.isolation.landlock import Rules
from caisson.adapters.embedded.layout import Layout, private_folders, spools
from caisson.channels.table import CHANNELS, Zone


def zone_rules(
    layout: Layout,
    zone: Zone,
    *,
    read: tuple[Path, ...] = (),
    connect_ports: tuple[int, ...] | None = (),
    bind_ports: tuple[int, ...] | None = (),
) -> Rules:
    """The rules of a zone's process. `read` adds files of the installation or the owner, not of other zones.

    Sockets that listen are bound before. With no port to connect to or to bind, the process makes no sockets at all.

    Raises:
        StartError: the data folder lies in a folder that every zone reads.
    """
    own = tuple(layout.zone(zone, name) for name in private_folders(zone))
    publishes = zone in CHANNELS["configuration"].writers
    written = tuple(name for name, (writers, reader) in spools().items() if zone in writers and zone is not reader)
    return Rules(
        read=(
            *runtime_paths.needed(layout.data, connecting=connect_ports != ()),
            *((layout.authority,) if zone is Zone.RUNTIME else ()),
            *(() if publishes else (layout.configuration,)),
            *read,
        ),
        write=(
            *own,
            *((layout.configuration,) if publishes else ()),
            *(layout.spool(name) for name, (_, reader) in spools().items() if zone is reader),
        ),
        write_only=tuple(layout.spool(name) for name in written),
        connect_ports=connect_ports,
        bind_ports=bind_ports,
    )
