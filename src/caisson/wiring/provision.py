"""What `up` prepares before any zone starts: keys and private settings (NET-01, DAT-05).

Each zone's private keys lie in its own folder. `up` knows them only while it makes them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from caisson.adapters.embedded.keys import BEFORE, FileKeys
from caisson.adapters.embedded.layout import Layout
from caisson.channels.table import SUPERVISOR, Zone
from caisson.wiring.settings import (
    FILE,
    ArchiveBuckets,
    ConfigurationBucket,
    Door,
    EventQueue,
    LedgerTable,
    Lending,
    LogGroups,
    Settings,
    Upstream,
    store,
    worker_name,
)
from caisson.zones.z6_logging.service import CHECKPOINT_KEY, PSEUDONYM_SECRET, STORE_SECRET

OPERATORS = ("author", "approver")
HANDOVER = "handover.json"
ONLINE_ROLES = ("orders", "snapshot", "timestamp")
ROTATED = frozenset({"events", "findings"})
"""Keys under which channels are written and sealed. Session keys turn by themselves, once a day."""
_SIGNING = {
    Zone.RUNTIME: ("events",),
    Zone.CONTROL: ("events", *ONLINE_ROLES),
    Zone.LOGGING: ("findings", CHECKPOINT_KEY),
}
_SEALING = {Zone.RUNTIME: (), Zone.CONTROL: ("findings",), Zone.LOGGING: ("events",)}
_SECRETS = {Zone.RUNTIME: ("pseudonyms",), Zone.CONTROL: (), Zone.LOGGING: (PSEUDONYM_SECRET, STORE_SECRET)}


def make_keys(where: Layout, *, rotate: bool = False) -> dict[str, dict[str, str]]:
    """Make what is missing; returns every zone's public keys, base64, with those before them as `NAME-before`.

    Args:
        rotate: whether the keys under which channels are written get successors. Those that sign the log's checkpoints
            and the configuration stay, because what they signed before must go on to verify.

    Raises:
        StartError: a key folder cannot be used.
    """
    publics: dict[str, dict[str, str]] = {}
    for zone, names in _SIGNING.items():
        folder = where.zone(zone, "keys")
        if rotate:
            FileKeys.put_aside(folder, signing=ROTATED & set(names), sealing=ROTATED & set(_SEALING[zone]))
        keys = FileKeys.create(folder, signing=names, sealing=_SEALING[zone], secrets=_SECRETS[zone])
        found = _publics(keys, names)
        found |= {name: keys.sealing(name).public_bytes for name in _SEALING[zone]}
        publics[zone.label] = {name: base64.b64encode(public).decode() for name, public in found.items()}
    if rotate:
        FileKeys.put_aside(_supervisor_folder(where), signing=ROTATED & {"events"})
    supervisor = _publics(supervisor_keys(where), ("events",))
    publics[SUPERVISOR] = {name: base64.b64encode(public).decode() for name, public in supervisor.items()}
    return publics


def _publics(keys: FileKeys, names: Iterable[str]) -> dict[str, bytes]:
    """Current and before."""
    return {
        f"{name}{suffix}": public
        for name in names
        for suffix, public in zip(("", BEFORE), keys.signing_publics(name), strict=False)
    }


def supervisor_keys(where: Layout) -> FileKeys:
    """The supervisor's own, for its events."""
    return FileKeys.create(_supervisor_folder(where), signing=("events",))


def _supervisor_folder(where: Layout) -> Path:
    return where.data / "zones" / "supervisor" / "keys"


def operator_keys(where: Layout) -> FileKeys:
    """The keys that sign configuration. Made once; the approver's belongs elsewhere from tier 3 (docs/limits.md)."""
    folder = where.zone(Zone.CONTROL, "operators")
    made = any(folder.glob("*.key"))
    return FileKeys(folder) if made else FileKeys.create(folder, signing=OPERATORS)


def write_settings(
    where: Layout,
    *,
    system: str,
    region: str,
    owner_uid: int,
    publics: dict[str, dict[str, str]],
    host: str,
    port: int,
    upstream: Upstream,
    ledger: LedgerTable | None,
    events: EventQueue | None,
    configuration: ConfigurationBucket | None,
    archive: ArchiveBuckets | None,
    log_groups: LogGroups | None,
    ingress: str,
    otlp: str,
    workers: int,
) -> dict[str, Path]:
    """A private settings file a process, by its name; the upstream's key goes to the gateway alone (SEC-07)."""
    paths = {}
    for left in where.zone(Zone.RUNTIME, "state").glob(FILE.replace(".", "-*.")):
        left.unlink()  # of a start with more workers
    for zone in (Zone.CONTROL, Zone.LOGGING, Zone.RUNTIME):
        settings = Settings(
            data=str(where.data),
            system=system,
            region=region,
            owner_uid=owner_uid,
            first_uid=where.users.first,
            publics=publics,
            host=host,
            port=port if zone is Zone.RUNTIME else 0,
            upstream=upstream if zone is Zone.RUNTIME else None,
            ledger=ledger if zone is Zone.RUNTIME else None,
            events=events if zone in (Zone.RUNTIME, Zone.LOGGING) else None,
            configuration=configuration if zone in (Zone.RUNTIME, Zone.CONTROL) else None,
            archive=archive if zone is Zone.LOGGING else None,
            log_groups=log_groups if zone is Zone.LOGGING else None,
            ingress=ingress if zone is Zone.RUNTIME else "",
            otlp=otlp if zone is Zone.RUNTIME else "",
            workers=workers if zone is Zone.RUNTIME else 1,
        )
        for worker in range(settings.workers):
            name = worker_name(worker) if zone is Zone.RUNTIME else zone.label
            paths[name] = where.zone(zone, "state") / (FILE.replace(".", f"-{worker}.") if worker else FILE)
            store(paths[name], replace(settings, worker=worker))
    return paths


def write_lending(
    where: Layout,
    name: str,
    *,
    region: str,
    profile: str,
    option: str,
    doors: Iterable[tuple[str, Zone]],
    workers: int,
) -> Path:
    """Settings of the process `name`, which resolves an AWS profile; whoever starts `up` owns them.

    Args:
        option: what of the command line asked for it.
        doors: each socket, and the zone that is lent credentials on it.
    """
    path = where.supervisor_state / f"{name}.json"
    lending = Lending(
        data=str(where.data),
        region=region,
        first_uid=where.users.first,
        profile=profile,
        option=option,
        doors=tuple(Door(socket=socket, zone=zone) for socket, zone in doors),
        workers=workers,
    )
    store(path, lending)
    return path
